"""What the server says of one relation, as it says it, and what it means in our vocabulary.

The structs follow ``json_build_array`` in ``queries.sql`` place by place.
"""

import msgspec

from metamapper.connectors.engines.postgresql.definitions import constraint_definition, index_definition
from metamapper.connectors.engines.postgresql.types import parse_type, parse_user_type, type_extras
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Extras,
    Generated,
    Identity,
    Index,
    Reference,
    Relation,
    RelationKind,
)

GONE = "???"
"""Stands where the server could no longer say, for the object was dropped in mid-read."""

_KINDS = {
    "r": RelationKind.TABLE,
    "p": RelationKind.PARTITIONED_TABLE,
    "v": RelationKind.VIEW,
    "m": RelationKind.MATERIALIZED_VIEW,
    "f": RelationKind.EXTERNAL_TABLE,
}
_CONSTRAINTS = {
    "p": ConstraintKind.PRIMARY_KEY,
    "u": ConstraintKind.UNIQUE,
    "f": ConstraintKind.FOREIGN_KEY,
    "c": ConstraintKind.CHECK,
    "x": ConstraintKind.EXCLUSION,
}
_GENERATED = {"s": Generated.STORED, "v": Generated.VIRTUAL}
_IDENTITY = {"a": Identity.ALWAYS, "d": Identity.BY_DEFAULT}


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Base of what stands at fixed places of an array."""


class UserType(Place, frozen=True, array_like=True):
    kind: str
    category: str
    base: str | None
    values: tuple[str, ...] | None


class RawColumn(Place, frozen=True, array_like=True):
    number: int
    name: str
    type: str
    not_null: bool
    identity: str
    generated: str
    user_type: UserType | None
    collation: str | None


class Odd(Place, frozen=True, array_like=True):
    """What only the server can spell of an index: expressions, predicates, operator classes, options."""

    definition: str
    prefix: str
    keys: tuple[str, ...] | None
    predicate: str | None


class RawIndex(Place, frozen=True, array_like=True):
    oid: int
    name: str
    method: str
    unique: bool
    primary: bool
    valid: bool
    numbers: str
    options: str
    key_count: int
    storage: tuple[str, ...] | None
    comment: str | None
    odd: Odd | None


class RawReference(Place, frozen=True, array_like=True):
    schema: str
    relation: str
    columns: tuple[str, ...]
    on_update: str
    on_delete: str


class RawConstraint(Place, frozen=True, array_like=True):
    oid: int
    name: str
    kind: str
    numbers: tuple[int, ...] | None
    reference: RawReference | None
    definition: str | None
    comment: str | None


class RawRelation(Place, frozen=True, array_like=True):
    oid: int
    schema: str
    name: str
    kind: str
    is_partition: bool
    definition: str | None
    comments: tuple[tuple[int, str], ...] | None
    defaults: tuple[tuple[int, str], ...] | None
    columns: tuple[RawColumn, ...] | None
    indexes: tuple[RawIndex, ...] | None
    constraints: tuple[RawConstraint, ...] | None
    parents: tuple[tuple[str, str], ...] | None
    bound: str | None
    partition_key: str | None
    server: str | None
    persistence: str
    row_security: bool
    options: tuple[str, ...] | None


_DECODER = msgspec.json.Decoder(RawRelation)


def kind_of(code: str, *, is_partition: bool) -> RelationKind:
    """A partition that is itself partitioned stays a partitioned table: it is where its rows are not."""
    return RelationKind.PARTITION if is_partition and code in "rf" else _KINDS[code]


def is_torn(payload: bytes) -> bool:
    """Whether something of this relation was dropped before the server had described it."""
    if b'"???"' not in payload:
        return False
    raw = _DECODER.decode(payload)
    said = [raw.definition, raw.bound, raw.partition_key]
    said += [expression for _, expression in raw.defaults or ()]
    said += [column.type for column in raw.columns or ()]
    said += [constraint.definition for constraint in raw.constraints or ()]
    said += [
        said_of
        for index in raw.indexes or ()
        if index.odd
        for said_of in (index.odd.definition, *(index.odd.keys or ()))
    ]
    return GONE in said


def decode(payload: bytes) -> Relation:
    """The relation that a payload describes. Statistics are no part of it."""
    raw = _DECODER.decode(payload)
    comments = dict(raw.comments or ())
    columns = raw.columns or ()
    names = {column.number: column.name for column in columns}
    collated = frozenset(column.number for column in columns if column.collation)
    return Relation(
        schema=raw.schema,
        name=raw.name,
        kind=kind_of(raw.kind, is_partition=raw.is_partition),
        columns=_columns(raw, comments),
        indexes=tuple(_index(index, names, collated) for index in raw.indexes or ()),
        constraints=tuple(_constraint(constraint, names) for constraint in raw.constraints or ()),
        comment=comments.get(0),
        definition=raw.definition,
        native_id=str(raw.oid),
        extras=_relation_extras(raw),
    )


def _columns(raw: RawRelation, comments: dict[int, str]) -> tuple[Column, ...]:
    defaults = dict(raw.defaults or ())
    prefix = f"{raw.oid}."
    return tuple(
        [
            _plain_column(column, prefix, defaults.get(column.number), comments.get(column.number))
            if column.user_type is None and column.collation is None
            else _odd_column(column, prefix, defaults.get(column.number), comments.get(column.number))
            for column in raw.columns or ()
        ]
    )


def _plain_column(raw: RawColumn, prefix: str, default: str | None, comment: str | None) -> Column:
    """A column of the server's own types: nearly all of them, so this is kept short."""
    family, length, precision, scale = parse_type(raw.type)
    return Column(
        name=raw.name,
        position=raw.number,
        type=raw.type,
        family=family,
        nullable=not raw.not_null,
        default=default,
        generated=_GENERATED.get(raw.generated),
        identity=_IDENTITY.get(raw.identity),
        comment=comment,
        length=length,
        precision=precision,
        scale=scale,
        native_id=prefix + str(raw.number),
    )


