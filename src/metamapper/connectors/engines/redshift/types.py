"""From Redshift's spelling of a type to its family and measures, its own types and those of external tables.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html, and for external tables
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_TABLE.html.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from metamapper.schema import TypeFamily

_SPELLING = re.compile(r"(?P<base>[^(<]*)(?:\((?P<first>\d+)(?:,\s*(?P<second>\d+))?\))?(?P<rest>[^<]*)")

_FAMILIES = {
    TypeFamily.INTEGER: ("smallint", "integer", "bigint", "int", "tinyint", "int2", "int4", "int8", "oid"),
    TypeFamily.DECIMAL: ("numeric", "decimal"),
    TypeFamily.FLOAT: ("real", "double precision", "double", "float", "float4", "float8"),
    TypeFamily.BOOLEAN: ("boolean", "bool"),
    TypeFamily.STRING: (
        "character varying",
        "character",
        "varchar",
        "char",
        "bpchar",
        "text",
        "string",
        "name",
        '"char"',
    ),
    TypeFamily.DATE: ("date",),
    TypeFamily.TIME: ("time", "time without time zone", "time with time zone", "timetz"),
    TypeFamily.TIMESTAMP: (
        "timestamp",
        "timestamptz",
        "timestamp without time zone",
        "timestamp with time zone",
    ),
    TypeFamily.INTERVAL: ("interval", "interval year to month", "interval day to second"),
    TypeFamily.BINARY: ("binary varying", "varbyte", "varbinary", "binary"),
    TypeFamily.JSON: ("super",),
    TypeFamily.GEO: ("geometry", "geography"),
    TypeFamily.STRUCT: ("struct",),
    TypeFamily.ARRAY: ("array",),
    TypeFamily.MAP: ("map",),
}
_BY_NAME = {name: family for family, names in _FAMILIES.items() for name in names}
_MEASURED = frozenset({TypeFamily.STRING, TypeFamily.BINARY})


class ParsedType(NamedTuple):
    """``length`` counts bytes, for text too: that is how Redshift measures it."""

    family: TypeFamily
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@lru_cache(maxsize=4096)
def parse_type(spelling: str) -> ParsedType:
    """Family and measures of ``numeric(12,2)``, ``character varying(256)``, ``struct<a:int>``."""
    parts = _SPELLING.match(spelling.strip().lower())
    if parts is None or spelling.endswith("[]"):
        return ParsedType(TypeFamily.ARRAY if spelling.endswith("[]") else TypeFamily.OTHER)
    base, rest = parts["base"].strip(), parts["rest"].rstrip()
    family = _BY_NAME.get(f"{base} {rest.strip()}".strip()) or _BY_NAME.get(base, TypeFamily.OTHER)
    first = int(parts["first"]) if parts["first"] else None
    second = int(parts["second"]) if parts["second"] else None
    if family in _MEASURED:
        return ParsedType(family, length=first)
    if family is TypeFamily.DECIMAL:
        return ParsedType(family, precision=first, scale=second)
    return ParsedType(family, precision=first)
