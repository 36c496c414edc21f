"""Reading several ordered statements side by side, in memory that holds one group of each."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

Row = Sequence[Any]


class Ordered:
    """Rows that come grouped by their first value; groups are taken in the order in which they come."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._key: Any = None
        self._rows: list[Row] | None = None
        self._advance()

    def take(self, key: Any) -> list[Row]:
        """The rows of this key, or none if the next group is another's."""
        if self._rows is None or self._key != key:
            return []
        rows = self._rows
        self._advance()
        return rows

    def _advance(self) -> None:
        self._rows = None
        for key, group in self._groups:
            self._key, self._rows = key, list(group)
            return


class Ascending(Ordered):
    """Rows whose first values ascend, as do the keys that are asked for: groups that nobody asks for are passed by."""

    def take(self, key: Any) -> list[Row]:
        while self._rows is not None and self._key < key:
            self._advance()
        return super().take(key)
