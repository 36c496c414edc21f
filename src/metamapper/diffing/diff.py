"""What differs between a known relation (or schema) and what was seen: the changes, and the record to keep.

One asset has at most one change per run. A relation that is new carries its children in ``after`` and they have no
changes of their own; a relation that came back carries them as they were, and their own changes follow. The sum of the
changes is exactly the record, statistics aside (``metamapper.diffing.replay`` proves it).

Positions and native ids of children that only follow others (a column was added before them, the table was rebuilt)
are no changes of theirs: the relation's quiet field ``layout`` keeps them, by child id.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from metamapper.diffing import classify
from metamapper.diffing.childdiff import ChildDiff, NewIds, diff_children
from metamapper.diffing.fields import (
    LAYOUT,
    SCHEMA,
    by_name,
    differences,
    in_order,
    settled,
    settled_scope,
    with_layout,
)
from metamapper.diffing.renames import NO_RENAMES, Renames, only_renamed
from metamapper.diffing.values import NONE_RETIRED, Pair, SuggestedChild
from metamapper.schema import (
    AssetKind,
    Certainty,
    Change,
    ChangeKind,
    Completeness,
    FieldChange,
    Identified,
    Relation,
    RelationRecord,
    RetiredChildren,
    Scope,
    ScopeRecord,
)


class RelationDiff(msgspec.Struct, frozen=True):
    """``record`` is what the relation is now, statistics included; the ids are of its children."""

    record: RelationRecord
    changes: tuple[Change, ...] = ()
    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()
    restored: tuple[UUID, ...] = ()
    suggestions: tuple[SuggestedChild, ...] = ()


class ScopeDiff(msgspec.Struct, frozen=True):
    record: ScopeRecord
    change: Change | None = None


def first_record(relation: Relation, *, schema_id: UUID, new_ids: NewIds) -> RelationRecord:
    """A new relation under new identities: one call of ``new_ids`` for it and all its children."""
    columns, indexes, constraints = relation.columns, relation.indexes, relation.constraints
    ids = iter(new_ids(1 + len(columns) + len(indexes) + len(constraints)))
    return RelationRecord(
        id=next(ids),
        schema_id=schema_id,
        relation=msgspec.structs.replace(relation, columns=(), indexes=(), constraints=()),
        columns=in_order([Identified(next(ids), column) for column in columns]),
        indexes=by_name([Identified(next(ids), index) for index in indexes]),
        constraints=by_name([Identified(next(ids), constraint) for constraint in constraints]),
    )


def added_relation(record: RelationRecord, *, whole: bool = True) -> Change:
    """The change of a new relation. Without ``whole`` its ``after`` is left out, for a caller that stores the record
    itself beside it and need not pay twice: ``after`` is ``msgspec.to_builtins(settled(record))``.
    """
    severity, reason = classify.relation_added(record.relation.kind)
    return Change(
        kind=ChangeKind.ADDED,
        asset=AssetKind.RELATION,
        asset_id=record.id,
        parent_id=record.schema_id,
        path=(record.relation.schema, record.relation.name),
        severity=severity,
        reason=reason,
        after=msgspec.to_builtins(settled(record)) if whole else None,
    )


def removed_relation(record: RelationRecord) -> Change:
    severity, reason = classify.relation_removed(record.relation.kind)
    return Change(
        kind=ChangeKind.REMOVED,
        asset=AssetKind.RELATION,
        asset_id=record.id,
        parent_id=record.schema_id,
        path=(record.relation.schema, record.relation.name),
        severity=severity,
        reason=reason,
        before=msgspec.to_builtins(settled(record)),
    )


def diff_relation(
    before: RelationRecord,
    after: Relation,
    *,
    schema_id: UUID,
    pair: Pair,
    new_ids: NewIds,
    retired: RetiredChildren = NONE_RETIRED,
    renames: Renames = NO_RENAMES,
    ids_meet: bool = True,
) -> RelationDiff:
    """Compare a known relation with what ``pair`` says it is now.

    ``schema_id`` is the schema it stands in now. ``before.relation.schema`` must be that schema's name as it was.
    ``renames`` are names of relations and schemas that this run found renamed (``renames_of``): texts that differ
    only by them are followed quietly. Unless ``ids_meet``, the native ids of both are of two places: equal ones mean nothing.
    """
    renames = _with_own(renames, before.relation, after)
    children = diff_children(before, after, retired=retired, new_ids=new_ids, renames=renames, ids_meet=ids_meet)
    record = RelationRecord(
        id=before.id,
        schema_id=schema_id,
        relation=msgspec.structs.replace(after, columns=(), indexes=(), constraints=()),
        columns=children.columns,
        indexes=children.indexes,
        constraints=children.constraints,
    )
    own = _own_change(before, record, pair, children, renames)
    return RelationDiff(
        record,
        (own, *children.changes) if own else children.changes,
        children.added,
        children.removed,
        children.restored,
        children.suggestions,
    )


def _with_own(renames: Renames, before: Relation, after: Relation) -> Renames:
    """The run's renames, and this relation's own: its indexes speak of it too."""
    own = {(before.name, after.name), (before.schema, after.schema)}
    joined = {old: {new, *renames.get(old, ())} for old, new in own if old != new}
    return {**renames, **joined} if joined else renames


def _own_change(
    before: RelationRecord, record: RelationRecord, pair: Pair, children: ChildDiff, renames: Renames
) -> Change | None:
    back = pair.kind_hint is ChangeKind.RESTORED
    fields = _own_fields(before, record, pair, renames)
    if children.layout and not back:
        fields.append(FieldChange(LAYOUT, None, children.layout, quiet=True))
    if not fields and not back:
        return None
    kind = _kind(before, record, pair)
    replaced = pair.certainty is Certainty.INFERRED and pair.kind_hint is ChangeKind.REBUILT
    severity, reason = classify.relation_changed(kind, fields, record.relation, replaced=replaced)
    return Change(
        kind=kind,
        asset=AssetKind.RELATION,
        asset_id=record.id,
        parent_id=record.schema_id,
        path=(record.relation.schema, record.relation.name),
        fields=tuple(fields),
        severity=severity,
        reason=reason,
        certainty=pair.certainty,
        evidence=pair.evidence,
        after=_as_it_was(before, record, children.layout) if back else None,
    )


def _own_fields(before: RelationRecord, record: RelationRecord, pair: Pair, renames: Renames) -> list[FieldChange]:
    old, new = before.relation, record.relation
    moved = [FieldChange(SCHEMA, old.schema, new.schema)] if before.schema_id != record.schema_id else []
    return [*moved, *(_voiced(field, old, new, pair, renames) for field in differences(old, new))]


def _voiced(field: FieldChange, before: Relation, after: Relation, pair: Pair, renames: Renames) -> FieldChange:
    """A field as people should get it: a new id is news where it means a new object, a query that only follows renames
    is none.
    """
    if field.field == "native_id" and pair.kind_hint is ChangeKind.REBUILT:
        return msgspec.structs.replace(field, quiet=False)
    if field.field == "definition" and only_renamed(before.definition, after.definition, renames):
        return msgspec.structs.replace(field, quiet=True)
    return field


def _kind(before: RelationRecord, record: RelationRecord, pair: Pair) -> ChangeKind:
    if pair.kind_hint is ChangeKind.RESTORED:
        return ChangeKind.RESTORED
    if before.schema_id != record.schema_id:
        return ChangeKind.MOVED
    if before.relation.name != record.relation.name:
        return ChangeKind.RENAMED
    return ChangeKind.REBUILT if pair.kind_hint is ChangeKind.REBUILT else ChangeKind.CHANGED


def _as_it_was(before: RelationRecord, record: RelationRecord, layout: Mapping[str, list[Any]]) -> dict[str, Any]:
    """A relation that came back, with the children it had: their own changes follow it."""
    state = msgspec.structs.replace(
        before,
        schema_id=record.schema_id,
        relation=record.relation,
        columns=with_layout(before.columns, layout),
        indexes=with_layout(before.indexes, layout),
        constraints=with_layout(before.constraints, layout),
    )
    built: dict[str, Any] = msgspec.to_builtins(settled(state))
    return built


def added_scope(record: ScopeRecord) -> Change:
    severity, reason = classify.schema_added()
    return Change(
        kind=ChangeKind.ADDED,
        asset=AssetKind.SCHEMA,
        asset_id=record.id,
        path=(record.scope.name,),
        severity=severity,
        reason=reason,
        after=msgspec.to_builtins(settled_scope(record)),
    )


def removed_scope(record: ScopeRecord) -> Change:
    severity, reason = classify.schema_removed()
    return Change(
        kind=ChangeKind.REMOVED,
        asset=AssetKind.SCHEMA,
        asset_id=record.id,
        path=(record.scope.name,),
        severity=severity,
        reason=reason,
        before=msgspec.to_builtins(settled_scope(record)),
    )


def diff_scope(before: ScopeRecord, after: Scope, *, pair: Pair) -> ScopeDiff:
    """Compare a known schema with what was seen. What an unreadable one does not show stays as it was."""
    record = ScopeRecord(id=before.id, scope=_believed(before.scope, after))
    back = pair.kind_hint is ChangeKind.RESTORED
    loud = pair.kind_hint is ChangeKind.REBUILT
    fields = tuple(
        msgspec.structs.replace(field, quiet=False) if loud and field.field == "native_id" else field
        for field in differences(before.scope, record.scope)
    )
    if not fields and not back:
        return ScopeDiff(record)
    kind = _scope_kind(before, record, pair)
    severity, reason = classify.RESTORED if back else classify.schema_changed(kind, fields)
    change = Change(
        kind=kind,
        asset=AssetKind.SCHEMA,
        asset_id=record.id,
        path=(record.scope.name,),
        fields=fields,
        severity=severity,
        reason=reason,
        certainty=pair.certainty,
        evidence=pair.evidence,
        after=msgspec.to_builtins(settled_scope(record)) if back else None,
    )
    return ScopeDiff(record, change)


def _scope_kind(before: ScopeRecord, record: ScopeRecord, pair: Pair) -> ChangeKind:
    if pair.kind_hint is ChangeKind.RESTORED:
        return ChangeKind.RESTORED
    if before.scope.name != record.scope.name:
        return ChangeKind.RENAMED
    return ChangeKind.REBUILT if pair.kind_hint is ChangeKind.REBUILT else ChangeKind.CHANGED


def _believed(before: Scope, after: Scope) -> Scope:
    if after.completeness is not Completeness.UNREADABLE:
        return after
    return msgspec.structs.replace(
        after,
        comment=after.comment or before.comment,
        native_id=after.native_id or before.native_id,
        extras=after.extras or before.extras,
    )
