"""A catalog in memory that is kept as an inspection keeps the real one: match, diff, record, retire.

It is the smallest caller of ``metamapper.diffing`` there can be, and asserts after every step what must hold for any.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

import msgspec

from metamapper.diffing import (
    CatalogState,
    KnownRelation,
    KnownScope,
    RelationMatching,
    ScopeMatching,
    SeenRelation,
    added_relation,
    added_scope,
    apply_change,
    diff_relation,
    diff_scope,
    first_record,
    match_relations,
    match_scopes,
    removed_relation,
    removed_scope,
    renames_of,
    settled,
    settled_scope,
    shape_of,
)
from metamapper.schema import (
    AssetKind,
    Change,
    ChangeKind,
    Completeness,
    Relation,
    RelationRecord,
    RetiredChildren,
    ScopeRecord,
    Snapshot,
)
from tests.diffing.build import Ids


class Keeper:
    """``changes`` is everything ever recorded. Retired assets are kept, the latest last."""

    def __init__(self, *, stable_ids: bool) -> None:
        self.stable_ids = stable_ids
        self.new_ids = Ids()
        self.scopes: dict[UUID, ScopeRecord] = {}
        self.relations: dict[UUID, RelationRecord] = {}
        self.retired_scopes: dict[UUID, ScopeRecord] = {}
        self.retired: dict[UUID, RelationRecord] = {}
        self.retired_children: dict[UUID, RetiredChildren] = {}
        self.changes: list[Change] = []
        self.state = CatalogState()

    def inspect(self, snapshot: Snapshot) -> list[Change]:
        """Bring the catalog to what the snapshot shows; returns the changes of this run."""
        before = dict(self.relations)
        scopes = self._match_scopes(snapshot)
        schema_ids = self._keep_scopes(snapshot, scopes)
        found = self._scope_changes
        matching = self._match_relations(snapshot, scopes)
        found += self._keep_relations(snapshot, matching, schema_ids)
        self._carry_names()
        for schema_id in scopes.vanished:
            self.retired_scopes[schema_id] = self.scopes.pop(schema_id)
            found.append(removed_scope(self.retired_scopes[schema_id]))
        self._record(found)
        self._check(snapshot, scopes, found, before)
        return found

    def _carry_names(self) -> None:
        """The real catalog has a relation's schema by reference; here the name stands on each record."""
        for each in self.relations.values():
            name = self.scopes[each.schema_id].scope.name
            if each.relation.schema != name:
                relation = msgspec.structs.replace(each.relation, schema=name)
                self.relations[each.id] = msgspec.structs.replace(each, relation=relation)

    def _match_scopes(self, snapshot: Snapshot) -> ScopeMatching:
        known = [KnownScope(each.id, each.scope.name, each.scope.native_id) for each in self.scopes.values()]
        gone = [
            KnownScope(each.id, each.scope.name, each.scope.native_id, retired=True)
            for each in reversed(self.retired_scopes.values())
        ]
        return match_scopes(
            known + gone, snapshot.scopes, list_complete=snapshot.scopes_complete, stable_ids=self.stable_ids
        )

    def _keep_scopes(self, snapshot: Snapshot, matching: ScopeMatching) -> dict[str, UUID]:
        self._scope_changes: list[Change] = []
        self._scope_names: list[tuple[str, str]] = []
        ids: dict[str, UUID] = {}
        for pair in matching.pairs:
            back = self.retired_scopes.pop(pair.known_id, None)
            before = back or self.scopes[pair.known_id]
            diff = diff_scope(before, snapshot.scopes[pair.ordinal], pair=pair)
            self._scope_names.append((before.scope.name, diff.record.scope.name))
            self.scopes[pair.known_id] = diff.record
            ids[diff.record.scope.name] = pair.known_id
            self._scope_changes += [diff.change] if diff.change else []
        for ordinal in matching.appeared:
            record = ScopeRecord(id=self.new_ids(1)[0], scope=snapshot.scopes[ordinal])
            self.scopes[record.id] = record
            ids[record.scope.name] = record.id
            self._scope_changes.append(added_scope(record))
        return ids

    def _match_relations(self, snapshot: Snapshot, scopes: ScopeMatching) -> RelationMatching:
        self.known = [self._known(each, retired=False) for each in self.relations.values()]
        self.known += [self._known(each, retired=True) for each in reversed(self.retired.values())]
        self.seen = [_seen(ordinal, each) for ordinal, each in enumerate(snapshot.relations)]
        everything = {**self.relations, **self.retired}
        return match_relations(
            self.known,
            self.seen,
            relation_of=snapshot.relations.__getitem__,
            record_of=everything.__getitem__,
            stable_ids=self.stable_ids,
            readable=scopes.readable.__contains__,
        )

    def _known(self, each: RelationRecord, *, retired: bool) -> KnownRelation:
        own = each.relation
        scope = self.scopes.get(each.schema_id)
        name = scope.scope.name if scope else own.schema
        whole = each.observed()
        print_ = fingerprint(whole)
        return KnownRelation(
            each.id, each.schema_id, name, own.name, own.kind, own.native_id, print_, shape_of(whole), retired
        )

    def _keep_relations(
        self, snapshot: Snapshot, matching: RelationMatching, schema_ids: dict[str, UUID]
    ) -> list[Change]:
        found: list[Change] = []
        renames = renames_of(self.known, self.seen, matching.pairs, self._scope_names)
        for relation_id in matching.vanished:
            self.retired[relation_id] = self.relations.pop(relation_id)
            found.append(removed_relation(self.retired[relation_id]))
        for pair in sorted(matching.pairs, key=lambda pair: pair.ordinal):
            after = snapshot.relations[pair.ordinal]
            back = self.retired.pop(pair.known_id, None)
            before = back or self.relations[pair.known_id]
            gone = self.retired_children.get(pair.known_id, RetiredChildren())
            diff = diff_relation(
                before,
                after,
                schema_id=schema_ids[after.schema],
                pair=pair,
                new_ids=self.new_ids,
                retired=gone,
                renames=renames,
            )
            assert not (pair.unchanged and diff.changes), "an unchanged relation differs"
            assert _ids(diff.record) - _ids(before) == {*diff.added, *diff.restored}
            assert _ids(before) - _ids(diff.record) == set(diff.removed)
            self._keep_children(before, gone, diff.removed, diff.restored)
            self.relations[pair.known_id] = diff.record
            found += diff.changes
        for ordinal in matching.appeared:
            after = snapshot.relations[ordinal]
            record = first_record(after, schema_id=schema_ids[after.schema], new_ids=self.new_ids)
            self.relations[record.id] = record
            found.append(added_relation(record))
        return found

    def _keep_children(
        self, before: RelationRecord, gone: RetiredChildren, removed: Iterable[UUID], restored: Iterable[UUID]
    ) -> None:
        left, back = set(removed), set(restored)
        kept = {
            family: (
                *(child for child in getattr(before, family) if child.id in left),
                *(child for child in getattr(gone, family) if child.id not in back),
            )
            for family in ("columns", "indexes", "constraints")
        }
        self.retired_children[before.id] = RetiredChildren(**kept)

    def _record(self, found: Sequence[Change]) -> None:
        for change in found:
            apply_change(self.state, _stored(change))
        self.changes += found

    def _check(
        self, snapshot: Snapshot, scopes: ScopeMatching, found: Sequence[Change], before: dict[UUID, RelationRecord]
    ) -> None:
        self.check_replay()
        self._check_identities()
        once = Counter((change.asset, change.asset_id) for change in found)
        assert set(once.values()) <= {1}, "two changes of one asset in one run"
        _check_retired(found, snapshot, scopes, before)
        self._check_present(snapshot, before)

    def check_replay(self) -> None:
        assert self.state.relations == {each.id: settled(each) for each in self.relations.values()}
        assert self.state.schemas == {each.id: settled_scope(each) for each in self.scopes.values()}

    def _check_identities(self) -> None:
        """No identity stands twice: not among the living, not among the retired, not in two relations."""
        alive = [*self.scopes, *chain.from_iterable([each.id, *_ids(each)] for each in self.relations.values())]
        assert len(alive) == len(set(alive))
        gone = [*self.retired_scopes, *self.retired]
        assert not set(alive) & set(gone)

    def _check_present(self, snapshot: Snapshot, before: dict[UUID, RelationRecord]) -> None:
        """Every seen relation is in the catalog exactly once, as it was seen; the unread ones are as before."""
        present = Counter(
            (self.scopes[each.schema_id].scope.name, each.relation.name, _bare(each.observed()))
            for each in self.relations.values()
        )
        seen = Counter((each.schema, each.name, _bare(each)) for each in snapshot.relations)
        assert seen <= present
        assert (present - seen) <= Counter(
            (self.scopes[each.schema_id].scope.name, each.relation.name, _bare(each.observed()))
            for each in before.values()
            if each.schema_id in self.scopes
        )


