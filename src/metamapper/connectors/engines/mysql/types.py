"""From the spelling of a type to its family and measures."""

import re
from functools import lru_cache
from typing import NamedTuple

from metamapper.connectors.sql.mysql.names import unescaped
from metamapper.schema import TypeFamily

_SPELLING = re.compile(r"(?P<base>\w+)(?:\((?P<inside>.*)\))?(?P<rest>[^)]*)\Z", re.DOTALL)
_VALUE = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_ESCAPED = re.compile(r"''|\\.", re.DOTALL)

_FAMILIES = {
    TypeFamily.INTEGER: ("tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"),
    TypeFamily.DECIMAL: ("decimal", "numeric"),
    TypeFamily.FLOAT: ("float", "double", "real"),
    TypeFamily.STRING: ("char", "varchar", "tinytext", "text", "mediumtext", "longtext"),
    TypeFamily.DATE: ("date",),
    TypeFamily.TIME: ("time",),
    TypeFamily.TIMESTAMP: ("datetime", "timestamp"),
    TypeFamily.BINARY: ("bit", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"),
    TypeFamily.JSON: ("json",),
    TypeFamily.UUID: ("uuid",),
    TypeFamily.NETWORK: ("inet4", "inet6"),
    TypeFamily.ENUM: ("enum", "set"),
    TypeFamily.ARRAY: ("vector",),
    TypeFamily.GEO: (
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
        "geometrycollection", "geomcollection",
    ),
}  # fmt: skip
_BY_NAME = {name: family for family, names in _FAMILIES.items() for name in names}
_WITH_VALUES = frozenset({"enum", "set"})
_BOOLEAN = "tinyint(1)"
"""What BOOLEAN is an alias of; the only display width that MySQL 8 still shows, for the sake of connectors."""
_UNQUOTED = frozenset({TypeFamily.INTEGER, TypeFamily.DECIMAL, TypeFamily.FLOAT, TypeFamily.BOOLEAN})
_MEASURED = frozenset({TypeFamily.STRING, TypeFamily.BINARY})
_TIMED = frozenset({TypeFamily.TIME, TypeFamily.TIMESTAMP})


class ParsedType(NamedTuple):
    family: TypeFamily
    precision: int | None = None
    scale: int | None = None
    measured: bool = False
    """Whether the server's length of a column of this type means something."""
    values: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def parse_type(spelling: str) -> ParsedType:
    """Family and measures of ``decimal(12,2) unsigned``; values of ``enum('a','b')``."""
    parts = _SPELLING.match(spelling)
    base, inside = (parts["base"].lower(), parts["inside"]) if parts else ("", None)
    if base in _WITH_VALUES:
        return ParsedType(TypeFamily.ENUM, values=tuple(map(_meant, _VALUE.findall(inside or ""))))
    if spelling.lower() == _BOOLEAN:
        return ParsedType(TypeFamily.BOOLEAN)
    family = _BY_NAME.get(base, TypeFamily.OTHER)
    numbers = [int(number) for number in re.findall(r"\d+", inside or "")]
    first = numbers[0] if numbers else None
    if family is TypeFamily.DECIMAL:
        return ParsedType(family, first, numbers[1] if len(numbers) > 1 else None)
    if family in _TIMED:
        return ParsedType(family, first)
    return ParsedType(family, measured=family in _MEASURED and base != "bit")


def is_quoted(family: TypeFamily) -> bool:
    """Whether a literal of this family stands in quotes."""
    return family not in _UNQUOTED


def _meant(value: str) -> str:
    return _ESCAPED.sub(lambda found: "'" if found[0] == "''" else unescaped(found[0]), value)
