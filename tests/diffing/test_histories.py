"""Any history of DDL, read with gaps: replay equals the catalog, identities neither fork nor merge, nothing unseen goes.

``Keeper`` asserts these after every inspection. Here the histories are made, and what only the truth can tell is
compared with it.
"""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from metamapper.diffing import replay
from metamapper.schema import Completeness
from tests.diffing.keeper import Keeper
from tests.diffing.world import Space, Table, World

TABLES = st.sampled_from(["a", "b", "c", "a_new", "a_old"])
COLUMNS = st.sampled_from(["id", "x", "y", "z", "w", "v"])
TYPES = st.sampled_from(["int", "text", "date"])
SPACES = st.sampled_from(["s", "r", "q"])
STATES = st.sampled_from([Completeness.COMPLETE] * 3 + [Completeness.PARTIAL, Completeness.UNREADABLE])
ROWS = st.lists(st.tuples(COLUMNS, TYPES), min_size=0, max_size=5, unique_by=lambda each: each[0])


class History(RuleBasedStateMachine):
    """Random DDL and random reads, with and without ids that the engine keeps."""

    ids = True

    @initialize(columns=ROWS)
    def start(self, columns: list[tuple[str, str]]) -> None:
        self.world = World(ids=self.ids)
        self.keeper = Keeper(stable_ids=self.ids)
        self.world.create(self.world.create_space("s"), "a", columns)

    def _space(self, data: st.DataObject) -> Space:
        return data.draw(st.sampled_from(self.world.spaces))

    def _table(self, data: st.DataObject) -> Table:
        return data.draw(st.sampled_from(self.world.tables))

    def _has_tables(self) -> bool:
        return bool(self.world.tables)

    @rule(name=SPACES)
    def create_space(self, name: str) -> None:
        if name not in {space.name for space in self.world.spaces}:
            self.world.create_space(name)

    @rule(data=st.data(), name=SPACES)
    def rename_space(self, data: st.DataObject, name: str) -> None:
        if self.world.spaces and name not in {space.name for space in self.world.spaces}:
            self._space(data).name = name

    @precondition(lambda self: len(self.world.spaces) > 1)
    @rule(data=st.data())
    def swap_spaces(self, data: st.DataObject) -> None:
        one, other = data.draw(st.permutations(self.world.spaces))[:2]
        one.name, other.name = other.name, one.name

    @precondition(lambda self: len(self.world.spaces) > 1)
    @rule(data=st.data())
    def drop_space(self, data: st.DataObject) -> None:
        self.world.drop_space(self._space(data))

    @rule(data=st.data(), text=st.sampled_from([None, "one", "two"]))
    def comment_space(self, data: st.DataObject, text: str | None) -> None:
        if self.world.spaces:
            self._space(data).comment = text

    @rule(data=st.data(), name=TABLES, columns=ROWS)
    def create(self, data: st.DataObject, name: str, columns: list[tuple[str, str]]) -> None:
        space = self._space(data)
        if self.world.is_free(space, name):
            self.world.create(space, name, columns)

    @precondition(_has_tables)
    @rule(data=st.data(), name=TABLES)
    def copy(self, data: st.DataObject, name: str) -> None:
        table = self._table(data)
        if self.world.is_free(table.schema, name):
            self.world.copy(table, name)

    @precondition(_has_tables)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        self.world.drop(self._table(data))

    @precondition(_has_tables)
    @rule(data=st.data(), name=TABLES)
    def rename(self, data: st.DataObject, name: str) -> None:
        table = self._table(data)
        if self.world.is_free(table.schema, name):
            table.name = name

    @precondition(_has_tables)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        table, space = self._table(data), self._space(data)
        if self.world.is_free(space, table.name):
            table.schema = space

    @precondition(lambda self: len(self.world.tables) > 1)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        one, other = data.draw(st.permutations(self.world.tables))[:2]
        one.name, one.schema, other.name, other.schema = other.name, other.schema, one.name, one.schema

    @precondition(_has_tables)
    @rule(data=st.data())
    def rebuild(self, data: st.DataObject) -> None:
        self.world.rebuild(self._table(data))

    @precondition(_has_tables)
    @rule(data=st.data(), name=TABLES)
    def replace(self, data: st.DataObject, name: str) -> None:
        """Blue-green: a copy takes the name, the old one lives on under another."""
        table = self._table(data)
        if self.world.is_free(table.schema, name):
            own, table.name = table.name, name
            self.world.copy(table, own)

    @precondition(_has_tables)
    @rule(data=st.data(), name=COLUMNS, type_=TYPES)
    def add_column(self, data: st.DataObject, name: str, type_: str) -> None:
        table = self._table(data)
        if name not in {col.name for col in table.cols}:
            table.add(name, type_, at=data.draw(st.integers(0, len(table.cols))))

    def _column(self, data: st.DataObject) -> tuple[Table, Any]:
        table = self._table(data)
        return table, data.draw(st.sampled_from(table.cols)) if table.cols else None

    @precondition(_has_tables)
    @rule(data=st.data())
    def drop_column(self, data: st.DataObject) -> None:
        table, col = self._column(data)
        if col:
            table.drop(col)

    @precondition(_has_tables)
    @rule(data=st.data(), name=COLUMNS)
    def rename_column(self, data: st.DataObject, name: str) -> None:
        table, col = self._column(data)
        if col and name not in {each.name for each in table.cols}:
            col.name = name

    @precondition(_has_tables)
    @rule(data=st.data())
    def swap_columns(self, data: st.DataObject) -> None:
        table = self._table(data)
        if len(table.cols) > 1:
            one, other = data.draw(st.permutations(table.cols))[:2]
            one.name, other.name = other.name, one.name

    @precondition(_has_tables)
    @rule(data=st.data())
    def reorder_columns(self, data: st.DataObject) -> None:
        table = self._table(data)
        table.cols = list(data.draw(st.permutations(table.cols)))

    @precondition(_has_tables)
    @rule(data=st.data(), type_=TYPES, nullable=st.booleans(), text=st.sampled_from([None, "one"]))
    def alter_column(self, data: st.DataObject, type_: str, nullable: bool, text: str | None) -> None:
        _, col = self._column(data)
        if col:
            col.type, col.nullable, col.comment = type_, nullable, text

    @precondition(_has_tables)
    @rule(data=st.data(), name=st.sampled_from(["ix", "ix2"]))
    def index(self, data: st.DataObject, name: str) -> None:
        table, col = self._column(data)
        if col and name not in {each for each, _ in table.indexes.values()}:
            self.world.index(table, name, col)

    @precondition(_has_tables)
    @rule(data=st.data(), name=st.sampled_from(["ix", "ix2", "ix3"]))
    def rename_index(self, data: st.DataObject, name: str) -> None:
        table = self._table(data)
        if table.indexes and name not in {each for each, _ in table.indexes.values()}:
            oid = data.draw(st.sampled_from(sorted(table.indexes)))
            table.indexes[oid] = (name, table.indexes[oid][1])

    @precondition(_has_tables)
    @rule(data=st.data())
    def refer(self, data: st.DataObject) -> None:
        self._table(data).target = self._table(data)

    @rule()
    def inspect(self) -> None:
        self._inspect(self.world.snapshot())

    @rule(data=st.data())
    def inspect_with_gaps(self, data: st.DataObject) -> None:
        states = {space: data.draw(STATES) for space in self.world.spaces}
        unlisted = frozenset(table for table in self.world.tables if data.draw(st.booleans()))
        hidden = frozenset(space for space in self.world.spaces if data.draw(st.integers(0, 5)) == 0)
        self._inspect(self.world.snapshot(states=states, unlisted=unlisted, hidden=hidden))

    def _inspect(self, snapshot: Any) -> None:
        self.keeper.inspect(snapshot)
        assert self.keeper.inspect(snapshot) == [], "the second look at the same thing found changes"

    def teardown(self) -> None:
        if hasattr(self, "keeper"):
            state = replay(self.keeper.changes)
            assert state == self.keeper.state
            self._inspect(self.world.snapshot())
            assert len(self.keeper.relations) == len(self.world.tables)


