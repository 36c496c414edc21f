"""What a preview lists before a datastore is saved: its tables by schema, as many as a page bears."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappush, heappushpop

from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Scope

IN_A_SCHEMA = 200
"""Names that are listed of a schema's tables in scope, and as many of those that are left out."""
IN_ALL = 2000


class _Last(str):
    """Turns the order of names round, for a heap whose first is the one to give up."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


@dataclass(frozen=True, slots=True)
class Listed:
    """The first names in their order, and how many more there are."""

    names: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class SchemaSeen:
    """A schema as the preview shows it: how many tables it has, and how many of them are in scope, if it is itself."""

    name: str
    tables: int
    seen: int
    in_scope: bool
    reason: str = ""
    shown: Listed = Listed()
    left_out: Listed = Listed()
    """By the patterns."""


@dataclass(frozen=True, slots=True)
class Preview:
    """``complete`` is whether everything was counted."""

    schemas: tuple[SchemaSeen, ...]
    complete: bool

    @property
    def seen(self) -> int:
        return sum(schema.seen for schema in self.schemas)

    @property
    def left_out(self) -> int:
        return sum(schema.tables - schema.seen for schema in self.schemas)


class Tally:
    """Tables as they are met, in any order: each is counted, and no more names are kept than are shown."""

    def __init__(self, within: ScopeFilter) -> None:
        self._within = within
        self._counts: Counter[tuple[str, bool]] = Counter()
        self._names: dict[tuple[str, bool], list[_Last]] = defaultdict(list)
        self._kept = 0

    def add(self, schema: str, name: str) -> None:
        place = schema, self._within.allows_schema(schema) and self._within.allows_table(schema, name)
        self._counts[place] += 1
        names = self._names[place]
        if len(names) < IN_A_SCHEMA and self._kept < IN_ALL:
            heappush(names, _Last(name))
            self._kept += 1
        elif names:
            heappushpop(names, _Last(name))

    def preview(self, scopes: Iterable[Scope], *, complete: bool) -> Preview:
        return Preview(tuple(map(self._schema, scopes)), complete)

    def _schema(self, scope: Scope) -> SchemaSeen:
        seen, hidden = self._counts[scope.name, True], self._counts[scope.name, False]
        return SchemaSeen(
            scope.name,
            seen + hidden,
            seen,
            self._within.allows_schema(scope.name),
            scope.reason or "",
            self._listed(scope.name, seen=True),
            self._listed(scope.name, seen=False),
        )

    def _listed(self, schema: str, *, seen: bool) -> Listed:
        names = tuple(map(str, sorted(self._names.get((schema, seen), ()), reverse=True)))
        return Listed(names, self._counts[schema, seen] - len(names))
