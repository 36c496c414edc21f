"""From a declared type, which SQLite takes as it comes, to its family and measures."""

import re
from functools import lru_cache
from typing import NamedTuple

from metamapper.schema import TypeFamily

_SPELLING = re.compile(r"\s*(?P<base>[^(]*?)\s*(?:\(\s*(?P<first>\d+)?\s*(?:,\s*(?P<second>\d+)\s*)?.*)?\Z", re.DOTALL)

# Words that people use, then SQLite's own rules of affinity (https://www.sqlite.org/datatype3.html, 3.1).
_WORDS = (
    (r"bool", TypeFamily.BOOLEAN),
    (r"timestamp|datetime", TypeFamily.TIMESTAMP),
    (r"date", TypeFamily.DATE),
    (r"time", TypeFamily.TIME),
    (r"json", TypeFamily.JSON),
    (r"uuid|guid", TypeFamily.UUID),
    (r"decimal|numeric|money|number", TypeFamily.DECIMAL),
    (r"point|polygon|geometry", TypeFamily.GEO),
    (r"int", TypeFamily.INTEGER),
    (r"char|clob|text|string", TypeFamily.STRING),
    (r"blob|binary", TypeFamily.BINARY),
    (r"real|floa|doub", TypeFamily.FLOAT),
)


class ParsedType(NamedTuple):
    family: TypeFamily
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@lru_cache(maxsize=4096)
def parse_type(declared: str) -> ParsedType:
    parts = _SPELLING.match(declared)
    base = parts["base"].lower() if parts else ""
    first = int(parts["first"]) if parts and parts["first"] else None
    second = int(parts["second"]) if parts and parts["second"] else None
    family = next((family for word, family in _WORDS if re.search(word, base)), TypeFamily.OTHER)
    if family in {TypeFamily.STRING, TypeFamily.BINARY}:
        return ParsedType(family, length=first)
    return ParsedType(family, precision=first, scale=second)
