"""Rows of the catalog statements as the structs that are kept. Numbers may come as any kind of number."""

from collections.abc import Sequence
from typing import Any

from metamapper.connectors.engines.snowflake.payload import YES, RawColumn, RawRelation
from metamapper.connectors.engines.snowflake.types import Element, NestedField, Told

Row = Sequence[Any]


def relation_of(row: Row, schema: str) -> tuple[RawRelation, int | None, int | None]:
    """A relation without its children, its rows and its bytes; ``schema`` is as we call it."""
    _, name, kind, comment, rows, size, clustering, *flags, retention, definition, secure, identity = row
    named = zip(("transient", "dynamic", "iceberg", "hybrid", "secure"), (*flags, secure), strict=True)
    relation = RawRelation(
        schema=schema,
        name=str(name),
        type=str(kind),
        comment=comment or None,
        clustering=clustering or None,
        flags=tuple(flag for flag, value in named if value == YES),
        retention=None if retention is None else str(int(retention)),
        definition=definition or None,
        id=None if identity is None else str(int(identity)),
    )
    return relation, _number(rows), _number(size)


def column_of(row: Row) -> RawColumn:
    _, name, place, kind, nullable, default, comment, length, digits, scale, fraction, collation, *rest = row
    is_identity, start, step, identifier, identity = rest
    return RawColumn(
        name=str(name),
        place=int(place),
        type=_told(kind, identifier, length, digits, scale, fraction),
        nullable=nullable == YES,
        default=default,
        comment=comment or None,
        collation=collation or None,
        identity=(_text(start), _text(step)) if is_identity == YES else None,
        id=None if identity is None else str(int(identity)),
    )


def field_of(row: Row) -> NestedField:
    _, within, name, place, kind, length, digits, scale, identifier = row
    return NestedField(str(within), str(name), int(place), _told(kind, identifier, length, digits, scale, None))


def element_of(row: Row) -> Element:
    _, within, kind, length, digits, scale, identifier = row
    return Element(str(within), _told(kind, identifier, length, digits, scale, None))


def _told(kind: Any, identifier: Any, *measures: Any) -> Told:
    """``measures`` are length, digits, digits behind the point, and those of a fraction of a second."""
    length, digits, scale, fraction = map(_number, measures)
    return Told(str(kind), length, digits, scale, fraction, _text(identifier))


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
