"""Writing schemas of one read: who is who, how completely each was seen, which are gone."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from metamapper.catalog.models import Schema
from metamapper.catalog.services import DatedScope, write_schemas
from metamapper.connectors.scope import ScopeFilter
from metamapper.diffing.diff import added_scope, diff_scope, removed_scope
from metamapper.diffing.scopes import match_scopes
from metamapper.diffing.values import Pair, ScopeMatching
from metamapper.history.services import Chronicle
from metamapper.inspection.known import Known
from metamapper.inspection.reading import Reading
from metamapper.lib.bulk import update
from metamapper.lib.ids import uuid7
from metamapper.plugins import hooks
from metamapper.schema import Scope, ScopeRecord


@dataclass(slots=True)
class SchemaWriter:
    """``ids`` gives each schema of this read its identity; ``names`` each known schema the name it bears in this run."""

    datastore_id: UUID
    chronicle: Chronicle
    known: Known
    reading: Reading
    within: ScopeFilter
    matching: ScopeMatching
    ids: dict[str, UUID] = field(default_factory=dict)

    @classmethod
    def over(
        cls,
        datastore_id: UUID,
        chronicle: Chronicle,
        known: Known,
        reading: Reading,
        within: ScopeFilter,
        *,
        stable_ids: bool,
    ) -> "SchemaWriter":
        # What the filter now leaves out is not looked at, so its absence proves nothing.
        keys = [key for key in known.scope_keys() if within.allows_schema(key.name)]
        matching = match_scopes(keys, reading.scopes, list_complete=reading.list_complete, stable_ids=stable_ids)
        return cls(datastore_id, chronicle, known, reading, within, matching)

    def names(self) -> dict[UUID, str]:
        names = {identity: row.record.scope.name for identity, row in self.known.schemas.items()}
        return names | {pair.known_id: self.reading.scopes[pair.ordinal].name for pair in self.matching.pairs}

    def renames(self) -> list[tuple[str, str]]:
        """(old, new) of every schema that bears another name now."""
        former = ((self.known.schemas[pair.known_id].record.scope.name, pair) for pair in self.matching.pairs)
        return [(old, new) for old, pair in former if old != (new := self.reading.scopes[pair.ordinal].name)]

    def write(self) -> None:
        """Bring schemas that are there up to date. Those that are gone are retired after their relations."""
        written = [self._added(self.reading.scopes[ordinal]) for ordinal in self.matching.appeared]
        written += [dated for pair in self.matching.pairs if (dated := self._kept(pair))]
        write_schemas(self.datastore_id, written)
        self._announce([dated.record for dated in written])

    def retire(self, *, before: Container[UUID]) -> None:
        """Retire schemas that are proved gone, but none before the last of its relations: it may be held back or hidden."""
        kept = {row.schema_id for row in self.known.relations.values() if row.id in before}
        gone = [self.known.schemas[identity] for identity in self.matching.vanished if identity not in kept]
        self.chronicle.close_schemas([(row.record, row.since) for row in gone])
        self.chronicle.record((removed_scope(row.record), row.record.id) for row in gone)
        at = self.chronicle.at
        update(Schema, ("id", "retired_at", "since"), [(row.record.id, at, at) for row in gone])
        if gone:
            self._announce([], retired=[row.record.id for row in gone])

    def _added(self, scope: Scope) -> DatedScope:
        record = ScopeRecord(id=uuid7(), scope=scope)
        self.ids[scope.name] = record.id
        self.chronicle.record([(added_scope(record), record.id)])
        return DatedScope(record, self.chronicle.at, self.chronicle.at)

    def _kept(self, pair: Pair) -> DatedScope | None:
        """The row of a known schema, if it must be written again."""
        row, scope = self.known.schemas[pair.known_id], self.reading.scopes[pair.ordinal]
        self.ids[scope.name] = pair.known_id
        diff = diff_scope(row.record, scope, pair=pair)
        if diff.change is None:
            same = row.record == diff.record
            return None if same else DatedScope(diff.record, row.first_seen_at, row.since)
        if row.retired_at is None:
            self.chronicle.close_schemas([(row.record, row.since)])
        self.chronicle.record([(diff.change, pair.known_id)])
        return DatedScope(diff.record, row.first_seen_at, self.chronicle.at)

    def _announce(self, records: list[ScopeRecord], *, retired: Iterable[UUID] = ()) -> None:
        hooks.catalog_changed(
            datastore_id=self.datastore_id, scopes=records, records=[], retired=list(retired), removed=[], fresh=False
        )
