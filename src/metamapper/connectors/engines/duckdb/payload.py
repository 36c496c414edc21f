"""One relation as the duckdb_* functions describe it, and what it means in our vocabulary."""

from collections.abc import Iterator

import msgspec

from metamapper.connectors.engines.duckdb.spelling import index_of, query_of
from metamapper.connectors.engines.duckdb.types import Field, nested_fields, parse_type
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Generated,
    Index,
    Reference,
    Relation,
    RelationKind,
)

KINDS = {"table": RelationKind.TABLE, "view": RelationKind.VIEW}
_CONSTRAINTS = {
    "PRIMARY KEY": ConstraintKind.PRIMARY_KEY,
    "UNIQUE": ConstraintKind.UNIQUE,
    "FOREIGN KEY": ConstraintKind.FOREIGN_KEY,
    "CHECK": ConstraintKind.CHECK,
}


class RawColumn(msgspec.Struct, frozen=True, array_like=True):
    place: int
    name: str
    type: str
    nullable: bool
    default: str | None
    generated: bool | None
    comment: str | None


class RawConstraint(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    text: str
    columns: tuple[str, ...]
    referenced: str | None
    referenced_columns: tuple[str, ...] | None


class RawIndex(msgspec.Struct, frozen=True, array_like=True):
    name: str
    unique: bool
    sql: str | None
    comment: str | None


class RawRelation(msgspec.Struct, frozen=True, array_like=True):
    schema: str
    name: str
    kind: str
    comment: str | None
    sql: str | None
    columns: tuple[RawColumn, ...]
    constraints: tuple[RawConstraint, ...] = ()
    indexes: tuple[RawIndex, ...] = ()


_DECODER = msgspec.json.Decoder(RawRelation)


def decode(payload: bytes) -> Relation:
    raw = _DECODER.decode(payload)
    return Relation(
        schema=raw.schema,
        name=raw.name,
        kind=KINDS[raw.kind],
        columns=tuple(_columns(raw)),
        indexes=tuple(map(_index, raw.indexes)),
        constraints=tuple(_named_apart(raw)),
        comment=raw.comment,
        definition=query_of(raw.sql) if raw.sql is not None else None,
    )


def _columns(raw: RawRelation) -> Iterator[Column]:
    for column in raw.columns:
        yield _column(column)
        for field in nested_fields(column.name, column.type):
            yield _field(field)


def _column(raw: RawColumn) -> Column:
    """A generated column is computed when it is read: DuckDB keeps none."""
    family, precision, scale, values = parse_type(raw.type)
    return Column(
        name=raw.name,
        position=raw.place,
        type=raw.type,
        family=family,
        nullable=raw.nullable,
        default=raw.default,
        generated=Generated.VIRTUAL if raw.generated else None,
        comment=raw.comment,
        precision=precision,
        scale=scale,
        extras={"values": list(values)} if values else {},
    )


def _field(field: Field) -> Column:
    family, precision, scale, values = parse_type(field.type)
    return Column(
        name=field.name,
        position=field.position,
        type=field.type,
        family=family,
        precision=precision,
        scale=scale,
        nested_in=field.nested_in,
        extras={"values": list(values)} if values else {},
    )


def _index(raw: RawIndex) -> Index:
    keys, definition = index_of(raw.sql or "")
    return Index(name=raw.name, keys=keys, unique=raw.unique, kind="art", definition=definition, comment=raw.comment)


def _named_apart(raw: RawRelation) -> Iterator[Constraint]:
    """DuckDB keeps no names of constraints: each goes by what it says, the second of its kind by a number as well."""
    seen: dict[str, int] = {}
    for constraint in raw.constraints:
        seen[constraint.text] = count = seen.get(constraint.text, 0) + 1
        yield _constraint(raw.schema, constraint, "" if count == 1 else f" ({count})")


def _constraint(schema: str, raw: RawConstraint, number: str) -> Constraint:
    kind = _CONSTRAINTS[raw.kind]
    reference = None
    if raw.referenced is not None:  # always in the same schema: DuckDB has no other foreign keys
        reference = Reference(schema, raw.referenced, raw.referenced_columns or ())
    name = raw.text.partition(" REFERENCES ")[0] if reference else raw.text
    return Constraint(
        name=name + number,
        kind=kind,
        columns=() if kind is ConstraintKind.CHECK else raw.columns,
        references=reference,
        definition=raw.text,
    )
