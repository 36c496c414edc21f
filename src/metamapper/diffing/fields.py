"""The fields of each kind of value: their words for people, which of them are quiet, how they compare and are applied.

A field's word is its attribute's name. ``extras`` compare key by key as ``extras.<key>``. ``layout`` stands on a
relation for the positions and native ids of children that only followed what happened around them.
"""

from collections.abc import Collection, Iterable, Mapping
from operator import lt
from typing import Any, TypeVar

import msgspec

from metamapper.schema import (
    Column,
    Constraint,
    FieldChange,
    Identified,
    Index,
    Relation,
    RelationRecord,
    Scope,
    ScopeRecord,
)

V = TypeVar("V", Column, Index, Constraint, Relation, Scope)
C = TypeVar("C", Column, Index, Constraint)

LAYOUT = "layout"
SCHEMA = "schema"
_EXTRAS = "extras"
_EXTRA = "extras."

_UNCOMPARED: Mapping[type[msgspec.Struct], frozenset[str]] = {
    # The engine's statistics and how well a scope could be read are no part of a schema: no change carries them.
    Relation: frozenset({SCHEMA, "columns", "indexes", "constraints", "row_estimate", "size_bytes"}),
    Scope: frozenset({"completeness", "reason", "remedy"}),
}
QUIET = frozenset({"family", "length", "precision", "scale", "native_id", LAYOUT})
"""Fields that only follow another: ``type`` says the first four, and who rebuilt what says the ids."""


def _types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Attribute to type, of what a change may carry."""
    left_out = _UNCOMPARED.get(kind, frozenset())
    return {field.name: field.type for field in msgspec.structs.fields(kind) if field.name not in left_out}


_TYPES: Mapping[type[Any], Mapping[str, Any]] = {
    kind: _types(kind) for kind in (Column, Index, Constraint, Relation, Scope)
}


def differences(before: V, after: V, *, without: Iterable[str] = ()) -> list[FieldChange]:
    """What differs between two values, in the order of the vocabulary."""
    found: list[FieldChange] = []
    for attribute in _TYPES[type(before)].keys() - set(without):
        old, new = getattr(before, attribute), getattr(after, attribute)
        if old == new:
            continue
        if attribute == _EXTRAS:
            found += _extra_differences(old, new)
        else:
            found.append(FieldChange(attribute, plain(old), plain(new), attribute in QUIET))
    return sorted(found, key=_rank)


_RANKS = {
    attribute: rank for rank, attribute in enumerate(dict.fromkeys(a for types in _TYPES.values() for a in types))
}


def _rank(field: FieldChange) -> tuple[bool, int, str]:
    """What people see comes first, in the order in which the vocabulary lists it."""
    return field.quiet, _RANKS.get(field.field, len(_RANKS)), field.field


def _extra_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    if None in before.values() or None in after.values():
        # A key without a value and no key at all look alike one by one, so these go as a whole.
        return [FieldChange(_EXTRAS, dict(before), dict(after))]
    return [
        FieldChange(_EXTRA + key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    built = msgspec.to_builtins(value)
    return list(built) if isinstance(built, tuple) else built


def with_fields(value: V, fields: Iterable[FieldChange]) -> V:
    """The value after the changes; raises ``msgspec.ValidationError`` or ``KeyError`` for a field it cannot have."""
    types = _TYPES[type(value)]
    news: dict[str, Any] = {}
    for field in fields:
        if field.field.startswith(_EXTRA):
            extras = dict(news.get(_EXTRAS, value.extras))
            key = field.field.removeprefix(_EXTRA)
            extras.pop(key, None)
            news[_EXTRAS] = extras if field.after is None else {**extras, key: field.after}
        else:
            news[field.field] = msgspec.convert(field.after, types[field.field])
    return msgspec.structs.replace(value, **news)


def settled_relation(relation: Relation) -> Relation:
    """A relation's own facts as changes carry them: no children, no statistics."""
    return msgspec.structs.replace(relation, columns=(), indexes=(), constraints=(), row_estimate=None, size_bytes=None)


def settled(record: RelationRecord) -> RelationRecord:
    """A record as replay gives it: without statistics, children in their one order."""
    return msgspec.structs.replace(
        record,
        relation=settled_relation(record.relation),
        columns=in_order(record.columns),
        indexes=by_name(record.indexes),
        constraints=by_name(record.constraints),
    )


def settled_scope(record: ScopeRecord) -> ScopeRecord:
    """A schema as changes carry it: without how well it could be read."""
    scope = record.scope
    return ScopeRecord(
        id=record.id,
        scope=Scope(name=scope.name, comment=scope.comment, native_id=scope.native_id, extras=scope.extras),
    )


def in_order(columns: Collection[Identified[Column]]) -> tuple[Identified[Column], ...]:
    """Columns by position; those of one position (nested fields may count within their parent) by path."""
    positions = [child.value.position for child in columns]
    if all(map(lt, positions, positions[1:])):  # as engines list them: nothing to sort
        return tuple(columns)
    return tuple(sorted(columns, key=lambda child: (child.value.position, child.value.path, child.id)))


def by_name(children: Collection[Identified[C]]) -> tuple[Identified[C], ...]:
    if len(children) < 2:  # noqa: PLR2004 - one is in order
        return tuple(children)
    return tuple(sorted(children, key=lambda child: (child.value.name, child.id)))


def layout_entry(value: Column | Index | Constraint) -> list[Any]:
    """Where a child stands and what the engine calls it, as ``layout`` keeps it: [position, native id]."""
    return [value.position if isinstance(value, Column) else None, value.native_id]


def with_layout(children: tuple[Identified[C], ...], layout: Mapping[str, list[Any]]) -> tuple[Identified[C], ...]:
    """The children with the positions and native ids of those the layout names, in their one order."""
    return tuple(_placed(child, layout.get(str(child.id))) for child in children)


def _placed(child: Identified[C], entry: list[Any] | None) -> Identified[C]:
    if entry is None:
        return child
    position, native_id = entry
    value: C = msgspec.structs.replace(child.value, native_id=native_id)
    if position is not None:
        value = msgspec.structs.replace(value, position=position)
    return Identified(child.id, value)
