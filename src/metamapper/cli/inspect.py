"""`metamapper inspect`: read a database and print what is in it. No server, no account, no metastore."""

from pathlib import Path

import click
import msgspec

from metamapper.cli import rendering
from metamapper.cli.sources import read, read_again, scope_filter
from metamapper.cli.ssh import through_ssh
from metamapper.cli.telling import url_given, write
from metamapper.schema import Snapshot

FORMATS = ("table", "json", "markdown")
BY_SUFFIX = {".json": "json", ".md": "markdown"}


@click.command()
@click.argument("url", required=False)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="How to print it; by default a table, or by FILE's ending."
)
@click.option("--schemas", default="", metavar="PATTERNS", help="Only these schemas, such as 'sales*, -sales_old'.")
@click.option("--tables", default="", metavar="PATTERNS", help="Only these tables, by name or by schema.name.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to a file.")
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep what was answered, to be replayed elsewhere.",
)
@click.option(
    "--replay",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read from a recording instead of a URL.",
)
@through_ssh
def inspect(
    *,
    url: str | None,
    form: str | None,
    schemas: str,
    tables: str,
    output: Path | None,
    record: Path | None,
    replay: Path | None,
    ssh: str,
    ssh_key: Path | None,
) -> None:
    """Read the database at URL and print its schemas, tables, columns, keys and indexes.

    Reads catalogs only, never a row, in a read-only session. URL is postgresql://user@host/database or sqlite:///file;
    - reads it from standard input, so that a password shows neither in the list of processes nor in a history.
    JSON is the saved form that `metamapper diff` takes.

    With --record what was answered is kept, also where the inspection fails: names, types and comments, no row, no secret of
    the connection, no host. With --replay it is inspected anew from there, without driver and network.
    """
    within = scope_filter(schemas, tables)
    if (url is None) == (replay is None) or (replay and record):
        raise click.UsageError("Give either a URL, with --record or without, or --replay FILE.")
    snapshot = read_again(replay, within) if replay else read(url_given(url or ""), within, ssh, ssh_key, record)
    write(_rendered(snapshot, form or BY_SUFFIX.get(output.suffix if output else "", "table")), output)


def _rendered(snapshot: Snapshot, form: str) -> str:
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(snapshot), indent=1).decode()
    lines = rendering.markdown(snapshot) if form == "markdown" else rendering.table(snapshot)
    return "\n".join(lines)
