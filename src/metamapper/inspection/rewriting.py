"""Writing relations as a decision leaves them, where no read stands behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from metamapper.catalog import rows
from metamapper.catalog.models import Child, Column, Constraint, Index, Relation
from metamapper.catalog.records import load_records
from metamapper.catalog.services import CatalogWriter, Dated
from metamapper.datastores.models import Datastore
from metamapper.diffing.shape import shape_of
from metamapper.history.services import Chronicle
from metamapper.inspection.relations import announce, removed_children
from metamapper.lib import bulk
from metamapper.lib.lookups import AnyOf
from metamapper.schema import Change, Identified, RelationRecord
from metamapper.schema import Column as ColumnValue
from metamapper.schema import Constraint as ConstraintValue
from metamapper.schema import Index as IndexValue

_ROWS: Mapping[type, tuple[type[Child], Sequence[str], Callable[..., rows.Row]]] = {
    ColumnValue: (Column, rows.COLUMN_COLUMNS, rows.column_row),
    IndexValue: (Index, rows.INDEX_COLUMNS, rows.index_row),
    ConstraintValue: (Constraint, rows.CONSTRAINT_COLUMNS, rows.constraint_row),
}


@dataclass(frozen=True, slots=True)
class Rewriting:
    chronicle: Chronicle

    def write(
        self, records: Sequence[RelationRecord], retired: Sequence[RelationRecord], changes: Iterable[Change]
    ) -> None:
        """Make ``records`` the present and ``retired`` the past of their relations, with the changes that say so."""
        ids = [record.id for record in (*records, *retired)]
        present = {row["id"]: row for row in Relation.objects.filter(AnyOf("id", ids)).values()}
        before = load_records(present)
        self._close(present, before)
        self._write_rows(records, retired, present, before)
        schema_of = {record.id: record.schema_id for record in (*records, *retired)}
        self.chronicle.record((change, self._schema(change, schema_of)) for change in changes)
        announce(self.chronicle.datastore_id, records, retired=[record.id for record in retired])
        # The next look reads everything: what the rows hold was written by a person's word.
        Datastore.objects.filter(pk=self.chronicle.datastore_id).update(probe_token="")

    def keep(self, child: Identified[Any], *, relation_id: UUID) -> None:
        """Let a retired child's row say what the child was, under its own name again."""
        model, columns, row = _ROWS[type(child.value)]
        bulk.upsert(model, columns, [row(child, relation_id=relation_id, retired_at=self.chronicle.at)])

    def _close(self, present: Mapping[UUID, Mapping[str, Any]], before: Mapping[UUID, RelationRecord]) -> None:
        living = [identity for identity, row in present.items() if row["retired_at"] is None]
        self.chronicle.close_relations((before[identity], present[identity]["since"]) for identity in living)

    def _write_rows(
        self,
        records: Sequence[RelationRecord],
        retired: Sequence[RelationRecord],
        present: Mapping[UUID, Mapping[str, Any]],
        before: Mapping[UUID, RelationRecord],
    ) -> None:
        writer = CatalogWriter(self.chronicle.datastore_id, self.chronicle.at, self._targets())
        kept = [record for record in (*records, *retired) if record.id in before]
        dated = [self._dated(record, present, gone=False) for record in records]
        dated += [self._dated(record, present, gone=True) for record in retired]
        writer.replace(dated, removed=removed_children(before, kept))
        writer.link()

    def _dated(self, record: RelationRecord, present: Mapping[UUID, Mapping[str, Any]], *, gone: bool) -> Dated:
        row = present.get(record.id)
        return Dated(
            record,
            fingerprint=b"",
            shape=shape_of(record.observed()),
            first_seen_at=row["first_seen_at"] if row else self.chronicle.at,
            since=self.chronicle.at,
            retired_at=self.chronicle.at if gone else None,
        )

    def _targets(self) -> dict[tuple[str, str], UUID]:
        found = Relation.objects.filter(datastore_id=self.chronicle.datastore_id, retired_at=None)
        return {(schema, name): identity for identity, schema, name in found.values_list("id", "schema__name", "name")}

    @staticmethod
    def _schema(change: Change, schema_of: Mapping[UUID, UUID]) -> UUID:
        relation_id = change.asset_id if change.asset_id in schema_of else change.parent_id
        assert relation_id is not None  # noqa: S101 - decisions concern relations and their children
        return schema_of[relation_id]
