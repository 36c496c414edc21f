"""What people decide: holds, inferred matches taken apart, suggestions made true. Replay holds after each."""

from typing import Any

import pytest

from metamapper.annotations.models import Description
from metamapper.annotations.services import describe
from metamapper.catalog.models import Column, Hold, Relation
from metamapper.catalog.records import load_records
from metamapper.diffing.fields import settled
from metamapper.diffing.replay import replay
from metamapper.history.models import Change, Suggestion
from metamapper.history.services import as_change
from metamapper.inspection.decisions import AlreadyDecided, decide_change, decide_hold, decide_suggestion
from metamapper.schema import AssetKind, Scope
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import NAMED, show


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
    columns = ("id integer", "total numeric(10,2)", "placed_at date", "note text")
    datastore = register()
    show(table("orders", *columns, native="1"))
    look(datastore)
    identity = living(datastore)["orders"]
    show(table("orders", *columns, native="2"), table("orders_old", *columns, native="1"))
    look(datastore)
    assert living(datastore)["orders"] == identity
    decide_change(inferred(datastore, "relation"), accept=False, user=cast.ana)
    now = living(datastore)
    assert now["orders_old"] == identity
    assert now["orders"] != identity
    assert_replay_holds(datastore)
    assert look(datastore).counts["changes"] == 0
    assert living(datastore) == now


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
    assert_replay_holds(datastore)
    assert look(datastore).counts["changes"] == 0
    with pytest.raises(AlreadyDecided):
        decide_suggestion(suggestion, accept=False, user=cast.ana)


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
