"""What Snowflake says of one relation, row by row, and what it means in our vocabulary.

The structs follow the select lists in ``queries.sql`` place by place.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from metamapper.connectors.engines.snowflake.names import listed, spelled
from metamapper.connectors.engines.snowflake.types import Element, Nest, NestedField, Told
from metamapper.connectors.engines.snowflake.views import query_of
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Identity,
    Reference,
    Relation,
    RelationKind,
)

_KINDS = {
    "VIEW": RelationKind.VIEW,
    "MATERIALIZED VIEW": RelationKind.MATERIALIZED_VIEW,
    "EXTERNAL TABLE": RelationKind.EXTERNAL_TABLE,
}
YES = "YES"


class RawColumn(msgspec.Struct, frozen=True, array_like=True):
    name: str
    place: int
    type: Told
    nullable: bool
    default: str | None
    comment: str | None
    collation: str | None
    identity: tuple[str | None, str | None] | None
    id: str | None


class RawKey(msgspec.Struct, frozen=True, array_like=True):
    """A key of any kind; ``target`` is (schema as we call it, relation, columns) for a foreign one."""

    kind: str
    name: str
    columns: tuple[str, ...]
    target: tuple[str, str, tuple[str, ...]] | None
    rules: tuple[str, str] | None
    comment: str | None


class RawRelation(msgspec.Struct, frozen=True, array_like=True):
    """``schema`` is as we call it. Rows and bytes are no part of what a relation is."""

    schema: str
    name: str
    type: str
    comment: str | None
    clustering: str | None
    flags: tuple[str, ...]
    retention: str | None
    definition: str | None
    id: str | None
    columns: tuple[RawColumn, ...] = ()
    keys: tuple[RawKey, ...] = ()
    fields: tuple[NestedField, ...] = ()
    elements: tuple[Element, ...] = ()

    @property
    def kind(self) -> RelationKind:
        return _KINDS.get(self.type, RelationKind.TABLE)


_DECODER = msgspec.json.Decoder(RawRelation)


def decode(payload: bytes) -> Relation:
    raw = _DECODER.decode(payload)
    return Relation(
        schema=raw.schema,
        name=raw.name,
        kind=raw.kind,
        columns=tuple(_columns(raw)),
        constraints=tuple(_constraint(key) for key in raw.keys),
        comment=raw.comment or None,
        definition=query_of(raw.definition) if raw.definition else None,
        native_id=raw.id,
        extras=_extras(raw),
    )


def _columns(raw: RawRelation) -> Iterator[Column]:
    """Every column and what is nested in it, outermost first; places are counted through the whole relation."""
    nest = Nest.of(raw.fields, raw.elements)
    place = 0
    for column in raw.columns:
        place += 1
        yield _column(column, place, nest)
        for path, field in nest.within(column.type, (column.name,)):
            place += 1
            yield _typed(nest, field.type, name=field.name, position=place, nested_in=path)


def _column(raw: RawColumn, place: int, nest: Nest) -> Column:
    extras: dict[str, Any] = {"collation": raw.collation} if raw.collation else {}
    if raw.identity is not None:
        start, step = raw.identity
        extras |= {name: value for name, value in (("identity_start", start), ("identity_step", step)) if value}
    return _typed(
        nest,
        raw.type,
        name=raw.name,
        position=place,
        nullable=raw.nullable,
        default=raw.default,
        identity=Identity.BY_DEFAULT if raw.identity is not None else None,
        comment=raw.comment or None,
        native_id=raw.id,
        extras=extras,
    )


def _typed(nest: Nest, told: Told, **facts: Any) -> Column:
    return Column(
        type=nest.spelling(told),
        family=nest.family(told),
        length=told.limit,
        precision=told.digits,
        scale=told.scale if told.precision is not None else None,
        **facts,
    )


def _constraint(key: RawKey) -> Constraint:
    kind = ConstraintKind(key.kind)
    text = f"{kind.upper()} ({listed(key.columns)})"
    reference = None
    if key.target is not None:
        schema, relation, columns = key.target
        reference = Reference(schema, relation, columns)
        text += f" REFERENCES {schema}.{spelled(relation)} ({listed(columns)})"
        for word, rule in zip(("UPDATE", "DELETE"), key.rules or (), strict=False):
            text += f" ON {word} {rule}" if rule != "NO ACTION" else ""
    return Constraint(
        name=key.name,
        kind=kind,
        columns=key.columns,
        references=reference,
        definition=text,
        comment=key.comment or None,
    )


def _extras(raw: RawRelation) -> dict[str, Any]:
    facts: dict[str, Any] = dict.fromkeys(raw.flags, True)
    if raw.clustering:
        facts["clustering_key"] = raw.clustering
    if raw.retention is not None:
        facts["retention_days"] = int(raw.retention)
    return facts
