"""`metamapper doctor`: what stands between us and a datastore, step by step, and what would mend it."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from metamapper.cli.framework import start_django
from metamapper.cli.sources import is_url
from metamapper.cli.ssh import as_known_here, own_tunnel, through_ssh
from metamapper.cli.telling import FAILED, shown, told, url_given
from metamapper.connectors.base import Step, StepState
from metamapper.connectors.diagnosis import steps_of
from metamapper.connectors.errors import ConnectorError
from metamapper.connectors.reach import UNRESTRICTED
from metamapper.connectors.registry import from_url
from metamapper.connectors.tunnel.connector import connect
from metamapper.lib.masking import masked

WARNED = 1
COLORS = {StepState.FAILED: "red", StepState.WARNING: "yellow"}
INDENT = " " * 9


@click.command()
@click.argument("source", metavar="URL|NAME")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--workspace", default="", metavar="ADDRESS", help="Of the datastore NAME, where there are several.")
@through_ssh
def doctor(*, source: str, form: str, workspace: str, ssh: str, ssh_key: Path | None) -> None:
    """Test the way to a datastore, from the name of its server to the rights on its catalog.

    It stops at the first step that fails and says what would mend it, and what the catalog does not see until then.
    Nothing is read but what the test needs, and nothing is saved.

    The URL of a database is tried as you, who may reach what this machine may; - reads it from standard input. The NAME of a
    datastore that is connected is tried as the workers do, with its stored settings and within the administrator's limits.

    The exit code is 0 if all is well, 1 if it works with a warning, 2 if a step failed.
    """
    of_url = source == "-" or is_url(source)
    _refuse_what_would_be_ignored(of_url=of_url, workspace=workspace, through=bool(ssh or ssh_key))
    steps = _of_url(url_given(source), ssh, ssh_key) if of_url else _of_datastore(source, workspace)
    taken = list(steps) if form == "json" else [_told(step) for step in steps]
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([as_json(step) for step in taken]), indent=1).decode())
    raise SystemExit(_verdict({step.state for step in taken}))


def _of_url(url: str, ssh: str, ssh_key: Path | None) -> Iterator[Step]:
    with told(masked(url)):
        engine, settings = from_url(url)
        tunnel = own_tunnel(ssh, ssh_key)
    return map(_as_known_here, steps_of(partial(connect, engine, settings, UNRESTRICTED, tunnel)))


def _as_known_here(step: Step) -> Step:
    """There is no page here to accept a host's key on."""
    if step.error is not None:
        with suppress(ConnectorError), as_known_here():
            raise step.error
    return step


def _refuse_what_would_be_ignored(*, of_url: bool, workspace: str, through: bool) -> None:
    if of_url and workspace:
        raise click.UsageError("--workspace goes with the NAME of a datastore: a URL belongs to none.")
    if through and not of_url:
        raise click.UsageError("--ssh goes with a URL: a datastore has the SSH hosts that are stored with it.")


def _of_datastore(name: str, workspace: str) -> Iterator[Step]:
    start_django()
    from metamapper.cli.places import datastore_named, place
    from metamapper.datastores.services import test_stored

    return test_stored(datastore_named(place(workspace), name))


def _verdict(states: set[StepState]) -> int:
    if StepState.FAILED in states:
        return FAILED
    return WARNED if StepState.WARNING in states else 0


def as_json(step: Step) -> dict[str, Any]:
    """A step as JSON values."""
    return {
        "name": step.name,
        "state": step.state.value,
        "detail": step.detail,
        "seconds": step.seconds,
        "error": step.error.as_dict() if step.error else None,
    }


def _told(step: Step) -> Step:
    """Print a step as soon as it is taken."""
    click.echo(click.style(f"{step.state:9}", fg=COLORS.get(step.state)) + masked(_headline(step)))
    for line in _advice(step.error) if step.error else ():
        click.echo(f"{INDENT}{masked(line)}")
    return step


def _headline(step: Step) -> str:
    if step.state is StepState.WAITING:
        return f"{step.name}: not tried"
    return f"{step.name}: {shown(step.detail)}"


def _advice(error: ConnectorError) -> Iterator[str]:
    """What the server said, what is not seen, what to do, what to paste."""
    if error.server_said:
        yield f"It said: {shown(error.server_said)}"
    if error.unseen:
        yield f"Not seen until then: {shown(error.unseen)}."
    if error.hint:
        yield error.hint
    yield from (f"  {shown(line)}" for line in error.remedy.splitlines())
