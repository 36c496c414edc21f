"""Writing relations of one read: new ones, changed ones, retired ones, and what may be one with another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from metamapper.catalog.models import Child, Column, Constraint, Index
from metamapper.catalog.records import load_records, load_retired_children
from metamapper.catalog.services import CatalogWriter, Dated, retire_relations
from metamapper.diffing.diff import added_relation, diff_relation, first_record, removed_relation
from metamapper.diffing.fields import settled
from metamapper.diffing.renames import Renames
from metamapper.diffing.shape import shape_of
from metamapper.diffing.values import NONE_RETIRED, Pair, SuggestedChild, SuggestedPair
from metamapper.history.models import Suggestion
from metamapper.history.services import Chronicle, packed
from metamapper.inspection.known import Known
from metamapper.inspection.stage import Stage
from metamapper.lib.ids import uuid7s
from metamapper.plugins import hooks
from metamapper.schema import AssetKind, Identified, Relation, RelationRecord

DRIFT = 0.1
"""Estimates of rows and bytes are noted again when they have moved by this share."""


class First(NamedTuple):
    """A relation at its first sight: its row, and its state as history keeps it."""

    dated: Dated
    whole: bytes


@dataclass(slots=True)
class RelationWriter:
    """``schema_ids`` gives each schema name of this read its identity."""

    datastore_id: UUID
    chronicle: Chronicle
    known: Known
    stage: Stage
    schema_ids: dict[str, UUID]
    catalog: CatalogWriter
    renames: Renames
    appeared: dict[int, UUID] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return self.chronicle.at

    def first(self, ordinals: Sequence[int]) -> list[First]:
        """Relations that nobody knew, with what is to be written of each. Asks nothing of the metastore."""
        return [self._first(ordinal) for ordinal in ordinals]

    def add(self, relations: Sequence[First]) -> None:
        """Write what ``first`` gave: rows, one change each, documents."""
        records = [each.dated.record for each in relations]
        self.catalog.add([each.dated for each in relations])
        self.chronicle.record(
            [(added_relation(record, whole=False), record.schema_id) for record in records],
            wholes={each.dated.record.id: each.whole for each in relations},
        )
        announce(self.datastore_id, records, fresh=not self.known.relations)

    def replace(self, pairs: Sequence[Pair]) -> None:
        """Relations that are not as they were. Their former state becomes a closed version."""
        ids = [pair.known_id for pair in pairs]
        before, retired = load_records(ids), load_retired_children(ids)
        diffs = [
            diff_relation(
                before[pair.known_id],
                self._observed(pair.ordinal),
                schema_id=self.schema_ids[self.stage.seen[pair.ordinal].schema],
                pair=pair,
                retired=retired.get(pair.known_id, NONE_RETIRED),
                new_ids=uuid7s,
                renames=self.renames,
                ids_meet=self.known.speaks(self.known.relations[pair.known_id]),
            )
            for pair in pairs
        ]
        touched = [(pair, diff) for pair, diff in zip(pairs, diffs, strict=True)]
        self.chronicle.close_relations(
            (before[pair.known_id], self.known.relations[pair.known_id].since)
            for pair, diff in touched
            if diff.changes and self.known.relations[pair.known_id].retired_at is None
        )
        removed = removed_children(before, [diff.record for diff in diffs])
        self.catalog.replace(
            [self._dated(diff.record, pair.ordinal, pair, bool(diff.changes)) for pair, diff in touched],
            removed=removed,
        )
        self.chronicle.record((change, diff.record.schema_id) for diff in diffs for change in diff.changes)
        self._suggest_children(suggestion for diff in diffs for suggestion in diff.suggestions)
        announce(
            self.datastore_id,
            [diff.record for diff in diffs if diff.changes],
            removed=[each for gone in removed.values() for each in gone],
        )

    def retire(self, ids: Sequence[UUID]) -> None:
        retire(self.chronicle, {identity: self.known.relations[identity].since for identity in ids})

    def estimate(self, pairs: Iterable[Pair]) -> None:
        """Note rows and bytes of unchanged relations where they moved enough to matter."""
        self.catalog.estimate(
            [
                (pair.known_id, now.rows, now.size_bytes)
                for pair in pairs
                if pair.unchanged
                for row, now in [(self.known.relations[pair.known_id], self.stage.estimates[pair.ordinal])]
                if _drifted(row.row_estimate, now.rows) or _drifted(row.size_bytes, now.size_bytes)
            ]
        )

    def suggest(self, suggestions: Iterable[SuggestedPair]) -> None:
        """Keep what may be one relation for a person to decide."""
        Suggestion.objects.bulk_create(
            self._suggestion(AssetKind.RELATION, each.known_id, self.appeared[each.ordinal], each.evidence)
            for each in suggestions
        )

    def _suggest_children(self, suggestions: Iterable[SuggestedChild]) -> None:
        Suggestion.objects.bulk_create(
            self._suggestion(each.asset, each.vanished_id, each.appeared_id, each.evidence) for each in suggestions
        )

    def _suggestion(self, asset: AssetKind, vanished: UUID, appeared: UUID, evidence: msgspec.Struct) -> Suggestion:
        return Suggestion(
            datastore_id=self.datastore_id,
            run_id=self.chronicle.run_id,
            at=self.at,
            asset=asset.value,
            vanished_id=vanished,
            appeared_id=appeared,
            evidence=msgspec.to_builtins(evidence),
        )

    def _first(self, ordinal: int) -> First:
        relation = self._observed(ordinal)
        record = first_record(relation, schema_id=self.schema_ids[relation.schema], new_ids=uuid7s)
        self.appeared[ordinal] = record.id
        return First(self._dated(record, ordinal), packed(settled(record)))

    def _observed(self, ordinal: int) -> Relation:
        now = self.stage.estimates[ordinal]
        return msgspec.structs.replace(self.stage.relation(ordinal), row_estimate=now.rows, size_bytes=now.size_bytes)

    def _dated(self, record: RelationRecord, ordinal: int, pair: Pair | None = None, changed: bool = True) -> Dated:  # noqa: FBT001, FBT002 - private
        known = self.known.relations[pair.known_id] if pair else None
        return Dated(
            record,
            fingerprint=self.stage.seen[ordinal].fingerprint,
            shape=shape_of(record.observed()),
            first_seen_at=known.first_seen_at if known else self.at,
            since=known.since if known and not changed else self.at,
        )


def retire(chronicle: Chronicle, since: Mapping[UUID, datetime]) -> None:
    """Relations that are proved gone, each with when its present state began. What people wrote on them stays on them."""
    records = load_records(since)
    chronicle.close_relations((record, since[record.id]) for record in records.values())
    chronicle.record((removed_relation(record), record.schema_id) for record in records.values())
    retire_relations(list(since), chronicle.at)
    announce(chronicle.datastore_id, retired=list(since))


def announce(
    datastore_id: UUID,
    records: Sequence[RelationRecord] = (),
    *,
    retired: Sequence[UUID] = (),
    removed: Sequence[UUID] = (),
    fresh: bool = False,
) -> None:
    """Tell the layers that keep something beside the catalog, within the same transaction."""
    hooks.catalog_changed(
        datastore_id=datastore_id, scopes=[], records=records, retired=retired, removed=removed, fresh=fresh
    )


def removed_children(
    before: Mapping[UUID, RelationRecord], after: Iterable[RelationRecord]
) -> dict[type[Child], list[UUID]]:
    """The children that were there and are not any more, by model."""
    removed: dict[type[Child], list[UUID]] = {Column: [], Index: [], Constraint: []}
    for new in after:
        old = before[new.id]
        removed[Column] += _ids(old.columns) - _ids(new.columns)
        removed[Index] += _ids(old.indexes) - _ids(new.indexes)
        removed[Constraint] += _ids(old.constraints) - _ids(new.constraints)
    return removed


def _ids(children: Iterable[Identified[Any]]) -> set[UUID]:
    return {child.id for child in children}


def _drifted(before: int | None, after: int | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > DRIFT * before