def _check_retired(
    found: Sequence[Change], snapshot: Snapshot, scopes: ScopeMatching, before: dict[UUID, RelationRecord]
) -> None:
    """Only proof retires: of a schema the whole list, of a relation the whole schema or the schema's own end."""
    seen_as = {pair.known_id: snapshot.scopes[pair.ordinal] for pair in scopes.pairs}
    for change in found:
        if change.kind is not ChangeKind.REMOVED:
            continue
        if change.asset is AssetKind.SCHEMA:
            assert snapshot.scopes_complete
            assert change.asset_id not in seen_as
        if change.asset is AssetKind.RELATION:
            scope = seen_as.get(before[change.asset_id].schema_id)
            assert scope.completeness is Completeness.COMPLETE if scope else snapshot.scopes_complete


def fingerprint(value: Relation) -> bytes:
    """As an engine has it: of everything but the statistics."""
    return msgspec.json.encode(_bare(value))


def _bare(value: Relation) -> bytes:
    """Everything that is compared, order of children aside."""
    ordered = msgspec.structs.replace(
        value,
        schema="",
        columns=tuple(sorted(value.columns, key=lambda each: (each.position, each.path))),
        indexes=tuple(sorted(value.indexes, key=lambda each: each.name)),
        constraints=tuple(sorted(value.constraints, key=lambda each: each.name)),
        row_estimate=None,
        size_bytes=None,
    )
    return msgspec.json.encode(ordered)


def _seen(ordinal: int, each: Relation) -> SeenRelation:
    return SeenRelation(ordinal, each.schema, each.name, each.kind, each.native_id, fingerprint(each))


def _ids(record: RelationRecord) -> set[UUID]:
    return {child.id for child in (*record.columns, *record.indexes, *record.constraints)}


def _stored(change: Change) -> Change:
    """The change as it comes back from where changes are stored."""
    return msgspec.json.decode(msgspec.json.encode(change), type=Change)
