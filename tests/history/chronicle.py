"""Time by hand: puts, retires and restores relations as an inspection would, and remembers every state itself."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from metamapper.catalog import models
from metamapper.datastores.models import Datastore
from metamapper.history.codec import pack
from metamapper.history.models import RelationVersion, SchemaVersion
from metamapper.lib.ids import uuid7
from metamapper.schema import RelationRecord, ScopeRecord
from tests.catalog.factories import MORNING, store

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class State:
    """What a naive observer wrote down: the record, and whether it was retired by then."""

    record: RelationRecord
    retired: bool


@dataclass(slots=True)
class Chronicle:
    datastore: Datastore
    at: datetime = MORNING
    states: dict[datetime, dict[UUID, State]] = field(default_factory=dict)

    def tick(self) -> datetime:
        """An hour later, everything as it was."""
        before = self.states.get(self.at, {})
        self.at += HOUR
        self.states[self.at] = dict(before)
        return self.at

    def now(self) -> dict[UUID, State]:
        return self.states.setdefault(self.at, {})

    def put(self, record: RelationRecord) -> None:
        """The relation is as the record says from now on: new, changed, or back."""
        known = self.now().get(record.id)
        first = self.at
        if known is not None:
            first = models.Relation.objects.get(id=record.id).first_seen_at
            self._close(known)
        store(self.datastore, record, at=self.at, first_seen_at=first)
        self.now()[record.id] = State(record, retired=False)

    def retire(self, relation_id: UUID) -> None:
        known = self.now()[relation_id]
        self._close(known, keep=True)
        models.Relation.objects.filter(id=relation_id).update(retired_at=self.at, since=self.at)
        self.now()[relation_id] = State(known.record, retired=True)

    def _close(self, known: State, *, keep: bool = False) -> None:
        rows = models.Relation.objects.filter(id=known.record.id)
        row = rows.get()
        if row.since < self.at and not known.retired:
            RelationVersion.objects.create(
                datastore=self.datastore,
                relation_id=row.id,
                schema_id=row.schema_id,
                name=row.name,
                kind=row.kind,
                valid_from=row.since,
                valid_to=self.at,
                run_id=uuid7(),
                record=pack(known.record),
            )
        if not keep:
            for model in (models.Column, models.Index, models.Constraint):
                model.objects.filter(relation_id=row.id).delete()
            rows._raw_delete(rows.db)

    def rename_schema(self, scope: ScopeRecord, name: str) -> None:
        row = models.Schema.objects.get(id=scope.id)
        SchemaVersion.objects.create(
            datastore=self.datastore,
            schema_id=row.id,
            name=row.name,
            comment=row.comment,
            valid_from=row.since,
            valid_to=self.at,
            run_id=uuid7(),
        )
        models.Schema.objects.filter(id=scope.id).update(name=name, since=self.at)
