"""`metamapper diff`: what differs between two databases, or two moments of one. No server, no account, no metastore."""

from pathlib import Path

import click
import msgspec

from metamapper.cli import differences
from metamapper.cli.sources import load, scope_filter
from metamapper.cli.ssh import through_ssh
from metamapper.cli.telling import url_given
from metamapper.connectors.registry import registry
from metamapper.schema import AssetKind, Change, Severity, Snapshot

DIFFERENT = 1


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice([each.value for each in Severity]),
    help="Exit with 1 only for a change that is at least so severe for readers.",
)
@click.option(
    "--match",
    type=click.Choice(["auto", "ids", "names"]),
    default="auto",
    show_default=True,
    help="How A and B are matched: ids see renames for certain, but mean something only within one database.",
)
@click.option("--schemas", default="", metavar="PATTERNS", help="Only these schemas, such as 'sales*, -sales_old'.")
@click.option("--tables", default="", metavar="PATTERNS", help="Only these tables, by name or by schema.name.")
@through_ssh
def diff(
    *,
    before: str,
    after: str,
    form: str,
    fail_on: str | None,
    match: str,
    schemas: str,
    tables: str,
    ssh: str,
    ssh_key: Path | None,
) -> None:
    """Tell what changed from A to B; each is the URL of a database or the file of a saved snapshot.

    The exit code is 0 if they are alike, 1 if they differ, 2 if one of them could not be read. What B's account may not
    see is not counted as gone. With --ssh every URL is reached through it.
    """
    from metamapper.diffing.snapshots import diff_snapshots

    within = scope_filter(schemas, tables)
    old = load(url_given(before), within, ssh, ssh_key)
    new = load(url_given(after), within, ssh, ssh_key)
    by_id = match == "ids" or (match == "auto" and share_ids(old, new))
    changes = [change for change in diff_snapshots(old, new, stable_ids=by_id) if not change.quiet]
    _print(changes, form)
    counted = differences.at_least(changes, Severity(fail_on)) if fail_on else bool(changes)
    raise SystemExit(DIFFERENT if counted else 0)


def share_ids(old: Snapshot, new: Snapshot) -> bool:
    """Whether both seem to be one database: most relations that kept their name also kept the engine's own id."""
    engine = registry().engines.get(old.engine)
    if old.engine != new.engine or engine is None or AssetKind.RELATION not in engine.stable_ids:
        return False
    before = {(each.schema, each.name): each.native_id for each in old.relations}
    after = {(each.schema, each.name): each.native_id for each in new.relations}
    common = before.keys() & after.keys()
    kept = sum(before[name] is not None and before[name] == after[name] for name in common)
    return kept > len(common) / 2


def _print(changes: list[Change], form: str) -> None:
    if form == "json":
        plain = [differences.as_json(change) for change in changes]
        click.echo(msgspec.json.format(msgspec.json.encode(plain), indent=1).decode())
        return
    for line in differences.lines(sorted(changes, key=lambda change: change.path)):
        click.echo(line)
    click.echo(differences.totals(changes))
