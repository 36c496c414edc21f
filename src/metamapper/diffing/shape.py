"""What a relation looks like: the set of its columns' names and types, whatever its own name."""

from collections.abc import Iterable
from hashlib import blake2b

from metamapper.schema import Column, Relation

Shape = frozenset[tuple[tuple[str, ...], str]]
"""(path, type) of each column."""

_NAME, _FIELD, _COLUMN = "\x1f", "\x1e", "\x1d"
"""Control characters that separate, in that order of strength: path steps, path and type, columns."""


def shape_of(relation: Relation) -> bytes:
    """16 bytes that are equal for two relations with the same column paths and types, in any order."""
    lines = sorted([_line(column) for column in relation.columns])
    return blake2b(_COLUMN.join(lines).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _line(column: Column) -> str:
    if column.nested_in:
        return f"{_NAME.join(column.path)}{_FIELD}{column.type}"
    return f"{column.name}{_FIELD}{column.type}"


def columns_of(columns: Iterable[Column]) -> Shape:
    return frozenset((column.path, column.type) for column in columns)


def likeness(one: Shape, other: Shape) -> float:
    """Jaccard's measure: the share of all columns that both have, 0 to 1. Two relations without columns share nothing."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0
