"""A catalog in memory that follows snapshots with the pure functions alone: match, diff, replay. No clock, no database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from metamapper.diffing.diff import (
    added_relation,
    added_scope,
    diff_relation,
    diff_scope,
    first_record,
    removed_relation,
    removed_scope,
)
from metamapper.diffing.matching import match_relations
from metamapper.diffing.replay import CatalogState, apply_change
from metamapper.diffing.scopes import match_scopes
from metamapper.diffing.shape import shape_of
from metamapper.diffing.values import KnownRelation, KnownScope, RelationMatching, ScopeMatching, SeenRelation
from metamapper.schema import Change, RelationRecord, ScopeRecord, Snapshot


@dataclass
class Follower:
    """``state`` is what is there; ``retired`` what was. ``changes`` is everything that was ever recorded."""

    stable_ids: bool = True
    state: CatalogState = field(default_factory=CatalogState)
    retired: dict[UUID, RelationRecord] = field(default_factory=dict)
    retired_scopes: dict[UUID, ScopeRecord] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def look(self, snapshot: Snapshot) -> list[Change]:
        """Bring the catalog to what was seen; the changes of this look."""
        before = len(self.changes)
        scopes = self._follow_scopes(snapshot)
        self._follow_relations(snapshot, scopes)
        for scope_id in scopes.vanished:
            self.retired_scopes[scope_id] = self.state.schemas[scope_id]
            self._record(removed_scope(self.state.schemas[scope_id]))
        return self.changes[before:]

    def ids(self) -> dict[tuple[str, str], UUID]:
        """Who stands under which path."""
        return {(each.relation.schema, each.relation.name): each.id for each in self.state.relations.values()}

    def _new_ids(self, wanted: int) -> list[UUID]:
        return [UUID(int=next(self.numbers)) for _ in range(wanted)]

    def _record(self, change: Change | None) -> None:
        if change:
            self.changes.append(change)
            apply_change(self.state, change)

    def _follow_scopes(self, snapshot: Snapshot) -> ScopeMatching:
        rows = [(each, False) for each in self.state.schemas.values()] + [
            (each, True) for each in reversed(self.retired_scopes.values())
        ]
        known = [KnownScope(each.id, each.scope.name, each.scope.native_id, gone) for each, gone in rows]
        matched = match_scopes(
            known, snapshot.scopes, list_complete=snapshot.scopes_complete, stable_ids=self.stable_ids
        )
        records = {each.id: each for each, _ in rows}
        for pair in matched.pairs:
            self._record(diff_scope(records[pair.known_id], snapshot.scopes[pair.ordinal], pair=pair).change)
            self.retired_scopes.pop(pair.known_id, None)
        for ordinal in matched.appeared:
            self._record(added_scope(ScopeRecord(id=self._new_ids(1)[0], scope=snapshot.scopes[ordinal])))
        return matched

    def _follow_relations(self, snapshot: Snapshot, scopes: ScopeMatching) -> None:
        records = self.retired | self.state.relations
        matching = self._match(snapshot, scopes.readable.__contains__, records)
        for relation_id in matching.vanished:
            self.retired.pop(relation_id, None)
            self.retired[relation_id] = self.state.relations[relation_id]
            self._record(removed_relation(self.state.relations[relation_id]))
        schema_ids = {each.scope.name: each.id for each in self.state.schemas.values()}
        for pair in matching.pairs:
            relation = snapshot.relations[pair.ordinal]
            schema_id = schema_ids[relation.schema]
            found = diff_relation(
                records[pair.known_id], relation, schema_id=schema_id, pair=pair, new_ids=self._new_ids
            )
            self.retired.pop(pair.known_id, None)
            for change in found.changes:
                self._record(change)
        for ordinal in matching.appeared:
            relation = snapshot.relations[ordinal]
            record = first_record(relation, schema_id=schema_ids[relation.schema], new_ids=self._new_ids)
            self._record(added_relation(record))

    def _match(
        self, snapshot: Snapshot, readable: Callable[[str], bool], records: dict[UUID, RelationRecord]
    ) -> RelationMatching:
        living = [(each, False) for each in self.state.relations.values()]
        rows = living + [(each, True) for each in reversed(self.retired.values())]
        return match_relations(
            [_known(record, retired=gone) for record, gone in rows],
            [
                SeenRelation(ordinal, each.schema, each.name, each.kind, each.native_id, b"")
                for ordinal, each in enumerate(snapshot.relations)
            ],
            relation_of=snapshot.relations.__getitem__,
            record_of=records.__getitem__,
            stable_ids=self.stable_ids,
            readable=readable,
        )


def _known(record: RelationRecord, *, retired: bool) -> KnownRelation:
    relation = record.relation
    return KnownRelation(
        record.id,
        record.schema_id,
        relation.schema,
        relation.name,
        relation.kind,
        relation.native_id,
        b"",
        shape_of(record.observed()),
        retired,
    )
