"""What one look at a datastore does to the catalog, and above all what it does not do."""

from typing import Any

import msgspec
import pytest

from metamapper.annotations.models import Description
from metamapper.annotations.services import describe
from metamapper.catalog.models import Column, Hold, Relation, Schema
from metamapper.connectors.errors import ConnectionLost, SignInFailed
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change, RelationVersion
from metamapper.runs.models import State
from metamapper.schema import AssetKind, Completeness, Scope
from tests.cast import Cast
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import NAMED, SCRIPTS, show

ORDERS = table("orders", "id integer", "total numeric(10,2)", native="1")
CUSTOMERS = table("customers", "id integer", "email text", native="2")


def names(datastore: object) -> set[str]:
    return set(Relation.objects.filter(datastore=datastore, retired_at=None).values_list("name", flat=True))


def told(run: object) -> list[tuple[str, str]]:
    return list(Change.objects.filter(run_id=run.pk).order_by("order").values_list("subject", "kind"))


def test_a_first_look_stores_everything(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    run = look(datastore)
    assert (run.state, run.counts["relations"], run.counts["changes"]) == (State.SUCCEEDED, 2, 3), run.outcome
    assert names(datastore) == {"orders", "customers"}
    assert Column.objects.filter(relation__datastore=datastore).count() == 4
    assert sorted(told(run)) == [("shop", "added"), ("shop.customers", "added"), ("shop.orders", "added")]


def test_a_second_look_at_the_same_changes_nothing(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    before = list(Relation.objects.order_by("id").values())
    run = look(datastore)
    assert (run.state, run.outcome_code, told(run)) == (State.SUCCEEDED, "same", [])
    assert list(Relation.objects.order_by("id").values()) == before


def test_an_equal_probe_reads_nothing(register: Register) -> None:
    datastore = register()
    script = show(ORDERS)
    script.token = "one"
    look(datastore)
    run = look(datastore)
    assert (run.outcome_code, script.reads) == ("unchanged", 1)
    script.token = "two"
    assert look(datastore).outcome_code == "same"
    assert script.reads == 2


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(
            lambda: show(ORDERS, scopes=[Scope(name="shop", completeness=Completeness.PARTIAL)]), id="partial"
        ),
        pytest.param(lambda: show(scopes=[Scope(name="shop")]), id="held back"),
        pytest.param(lambda: show(ORDERS, CUSTOMERS, complete=False), id="list not whole"),
    ],
)
def test_an_equal_probe_is_not_trusted_after_a_look_that_was_not_whole(register: Register, shown: Any) -> None:
    """What could not be seen, or what waits for a second look, may be another although the probe says the same."""
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    script = SCRIPTS["main"]
    script.token = "one"
    shown()
    look(datastore)
    reads = script.reads
    look(datastore)
    assert script.reads == reads + 1


def test_a_rename_keeps_what_people_wrote(register: Register, cast: Cast) -> None:
    datastore = register()
    show(ORDERS)
    look(datastore)
    orders = Relation.objects.get(name="orders")
    total = Column.objects.get(name="total")
    describe(cast.ana, AssetKind.RELATION, orders.pk, "One row per order.")
    describe(cast.ana, AssetKind.COLUMN, total.pk, "Gross, in euro.")
    show(table("purchases", "id integer", "amount numeric(10,2)", native="1"))
    run = look(datastore)
    assert sorted(told(run)) == [("shop.purchases", "renamed"), ("shop.purchases.amount", "renamed")]
    assert Relation.objects.get(name="purchases").pk == orders.pk
    assert Column.objects.get(name="amount").pk == total.pk
    assert set(Description.objects.filter(superseded_at=None).values_list("asset_id", flat=True)) == {
        orders.pk,
        total.pk,
    }
    version = RelationVersion.objects.get(relation_id=orders.pk)
    assert version.name == "orders"


