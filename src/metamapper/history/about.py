"""What the recorded changes tell about one thing: its names, its latest changes, how it came to be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count

from metamapper.catalog.models import Relation
from metamapper.datastores.models import Datastore
from metamapper.history.feed import Asked, matching
from metamapper.history.models import Change
from metamapper.history.selectors import relation_at
from metamapper.lib.lookups import AnyOf
from metamapper.runs.models import Run, Schedule, State
from metamapper.schema import AssetKind, ChangeKind, Column, Identified

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person

_RENAMING = (ChangeKind.RENAMED, ChangeKind.MOVED, ChangeKind.RESTORED)


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name (with its schema, where that was another) that a relation bore until a moment."""

    name: str
    until: datetime


def former_names(user: "Person", relation: Relation, as_of: datetime | None = None) -> list[FormerName]:
    """What the relation was called before, the latest name first. One query."""
    found = Change.objects.visible_to(user).filter(asset_id=relation.id, relation_id=relation.id, kind__in=_RENAMING)
    if as_of is not None:
        found = found.filter(at__lte=as_of)
    rows = found.order_by("-at", "-order").values_list("fields", "path", "at")[:20]
    names = ((_before(fields, path), at) for fields, path, at in rows)
    return [FormerName(name, at) for name, at in names if name]


def _before(fields: Iterable[Mapping[str, object]], path: list[str]) -> str | None:
    """The name before a change; None where the change was of something else."""
    before = {str(each["field"]): str(each.get("before")) for each in fields}
    if not before.keys() & {"name", "schema"}:
        return None
    name = before.get("name", path[-1])
    return f"{before['schema']}.{name}" if "schema" in before else name


def lately(user: "Person", relation_id: UUID, since: datetime, until: datetime | None = None) -> dict[UUID, Change]:
    """The latest change of each column of a relation after a moment. One query."""
    mine = Change.objects.visible_to(user).filter(relation_id=relation_id, asset=AssetKind.COLUMN, quiet=False)
    found = mine.filter(at__gt=since)
    if until is not None:
        found = found.filter(at__lte=until)
    rows = found.defer("before", "after").order_by("at", "order")
    return {change.asset_id: change for change in rows}


def counts_since(user: "Person", asked: Asked) -> dict[tuple[str, str], int]:
    """How many changes of each kind there were, by (asset, kind). One query."""
    rows = matching(user, asked).values_list("asset", "kind").annotate(number=Count("id")).order_by()
    return {(asset, kind): number for asset, kind, number in rows}


def last_look(user: "Person", datastore: Datastore, as_of: datetime | None = None) -> Run | None:
    """The latest run that saw the datastore, wholly or in part; None where there is none or where it is forgotten."""
    found = Run.objects.visible_to(user).filter(datastore=datastore, state__in=[State.SUCCEEDED, State.PARTIAL])
    if as_of is not None:
        found = found.filter(finished_at__lte=as_of)
    latest = found.defer("statements", "scopes", "progress").order_by("-created_at").first()
    forgotten = forgotten_until(user, datastore)
    if latest and forgotten and latest.finished_at and latest.finished_at < forgotten:
        return None  # one that is forgotten may have come after it
    return latest


def forgotten_until(user: "Person", datastore: Datastore) -> datetime | None:
    """When the latest of the datastore's runs that are forgotten ended; None where none is."""
    return (
        Schedule.objects.visible_to(user).filter(datastore=datastore).values_list("forgotten_until", flat=True).first()
    )


def runs_of(user: "Person", changes: Iterable[Change]) -> dict[UUID, int]:
    """The numbers of the runs that found these changes; a decision of a person has none."""
    ids = {change.run_id for change in changes}
    return dict(Run.objects.visible_to(user).filter(AnyOf("id", ids)).values_list("id", "number"))


def first_form(user: "Person", relation: Relation, column_id: UUID) -> Identified[Column] | None:
    """The column as it was when its relation was first seen; None where it came later."""
    state = relation_at(user, relation, relation.first_seen_at)
    if state is None:
        return None
    return next((child for child in state.record.columns if child.id == column_id), None)