def _odd_column(raw: RawColumn, prefix: str, default: str | None, comment: str | None) -> Column:
    column = _plain_column(raw, prefix, default, comment)
    if raw.user_type is None:
        return msgspec.structs.replace(column, extras=type_extras(None, (), raw.collation))
    values = raw.user_type.values or ()
    family, length, precision, scale = parse_user_type(
        raw.type, raw.user_type.kind, raw.user_type.category, raw.user_type.base, values
    )
    return msgspec.structs.replace(
        column,
        family=family,
        length=length,
        precision=precision,
        scale=scale,
        extras=type_extras(raw.user_type.base, values, raw.collation),
    )


def _index(raw: RawIndex, names: dict[int, str], collated: frozenset[int]) -> Index:
    numbers = [int(number) for number in raw.numbers.split()]
    spelled = raw.odd.keys if raw.odd and raw.odd.keys else ()
    parts = [
        names.get(number, "") if number > 0 or place >= len(spelled) else spelled[place]
        for place, number in enumerate(numbers)
    ]
    keys, included = tuple(parts[: raw.key_count]), tuple(parts[raw.key_count :])
    if raw.odd is None:
        order = [int(option) for option in raw.options.split()]
        definition = index_definition(raw.method, keys, order, included, [number in collated for number in numbers])
    else:
        definition = raw.odd.definition.removeprefix(raw.odd.prefix)
    return Index(
        name=raw.name,
        keys=keys,
        unique=raw.unique,
        primary=raw.primary,
        kind=raw.method,
        definition=definition,
        included=included,
        predicate=raw.odd.predicate if raw.odd else None,
        comment=raw.comment,
        native_id=str(raw.oid),
        extras=_some({"valid": None if raw.valid else False, "storage": raw.storage and list(raw.storage)}),
    )


def _constraint(raw: RawConstraint, names: dict[int, str]) -> Constraint:
    columns = tuple(names.get(number, "") for number in raw.numbers or ())
    reference = _reference(raw.reference) if raw.reference else None
    kind = _CONSTRAINTS[raw.kind]
    definition = raw.definition
    if definition is None:
        actions = (raw.reference.on_update, raw.reference.on_delete) if raw.reference else ("a", "a")
        definition = constraint_definition(kind, columns, reference, *actions)
    return Constraint(
        name=raw.name,
        kind=kind,
        columns=columns,
        references=reference,
        definition=definition,
        comment=raw.comment,
        native_id=str(raw.oid),
    )


def _reference(raw: RawReference) -> Reference:
    return Reference(raw.schema, raw.relation, raw.columns)


def _relation_extras(raw: RawRelation) -> Extras:
    parents = [f"{schema}.{name}" for schema, name in raw.parents or ()]
    return _some(
        {
            "partition_of": parents[0] if parents and raw.is_partition else None,
            "partition_bound": raw.bound,
            "partition_key": raw.partition_key,
            "inherits": parents if not raw.is_partition else None,
            "server": raw.server,
            "unlogged": raw.persistence == "u",
            "row_security": raw.row_security,
            "options": raw.options and list(raw.options),
        }
    )


def _some(facts: dict[str, object]) -> Extras:
    """Only what there is to say: an index that is valid is not worth a word."""
    return {name: fact for name, fact in facts.items() if fact or (fact is False and name == "valid")}
