"""Indexes from the rows of information_schema.statistics, one row for each part of an index."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

import msgspec

from metamapper.connectors.sql.mysql.names import quoted, unescaped
from metamapper.schema import Index

PRIMARY = "PRIMARY"


class RawIndexPart(msgspec.Struct, frozen=True, array_like=True):
    """``expression`` is set in place of ``column`` for a functional part; ``prefix`` counts the characters indexed."""

    index: str
    not_unique: int
    kind: str
    column: str | None
    expression: str | None
    order: str | None
    prefix: int | None
    comment: str
    visible: str

    @property
    def key(self) -> str:
        """A column's name, or an expression."""
        return unescaped(self.expression) if self.column is None and self.expression else self.column or ""

    @property
    def spelled(self) -> str:
        words = f"({self.key})" if self.column is None else quoted(self.column)
        if self.prefix is not None:
            words += f"({self.prefix})"
        return f"{words} DESC" if self.order == "D" else words


def by_index(parts: Iterable[RawIndexPart]) -> Iterator[tuple[str, list[RawIndexPart]]]:
    """The parts of each index in order; they come grouped."""
    for name, group in groupby(parts, key=attrgetter("index")):
        yield name, list(group)


def spelled(parts: Iterable[RawIndexPart]) -> str:
    return f"({', '.join(part.spelled for part in parts)})"


def indexes_of(parts: Iterable[RawIndexPart]) -> tuple[Index, ...]:
    """The primary key's index comes first, as the server itself lists it."""
    found = sorted(by_index(parts), key=lambda each: each[0] != PRIMARY)
    return tuple(_index(name, group) for name, group in found)


def _index(name: str, parts: list[RawIndexPart]) -> Index:
    first = parts[0]
    kind = first.kind.lower()
    return Index(
        name=name,
        keys=tuple(part.key for part in parts),
        unique=not first.not_unique,
        primary=name == PRIMARY,
        kind=kind,
        definition=f"{kind} {spelled(parts)}",
        comment=first.comment or None,
        extras={} if first.visible == "YES" else {"visible": False},
    )
