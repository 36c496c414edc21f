"""From the numbers of sys.columns to a type's full spelling, its family and its measures.

See https://learn.microsoft.com/en-us/sql/t-sql/data-types/data-types-transact-sql and the page of sys.columns: max_length is
in bytes, two for each character of the n-types, and -1 is max.
"""

from functools import lru_cache
from typing import NamedTuple

from metamapper.schema import TypeFamily

_FAMILIES = {
    TypeFamily.INTEGER: ("tinyint", "smallint", "int", "bigint"),
    TypeFamily.DECIMAL: ("decimal", "numeric", "money", "smallmoney"),
    TypeFamily.FLOAT: ("float", "real"),
    TypeFamily.BOOLEAN: ("bit",),
    TypeFamily.STRING: ("char", "varchar", "text", "nchar", "nvarchar", "ntext", "sysname", "xml"),
    TypeFamily.DATE: ("date",),
    TypeFamily.TIME: ("time",),
    TypeFamily.TIMESTAMP: ("datetime", "smalldatetime", "datetime2", "datetimeoffset"),
    TypeFamily.BINARY: ("binary", "varbinary", "image", "timestamp", "rowversion"),
    TypeFamily.JSON: ("json",),
    TypeFamily.UUID: ("uniqueidentifier",),
    TypeFamily.GEO: ("geometry", "geography"),
    TypeFamily.ARRAY: ("vector",),
}
_BY_NAME = {name: family for family, names in _FAMILIES.items() for name in names}

_WIDE = frozenset({"nchar", "nvarchar", "sysname"})
_MEASURED = frozenset({"char", "varchar", "nchar", "nvarchar", "binary", "varbinary"})
_FRACTIONS = frozenset({"time", "datetime2", "datetimeoffset"})
_DECIMALS = frozenset({"decimal", "numeric"})
_MAX = -1
_DOUBLE = 53
_VECTOR_HEADER, _VECTOR_ITEM = 8, 4


class ParsedType(NamedTuple):
    spelling: str
    family: TypeFamily
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@lru_cache(maxsize=4096)
def parse_type(name: str, max_length: int, precision: int, scale: int) -> ParsedType:
    """Of one of the server's own types: ``nvarchar``, 100 bytes long, is ``nvarchar(50)``."""
    family = _BY_NAME.get(name, TypeFamily.OTHER)
    if name in _MEASURED or name == "sysname":
        length = None if max_length == _MAX else max_length // 2 if name in _WIDE else max_length
        measure = "max" if length is None else str(length)
        return ParsedType(name if name == "sysname" else f"{name}({measure})", family, length=length)
    if name in _DECIMALS:
        return ParsedType(f"{name}({precision},{scale})", family, precision=precision, scale=scale)
    if name in _FRACTIONS:
        return ParsedType(f"{name}({scale})", family, precision=scale)
    if name == "float":
        return ParsedType(name if precision == _DOUBLE else f"{name}({precision})", family)
    if name == "vector":
        size = (max_length - _VECTOR_HEADER) // _VECTOR_ITEM
        return ParsedType(f"{name}({size})", family, length=size)
    return ParsedType(name, family)
