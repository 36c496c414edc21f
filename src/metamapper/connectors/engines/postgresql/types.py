"""From PostgreSQL's spelling of a type to its family and measures."""

import re
from functools import lru_cache
from typing import NamedTuple

from metamapper.schema import Extras, TypeFamily

_SPELLING = re.compile(r"(?P<base>.*?)(?:\((?P<first>-?\d+)(?:,(?P<second>-?\d+))?\))?(?P<rest> [^()]*)?\Z", re.DOTALL)

_FAMILIES = {
    TypeFamily.INTEGER: ("smallint", "integer", "bigint"),
    TypeFamily.DECIMAL: ("numeric", "money"),
    TypeFamily.FLOAT: ("real", "double precision"),
    TypeFamily.BOOLEAN: ("boolean",),
    TypeFamily.STRING: ("text", "character varying", "character", '"char"', "bpchar", "name", "citext", "ltree"),
    TypeFamily.DATE: ("date",),
    TypeFamily.TIME: ("time without time zone", "time with time zone"),
    TypeFamily.TIMESTAMP: ("timestamp without time zone", "timestamp with time zone"),
    TypeFamily.INTERVAL: ("interval",),
    TypeFamily.BINARY: ("bytea", "bit", "bit varying"),
    TypeFamily.JSON: ("json", "jsonb"),
    TypeFamily.UUID: ("uuid",),
    TypeFamily.NETWORK: ("inet", "cidr", "macaddr", "macaddr8"),
    TypeFamily.GEO: ("point", "line", "lseg", "box", "path", "polygon", "circle", "geometry", "geography", "raster"),
    TypeFamily.MAP: ("hstore",),
    TypeFamily.ARRAY: ("int2vector", "oidvector"),
}
_BY_NAME = {name: family for family, names in _FAMILIES.items() for name in names}

# pg_type.typcategory, for types that other people define.
_BY_CATEGORY = {
    "A": TypeFamily.ARRAY,
    "B": TypeFamily.BOOLEAN,
    "C": TypeFamily.STRUCT,
    "D": TypeFamily.TIMESTAMP,
    "E": TypeFamily.ENUM,
    "G": TypeFamily.GEO,
    "I": TypeFamily.NETWORK,
    "N": TypeFamily.DECIMAL,
    "S": TypeFamily.STRING,
    "T": TypeFamily.INTERVAL,
    "V": TypeFamily.BINARY,
}
_MEASURED_IN_CHARACTERS = frozenset({"character varying", "character", "bpchar"})
_DECIMAL = "numeric"


class ParsedType(NamedTuple):
    family: TypeFamily
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@lru_cache(maxsize=4096)
def parse_type(spelling: str, category: str = "") -> ParsedType:
    """Family and measures of ``numeric(12,2)``; ``category`` is the server's own guess for a type that users made."""
    if spelling.endswith("[]") or category == "A":
        return ParsedType(TypeFamily.ARRAY)
    parts = _SPELLING.match(spelling)
    if parts is None:
        return ParsedType(TypeFamily.OTHER)
    base = parts["base"]
    first = int(parts["first"]) if parts["first"] else None
    if base in _MEASURED_IN_CHARACTERS:
        return ParsedType(TypeFamily.STRING, length=first)
    if base == _DECIMAL:
        scale = int(parts["second"]) if parts["second"] else None
        return ParsedType(TypeFamily.DECIMAL, precision=first, scale=scale)
    return ParsedType(_family(base, parts["rest"] or "", category), precision=first)


def _family(base: str, rest: str, category: str) -> TypeFamily:
    """By the whole name, by its first words (``interval day to second``), by the name without its schema."""
    for name in (base + rest, base, base.partition("(")[0].rpartition(".")[2]):
        if name in _BY_NAME:
            return _BY_NAME[name]
    if base.startswith("interval"):
        return TypeFamily.INTERVAL
    return _BY_CATEGORY.get(category, TypeFamily.OTHER)


@lru_cache(maxsize=4096)
def parse_user_type(spelling: str, kind: str, category: str, base: str | None, values: tuple[str, ...]) -> ParsedType:
    """A domain is what it is made of; an enum and a composite are what they are."""
    if kind == "d" and base is not None:
        return parse_type(base, category)
    return parse_type(spelling, "E" if values else category)


def type_extras(base: str | None, values: tuple[str, ...], collation: str | None) -> Extras:
    """What a domain is made of, an enum's values in order, a collation that is not the database's."""
    if base is None and not values and collation is None:
        return {}
    facts = {"base_type": base, "values": list(values) or None, "collation": collation}
    return {name: fact for name, fact in facts.items() if fact is not None}
