"""What the catalog holds of one datastore, as light as matching needs it: a row per schema and relation, no children."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from uuid import UUID

from metamapper.catalog.models import Relation, Schema
from metamapper.catalog.rows import SCHEMA_COLUMNS, read_schema
from metamapper.diffing.values import KnownRelation, KnownScope
from metamapper.schema import RelationKind, ScopeRecord


@dataclass(frozen=True, slots=True)
class SchemaRow:
    record: ScopeRecord
    first_seen_at: datetime
    since: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class RelationRow:
    """One relation as matching needs it, but for its schema's name, which is known only when the schemas are matched."""

    id: UUID
    schema_id: UUID
    name: str
    kind: RelationKind
    native_id: str | None
    fingerprint: bytes
    shape: bytes
    retired_at: datetime | None
    first_seen_at: datetime
    since: datetime
    row_estimate: int | None
    size_bytes: int | None

    def key(self, schema: str, *, speaks: bool = True) -> KnownRelation:
        return KnownRelation(
            self.id,
            self.schema_id,
            schema,
            self.name,
            self.kind,
            self.native_id if speaks else None,
            self.fingerprint,
            self.shape,
            self.retired_at is not None,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """By id, the living first, then the retired, the latest first.

    Native ids of another address than the one that is read now mean nothing: all of them where ``moved``, else those of
    what was retired until ``ids_since``.
    """

    schemas: dict[UUID, SchemaRow]
    relations: dict[UUID, RelationRow]
    moved: bool = False
    ids_since: datetime | None = None

    def speaks(self, row: SchemaRow | RelationRow) -> bool:
        """Whether its native id is of the place that is read now."""
        before = row.retired_at is not None and self.ids_since is not None and row.retired_at <= self.ids_since
        return not (self.moved or before)

    def scope_keys(self) -> list[KnownScope]:
        return [
            KnownScope(
                identity,
                row.record.scope.name,
                row.record.scope.native_id if self.speaks(row) else None,
                row.retired_at is not None,
            )
            for identity, row in self.schemas.items()
        ]

    def relation_keys(self, names: Mapping[UUID, str]) -> list[KnownRelation]:
        """``names`` gives each schema the name it bears in this run."""
        return [row.key(names[row.schema_id], speaks=self.speaks(row)) for row in self.relations.values()]

    def standing(self) -> set[UUID]:
        """The relations that are not retired."""
        return {row.id for row in self.relations.values() if row.retired_at is None}

    def living(self) -> dict[UUID, int]:
        """How many relations each schema has that are not retired."""
        counts = dict.fromkeys(self.schemas, 0)
        for row in self.relations.values():
            counts[row.schema_id] += row.retired_at is None
        return counts


def load_known(datastore_id: UUID, *, moved: bool = False, ids_since: datetime | None = None) -> Known:
    """Two queries, retired rows included."""
    places = [SCHEMA_COLUMNS.index(name) for name in ("first_seen_at", "since", "retired_at")]
    found = Schema.objects.filter(datastore_id=datastore_id).values_list(*SCHEMA_COLUMNS)
    schemas = [SchemaRow(read_schema(row), *(row[place] for place in places)) for row in found]
    schemas.sort(key=lambda row: _latest_first(row.retired_at))
    return Known({row.record.id: row for row in schemas}, _relations(datastore_id), moved, ids_since)


def _relations(datastore_id: UUID) -> dict[UUID, RelationRow]:
    columns = (
        "id", "schema_id", "name", "kind", "native_id", "fingerprint", "shape", "retired_at", "first_seen_at", "since",
        "row_estimate", "size_bytes",
    )  # fmt: skip
    kinds = {kind.value: kind for kind in RelationKind}
    found = Relation.objects.filter(datastore_id=datastore_id).values_list(*columns).iterator(2000)
    relations = [
        RelationRow(identity, schema_id, name, kinds[kind], native_id, bytes(fingerprint), bytes(shape), *rest)
        for identity, schema_id, name, kind, native_id, fingerprint, shape, *rest in found
    ]
    if any(row.retired_at for row in relations):
        relations.sort(key=lambda row: _latest_first(row.retired_at))
    return {row.id: row for row in relations}


def _latest_first(retired_at: datetime | None) -> float:
    return -retired_at.timestamp() if retired_at else -inf
