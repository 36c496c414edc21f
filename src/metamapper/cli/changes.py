"""`metamapper changes`: what a datastore's inspections found, newest last."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click
import msgspec

from metamapper.cli import differences
from metamapper.cli.framework import start_django
from metamapper.schema import AssetKind, Certainty, Change, ChangeKind, Evidence, FieldChange, Severity

if TYPE_CHECKING:
    from metamapper.history.models import Change as Row

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LIMIT = 200


class Moment(click.ParamType[datetime]):
    """``2026-05-01``, ``2026-05-01T10:00``, or so long ago: ``90m``, ``24h``, ``7d``, ``2w``."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        text = str(value)
        if text[:-1].isdigit() and text[-1] in UNITS:
            return datetime.now(UTC) - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"“{text}” is no moment: try 2026-05-01, 2026-05-01T10:00, 24h or 7d.", param, ctx)
        return moment if moment.tzinfo else moment.astimezone()


@click.command()
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--since", type=Moment(), metavar="MOMENT", help="Only later ones: 2026-05-01, 24h, 7d.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="At most so many, the newest."
)
@click.option("--workspace", default="", metavar="ADDRESS", help="Its address, where there are several.")
def changes(name: str, form: str, since: datetime | None, limit: int, workspace: str) -> None:
    """Print a datastore's recorded changes, the newest last."""
    start_django()
    rows = [row for row in _rows(name, workspace, since, limit) if not change_of(row).quiet]
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([_as_json(row) for row in rows]), indent=1).decode())
        return
    for line in _lines(rows):
        click.echo(line)


def _rows(name: str, workspace: str, since: datetime | None, limit: int) -> "Sequence[Row]":
    from metamapper.cli.places import datastore_named, place
    from metamapper.history.models import Change as Row

    where = place(workspace)
    found = Row.objects.visible_to(where.user).filter(datastore=datastore_named(where, name)).defer("before", "after")
    later = found.filter(at__gt=since) if since else found
    return list(later.order_by("-at", "-order", "-id")[:limit])[::-1]


def _lines(rows: "Sequence[Row]") -> Iterator[str]:
    for at, group in groupby(rows, key=lambda row: row.at):
        yield f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
        yield from (f"  {line}" for line in differences.lines(map(change_of, group)))
    yield differences.totals([change_of(row) for row in rows])


def change_of(row: "Row") -> Change:
    """The recorded change as a value, without the whole states."""
    return Change(
        kind=ChangeKind(row.kind),
        asset=AssetKind(row.asset),
        asset_id=row.asset_id,
        parent_id=row.parent_id,
        path=tuple(row.path),
        fields=tuple(msgspec.convert(each, FieldChange) for each in row.fields),
        severity=Severity(row.severity),
        reason=row.reason,
        certainty=Certainty(row.certainty),
        evidence=msgspec.convert(row.evidence, Evidence) if row.evidence else None,
    )


def _as_json(row: "Row") -> dict[str, Any]:
    facts = {"id": str(row.id), "at": row.at.isoformat(), "run_id": str(row.run_id), "decision": row.decision}
    return facts | differences.as_json(change_of(row))
