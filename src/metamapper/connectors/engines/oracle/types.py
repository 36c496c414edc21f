"""From what the dictionary says of a column's type to its full spelling, its family and its measures.

Oracle Database SQL Language Reference, "Data Types".
"""

from functools import lru_cache
from typing import NamedTuple

from metamapper.schema import TypeFamily

_FAMILIES = {
    TypeFamily.DECIMAL: ("NUMBER",),
    TypeFamily.FLOAT: ("FLOAT", "BINARY_FLOAT", "BINARY_DOUBLE"),
    TypeFamily.STRING: ("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "CLOB", "NCLOB", "LONG", "VARCHAR"),
    TypeFamily.DATE: ("DATE",),
    TypeFamily.TIMESTAMP: ("TIMESTAMP",),
    TypeFamily.INTERVAL: ("INTERVAL",),
    TypeFamily.BINARY: ("RAW", "LONG RAW", "BLOB", "BFILE"),
    TypeFamily.BOOLEAN: ("BOOLEAN",),
    TypeFamily.JSON: ("JSON",),
    TypeFamily.ARRAY: ("VECTOR",),
    TypeFamily.GEO: ("SDO_GEOMETRY", "ST_GEOMETRY"),
}
_BY_NAME = {name: family for family, names in _FAMILIES.items() for name in names}
_OF_THE_SERVER = frozenset({"PUBLIC", "SYS", "MDSYS"})
_NATIONAL = frozenset({"NVARCHAR2", "NCHAR"})
_IN_CHARACTERS = frozenset({"VARCHAR2", "CHAR", "VARCHAR"}) | _NATIONAL
_IN_BYTES = frozenset({"RAW", "UROWID"})
FLOAT_BITS = 126
"""Of a FLOAT that was declared without a precision."""


class Declared(NamedTuple):
    """What ``dba_tab_cols`` says of a type, in the order of its columns."""

    name: str
    owner: str | None = None
    byte_length: int | None = None
    char_length: int | None = None
    char_used: str | None = None
    precision: int | None = None
    scale: int | None = None


class ParsedType(NamedTuple):
    spelling: str
    family: TypeFamily
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@lru_cache(maxsize=4096)
def parse_type(declared: Declared) -> ParsedType:
    name = declared.name
    if declared.owner and declared.owner not in _OF_THE_SERVER:
        return ParsedType(f"{declared.owner}.{name}", TypeFamily.OTHER)
    if name == "NUMBER":
        return _number(declared.precision, declared.scale)
    if name == "FLOAT":
        bits = declared.precision
        spelling = name if bits in {None, FLOAT_BITS} else f"{name}({bits})"
        return ParsedType(spelling, TypeFamily.FLOAT, precision=bits)
    if name in _IN_CHARACTERS:
        unit = "" if name in _NATIONAL else " CHAR" if declared.char_used == "C" else " BYTE"
        return ParsedType(f"{name}({declared.char_length}{unit})", TypeFamily.STRING, length=declared.char_length)
    # A timestamp and an interval carry their measures in their names.
    family = _BY_NAME.get(name) or _BY_NAME.get(name.partition("(")[0].partition(" ")[0], TypeFamily.OTHER)
    if name in _IN_BYTES:
        return ParsedType(f"{name}({declared.byte_length})", family, length=declared.byte_length)
    return ParsedType(name, family)


def _number(precision: int | None, scale: int | None) -> ParsedType:
    """NUMBER alone keeps any number; NUMBER(*,0) is what INTEGER becomes."""
    if precision is None and scale is None:
        return ParsedType("NUMBER", TypeFamily.DECIMAL)
    family = TypeFamily.DECIMAL if scale else TypeFamily.INTEGER
    if precision is None:
        return ParsedType(f"NUMBER(*,{scale})", family, scale=scale)
    spelling = f"NUMBER({precision},{scale})" if scale else f"NUMBER({precision})"
    return ParsedType(spelling, family, precision=precision, scale=scale)
