"""Lists of relations at a moment: paged by name, filtered and counted by the metastore."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, DateTimeField, F, Q, QuerySet, UUIDField, Value

from metamapper.catalog.models import Column, Relation
from metamapper.datastores.models import Datastore
from metamapper.history.codec import unpack
from metamapper.history.models import RelationVersion
from metamapper.history.selectors import standing, valid
from metamapper.lib.lookups import AnyOf

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person

Cursor = tuple[str, UUID]
"""The name and id of the last entry seen."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A relation in a list. ``version_id`` is the closed version it was read from, None for the catalog's own row."""

    id: UUID
    schema_id: UUID
    name: str
    kind: str
    retired_at: datetime | None = None
    version_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """Which relations: of a datastore, at a moment, of one schema, with a text in the name, with retired ones."""

    datastore: Datastore
    as_of: datetime | None = None
    schema_id: UUID | None = None
    text: str = ""
    retired: bool = False


def relations_at(user: "Person", within: Within, *, after: Cursor | None = None, limit: int = 100) -> list[Entry]:
    """Up to ``limit`` entries by name, after the cursor. One query."""
    named = ("id", "schema_id", "name", "kind", "retired_at", "version")
    rows = _present(user, within).filter(_after(after, "id"))
    present = rows.annotate(version=Value(None, UUIDField())).values_list(*named)
    if within.as_of is not None:
        closed = (
            _closed(user, within)
            .filter(_after(after, "relation_id"))
            .annotate(gone=Value(None, DateTimeField()), version=F("id"))
            .values_list("relation_id", "schema_id", "name", "kind", "gone", "version")
        )
        present = present.union(closed, all=True)
    found = [Entry(*row) for row in present.order_by("name", "id")[:limit]]
    return [_as_of(entry, within.as_of) for entry in found]


def _as_of(entry: Entry, as_of: datetime | None) -> Entry:
    if as_of is None or entry.retired_at is None or entry.retired_at <= as_of:
        return entry
    return Entry(entry.id, entry.schema_id, entry.name, entry.kind)


def count_by_schema(user: "Person", within: Within) -> Counter[UUID]:
    """How many relations each schema has. One query, two for the past."""
    counts: Counter[UUID] = Counter()
    sources: list[QuerySet[Relation] | QuerySet[RelationVersion]] = [_present(user, within)]
    if within.as_of is not None:
        sources.append(_closed(user, within))
    for found in sources:
        for schema_id, number in found.values_list("schema_id").annotate(number=Count("id")).order_by():
            counts[schema_id] += number
    return counts


def _present(user: "Person", within: Within) -> QuerySet[Relation]:
    found = Relation.objects.visible_to(user).filter(datastore=within.datastore)
    return found.filter(standing(within.as_of, retired=within.retired)).filter(_matching(within))


def _closed(user: "Person", within: Within) -> QuerySet[RelationVersion]:
    assert within.as_of is not None  # noqa: S101 - the present has no closed versions; callers ask for the past
    found = RelationVersion.objects.visible_to(user).filter(datastore=within.datastore)
    return found.filter(valid(within.as_of)).filter(_matching(within))


def _matching(within: Within) -> Q:
    condition = Q()
    if within.schema_id is not None:
        condition &= Q(schema_id=within.schema_id)
    if within.text:
        condition &= Q(name__icontains=within.text)
    return condition


def _after(cursor: Cursor | None, identity: str) -> Q:
    if cursor is None:
        return Q()
    name, last = cursor
    return Q(name__gt=name) | Q(**{"name": name, f"{identity}__gt": last})


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of a relation beside its name."""

    columns: int
    comment: str | None
    row_estimate: int | None
    size_bytes: int | None


def summaries(user: "Person", entries: Sequence[Entry]) -> dict[UUID, Summary]:
    """A summary of each entry as of the list's own moment. Three queries at most; meant for one page of a list."""
    present = [entry.id for entry in entries if entry.version_id is None]
    versions = [entry.version_id for entry in entries if entry.version_id is not None]
    found = _present_summaries(user, present) if present else {}
    if versions:
        for version in RelationVersion.objects.visible_to(user).filter(AnyOf("id", versions)):
            record = unpack(version.record)
            own = record.relation
            found[record.id] = Summary(len(record.columns), own.comment, own.row_estimate, own.size_bytes)
    return found


def _present_summaries(user: "Person", ids: Iterable[UUID]) -> dict[UUID, Summary]:
    ids = list(ids)
    columns = Column.objects.filter(AnyOf("relation_id", ids), retired_at=None)
    counts = dict(columns.values_list("relation_id").annotate(number=Count("id")).order_by())
    facts = Relation.objects.visible_to(user).filter(AnyOf("id", ids))
    rows = facts.values_list("id", "comment", "row_estimate", "size_bytes")
    return {row[0]: Summary(counts.get(row[0], 0), *row[1:]) for row in rows}
