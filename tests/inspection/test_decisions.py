"""What people decide: holds, inferred matches taken apart, suggestions made true. Replay holds after each."""

from typing import Any

import pytest

from metamapper.annotations.models import Description
from metamapper.annotations.services import describe
from metamapper.catalog.models import Column, Hold, Relation
from metamapper.catalog.records import load_records
from metamapper.diffing.fields import settled
from metamapper.diffing.replay import replay
from metamapper.history.about import former_names
from metamapper.history.comparing import difference
from metamapper.history.feed import Asked
from metamapper.history.models import Change, Suggestion
from metamapper.history.services import as_change
from metamapper.inspection.decisions import AlreadyDecided, decide_change, decide_hold, decide_suggestion
from metamapper.schema import AssetKind, Scope
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import NAMED, show

COLUMNS = ("id integer", "total numeric(10,2)", "placed_at date", "note text")
UNMOVED = tuple(table(f"unmoved_{n}", f"own_{n} text", native=f"9{n}") for n in range(8))
"""So that what is dropped beside them is no mass disappearance."""


def assert_replay_holds(datastore: Any) -> None:
    rows = Change.objects.filter(datastore=datastore).order_by("at", "order")
    state = replay(as_change(row) for row in rows)
    living = Relation.objects.filter(datastore=datastore, retired_at=None).values_list("pk", flat=True)
    assert {each: settled(record) for each, record in load_records(living).items()} == {
        each: settled(record) for each, record in state.relations.items()
    }


def living(datastore: Any) -> dict[str, Any]:
    return {row.name: row.pk for row in Relation.objects.filter(datastore=datastore, retired_at=None)}


@pytest.fixture
def renamed(register: Register, cast: Any) -> Any:
    """A datastore without native ids, in which orders was taken to be purchases, and total to be amount."""
    datastore = register(engine=NAMED)
    show(
        table("orders", "id integer", "total numeric(10,2)", "placed_at date"),
        table("other", "a text", "x integer", "y date"),
    )
    look(datastore)
    describe(cast.ana, AssetKind.RELATION, living(datastore)["orders"], "One row per order.")
    show(
        table("purchases", "id integer", "total numeric(10,2)", "placed_at date"),
        table("other", "b text", "x integer", "y date"),
    )
    look(datastore)
    return datastore


def inferred(datastore: Any, asset: str) -> Change:
    return Change.objects.get(datastore=datastore, asset=asset, certainty="inferred")


def test_an_inferred_table_can_be_taken_apart(renamed: Any, cast: Any) -> None:
    change = inferred(renamed, "relation")
    before = living(renamed)["purchases"]
    decide_change(change, accept=False, user=cast.ana)
    old = Relation.objects.get(pk=before)
    assert (old.name, old.retired_at is not None) == ("orders", True)
    assert living(renamed)["purchases"] != before
    assert Description.objects.get(superseded_at=None).asset_id == before
    assert_replay_holds(renamed)
    assert look(renamed).counts["changes"] == 0
    assert living(renamed)["purchases"] != before
    assert_replay_holds(renamed)


def test_an_inferred_column_can_be_taken_apart(renamed: Any, cast: Any) -> None:
    change = inferred(renamed, "column")
    decide_change(change, accept=False, user=cast.ana)
    old = Column.objects.get(pk=change.asset_id)
    assert (old.name, old.retired_at is not None) == ("a", True)
    new = Column.objects.get(relation__name="other", position=1, retired_at=None)
    assert (new.name, new.pk != old.pk) == ("b", True)
    assert_replay_holds(renamed)
    assert look(renamed).counts["changes"] == 0


def test_accepting_changes_nothing_but_the_doubt(renamed: Any, cast: Any) -> None:
    before = list(Relation.objects.order_by("pk").values())
    change = inferred(renamed, "relation")
    decide_change(change, accept=True, user=cast.ana)
    change.refresh_from_db()
    assert (change.decision, change.decided_by_id) == ("accepted", cast.ana.pk)
    assert list(Relation.objects.order_by("pk").values()) == before
    with pytest.raises(AlreadyDecided):
        decide_change(change, accept=False, user=cast.ana)


def test_a_replaced_table_can_follow_its_object_instead(register: Register, cast: Any) -> None:
    """Blue-green: the name's holder was replaced while the old one lives on. Annotations stayed with the name."""
    datastore = register()
    show(table("orders", *COLUMNS, native="1"))
    look(datastore)
    identity = living(datastore)["orders"]
    show(table("orders", *COLUMNS, native="2"), table("orders_old", *COLUMNS, native="1"))
    look(datastore)
    assert living(datastore)["orders"] == identity
    decide_change(inferred(datastore, "relation"), accept=False, user=cast.ana)
    now = living(datastore)
    assert now["orders_old"] == identity
    assert now["orders"] != identity
    assert_replay_holds(datastore)
    assert look(datastore).counts["changes"] == 0
    assert living(datastore) == now


def test_a_replaced_table_whose_object_is_gone_since_is_retired_as_it_was(register: Register, cast: Any) -> None:
    datastore = register()
    show(table("orders", *COLUMNS, native="1"), *UNMOVED)
    look(datastore)
    identity = living(datastore)["orders"]
    show(table("orders", *COLUMNS, native="2"), table("orders_old", *COLUMNS, native="1"), *UNMOVED)
    look(datastore)
    change = inferred(datastore, "relation")
    show(table("orders", *COLUMNS, native="2"), *UNMOVED)
    look(datastore)
    decide_change(change, accept=False, user=cast.ana)
    now = living(datastore)
    assert "orders_old" not in now
    assert now["orders"] != identity
    assert Relation.objects.get(pk=identity).retired_at is not None
    assert_replay_holds(datastore)
    assert look(datastore).counts["changes"] == 0


