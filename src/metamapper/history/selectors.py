"""The catalog as it is and as it was, by one path.

A catalog row is the open version of its asset: it holds since ``since``. What held before are closed versions
(``valid_from <= moment < valid_to``). A retired row holds "retired" since ``retired_at``. ``as_of`` None is now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from metamapper.catalog.models import Constraint, Relation, Schema
from metamapper.catalog.records import load_records
from metamapper.datastores.models import Datastore
from metamapper.history.codec import unpack
from metamapper.history.models import RelationVersion, SchemaVersion, Suggestion
from metamapper.lib.lookups import AnyOf
from metamapper.schema import RelationRecord

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person


@dataclass(frozen=True, slots=True)
class RelationState:
    """A relation at one moment. ``since`` is when it became so; ``retired_at`` is set where it was gone by then."""

    record: RelationRecord
    since: datetime
    first_seen_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SchemaState:
    """A schema at one moment. How completely it was seen is known of the present only."""

    id: UUID
    name: str
    comment: str | None
    retired_at: datetime | None = None
    completeness: str = "complete"
    reason: str = ""
    remedy: str = ""


def relation_at(user: "Person", relation: Relation, as_of: datetime | None = None) -> RelationState | None:
    """The relation as it was; None where it was not known yet. ``relation`` has passed the gate with its schema."""
    if as_of is None or relation.since <= as_of:
        record = load_records([relation.id])[relation.id]
        gone = relation.retired_at if as_of is None or _by(relation.retired_at, as_of) else None
        return RelationState(_placed(user, [record], as_of)[0], relation.since, relation.first_seen_at, gone)
    version = _last_version(user, relation.id, as_of)
    if version is None:
        return None
    # Between a retirement and a return there is no version: what stood last is what is shown, as retired.
    gone = version.valid_to if version.valid_to <= as_of else None
    record = _placed(user, [unpack(version.record)], as_of)[0]
    return RelationState(record, version.valid_from, relation.first_seen_at, gone)


def _last_version(user: "Person", relation_id: UUID, as_of: datetime) -> RelationVersion | None:
    found = RelationVersion.objects.visible_to(user).filter(relation_id=relation_id, valid_from__lte=as_of)
    return found.order_by("-valid_from", "-id").first()


def _by(moment: datetime | None, as_of: datetime) -> bool:
    return moment is not None and moment <= as_of


def records_at(
    user: "Person", relation_ids: Iterable[UUID], as_of: datetime | None = None
) -> dict[UUID, RelationRecord]:
    """Many relations as they were, without those that were retired or not known then. At most eight queries."""
    ids = list(relation_ids)
    present = Relation.objects.visible_to(user).filter(AnyOf("id", ids)).filter(standing(as_of))
    records = load_records(present.values_list("id", flat=True))
    if as_of is not None:
        closed = RelationVersion.objects.visible_to(user).filter(AnyOf("relation_id", ids)).filter(valid(as_of))
        records |= {version.relation_id: unpack(version.record) for version in closed.iterator(500)}
    return {record.id: record for record in _placed(user, records.values(), as_of)}


def _placed(user: "Person", records: Iterable[RelationRecord], as_of: datetime | None) -> list[RelationRecord]:
    """The records under the names that their schemas had at the moment, for these have a history of their own.

    Two queries, none for the present.
    """
    found = list(records)
    if as_of is None or not found:
        return found
    ids = {record.schema_id for record in found}
    closed = SchemaVersion.objects.visible_to(user).filter(AnyOf("schema_id", ids), valid_from__lte=as_of)
    names = dict(closed.order_by("valid_from", "id").values_list("schema_id", "name"))
    open_ones = Schema.objects.visible_to(user).filter(AnyOf("id", ids), since__lte=as_of)
    names |= dict(open_ones.values_list("id", "name"))
    return [_under(record, names.get(record.schema_id, record.relation.schema)) for record in found]


def _under(record: RelationRecord, schema: str) -> RelationRecord:
    if record.relation.schema == schema:
        return record
    return msgspec.structs.replace(record, relation=msgspec.structs.replace(record.relation, schema=schema))


def standing(as_of: datetime | None, *, retired: bool = False) -> Q:
    """Catalog rows that hold at the moment; with ``retired`` also those that were gone by then."""
    alive = Q() if retired else Q(retired_at=None)
    if as_of is None:
        return alive
    if not retired:
        alive |= Q(retired_at__gt=as_of)
    return Q(since__lte=as_of) & alive


def valid(as_of: datetime) -> Q:
    return Q(valid_from__lte=as_of, valid_to__gt=as_of)


def schemas_at(
    user: "Person", datastore: Datastore, as_of: datetime | None = None, *, retired: bool = False
) -> list[SchemaState]:
    """The schemas of a datastore, by name; those that were retired by then only on request. Two queries at most."""
    rows = Schema.objects.visible_to(user).filter(datastore=datastore).filter(standing(as_of, retired=retired))
    found = [schema_state(row, as_of) for row in rows]
    if as_of is not None:
        closed = SchemaVersion.objects.visible_to(user).filter(datastore=datastore).filter(valid(as_of))
        found += [SchemaState(row.schema_id, row.name, row.comment) for row in closed]
    return sorted(found, key=lambda state: (state.name, state.id))


def schema_state(row: Schema, as_of: datetime | None) -> SchemaState:
    gone = row.retired_at if as_of is None or _by(row.retired_at, as_of) else None
    return SchemaState(row.id, row.name, row.comment, gone, row.completeness, row.reason, row.remedy)


def schema_at(user: "Person", schema: Schema, as_of: datetime | None = None) -> SchemaState | None:
    """The schema as it was; None where it was not known yet. ``schema`` has passed the gate."""
    if as_of is None or schema.since <= as_of:
        return schema_state(schema, as_of)
    closed = SchemaVersion.objects.visible_to(user).filter(schema_id=schema.id, valid_from__lte=as_of)
    version = closed.order_by("-valid_from", "-id").first()
    if version is None:
        return None
    gone = version.valid_to if version.valid_to <= as_of else None
    return SchemaState(version.schema_id, version.name, version.comment, gone)


def resolve(
    user: "Person", datastore: Datastore, names: Iterable[tuple[str, str]], as_of: datetime | None = None
) -> dict[tuple[str, str], UUID]:
    """The relation that (schema, relation) named at the moment. At most four queries, none for no names."""
    wanted = set(names)
    if not wanted:
        return {}
    called = {state.id: state.name for state in schemas_at(user, datastore, as_of)}
    found: dict[tuple[str, str], UUID] = {}
    for queryset, identity in _by_name(user, datastore, {name for _, name in wanted}, as_of):
        for schema_id, name, relation_id in queryset.values_list("schema_id", "name", identity):
            found[called.get(schema_id, ""), name] = relation_id
    return {key: found[key] for key in wanted if key in found}


def _by_name(
    user: "Person", datastore: Datastore, names: set[str], as_of: datetime | None
) -> list[tuple[QuerySet[Relation] | QuerySet[RelationVersion], str]]:
    present = Relation.objects.visible_to(user).filter(datastore=datastore, name__in=names)
    sources: list[tuple[QuerySet[Relation] | QuerySet[RelationVersion], str]] = [
        (present.filter(standing(as_of)), "id")
    ]
    if as_of is not None:
        closed = RelationVersion.objects.visible_to(user).filter(datastore=datastore, name__in=names)
        sources.append((closed.filter(valid(as_of)), "relation_id"))
    return sources


def pending_suggestions(user: "Person", datastore: Datastore) -> QuerySet[Suggestion]:
    """What may be one and waits for a person, the newest first."""
    found = Suggestion.objects.visible_to(user).filter(datastore=datastore, state=Suggestion.State.PENDING)
    return found.order_by("-at", "-id")


@dataclass(frozen=True, slots=True)
class Referring:
    """A foreign key of another relation (or of the same one) that points here."""

    relation_id: UUID
    schema: str
    relation: str
    constraint: str
    columns: tuple[str, ...]
    to: tuple[str, ...]

    @property
    def path(self) -> tuple[str, str]:
        return self.schema, self.relation


def referring(user: "Person", state: RelationState, as_of: datetime | None = None) -> list[Referring]:
    """The foreign keys that pointed here at the moment, by the names of their relations."""
    here = (state.record.relation.schema, state.record.relation.name)
    keys, pointed = Constraint.objects.visible_to(user), Q(target_id=state.record.id)
    if as_of is None:
        keys = keys.filter(pointed, retired_at=None, relation__retired_at=None)
    else:
        # The name may have passed on since, and the keys with it.
        named = Q(references__schema=here[0], references__relation=here[1])
        datastore = Relation.objects.visible_to(user).filter(pk=state.record.id).values("datastore_id")
        keys = keys.filter(pointed | named, relation__datastore_id__in=datastore)
    ids = set(keys.values_list("relation_id", flat=True))
    records = records_at(user, ids, as_of) if ids else {}
    found = [key for record in records.values() for key in _keys_to(record, here)]
    return sorted(found, key=lambda key: (key.schema, key.relation, key.constraint))


def _keys_to(record: RelationRecord, here: tuple[str, str]) -> list[Referring]:
    own = record.relation
    return [
        Referring(record.id, own.schema, own.name, child.value.name, child.value.columns, points.columns)
        for child in record.constraints
        if (points := child.value.references) is not None and (points.schema, points.relation) == here
    ]
