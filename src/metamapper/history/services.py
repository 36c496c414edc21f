"""Writing history: changes are appended, versions closed. Only an inspection or a person's decision calls these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import msgspec

from metamapper.history import codec, models
from metamapper.history.values import as_change
from metamapper.lib import bulk
from metamapper.lib.ids import uuid7s
from metamapper.schema import AssetKind, Change, RelationRecord, ScopeRecord

__all__ = ["Chronicle", "as_change"]

_CHANGE = (
    "id", "datastore_id", "run_id", "at", "order", "kind", "asset", "asset_id", "parent_id", "schema_id", "relation_id",
    "path", "subject", "fields", "severity", "reason", "certainty", "evidence", "before", "after", "decision",
    "quiet", "decided_at", "decided_by_id",
)  # fmt: skip
_VERSION = (
    "id", "datastore_id", "relation_id", "schema_id", "name", "kind", "valid_from", "valid_to", "run_id", "record",
)  # fmt: skip
_TICK = timedelta(microseconds=1)
_SCHEMA_VERSION = ("id", "datastore_id", "schema_id", "name", "comment", "valid_from", "valid_to", "run_id")


@dataclass(slots=True)
class Chronicle:
    """The history that one run writes: everything at one moment, in the order it is told.

    A person's decision writes history too: under an id of its own in place of a run's, and with its ``author_id``.
    """

    datastore_id: UUID
    run_id: UUID
    at: datetime
    author_id: UUID | None = None
    written: int = 0
    told: int = 0
    """How many of them people see: quiet ones are kept for replay alone."""
    schemas: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    severities: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, datastore_id: UUID, run_id: UUID, now: datetime, *, author_id: UUID | None = None) -> Self:
        """A history that is told at ``now``, or right after all that was told before, if a clock went back since.

        The caller holds the datastore's lock: who waited for it comes later than ``now`` as it was before the wait.
        """
        told = models.Change.objects.filter(datastore_id=datastore_id).order_by("-at")
        last = told.values_list("at", flat=True).first()
        return cls(datastore_id, run_id, max(now, last + _TICK) if last else now, author_id)

    def record(self, changes: Iterable[tuple[Change, UUID]], *, wholes: Mapping[UUID, bytes] | None = None) -> None:
        """Append changes, each with the schema it happened in.

        ``wholes`` are the states (``packed``) of relations that were added, where their changes leave ``after`` out.
        """
        bulk.insert(models.Change, _CHANGE, self._rows(list(changes), wholes or {}))

    def close_relations(self, records: Iterable[tuple[RelationRecord, datetime]]) -> None:
        """Close the version of each relation that began at the given moment: it ends now."""
        closed = list(records)
        bulk.insert(
            models.RelationVersion,
            _VERSION,
            (
                (identity, self.datastore_id, record.id, record.schema_id, record.relation.name, record.relation.kind.value,
                 since, self.at, self.run_id, codec.pack(record))
                for identity, (record, since) in zip(uuid7s(len(closed)), closed, strict=True)
            ),
        )  # fmt: skip

    def close_schemas(self, records: Sequence[tuple[ScopeRecord, datetime]]) -> None:
        bulk.insert(
            models.SchemaVersion,
            _SCHEMA_VERSION,
            (
                (
                    identity,
                    self.datastore_id,
                    record.id,
                    record.scope.name,
                    record.scope.comment,
                    since,
                    self.at,
                    self.run_id,
                )
                for identity, (record, since) in zip(uuid7s(len(records)), records, strict=True)
            ),
        )

    def _rows(self, changes: Sequence[tuple[Change, UUID]], wholes: Mapping[UUID, bytes]) -> Iterator[tuple[Any, ...]]:
        for identity, (change, schema_id) in zip(uuid7s(len(changes)), changes, strict=True):
            self.written += 1
            self._count(change)
            after = wholes.get(change.asset_id) if change.after is None else _state(change.after)
            yield (
                identity, self.datastore_id, self.run_id, self.at, self.written, change.kind.value, change.asset.value,
                change.asset_id, change.parent_id, schema_id, _relation_of(change), _json(change.path),
                ".".join(change.path), _json(change.fields), change.severity.value, change.reason,
                change.certainty.value, change.evidence and _json(change.evidence), _state(change.before),
                after, models.Change.Decision.NONE.value, change.quiet,
                self.at if self.author_id else None, self.author_id,
            )  # fmt: skip

    def _count(self, change: Change) -> None:
        if change.quiet:
            return
        self.told += 1
        self.schemas[change.path[0]] = self.schemas.get(change.path[0], 0) + 1
        self.kinds[change.kind] = self.kinds.get(change.kind, 0) + 1
        self.severities[change.severity] = self.severities.get(change.severity, 0) + 1


def packed(record: RelationRecord) -> bytes:
    """A relation's whole state as history keeps it. Takes its time, but no connection."""
    return codec.pack_state(record)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _state(state: object) -> bytes | None:
    return None if state is None else codec.pack_state(state)


def _relation_of(change: Change) -> UUID | None:
    if change.asset is AssetKind.RELATION:
        return change.asset_id
    return None if change.asset in {AssetKind.SCHEMA, AssetKind.DATASTORE} else change.parent_id
