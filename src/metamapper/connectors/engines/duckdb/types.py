"""From DuckDB's spelling of a type to its family, its measures and its fields. See https://duckdb.org/docs/current/sql/data_types."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from metamapper.connectors.engines.duckdb.spelling import Shape, fields_of, shape_of, values_of
from metamapper.schema import TypeFamily

_FAMILIES = {
    TypeFamily.INTEGER: (
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "BIGNUM", "VARINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    ),
    TypeFamily.DECIMAL: ("DECIMAL",),
    TypeFamily.FLOAT: ("FLOAT", "DOUBLE"),
    TypeFamily.BOOLEAN: ("BOOLEAN",),
    TypeFamily.STRING: ("VARCHAR",),
    TypeFamily.DATE: ("DATE",),
    TypeFamily.TIME: ("TIME", "TIME_NS", "TIME WITH TIME ZONE"),
    TypeFamily.TIMESTAMP: ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
    TypeFamily.INTERVAL: ("INTERVAL",),
    TypeFamily.BINARY: ("BLOB", "BIT"),
    TypeFamily.JSON: ("JSON", "VARIANT"),
    TypeFamily.UUID: ("UUID",),
    TypeFamily.GEO: ("GEOMETRY", "POINT_2D", "LINESTRING_2D", "POLYGON_2D", "BOX_2D"),
    TypeFamily.NETWORK: ("INET",),
    TypeFamily.MAP: ("MAP",),
    TypeFamily.STRUCT: ("STRUCT", "UNION"),
    TypeFamily.ENUM: ("ENUM",),
}
_BY_NAME = {name: family for family, names in _FAMILIES.items() for name in names}


class ParsedType(NamedTuple):
    family: TypeFamily
    precision: int | None = None
    scale: int | None = None
    values: tuple[str, ...] = ()
    """Of an enum, in its order."""


class Field(NamedTuple):
    """A field within a column: the names above it, outermost first, its own, its place among its siblings, its type."""

    nested_in: tuple[str, ...]
    name: str
    position: int
    type: str


@lru_cache(maxsize=4096)
def parse_type(spelling: str) -> ParsedType:
    shape = shape_of(spelling)
    if shape.is_list:
        return ParsedType(TypeFamily.ARRAY)
    family = _BY_NAME.get(shape.word, TypeFamily.OTHER)
    if family is TypeFamily.DECIMAL and all(item.isdigit() for item in shape.items):
        precision, scale = (*map(int, shape.items), None, None)[:2]
        return ParsedType(family, precision, scale)
    return ParsedType(family, values=tuple(values_of(shape)) if family is TypeFamily.ENUM else ())


def nested_fields(column: str, spelling: str) -> Iterator[Field]:
    """Every field of structs, of unions and of lists of them, parents first; of a map ``key`` and ``value`` if they have fields.

    Without recursion: a file may come from anybody, and nest as deep as it likes.
    """
    waiting = _fields((column,), shape_of(spelling))
    while waiting:
        field = waiting.pop()
        yield field
        waiting += _fields((*field.nested_in, field.name), shape_of(field.type))


def _fields(within: tuple[str, ...], shape: Shape) -> list[Field]:
    """The last one first, as a stack has it."""
    parts = fields_of(shape)
    if shape.word == "MAP" and not any(fields_of(shape_of(part.type)) for part in parts):
        return []
    fields = [Field(within, part.name, place, part.type) for place, part in enumerate(parts, start=1)]
    return fields[::-1]
