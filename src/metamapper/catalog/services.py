"""Writing current truth in bulk. Only an inspection or a person's decision calls these, inside its one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from metamapper.catalog import models, rows
from metamapper.lib import bulk
from metamapper.lib.lookups import AnyOf
from metamapper.schema import Constraint, ConstraintKind, Identified, RelationRecord, ScopeRecord

Write = Callable[[type, Sequence[str], Iterable[rows.Row]], int]


@dataclass(frozen=True, slots=True)
class Dated:
    """A relation's record with what its row needs beside it."""

    record: RelationRecord
    fingerprint: bytes
    shape: bytes
    first_seen_at: datetime
    since: datetime
    retired_at: datetime | None = None


@dataclass(slots=True)
class CatalogWriter:
    """Writes one datastore's rows at one moment. ``targets`` finds the living relation that a foreign key names."""

    datastore_id: UUID
    at: datetime
    targets: dict[tuple[str, str], UUID]
    _dangling: list[tuple[UUID, tuple[str, str]]] = field(default_factory=list)
    _written: set[tuple[str, str]] = field(default_factory=set)
    _first: bool = field(init=False)

    def __post_init__(self) -> None:
        self._first = not self.targets

    def add(self, relations: Sequence[Dated]) -> None:
        """Write relations that no row stands for yet, with all their children."""
        self._write(bulk.insert, relations)

    def replace(self, relations: Sequence[Dated], *, removed: Mapping[type[models.Child], Iterable[UUID]]) -> None:
        """Overwrite relations with their present children; the ``removed`` ones are retired, by model."""
        self._write(bulk.upsert, relations)
        for model, ids in removed.items():
            bulk.update(model, ("id", "retired_at"), ((identity, self.at) for identity in ids))

    def estimate(self, estimates: Sequence[tuple[UUID, int | None, int | None]]) -> None:
        """Note (relation, rows, bytes) where the engine's statistics have moved."""
        bulk.update(models.Relation, ("id", "row_estimate", "size_bytes"), estimates)

    def link(self) -> None:
        """Point foreign keys at relations that were written after them, and those that nobody wrote now at whoever has
        the name they spell today. Call it once, at the end.
        """
        found = {identity: self.targets[path] for identity, path in self._dangling if path in self.targets}
        if self._written and not self._first:
            found.update(self._passed_on())
        bulk.update(models.Constraint, ("id", "target_id"), found.items())

    def _passed_on(self) -> Iterator[tuple[UUID, UUID]]:
        """The foreign keys to a name that was written now and that had another holder, or none, before."""
        keys = models.Constraint.objects.filter(
            relation__datastore_id=self.datastore_id, kind=ConstraintKind.FOREIGN_KEY.value, retired_at=None
        )
        for identity, references, target_id in keys.values_list("id", "references", "target_id").iterator():
            path = (references["schema"], references["relation"]) if references else ("", "")
            if path in self._written and self.targets[path] != target_id:
                yield identity, self.targets[path]

    def _write(self, write: Write, relations: Sequence[Dated]) -> None:
        living = [each.record for each in relations if each.retired_at is None]
        held = {(record.relation.schema, record.relation.name): record.id for record in living}
        self.targets.update(held)
        self._written.update(held)
        write(models.Relation, rows.RELATION_COLUMNS, map(self._relation_row, relations))
        write(
            models.Column,
            rows.COLUMN_COLUMNS,
            (rows.column_row(child, relation_id=each.record.id) for each in relations for child in each.record.columns),
        )
        write(
            models.Index,
            rows.INDEX_COLUMNS,
            (rows.index_row(child, relation_id=each.record.id) for each in relations for child in each.record.indexes),
        )
        write(
            models.Constraint,
            rows.CONSTRAINT_COLUMNS,
            (
                rows.constraint_row(child, relation_id=each.record.id, target_id=self._target(child))
                for each in relations
                for child in each.record.constraints
            ),
        )

    def _relation_row(self, each: Dated) -> rows.Row:
        return rows.relation_row(
            each.record,
            datastore_id=self.datastore_id,
            fingerprint=each.fingerprint,
            shape=each.shape,
            first_seen_at=each.first_seen_at,
            since=each.since,
            retired_at=each.retired_at,
        )

    def _target(self, child: Identified[Constraint]) -> UUID | None:
        reference = child.value.references
        if reference is None:
            return None
        path = (reference.schema, reference.relation)
        if path not in self.targets:
            self._dangling.append((child.id, path))
        return self.targets.get(path)


def retire_relations(ids: Sequence[UUID], at: datetime) -> None:
    """Mark relations as gone. Their children stay as they were, for they went with them."""
    models.Relation.objects.filter(AnyOf("id", ids)).update(retired_at=at, since=at, fingerprint=b"")


@dataclass(frozen=True, slots=True)
class DatedScope:
    record: ScopeRecord
    first_seen_at: datetime
    since: datetime
    retired_at: datetime | None = None


def write_schemas(datastore_id: UUID, scopes: Iterable[DatedScope]) -> None:
    """Write schemas, new and known."""
    written = (
        rows.schema_row(
            each.record,
            datastore_id=datastore_id,
            first_seen_at=each.first_seen_at,
            since=each.since,
            retired_at=each.retired_at,
        )
        for each in scopes
    )
    bulk.upsert(models.Schema, rows.SCHEMA_COLUMNS, written)
