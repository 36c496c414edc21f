"""A datastore in which things happen, with the truth about who is who.

Every table and column has a number of its own, for as long as it lives, which is also what the engine shows as its
native id. ``alter`` does what a short program of DDL says; ``snapshot`` is what a read would see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from hypothesis import strategies as st

from metamapper.schema import Column, Completeness, Relation, Scope, Snapshot

TYPES = ("integer", "text", "date")
SCHEMAS = ("s", "t")
ACTS = ("create", "drop", "rename", "swap", "move", "add", "lose", "call", "retype", "again")

Act = tuple[str, int, int]
"""What happens, and two numbers that choose to what."""

acts = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.integers(0, 9)), max_size=4)
histories = st.lists(acts, min_size=1, max_size=8)
seen = st.fixed_dictionaries({schema: st.sampled_from(Completeness) for schema in SCHEMAS})


@dataclass
class Table:
    schema: str
    name: str
    columns: dict[int, tuple[str, str]]


@dataclass
class World:
    """``tables`` by number. No two tables ever share a column's name, so that none is mistaken for another by its looks."""

    tables: dict[int, Table] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    made_again: set[int] = field(default_factory=set)
    """What was made again, alike and under the same name, within the last program."""

    def alter(self, program: Sequence[Act]) -> None:
        self.made_again = set()
        for act, one, other in program:
            getattr(self, f"_{act}")(one, other)

    def _pick(self, choice: int) -> int | None:
        numbers = sorted(self.tables)
        return numbers[choice % len(numbers)] if numbers else None

    def _create(self, one: int, other: int) -> None:
        number = next(self.numbers)
        table = Table(SCHEMAS[one % 2], f"table_{number}", {})
        self.tables[number] = table
        for _ in range(2 + other % 3):
            self._add(sorted(self.tables).index(number), other)

    def _drop(self, one: int, other: int) -> None:
        if number := self._pick(one):
            del self.tables[number]

    def _rename(self, one: int, other: int) -> None:
        if number := self._pick(one):
            self.tables[number].name = f"table_{next(self.numbers)}"

    def _swap(self, one: int, other: int) -> None:
        """Two tables change names, as in a blue-green exchange of things that are not alike."""
        first, second = self._pick(one), self._pick(other)
        if first and second:
            a, b = self.tables[first], self.tables[second]
            (a.schema, a.name), (b.schema, b.name) = (b.schema, b.name), (a.schema, a.name)

    def _move(self, one: int, other: int) -> None:
        if number := self._pick(one):
            self.tables[number].schema = SCHEMAS[other % 2]

    def _add(self, one: int, other: int) -> None:
        if number := self._pick(one):
            column = next(self.numbers)
            self.tables[number].columns[column] = (f"column_{column}", TYPES[other % 3])

    def _lose(self, one: int, other: int) -> None:
        if (number := self._pick(one)) and (columns := self.tables[number].columns):
            del columns[sorted(columns)[other % len(columns)]]

    def _call(self, one: int, other: int) -> None:
        """A column gets another name."""
        if (number := self._pick(one)) and (columns := self.tables[number].columns):
            column = sorted(columns)[other % len(columns)]
            columns[column] = (f"column_{next(self.numbers)}", columns[column][1])

    def _retype(self, one: int, other: int) -> None:
        if (number := self._pick(one)) and (columns := self.tables[number].columns):
            column = sorted(columns)[other % len(columns)]
            columns[column] = (columns[column][0], TYPES[(TYPES.index(columns[column][1]) + 1) % 3])

    def _again(self, one: int, other: int) -> None:
        """Dropped and made again, alike, under the same name: another object for the engine, the same thing for people."""
        if number := self._pick(one):
            old = self.tables.pop(number)
            new = next(self.numbers)
            self.tables[new] = Table(old.schema, old.name, {next(self.numbers): each for each in old.columns.values()})
            self.made_again = self.made_again - {number} | {new}

    def truth(self) -> dict[int, tuple[str, str]]:
        """Which number stands under which path."""
        return {number: (table.schema, table.name) for number, table in self.tables.items()}

    def snapshot(self, seen: Mapping[str, Completeness] | None = None, *, ids: bool = True) -> Snapshot:
        """What a read sees: of an unreadable schema nothing but its name, of a partial one every other table."""
        how = dict.fromkeys(SCHEMAS, Completeness.COMPLETE) | dict(seen or {})
        shown = [
            _relation(number, table, ids=ids)
            for number, table in sorted(self.tables.items())
            if how[table.schema] is Completeness.COMPLETE
            or (how[table.schema] is Completeness.PARTIAL and number % 2 == 0)
        ]
        scopes = tuple(Scope(name=name, completeness=how[name], native_id=name if ids else None) for name in SCHEMAS)
        return Snapshot(engine="world", scopes=scopes, relations=tuple(shown))


def _relation(number: int, table: Table, *, ids: bool) -> Relation:
    columns = (
        Column(name=name, type=kind, position=at, native_id=str(column) if ids else None)
        for at, (column, (name, kind)) in enumerate(table.columns.items(), start=1)
    )
    native = str(number) if ids else None
    return Relation(schema=table.schema, name=table.name, columns=tuple(columns), native_id=native)
