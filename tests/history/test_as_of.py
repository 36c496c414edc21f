"""Any moment can be asked for: what the selectors answer is what a naive observer wrote down at that moment."""

from datetime import datetime, timedelta

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamapper.accounts.models import User
from metamapper.catalog import selectors as catalog
from metamapper.catalog.models import Constraint
from metamapper.datastores.models import Datastore
from metamapper.history.listing import Within, count_by_schema, relations_at, summaries
from metamapper.history.selectors import records_at, referring, relation_at, resolve, schema_at, schemas_at
from metamapper.lib.ids import uuid7
from metamapper.schema import Column, Identified, RelationRecord
from tests.catalog.factories import (
    MORNING,
    foreign_key,
    identified,
    make_datastore,
    make_record,
    make_scope,
    make_workspace,
    store,
)
from tests.history.chronicle import HOUR, Chronicle

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return User.objects.create_user("ana@example.com", name="Ana")


@pytest.fixture
def datastore(ana: User) -> Datastore:
    return make_datastore(make_workspace("larkspur", "ana"))


steps = st.lists(
    st.tuples(st.sampled_from(["add", "rename", "widen", "move", "retire", "restore", "wait"]), st.integers(0, 3)),
    max_size=14,
)


@given(steps=steps)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_moment_is_as_it_was(ana: User, datastore: Datastore, steps: list[tuple[str, int]]) -> None:
    datastore = make_datastore(datastore.workspace, uuid7().hex)
    scopes = [make_scope(datastore, "billing"), make_scope(datastore, "crm")]
    chronicle = Chronicle(datastore)
    for number, (step, which) in enumerate(steps):
        chronicle.tick()
        act(chronicle, step, which, number, scopes)
    for moment, states in chronicle.states.items():
        for as_of in (moment, moment + HOUR / 2):
            assert_as_of(ana, datastore, as_of, states)
    assert_as_of(ana, datastore, None, chronicle.now())


def act(chronicle: Chronicle, step: str, which: int, number: int, scopes: list) -> None:
    states = list(chronicle.now().values())
    if step == "add":
        chronicle.put(make_record(scopes[which % 2], f"t{number}", "id", "name"))
    if step in {"add", "wait"} or not states:
        return
    state = states[which % len(states)]
    if step == "retire" and not state.retired:
        chronicle.retire(state.record.id)
    elif state.retired == (step == "restore"):
        chronicle.put(changed(state.record, step, number, scopes))


def changed(record: RelationRecord, step: str, number: int, scopes: list) -> RelationRecord:
    relation = record.relation
    if step == "rename":
        return msgspec.structs.replace(record, relation=msgspec.structs.replace(relation, name=f"n{number}"))
    if step == "widen":
        more = Identified(uuid7(), Column(name=f"c{number}", position=len(record.columns) + 1, type="int"))
        return msgspec.structs.replace(record, columns=(*record.columns, more))
    if step == "move":
        scope = scopes[number % 2]
        moved = msgspec.structs.replace(relation, schema=scope.scope.name)
        return msgspec.structs.replace(record, schema_id=scope.id, relation=moved)
    return record


def assert_as_of(ana: User, datastore: Datastore, as_of: datetime | None, states: dict) -> None:
    alive = {each: state.record for each, state in states.items() if not state.retired}
    assert records_at(ana, states, as_of) == alive
    listed = relations_at(ana, Within(datastore, as_of))
    assert [(each.name, each.id) for each in listed] == sorted((one.relation.name, key) for key, one in alive.items())
    assert not any(each.retired_at for each in listed)
    counts = {}
    for record in alive.values():
        counts[record.schema_id] = counts.get(record.schema_id, 0) + 1
    assert count_by_schema(ana, Within(datastore, as_of)) == counts
    assert {key: each.columns for key, each in summaries(ana, listed).items()} == {
        key: len(each.columns) for key, each in alive.items()
    }
    for key, state in states.items():
        relation = catalog.relation(ana, key)
        assert relation is not None
        found = relation_at(ana, relation, as_of)
        assert found is not None
        assert found.record == state.record
        assert (found.retired_at is not None) == state.retired


def test_before_it_was_known_there_was_nothing(ana: User, datastore: Datastore) -> None:
    record = make_record(make_scope(datastore), "invoices", "id")
    store(datastore, record)
    relation = catalog.relation(ana, record.id)
    assert relation is not None
    assert relation_at(ana, relation, MORNING - timedelta(seconds=1)) is None
    assert relation_at(ana, relation, MORNING) is not None
    assert relations_at(ana, Within(datastore, MORNING - timedelta(seconds=1))) == []
    schema = catalog.schema(ana, record.schema_id)
    assert schema is not None
    assert schema_at(ana, schema, MORNING - timedelta(seconds=1)) is None


def test_retired_are_listed_only_on_request(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore)
    chronicle = Chronicle(datastore)
    kept, gone = make_record(scope, "kept", "id"), make_record(scope, "gone", "id")
    chronicle.put(kept)
    chronicle.put(gone)
    chronicle.tick()
    chronicle.retire(gone.id)
    assert [each.name for each in relations_at(ana, Within(datastore))] == ["kept"]
    everything = relations_at(ana, Within(datastore, retired=True))
    assert [(each.name, each.retired_at) for each in everything] == [("gone", chronicle.at), ("kept", None)]
    before = relations_at(ana, Within(datastore, MORNING, retired=True))
    assert [(each.name, each.retired_at) for each in before] == [("gone", None), ("kept", None)]


