"""The catalog as the sum of its recorded changes.

Replaying all changes of a datastore, in the order in which they were recorded, gives its present catalog exactly; up to
``row_estimate``, ``size_bytes`` and how well a schema could be read, which no change carries (``fields.settled``).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from metamapper.diffing.fields import (
    LAYOUT,
    SCHEMA,
    by_name,
    in_order,
    settled,
    settled_scope,
    with_fields,
    with_layout,
)
from metamapper.schema import (
    AssetKind,
    Change,
    ChangeKind,
    Column,
    Constraint,
    FieldChange,
    Identified,
    Index,
    Relation,
    RelationRecord,
    ScopeRecord,
)

C = TypeVar("C", Column, Index, Constraint)


@dataclass(slots=True)
class CatalogState:
    """Everything that is not retired, by identity."""

    schemas: dict[UUID, ScopeRecord] = field(default_factory=dict)
    relations: dict[UUID, RelationRecord] = field(default_factory=dict)


def replay(changes: Iterable[Change]) -> CatalogState:
    """The catalog that the changes lead to, from nothing. Raises as ``apply_change`` does."""
    state = CatalogState()
    for change in changes:
        apply_change(state, change)
    return state


def apply_change(state: CatalogState, change: Change) -> None:
    """Bring the state past one change. Raises ``KeyError`` where the change's asset or parent is not in the state,
    ``msgspec.ValidationError`` where a recorded value cannot be read.
    """
    _APPLY[change.asset](state, change)


def _apply_schema(state: CatalogState, change: Change) -> None:
    if change.kind is ChangeKind.REMOVED:
        del state.schemas[change.asset_id]
    elif change.kind in _WHOLE:
        state.schemas[change.asset_id] = settled_scope(_read(change, ScopeRecord))
    else:
        before = state.schemas[change.asset_id]
        after = with_fields(before.scope, change.fields)
        state.schemas[change.asset_id] = ScopeRecord(id=before.id, scope=after)
        if after.name != before.scope.name:
            _carry_name(state, before.id, after.name)


def _carry_name(state: CatalogState, schema_id: UUID, name: str) -> None:
    """A schema's name stands on its relations too, though none of them changed."""
    for record in state.relations.values():
        if record.schema_id == schema_id:
            relation = msgspec.structs.replace(record.relation, schema=name)
            state.relations[record.id] = msgspec.structs.replace(record, relation=relation)


def _apply_relation(state: CatalogState, change: Change) -> None:
    if change.kind is ChangeKind.REMOVED:
        del state.relations[change.asset_id]
    elif change.kind in _WHOLE:
        state.relations[change.asset_id] = settled(_read(change, RelationRecord))
    else:
        state.relations[change.asset_id] = _changed(state.relations[change.asset_id], change)


def _changed(record: RelationRecord, change: Change) -> RelationRecord:
    relation: Relation = record.relation
    own: list[FieldChange] = []
    for each in change.fields:
        if each.field == LAYOUT:
            record = _laid_out(record, each.after)
        elif each.field == SCHEMA:
            relation = msgspec.structs.replace(relation, schema=each.after)
        else:
            own.append(each)
    schema_id = change.parent_id or record.schema_id
    return msgspec.structs.replace(record, schema_id=schema_id, relation=with_fields(relation, own))


def _laid_out(record: RelationRecord, layout: Mapping[str, list[Any]]) -> RelationRecord:
    return msgspec.structs.replace(
        record,
        columns=in_order(with_layout(record.columns, layout)),
        indexes=with_layout(record.indexes, layout),
        constraints=with_layout(record.constraints, layout),
    )


def _apply_column(state: CatalogState, change: Change) -> None:
    record = _parent(state, change)
    columns = in_order(_with_child(record.columns, change, Identified[Column]))
    state.relations[record.id] = msgspec.structs.replace(record, columns=columns)


def _apply_index(state: CatalogState, change: Change) -> None:
    record = _parent(state, change)
    indexes = by_name(_with_child(record.indexes, change, Identified[Index]))
    state.relations[record.id] = msgspec.structs.replace(record, indexes=indexes)


def _apply_constraint(state: CatalogState, change: Change) -> None:
    record = _parent(state, change)
    constraints = by_name(_with_child(record.constraints, change, Identified[Constraint]))
    state.relations[record.id] = msgspec.structs.replace(record, constraints=constraints)


def _with_child(
    children: Sequence[Identified[C]], change: Change, kind: type[Identified[C]]
) -> Collection[Identified[C]]:
    by_id = {child.id: child for child in children}
    if change.kind is ChangeKind.REMOVED:
        del by_id[change.asset_id]
    elif change.kind in _WHOLE:
        by_id[change.asset_id] = _read(change, kind)
    else:
        child = by_id[change.asset_id]
        value: C = with_fields(child.value, change.fields)
        by_id[change.asset_id] = Identified(child.id, value)
    return by_id.values()


def _parent(state: CatalogState, change: Change) -> RelationRecord:
    if change.parent_id is None:
        raise KeyError(change.asset_id)
    return state.relations[change.parent_id]


R = TypeVar("R")


def _read(change: Change, kind: type[R]) -> R:
    """The whole state that an added or restored asset brings along."""
    return msgspec.convert(change.after, kind)


_WHOLE = frozenset({ChangeKind.ADDED, ChangeKind.RESTORED})

_APPLY: Mapping[AssetKind, Callable[[CatalogState, Change], None]] = {
    AssetKind.SCHEMA: _apply_schema,
    AssetKind.RELATION: _apply_relation,
    AssetKind.COLUMN: _apply_column,
    AssetKind.INDEX: _apply_index,
    AssetKind.CONSTRAINT: _apply_constraint,
}
