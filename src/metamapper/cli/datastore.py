"""`metamapper datastore`: connect datastores, list them, inspect them, forget them."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from metamapper.cli.framework import start_django
from metamapper.cli.rendering import aligned
from metamapper.cli.ssh import as_known_here
from metamapper.cli.telling import FAILED, Failed, failure, progress, shown, told, url_given, warn
from metamapper.connectors.base import Progress, StepState
from metamapper.connectors.tunnel.errors import HostKeyChanged, HostKeyUnknown
from metamapper.lib.masking import masked

if TYPE_CHECKING:
    from metamapper.cli.places import Place
    from metamapper.connectors.base import Engine, EngineSettings
    from metamapper.connectors.tunnel.values import Hop
    from metamapper.datastores.models import Datastore
    from metamapper.runs.models import Run

EVERY: dict[str, int] = {
    "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "3h": 10800, "6h": 21600, "12h": 43200, "24h": 86400,
}  # fmt: skip
LOOK_AGAIN_SECONDS = 0.3
SUSPICIOUS_SECONDS = 15

in_workspace = click.option("--workspace", default="", metavar="ADDRESS", help="Its address, where there are several.")


@click.group()
def datastore() -> None:
    """Connect datastores, list them, inspect them, forget them."""


@datastore.command()
@click.argument("name")
@click.argument("url")
@click.option("--every", type=click.Choice(list(EVERY)), default="1h", show_default=True, help="How often to look.")
@click.option("--schemas", default="", metavar="PATTERNS", help="Only these schemas, such as 'sales*, -sales_old'.")
@click.option("--tables", default="", metavar="PATTERNS", help="Only these tables, by name or by schema.name.")
@click.option("--untested", is_flag=True, help="Save it without trying the connection.")
@click.option(
    "--ssh",
    default="",
    metavar="USER@HOST[:PORT][,…]",
    help="Reach it through this SSH host, or a chain of them, whose keys your ~/.ssh/known_hosts has.",
)
@in_workspace
def add(
    *, name: str, url: str, every: str, schemas: str, tables: str, untested: bool, ssh: str, workspace: str
) -> None:
    """Connect the database at URL as NAME; it is tested, saved, and inspected at once.

    With --ssh the workspace's own key signs in to the hosts; `metamapper datastore ssh-key` prints it.
    - as the URL reads it from standard input, so that a password shows neither in the list of processes nor in a history.
    """
    start_django()
    from metamapper.cli.places import place
    from metamapper.connectors.registry import from_url
    from metamapper.connectors.tunnel.own import own_hops

    where = place(workspace)
    url = url_given(url)
    with told(masked(url)):
        engine, settings = from_url(url)
        hops = own_hops(ssh) if ssh else ()
    if not untested:
        _prove(engine, settings, masked(url), where, hops)
    scope = {"include_schemas": schemas, "include_tables": tables}
    made = _connected(
        where,
        name=name,
        engine=engine.name,
        settings=settings,
        interval_seconds=EVERY[every],
        tested=not untested,
        hops=hops,
        **scope,
    )
    click.echo(
        f"{made.slug} is connected. `metamapper datastore inspect {made.slug} --wait` shows its first inspection."
    )


def _prove(engine: "Engine", settings: "EngineSettings", label: str, where: "Place", hops: "Sequence[Hop]") -> None:
    """Try the connection step by step; raises ``Failed`` at the first step that does."""
    from metamapper.datastores.services import connector
    from metamapper.datastores.tunnels import ensure_key, tunnel_for

    if hops:
        ensure_key(where.workspace, where.user)
    with told(label):
        steps = connector(engine, settings, tunnel_for(where.workspace.pk, hops)).test()
    for step in steps:
        if isinstance(step.error, HostKeyUnknown | HostKeyChanged):
            with told(label), as_known_here():
                raise step.error
        if step.state is StepState.FAILED:
            problem = (
                failure(step.error, label) if step.error else Failed(f"{label}: {step.name} failed. {step.detail}")
            )
            raise Failed(problem.message, hint="With --untested it is saved all the same.") from step.error
        if step.state is StepState.WARNING:
            warn(f"{step.name}: {step.detail}")


def _connected(where: "Place", **facts: Any) -> "Datastore":
    from metamapper.datastores.services import NameTaken
    from metamapper.inspection.connecting import connect
    from metamapper.runs.services import wait_for_doorbell

    try:
        made = connect(where.workspace, user=where.user, **facts)
    except NameTaken as error:
        raise Failed(str(error), hint="Choose another name.") from error
    wait_for_doorbell()
    return made


@datastore.command("ssh-key")
@in_workspace
def ssh_key(*, workspace: str) -> None:
    """Print the line that lets the workspace in on an SSH host: for its authorized_keys."""
    start_django()
    from metamapper.cli.places import place
    from metamapper.connectors.tunnel.values import authorized
    from metamapper.datastores.models import SshKey
    from metamapper.datastores.tunnels import ensure_key

    where = place(workspace)
    ensure_key(where.workspace, where.user)
    newest = SshKey.objects.visible_to(where.user).filter(workspace=where.workspace)[0]
    click.echo(authorized(newest.public, None))


@datastore.command("list")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@in_workspace
def list_(*, form: str, workspace: str) -> None:
    """List the datastores with the state of their latest run."""
    start_django()
    from metamapper.cli.places import place

    rows = [_facts(each) for each in _all(place(workspace))]
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1).decode())
        return
    heads = ("name", "engine", "every", "latest run", "seen", "")
    for line in aligned([heads, *(_cells(row) for row in rows)] if rows else [("No datastore is connected yet.",)]):
        click.echo(line)


def _all(where: "Place") -> "Sequence[Datastore]":
    from metamapper.datastores.models import Datastore

    mine = Datastore.objects.visible_to(where.user).filter(workspace=where.workspace)
    return list(mine.select_related("schedule").order_by("slug"))


def _facts(found: "Datastore") -> dict[str, Any]:
    """One datastore as JSON values."""
    run = found.runs.order_by("-number").first()
    schedule = getattr(found, "schedule", None)
    return {
        "name": found.name,
        "slug": found.slug,
        "engine": found.engine,
        "server_version": found.server_version,
        "interval_seconds": schedule.interval_seconds if schedule else None,
        "paused": bool(schedule and not schedule.enabled),
        "seen_at": found.seen_at,
        "latest_run": _run_facts(run) if run else None,
    }


def _run_facts(run: "Run") -> dict[str, Any]:
    return {
        "number": run.number,
        "state": run.state,
        "trigger": run.trigger,
        "outcome": run.outcome_code,
        "title": run.outcome.get("title", ""),
        "counts": run.counts,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _cells(row: dict[str, Any]) -> Sequence[str]:
    run = row["latest_run"] or {}
    every = next((word for word, seconds in EVERY.items() if seconds == row["interval_seconds"]), "")
    seen = f"{row['seen_at'].astimezone():%Y-%m-%d %H:%M}" if row["seen_at"] else "not yet"
    return (
        shown(row["name"]),
        row["engine"],
        "paused" if row["paused"] else every,
        run.get("state", "none"),
        seen,
        run.get("title", ""),
    )


@datastore.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Wait until it is done; the exit code says how it went.")
@in_workspace
def inspect(*, name: str, wait: bool, workspace: str) -> None:
    """Have the datastore NAME inspected now, by a worker.

    With --wait the exit code is 0 if it succeeded, 1 if it could see a part only, 2 if it failed or was cancelled.
    """
    start_django()
    from metamapper.cli.places import datastore_named, place
    from metamapper.runs.models import Trigger
    from metamapper.runs.services import request_run, wait_for_doorbell

    where = place(workspace)
    run = request_run(datastore_named(where, name), trigger=Trigger.MANUAL, user=where.user)
    wait_for_doorbell()
    if not wait:
        click.echo(f"Run {run.number} waits for a worker.")
        return
    with progress(f"Run {run.number}") as report:
        _await(run, report)
    _tell_end(run)


def _await(run: "Run", report: Callable[[Progress], None]) -> None:
    """Until it has ended; says so when no worker seems to take it."""
    from metamapper.runs.models import State

    asked, warned = time.monotonic(), False
    while run.state in {State.QUEUED, State.RUNNING}:
        if run.state == State.QUEUED and not warned and time.monotonic() - asked > SUSPICIOUS_SECONDS:
            warned = True
            warn("No worker has taken it yet. Is one running? `metamapper up` or `metamapper worker` starts one.")
        seen = run.progress
        report(Progress(int(seen.get("done") or 0), seen.get("total"), seen.get("schema")))
        time.sleep(LOOK_AGAIN_SECONDS)
        run.refresh_from_db()


def _tell_end(run: "Run") -> None:
    from metamapper.runs.models import State

    counts = ", ".join(f"{value:,} {name}" for name, value in run.counts.items() if isinstance(value, int))
    click.echo(f"Run {run.number} {run.state}" + (f": {counts}" if counts else ""))
    if run.state == State.PARTIAL:
        for scope in run.scopes:
            if scope.get("reason"):
                warn(f"{shown(scope['name'])}: {scope['reason']} {scope.get('remedy', '')}".rstrip())
        raise SystemExit(1)
    if run.state != State.SUCCEEDED:
        outcome = run.outcome
        said = f" The server said: {outcome['server_said']}" if outcome.get("server_said") else ""
        warn(f"{outcome.get('title', run.state)}.{said} {outcome.get('hint', '')}".rstrip())
        raise SystemExit(FAILED)


@datastore.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@in_workspace
def remove(*, name: str, yes: bool, workspace: str) -> None:
    """Forget the datastore NAME, its history and all that was written about it. The datastore itself is not touched."""
    start_django()
    from metamapper.cli.places import datastore_named, place
    from metamapper.inspection.connecting import StillWritten, disconnect

    found = datastore_named(place(workspace), name)
    if not yes:
        click.confirm(
            f"Forget “{shown(found.name)}”, its history and all that was written about it?", abort=True, err=True
        )
    try:
        disconnect(found)
    except StillWritten as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{found.slug} is forgotten.")
