"""Whatever inspections and decisions do, the search documents are what a rebuild makes, in the same transaction."""

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings

from metamapper.annotations.services import describe
from metamapper.connectors.errors import ConnectionLost
from metamapper.history.models import Change
from metamapper.inspection.decisions import decide_change
from metamapper.schema import AssetKind, Scope
from metamapper.search.selectors import search
from metamapper.search.services import reindex
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.inspection.test_any_history import LOOKS, shown
from tests.inspection.test_decisions import living
from tests.search.world import contents
from tests.support.scripted import NAMED, STABLE, show

NUMBERS = itertools.count(1)


def assert_documents_are_a_rebuild(datastore: Any) -> None:
    left = contents()
    reindex(datastore)
    assert contents() == left


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(looks=LOOKS)
def test_after_any_sequence_of_looks(register: Register, looks: list[Any]) -> None:
    name = f"found{next(NUMBERS)}"
    datastore = register(name, engine=STABLE, script=name)
    for relations, seen, list_complete in looks:
        scopes = [Scope(name=schema, completeness=seen[schema], native_id=f"{schema}!") for schema in seen]
        show(*shown(relations, seen, ids=True), scopes=scopes, name=name, complete=list_complete)
        look(datastore)
        assert_documents_are_a_rebuild(datastore)


def found(cast: Any, text: str) -> list[tuple[str, str]]:
    """The names that a search leads to, each with the former name it was found by."""
    return [(hit.path[-1].text, hit.former.text) for hit in search(cast.ana, cast.larkspur, text).hits]


def test_a_rename_is_followed_and_one_taken_apart_is_forgotten(register: Register, cast: Any) -> None:
    datastore = register(engine=NAMED)
    columns = ("id integer", "total numeric(10,2)", "placed_at date")
    show(table("orders", *columns), table("other", "a text"))
    look(datastore)
    describe(cast.ana, AssetKind.RELATION, living(datastore)["orders"], "Everything bought")
    show(table("purchases", *columns), table("other", "a text"))
    look(datastore)
    assert found(cast, "orders") == [("purchases", "orders")]
    assert found(cast, "bought") == [("purchases", "")]
    assert_documents_are_a_rebuild(datastore)
    decide_change(Change.objects.get(asset="relation", certainty="inferred"), accept=False, user=cast.ana)
    assert found(cast, "orders") == [("orders", "")]
    assert found(cast, "purchases") == [("purchases", "")]
    assert_documents_are_a_rebuild(datastore)


def test_a_failed_look_leaves_the_documents_as_they_were(register: Register) -> None:
    datastore = register()
    script = show(table("orders", "id integer", native="1"))
    look(datastore)
    before = contents()
    show(table("orders", "id bigint", native="1"), table("more", "id integer", native="2"))
    script.break_after, script.error = 1, ConnectionLost("cut")
    look(datastore)
    assert contents() == before