class HistoryWithoutIds(History):
    ids = False


class PlainHistory(RuleBasedStateMachine):
    """Where the engine keeps ids and nothing is replaced by its like, an identity is its object's, whatever happens.

    Each table has columns of its own making, so that no two are nearly the same. A schema is left unread only while
    no table moved: what moved out of sight cannot be followed until it is seen again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = World(ids=True)
        self.keeper = Keeper(stable_ids=True)
        self.spaces = [self.world.create_space(name) for name in ("s", "r")]
        self.identity: dict[Table, UUID] = {}
        self.columns: dict[Any, UUID] = {}
        self.moved = False

    @rule(data=st.data(), name=TABLES, space=st.integers(0, 1))
    def create(self, data: st.DataObject, name: str, space: int) -> None:
        if self.world.is_free(self.spaces[space], name):
            number = next(self.world.oids)
            self.world.create(self.spaces[space], name, [(f"c{number}_{each}", "int") for each in range(3)])

    @precondition(lambda self: self.world.tables)
    @rule(data=st.data(), name=TABLES)
    def rename(self, data: st.DataObject, name: str) -> None:
        table = data.draw(st.sampled_from(self.world.tables))
        if self.world.is_free(table.schema, name):
            table.name = name

    @precondition(lambda self: len(self.world.tables) > 1)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        one, other = data.draw(st.permutations(self.world.tables))[:2]
        self.moved = self.moved or one.schema is not other.schema
        one.name, one.schema, other.name, other.schema = other.name, other.schema, one.name, one.schema

    @precondition(lambda self: self.world.tables)
    @rule(data=st.data(), name=st.sampled_from(["p", "q"]))
    def rename_column(self, data: st.DataObject, name: str) -> None:
        table = data.draw(st.sampled_from(self.world.tables))
        if name not in {col.name for col in table.cols}:
            data.draw(st.sampled_from(table.cols)).name = name

    @precondition(lambda self: self.world.tables)
    @rule(data=st.data())
    def swap_columns(self, data: st.DataObject) -> None:
        table = data.draw(st.sampled_from(self.world.tables))
        one, other = data.draw(st.permutations(table.cols))[:2]
        one.name, other.name = other.name, one.name

    @rule()
    def rename_space(self) -> None:
        one, other = self.spaces
        one.name, other.name = other.name, one.name

    @rule(unread=st.sets(st.integers(0, 1)))
    def inspect(self, unread: set[int]) -> None:
        unread = set() if self.moved else unread
        self.moved = False
        states = {self.spaces[number]: Completeness.UNREADABLE for number in unread}
        self.keeper.inspect(self.world.snapshot(states=states))
        by_oid = {each.relation.native_id: each for each in self.keeper.relations.values()}
        for table in self.world.tables:
            if self.spaces.index(table.schema) in unread:
                continue
            record = by_oid[str(table.oid)]
            assert self.identity.setdefault(table, record.id) == record.id
            ids = {child.value.native_id: child.id for child in record.columns}
            for col in table.cols:
                assert self.columns.setdefault(col, ids[str(col.number)]) == ids[str(col.number)]

    @invariant()
    def nobody_is_retired(self) -> None:
        assert not self.keeper.retired


SETTINGS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("history", [History, HistoryWithoutIds, PlainHistory])
def test_history(history: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(history, settings=SETTINGS)  # type: ignore[no-untyped-call]