def test_a_drop_retires_and_a_return_restores(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    identity = Relation.objects.get(name="orders").pk
    show(CUSTOMERS)
    assert told(look(datastore)) == [("shop.orders", "removed")]
    assert Relation.objects.get(pk=identity).retired_at is not None
    show(ORDERS, CUSTOMERS)
    assert told(look(datastore)) == [("shop.orders", "restored")]
    assert Relation.objects.get(name="orders").pk == identity
    assert Relation.objects.get(pk=identity).retired_at is None


@pytest.mark.parametrize("completeness", [Completeness.PARTIAL, Completeness.UNREADABLE])
def test_what_was_not_seen_is_not_gone(register: Register, completeness: Completeness) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    show(scopes=[Scope(name="shop", completeness=completeness, reason="No USAGE", remedy="GRANT USAGE …")])
    run = look(datastore)
    assert (run.state, told(run)) == (State.PARTIAL, [])
    assert names(datastore) == {"orders", "customers"}
    assert Schema.objects.get(name="shop").completeness == completeness
    assert run.scopes[0]["remedy"] == "GRANT USAGE …"


def test_a_schema_missing_from_a_list_without_proof_is_not_gone(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    show(scopes=[Scope(name="other")], complete=False)
    assert look(datastore).state == State.PARTIAL
    assert names(datastore) == {"orders", "customers"}
    assert Schema.objects.get(name="shop").retired_at is None


def test_a_read_cut_in_the_middle_changes_nothing(register: Register) -> None:
    datastore = register()
    script = show(ORDERS, CUSTOMERS)
    look(datastore)
    show(table("orders", "id bigint", native="1"), table("new", "id integer", native="3"))
    script.break_after, script.error = 1, ConnectionLost("cut")
    run = look(datastore)
    assert (run.state, run.outcome_code) == (State.QUEUED, "connection.lost")
    assert names(datastore) == {"orders", "customers"}
    assert Change.objects.filter(run_id=run.pk).count() == 0


def test_a_wrong_password_fails_at_once_and_says_what_to_do(register: Register) -> None:
    datastore = register()
    show(ORDERS).error = SignInFailed(hint="ALTER ROLE …")
    run = look(datastore)
    assert (run.state, run.outcome_code, run.outcome["hint"]) == (State.FAILED, "sign_in.failed", "ALTER ROLE …")


def test_when_everything_vanishes_nothing_is_retired_until_a_second_look_agrees(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    show(scopes=[Scope(name="shop")])
    run = look(datastore)
    assert (run.state, told(run), run.counts["held"]) == (State.PARTIAL, [], 2)
    assert names(datastore) == {"orders", "customers"}
    hold = Hold.objects.get()
    assert (hold.state, hold.known, len(hold.vanished)) == (Hold.State.PENDING, 2, 2)
    run = look(datastore)
    assert (run.state, sorted(told(run))) == (
        State.SUCCEEDED,
        [("shop.customers", "removed"), ("shop.orders", "removed")],
    )
    assert names(datastore) == set()
    assert Hold.objects.get().state == Hold.State.RETIRED


def test_what_was_held_back_and_returns_was_never_gone(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    show(scopes=[Scope(name="shop")])
    look(datastore)
    show(ORDERS, CUSTOMERS)
    run = look(datastore)
    assert (run.state, told(run)) == (State.SUCCEEDED, [])
    assert Hold.objects.get().state == Hold.State.RETURNED


def test_equal_native_ids_of_two_datastores_never_touch(register: Register) -> None:
    one, two = register("one", script="one"), register("two", script="two")
    show(ORDERS, name="one")
    show(table("invoices", "id integer", "total numeric(10,2)", native="1"), name="two")
    look(one), look(two)
    show(table("bills", "id integer", "total numeric(10,2)", native="1"), name="two")
    assert told(look(two)) == [("shop.bills", "renamed")]
    assert (names(one), names(two)) == ({"orders"}, {"bills"})
    assert look(one).outcome_code == "same"


def test_without_native_ids_a_rename_is_inferred_and_says_why(register: Register) -> None:
    datastore = register(engine=NAMED)
    show(table("orders", "id integer", "total numeric(10,2)", "placed_at date"), table("customers", "id integer"))
    look(datastore)
    identity = Relation.objects.get(name="orders").pk
    show(table("purchases", "id integer", "total numeric(10,2)", "placed_at date"), table("customers", "id integer"))
    run = look(datastore)
    change = Change.objects.get(run_id=run.pk, asset="relation")
    assert (change.kind, change.certainty, change.asset_id) == ("renamed", "inferred", identity)
    assert change.evidence["summary"]


def test_a_filter_hides_without_retiring(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS)
    look(datastore)
    datastore.include_tables = "*, -customers"
    datastore.save()
    assert told(look(datastore)) == []
    assert names(datastore) == {"orders", "customers"}


def test_a_filter_that_hides_a_schema_retires_nothing(register: Register) -> None:
    datastore = register()
    show(ORDERS, table("stock", "id integer", schema="store", native="8"))
    look(datastore)
    Datastore.objects.filter(pk=datastore.pk).update(include_schemas="-store")
    assert told(look(datastore)) == []
    assert Schema.objects.get(name="store").retired_at is None
    assert names(datastore) == {"orders", "stock"}


def test_hostile_names_arrive_as_they_are(register: Register) -> None:
    datastore = register()
    hostile = [
        '"; drop table x; --',
        "a.b",
        " space ",
        "Ünïcødé 🦄",
        "%s",
        "tab\tnew\nline",
        "back\\slash",
        "'; --",
        "\\N",
        "{}",
    ]
    show(*(table(name, *hostile[:1], "id", native=str(at)) for at, name in enumerate(hostile)))
    run = look(datastore)
    assert run.state == State.SUCCEEDED, run.outcome
    assert names(datastore) == set(hostile)
    assert look(datastore).outcome_code == "same"


def test_a_schema_that_took_the_name_of_one_not_proved_gone_is_read_again_and_again(register: Register) -> None:
    datastore = register()
    first, second = (table("orders", "id integer", schema=name, native=name) for name in ("one", "two"))
    show(first, second, scopes=[Scope(name="one", native_id="1"), Scope(name="two", native_id="2")])
    look(datastore)
    renamed = table("orders", "id integer", schema="one", native="two")
    show(renamed, scopes=[Scope(name="one", native_id="2")], complete=False)
    runs = [look(datastore) for _ in range(3)]
    assert [run.outcome_code for run in runs] == ["changed", "same", "same"]


def test_a_table_that_the_filter_hides_lends_its_identity_to_nobody(register: Register) -> None:
    datastore = register(engine=NAMED)
    columns = ("id integer", "total numeric(10,2)", "placed_at date")
    show(table("tmp_orders", *columns), ORDERS, CUSTOMERS)
    look(datastore)
    hidden = Relation.objects.get(name="tmp_orders")
    Datastore.objects.filter(pk=datastore.pk).update(include_tables="-tmp_*")
    show(table("tmp_orders", *columns), table("purchases", *columns), ORDERS, CUSTOMERS)
    look(datastore)
    assert Relation.objects.get(name="purchases").pk != hidden.pk
    assert Relation.objects.get(pk=hidden.pk, retired_at=None).name == "tmp_orders"


def test_a_schema_is_not_retired_before_what_the_filter_hides_in_it(register: Register) -> None:
    datastore = register()
    old = table("tmp_orders", "id integer", schema="old", native="9")
    scopes = [Scope(name="old", native_id="1"), Scope(name="shop", native_id="2")]
    show(old, ORDERS, CUSTOMERS, scopes=scopes)
    look(datastore)
    Datastore.objects.filter(pk=datastore.pk).update(include_tables="-tmp_*")
    show(ORDERS, CUSTOMERS, scopes=scopes[1:])
    look(datastore)
    assert Relation.objects.get(name="tmp_orders").retired_at is None
    assert Schema.objects.get(name="old").retired_at is None
    Datastore.objects.filter(pk=datastore.pk).update(include_tables="")
    look(datastore)
    assert Relation.objects.get(name="tmp_orders").retired_at
    assert Schema.objects.get(name="old").retired_at


def test_a_schema_renamed_in_mid_read_is_read_again(register: Register) -> None:
    datastore = register()
    renamed = table("orders", "id integer", native="1", schema="store")
    script = show(ORDERS, scopes=[Scope(name="shop", native_id="9")])
    script.on_relation = lambda _: show(renamed, scopes=[Scope(name="store", native_id="9")]) and None
    run = look(datastore)
    assert (run.state, run.outcome_code) == (State.QUEUED, "read.disturbed")
    assert look(datastore).state == State.SUCCEEDED
    assert Relation.objects.get().schema.name == "store"


def test_a_name_longer_than_an_index_entry_is_kept(register: Register) -> None:
    long = "".join(chr(0x4E00 + at * 7 % 20000) for at in range(3000))
    datastore = register()
    show(table(long, long, native="1", schema="s" + long))
    run = look(datastore)
    assert run.state == State.SUCCEEDED, run.outcome
    assert names(datastore) == {long}


def test_what_no_metastore_can_keep_is_kept_as_nearly_as_it_can_be(register: Register) -> None:
    datastore = register()
    odd = table("odd", "a text", native="1", comment=r"\u0000 \\u0000" "before\x00after\\\x00")
    show(msgspec.structs.replace(odd, row_estimate=2**70, size_bytes=-1))
    run = look(datastore)
    assert run.state == State.SUCCEEDED, run.outcome
    row = Relation.objects.get(name="odd")
    said = r"\u0000 \\u0000" "before\ufffdafter\\\ufffd"
    assert (row.comment, row.row_estimate, row.size_bytes) == (said, None, None)
    assert look(datastore).counts["changes"] == 0
