"""Two saved reads compared without a catalog: ``metamapper diff A B``. Identities are made for the occasion."""

from collections.abc import Iterator, Mapping
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
from metamapper.diffing.renames import renames_of
from metamapper.diffing.scopes import match_scopes
from metamapper.diffing.shape import shape_of
from metamapper.diffing.values import KnownRelation, KnownScope, SeenRelation
from metamapper.schema import Change, RelationRecord, Scope, ScopeRecord, Snapshot


def diff_snapshots(before: Snapshot, after: Snapshot, *, stable_ids: bool = False) -> list[Change]:
    """What happened between two snapshots, in the order in which it can be replayed onto the first.

    ``stable_ids`` says that both come from one database whose engine keeps native ids; ids of two databases are not
    comparable. What ``after`` could not read is not counted as gone.
    """
    return list(_Comparison(before, after, stable_ids=stable_ids).changes())


class _Comparison:
    def __init__(self, before: Snapshot, after: Snapshot, *, stable_ids: bool) -> None:
        self._numbers = count(1)
        self.after, self.stable_ids = after, stable_ids
        self.scopes = {record.id: record for record in map(self._scope, before.scopes)}
        ids = {record.scope.name: record.id for record in self.scopes.values()}
        records = [
            first_record(relation, schema_id=ids[relation.schema], new_ids=self._new_ids)
            for relation in before.relations
        ]
        self.records: Mapping[UUID, RelationRecord] = {record.id: record for record in records}
        self.matched = match_scopes(
            [KnownScope(record.id, record.scope.name, record.scope.native_id) for record in self.scopes.values()],
            after.scopes,
            list_complete=after.scopes_complete,
            stable_ids=stable_ids,
        )
        self.schema_ids = {after.scopes[pair.ordinal].name: pair.known_id for pair in self.matched.pairs}

    def _new_ids(self, wanted: int) -> list[UUID]:
        return [UUID(int=next(self._numbers)) for _ in range(wanted)]

    def _scope(self, scope: Scope) -> ScopeRecord:
        return ScopeRecord(id=self._new_ids(1)[0], scope=scope)

    def changes(self) -> Iterator[Change]:
        yield from self._scope_changes()
        yield from self._relation_changes()
        for schema_id in self.matched.vanished:
            yield removed_scope(self.scopes[schema_id])

    def _scope_changes(self) -> Iterator[Change]:
        for pair in self.matched.pairs:
            change = diff_scope(self.scopes[pair.known_id], self.after.scopes[pair.ordinal], pair=pair).change
            if change:
                yield change
        for ordinal in self.matched.appeared:
            record = self._scope(self.after.scopes[ordinal])
            self.schema_ids[record.scope.name] = record.id
            yield added_scope(record)

    def _relation_changes(self) -> Iterator[Change]:
        known, seen = self._known(), self._seen()
        matching = match_relations(
            known,
            seen,
            relation_of=self.after.relations.__getitem__,
            record_of=self.records.__getitem__,
            stable_ids=self.stable_ids,
            readable=self.matched.readable.__contains__,
        )
        renames = renames_of(known, seen, matching.pairs, self._schema_names())
        for relation_id in matching.vanished:
            yield removed_relation(self.records[relation_id])
        for pair in sorted(matching.pairs, key=lambda pair: pair.ordinal):
            relation = self.after.relations[pair.ordinal]
            yield from diff_relation(
                self.records[pair.known_id],
                relation,
                schema_id=self.schema_ids[relation.schema],
                pair=pair,
                new_ids=self._new_ids,
                renames=renames,
            ).changes
        for ordinal in matching.appeared:
            relation = self.after.relations[ordinal]
            schema_id = self.schema_ids[relation.schema]
            yield added_relation(first_record(relation, schema_id=schema_id, new_ids=self._new_ids))

    def _schema_names(self) -> list[tuple[str, str]]:
        pairs = self.matched.pairs
        return [(self.scopes[pair.known_id].scope.name, self.after.scopes[pair.ordinal].name) for pair in pairs]

    def _known(self) -> list[KnownRelation]:
        names = {pair.known_id: self.after.scopes[pair.ordinal].name for pair in self.matched.pairs}
        return [
            KnownRelation(
                record.id,
                record.schema_id,
                names.get(record.schema_id, record.relation.schema),
                record.relation.name,
                record.relation.kind,
                record.relation.native_id,
                b"",
                shape_of(record.observed()),
            )
            for record in self.records.values()
        ]

    def _seen(self) -> list[SeenRelation]:
        return [
            SeenRelation(ordinal, each.schema, each.name, each.kind, each.native_id, b"")
            for ordinal, each in enumerate(self.after.relations)
        ]
