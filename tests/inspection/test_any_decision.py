"""Whatever people decide between looks, and in whatever order: replay gives the catalog, no two living relations come to
share a name by it, and no identity is lost.
"""

import itertools
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamapper.catalog.models import Hold, Relation
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change, Suggestion
from metamapper.inspection.decisions import AlreadyDecided, decide_change, decide_hold, decide_suggestion
from metamapper.runs.models import State
from metamapper.schema import Relation as RelationValue
from metamapper.schema import Scope
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.inspection.test_decisions import assert_replay_holds
from tests.support.scripted import NAMED, STABLE, show

LIKENESS = ("id integer", "total numeric(10,2)", "placed_at date")
NAMES = ("one", "two", "three", "four")
ACTS = ("replace", "exchange", "drop", "create", "rename", "call")
ALTERING = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5), st.sampled_from(NAMES)), min_size=1, max_size=3)
DECIDING = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([False, True])), max_size=3)
HISTORY = st.lists(st.tuples(ALTERING, DECIDING), min_size=3, max_size=6)
NUMBERS = itertools.count(1)


@dataclass
class Alike:
    """A datastore whose tables are all alike, so that there is much to mistake for another: (native id, last column)
    by name.
    """

    tables: dict[str, tuple[int, int]] = field(default_factory=lambda: {"one": (1, 1), "two": (2, 1), "three": (3, 1)})
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(4))

    def alter(self, act: str, choice: int, name: str) -> None:
        old = sorted(self.tables)[choice % len(self.tables)] if self.tables else name
        if act == "create":
            self.tables.setdefault(name, (next(self.numbers), 1))
        elif act == "drop":
            self.tables.pop(old, None)
        elif act == "rename" and old in self.tables:
            self.tables.setdefault(name, self.tables.pop(old))
        elif act == "exchange" and {old, name} <= self.tables.keys():
            self.tables[old], self.tables[name] = self.tables[name], self.tables[old]
        elif act == "replace" and old in self.tables and name not in self.tables:
            self.tables[name], self.tables[old] = self.tables[old], (next(self.numbers), self.tables[old][1])
        elif act == "call" and old in self.tables:
            self.tables[old] = (self.tables[old][0], self.tables[old][1] + 1)

    def shown(self) -> list[RelationValue]:
        return [
            table(name, *LIKENESS, f"called_{column} text", native=str(native))
            for name, (native, column) in self.tables.items()
        ]


def decide(datastore: Datastore, which: int, *, accept: bool, user: Any) -> None:
    """Decide one of what waits, the latest first; after those what a page that is still open would offer."""
    changes = Change.objects.filter(datastore=datastore, certainty="inferred")
    suggestions, holds = Suggestion.objects.filter(datastore=datastore), Hold.objects.filter(datastore=datastore)
    waiting = [*changes.order_by("decision", "-at"), *suggestions.order_by("-at"), *holds.order_by("-created_at")]
    if not waiting:
        return
    one = waiting[which % len(waiting)]
    with suppress(AlreadyDecided):
        if isinstance(one, Change):
            decide_change(one, accept=accept, user=user)
        elif isinstance(one, Suggestion):
            decide_suggestion(one, accept=accept, user=user)
        else:
            decide_hold(one, retire_them=accept, user=user)


def paths(datastore: Datastore) -> Counter[tuple[str, str]]:
    rows = Relation.objects.filter(datastore=datastore, retired_at=None)
    return Counter(rows.values_list("schema__name", "name"))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@pytest.mark.parametrize("ids", [True, False], ids=["native ids", "names alone"])
@given(history=HISTORY)
def test_any_sequence_of_looks_and_decisions(register: Register, cast: Any, history: Any, *, ids: bool) -> None:
    name = f"decided{next(NUMBERS)}"
    datastore = register(name, engine=STABLE if ids else NAMED, script=name)
    world, ever = Alike(), set[Any]()
    show(*world.shown(), scopes=[Scope(name="shop", native_id="s")], name=name)
    look(datastore)
    for altering, deciding in history:
        for act in altering:
            world.alter(*act)
        relations = world.shown()
        show(*relations, scopes=[Scope(name="shop", native_id="s")], name=name)
        run = look(datastore)
        assert run.state in {State.SUCCEEDED, State.PARTIAL}, run.outcome
        assert {("shop", each.name) for each in relations} <= paths(datastore).keys()
        for which, accept in deciding:
            before = paths(datastore)
            decide(datastore, which, accept=accept, user=cast.ana)
            assert_replay_holds(datastore)
            after = paths(datastore)
            assert {path for path, number in after.items() if number > max(before[path], 1)} == set()
        known = set(Relation.objects.filter(datastore=datastore).values_list("pk", flat=True))
        assert ever <= known
        ever = known