def test_whoever_has_found_another_object_since_keeps_it(register: Register, cast: Any) -> None:
    """orders_new became orders; its own name has a new holder, who is not robbed when the replacement is undone."""
    datastore = register()
    show(table("orders", *COLUMNS, native="1"), table("orders_new", *COLUMNS, native="2"), *UNMOVED)
    look(datastore)
    show(table("orders_old", *COLUMNS, native="1"), table("orders", *COLUMNS, native="2"), *UNMOVED)
    look(datastore)
    change = inferred(datastore, "relation")
    three = (
        table("orders_old", *COLUMNS, native="1"),
        table("orders", *COLUMNS, native="2"),
        table("orders_new", *COLUMNS, native="3"),
    )
    show(*three, *UNMOVED)
    look(datastore)
    newest = living(datastore)["orders_new"]
    decide_change(change, accept=False, user=cast.ana)
    now = living(datastore)
    assert now["orders_new"] == newest
    assert len(set(now.values())) == len(UNMOVED) + 3
    assert_replay_holds(datastore)
    assert look(datastore).counts["changes"] == 0


def test_a_swap_is_undone_by_either_half_and_only_once(register: Register, cast: Any) -> None:
    datastore = register()
    show(table("t", *COLUMNS, native="1"), table("u", *COLUMNS, native="2"))
    look(datastore)
    before = living(datastore)
    show(table("t", *COLUMNS, native="2"), table("u", *COLUMNS, native="1"))
    look(datastore)
    first, second = Change.objects.filter(datastore=datastore, asset="relation", certainty="inferred")
    decide_change(first, accept=False, user=cast.ana)
    with pytest.raises(AlreadyDecided):
        decide_change(second, accept=False, user=cast.ana)
    assert living(datastore) == {"t": before["u"], "u": before["t"]}
    assert_replay_holds(datastore)


def test_an_inferred_column_that_is_gone_since_cannot_be_taken_apart(register: Register, cast: Any) -> None:
    datastore = register(engine=NAMED)
    for columns in (("a text",), ("b text",), ()):
        show(table("x", "id integer", *columns, "at date"))
        look(datastore)
    with pytest.raises(AlreadyDecided):
        decide_change(inferred(datastore, "column"), accept=False, user=cast.ana)
    assert_replay_holds(datastore)


def test_a_suggestion_can_be_made_true(register: Register, cast: Any) -> None:
    datastore = register(engine=NAMED)
    show(table("a", "id integer"), table("b", "id integer"), table("keep", "x text", "y text", "z date"))
    look(datastore)
    before = living(datastore)["a"]
    show(table("b", "id integer"), table("c", "id integer"), table("keep", "x text", "y text", "z date"))
    look(datastore)
    suggestion = Suggestion.objects.get(datastore=datastore)
    assert suggestion.vanished_id == before
    decide_suggestion(suggestion, accept=True, user=cast.ana)
    assert living(datastore)["c"] == before
    assert [each.name for each in former_names(cast.ana, Relation.objects.get(pk=before))] == ["a"]
    assert_replay_holds(datastore)
    assert look(datastore).counts["changes"] == 0
    with pytest.raises(AlreadyDecided):
        decide_suggestion(suggestion, accept=False, user=cast.ana)


@pytest.fixture
def doubtful(register: Register) -> Any:
    """A table whose two columns may be two others' new names."""
    datastore = register(engine=NAMED)
    for columns in (("a text", "b text"), ("c text", "d text")):
        show(table("x", "id integer", "at date", "doc json", *columns), *UNMOVED)
        look(datastore)
    return datastore


def test_a_column_that_a_person_found_again_is_a_difference(doubtful: Any, cast: Any) -> None:
    then = Change.objects.filter(datastore=doubtful).earliest("at").at
    suggestion = Suggestion.objects.filter(datastore=doubtful, asset="column").first()
    assert suggestion is not None
    decide_suggestion(suggestion, accept=True, user=cast.ana)
    left = difference(cast.ana, Asked(cast.larkspur, datastore=doubtful, after=then))
    renamed = next(each.change for each in left if each.change.asset_id == suggestion.vanished_id)
    assert [field.field for field in renamed.fields] == ["name"]
    assert_replay_holds(doubtful)


def test_a_column_cannot_come_back_to_a_table_that_is_gone(doubtful: Any, cast: Any) -> None:
    suggestion = Suggestion.objects.filter(datastore=doubtful, asset="column").first()
    assert suggestion is not None
    show(*UNMOVED)
    look(doubtful)
    with pytest.raises(AlreadyDecided):
        decide_suggestion(suggestion, accept=True, user=cast.ana)
    assert "x" not in living(doubtful)
    assert_replay_holds(doubtful)


@pytest.mark.parametrize("retire_them", [True, False])
def test_a_hold_is_decided_once(register: Register, cast: Any, *, retire_them: bool) -> None:
    datastore = register()
    show(table("one", "a text", native="1"), table("two", "a text", native="2"))
    look(datastore)
    show(scopes=[Scope(name="shop")])
    look(datastore)
    hold = Hold.objects.get()
    assert decide_hold(hold, retire_them=retire_them, user=cast.ana) == 2
    assert len(living(datastore)) == (0 if retire_them else 2)
    assert_replay_holds(datastore)
    look(datastore)
    assert len(living(datastore)) == (0 if retire_them else 2)
    assert_replay_holds(datastore)
    if retire_them:
        with pytest.raises(AlreadyDecided):
            decide_hold(hold, retire_them=False, user=cast.ana)
