"""Hive's spelling of types, read to any depth: ``array<struct<a:int,b:decimal(10,2)>>``, and Trino's ``row(a integer)``.

Hive's words: https://cwiki.apache.org/confluence/display/Hive/LanguageManual+Types. The metastore keeps a type as text and
checks it little, so what does not parse keeps its spelling, has the family of its first word, and no fields.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from metamapper.schema import TypeFamily

DEEPEST = 64
"""Levels of nesting that are looked into."""
REMEMBERED = 256
"""Characters of a spelling that is worth remembering: a struct can be a hundred thousand long."""

_FAMILIES = {
    TypeFamily.INTEGER: ("tinyint", "smallint", "int", "integer", "bigint", "long", "short", "byte"),
    TypeFamily.DECIMAL: ("decimal", "numeric", "dec"),
    TypeFamily.FLOAT: ("float", "double", "double precision", "real"),
    TypeFamily.BOOLEAN: ("boolean",),
    TypeFamily.STRING: ("string", "varchar", "char"),
    TypeFamily.DATE: ("date",),
    TypeFamily.BINARY: ("binary", "varbinary"),
    TypeFamily.JSON: ("json", "variant"),
    TypeFamily.UUID: ("uuid",),
    TypeFamily.NETWORK: ("ipaddress",),
    TypeFamily.GEO: ("geometry", "geography", "sphericalgeography"),
    TypeFamily.ARRAY: ("array",),
    TypeFamily.MAP: ("map",),
    TypeFamily.STRUCT: ("struct", "row"),
}
_BY_WORD = {word: family for family, words in _FAMILIES.items() for word in words}
_BY_START = (
    ("timestamp", TypeFamily.TIMESTAMP),
    ("interval", TypeFamily.INTERVAL),
    ("time", TypeFamily.TIME),
)
_MEASURED = re.compile(r"\s*(\d{1,18})\s*(?:,\s*(\d{1,18})\s*)?\Z")
_COMMENT = re.compile(r"(?<!\s)\s+comment\s+'(?P<text>(?:[^'\\]|\\.)*)'\Z", re.IGNORECASE | re.DOTALL)
_COMMENT_OPENS = re.compile(r"\scomment\s+\Z", re.IGNORECASE)
_OPEN, _CLOSE = "<(", ">)"


class HiveType(NamedTuple):
    """``fields`` are those of a struct, or of the structs that an array holds or a map leads to."""

    spelling: str
    family: TypeFamily
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fields: tuple["HiveField", ...] = ()


class HiveField(NamedTuple):
    name: str
    type: HiveType
    comment: str | None = None


def parse_type(spelling: str) -> HiveType:
    """What a spelling means; never raises."""
    return _remembered(spelling) if len(spelling) <= REMEMBERED else _parsed(spelling, DEEPEST)


@lru_cache(maxsize=4096)
def _remembered(spelling: str) -> HiveType:
    return _parsed(spelling, DEEPEST)


def _parsed(spelling: str, depth: int) -> HiveType:
    text = spelling.strip()
    start = next((place for place, mark in enumerate(text) if mark in _OPEN), len(text))
    end = _closing(text, start)
    word = " ".join(text[:start].lower().split())
    if end is None or depth == 0:
        return HiveType(text, _family(word))
    inner, rest = text[start + 1 : end], " ".join(text[end + 1 :].lower().split())
    family = _family(f"{word} {rest}".strip())
    if family is TypeFamily.STRUCT:
        read = _row_field if text[start : start + 1] == "(" else _struct_field
        return HiveType(text, family, fields=tuple(_fields(inner, read, depth - 1)))
    if family in {TypeFamily.ARRAY, TypeFamily.MAP}:
        held = [part for part in _split(inner) if part.strip()]
        return HiveType(text, family, fields=_parsed(held[-1], depth - 1).fields if held else ())
    return _measured(text, family, inner)


def _family(words: str) -> TypeFamily:
    known = _BY_WORD.get(words) or _BY_WORD.get(words.partition(" ")[0])
    return known or next((family for start, family in _BY_START if words.startswith(start)), TypeFamily.OTHER)


def _measured(text: str, family: TypeFamily, inner: str) -> HiveType:
    found = _MEASURED.match(inner)
    if found is None:
        return HiveType(text, family)
    first, second = int(found[1]), int(found[2]) if found[2] else None
    if family in {TypeFamily.STRING, TypeFamily.BINARY}:
        return HiveType(text, family, length=first)
    return HiveType(text, family, precision=first, scale=second)


def _closing(text: str, start: int) -> int | None:
    """The place of the bracket that closes the one at ``start``; the text's end where none opens, None where none closes."""
    if start == len(text):
        return start
    depth = 0
    for place, mark in _outside_of_quotes(text, start):
        depth += (mark in _OPEN) - (mark in _CLOSE)
        if depth == 0:
            return place
    return None


def _outside_of_quotes(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """The characters with their places, without names in quotes and without texts of comments."""
    place = start
    while place < len(text):
        mark = text[place]
        quotes = mark in '`"' and (place == 0 or text[place - 1] in "<(, ")
        if quotes or (mark == "'" and _COMMENT_OPENS.search(text, max(0, place - 12), place)):
            end = text.find(mark, place + 1)
            if end > 0:
                place = end + 1
                continue
        yield place, mark
        place += 1


def _split(text: str, mark: str = ",") -> Iterator[str]:
    """What these marks separate outside of brackets."""
    last = 0
    for place in _level(text, mark):
        yield text[last:place]
        last = place + 1
    yield text[last:]


def _level(text: str, wanted: str) -> Iterator[int]:
    depth = 0
    for place, mark in _outside_of_quotes(text):
        depth += (mark in _OPEN) - (mark in _CLOSE)
        if depth == 0 and mark in wanted:
            yield place


def _fields(inner: str, read: Callable[[str, int], HiveField | None], depth: int) -> Iterator[HiveField]:
    for part in _split(inner):
        field = read(part, depth)
        if field is not None:
            yield field


def _struct_field(part: str, depth: int) -> HiveField | None:
    """``name:type``; a name may hold colons itself (``xsi:type:string``), a type holds them within brackets only."""
    said = _COMMENT.search(part) if part.endswith("'") else None
    part = part[: said.start()] if said else part
    colon = max(_level(part, ":"), default=-1)
    name = _unquoted(part[:colon].strip()) if colon > 0 else ""
    if not name:
        return None
    return HiveField(name, _parsed(part[colon + 1 :], depth), said["text"] if said else None)


def _row_field(part: str, depth: int) -> HiveField | None:
    """``name type``; a field without a name is no column."""
    part = part.strip()
    space = next(_level(part, " "), -1)
    return HiveField(_unquoted(part[:space]), _parsed(part[space + 1 :], depth)) if space > 0 else None


def _unquoted(name: str) -> str:
    quote = name[:1]
    if len(name) > 1 and quote in {"`", '"'} and name.endswith(quote):
        return name[1:-1].replace(quote * 2, quote)
    return name