def test_pages_join_without_gap_or_overlap(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore)
    chronicle = Chronicle(datastore)
    for number in range(9):
        chronicle.put(make_record(scope, f"t{number // 2}", "id"))
    chronicle.tick()
    for state in list(chronicle.now().values())[::2]:
        chronicle.put(changed(state.record, "widen", 1, [scope]))
    for as_of in (None, MORNING, chronicle.at):
        whole = relations_at(ana, Within(datastore, as_of))
        paged, cursor = [], None
        while page := relations_at(ana, Within(datastore, as_of), after=cursor, limit=2):
            paged += page
            cursor = (page[-1].name, page[-1].id)
        assert paged == whole
        assert len(whole) == 9


def test_filter_is_by_text_in_the_name_as_of_then(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore)
    chronicle = Chronicle(datastore)
    record = make_record(scope, "invoice_headers", "id")
    chronicle.put(record)
    chronicle.tick()
    chronicle.put(changed(record, "rename", 7, [scope]))
    assert [each.name for each in relations_at(ana, Within(datastore, MORNING, text="HEADERS"))] == ["invoice_headers"]
    assert relations_at(ana, Within(datastore, text="headers")) == []
    assert relations_at(ana, Within(datastore, text="100%_")) == []


def test_schema_names_as_of_then(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore, "bill")
    chronicle = Chronicle(datastore)
    chronicle.tick()
    chronicle.rename_schema(scope, "billing")
    schema = catalog.schema(ana, scope.id)
    assert schema is not None
    for as_of, name in [(MORNING, "bill"), (chronicle.at, "billing"), (None, "billing")]:
        assert [each.name for each in schemas_at(ana, datastore, as_of)] == [name]
        assert (found := schema_at(ana, schema, as_of)) is not None
        assert found.name == name


def test_names_resolve_to_what_bore_them_then(ana: User, datastore: Datastore) -> None:
    """A swap: the name stays, the table behind it is another."""
    scope = make_scope(datastore)
    chronicle = Chronicle(datastore)
    blue, green = make_record(scope, "orders", "id"), make_record(scope, "orders_new", "id")
    chronicle.put(blue)
    chronicle.put(green)
    chronicle.tick()
    chronicle.put(renamed(blue, "orders_old"))
    chronicle.put(renamed(green, "orders"))
    name = ("billing", "orders")
    assert resolve(ana, datastore, [name], MORNING) == {name: blue.id}
    assert resolve(ana, datastore, [name]) == {name: green.id}
    assert resolve(ana, datastore, [("crm", "orders"), ("billing", "nothing")]) == {}


def renamed(record: RelationRecord, name: str) -> RelationRecord:
    return msgspec.structs.replace(record, relation=msgspec.structs.replace(record.relation, name=name))


def test_referring_keys_now_and_then(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore)
    customers = make_record(scope, "customers", "id")
    key = identified(foreign_key("fk", "customer_id", "billing", "customers"))
    orders = msgspec.structs.replace(make_record(scope, "orders", "id", "customer_id"), constraints=key)
    chronicle = Chronicle(datastore)
    chronicle.put(customers)
    chronicle.put(orders)
    Constraint.objects.update(target_id=customers.id)
    chronicle.tick()
    chronicle.retire(orders.id)
    relation = catalog.relation(ana, customers.id)
    assert relation is not None
    state = relation_at(ana, relation)
    assert state is not None
    assert referring(ana, state) == []
    (found,) = referring(ana, state, MORNING)
    assert (found.relation, found.columns, found.to) == ("orders", ("customer_id",), ("id",))


def test_strangers_see_nothing(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore)
    record = make_record(scope, "invoices", "id")
    chronicle = Chronicle(datastore)
    chronicle.put(record)
    chronicle.tick()
    chronicle.put(changed(record, "widen", 1, [scope]))
    bob = User.objects.create_user("bob@example.com")
    assert catalog.relation(bob, record.id) is None
    assert catalog.schema(bob, scope.id) is None
    for as_of in (None, MORNING):
        assert relations_at(bob, Within(datastore, as_of)) == []
        assert schemas_at(bob, datastore, as_of) == []
        assert records_at(bob, [record.id], as_of) == {}
        assert resolve(bob, datastore, [("billing", "invoices")], as_of) == {}
        assert not count_by_schema(bob, Within(datastore, as_of))


def test_cost_does_not_grow_with_what_is_there(ana: User, datastore: Datastore) -> None:
    scope = make_scope(datastore)
    store(datastore, *(make_record(scope, f"t{number}", "id") for number in range(300)))
    with CaptureQueriesContext(connection) as queries:
        listed = relations_at(ana, Within(datastore, MORNING))
        summaries(ana, listed)
        schemas_at(ana, datastore, MORNING)
        count_by_schema(ana, Within(datastore, MORNING))
    assert len(listed) == 100
    assert len(queries) == 1 + 2 + 2 + 2
