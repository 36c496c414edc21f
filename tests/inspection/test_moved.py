"""A datastore's settings are turned to another database: native ids count from the beginning there, and mean others."""

from typing import Any

import pytest

from metamapper.annotations.models import Description
from metamapper.annotations.services import describe
from metamapper.catalog.models import Column, Relation
from metamapper.connectors.tunnel.values import Hop
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import update_datastore
from metamapper.history.models import Change
from metamapper.runs.models import Run
from metamapper.schema import AssetKind, Completeness, Scope
from tests.cast import Cast
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import ScriptedSettings, show

ORDERS = table("orders", "id integer", "total numeric(10,2)", native="1")
CUSTOMERS = table("customers", "id integer", "email text", native="2")
SHOP, PAYROLL = Scope(name="shop", native_id="9"), Scope(name="payroll", native_id="9")
SALARIES = table("salaries", "person text", "amount money", "until date", native="1", schema="payroll")


def turn(datastore: Datastore, *, hops: tuple[Hop, ...] = (), tables: str = "", **changes: Any) -> Datastore:
    datastore = Datastore.objects.get(pk=datastore.pk)
    settings = ScriptedSettings(**changes)
    update_datastore(
        datastore, name=datastore.name, settings=settings, include_schemas="", include_tables=tables, hops=hops,
        tested=True,
    )  # fmt: skip
    return Datastore.objects.get(pk=datastore.pk)


def told(run: Run) -> set[tuple[str, str]]:
    return set(Change.objects.filter(run_id=run.pk).values_list("subject", "kind"))


def test_the_ids_of_another_database_are_nobodys(register: Register, cast: Cast) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS, scopes=[SHOP])
    look(datastore)
    orders = Relation.objects.get(name="orders")
    describe(cast.ana, AssetKind.RELATION, orders.pk, "What was sold")
    datastore = turn(datastore, host="elsewhere")
    show(SALARIES, scopes=[PAYROLL])
    for _ in range(2):  # the second look agrees that so much is gone
        run = look(datastore)
    assert not Change.objects.filter(kind__in=["renamed", "moved", "restored"]).exists()
    assert Relation.objects.get(name="salaries").pk != orders.pk
    assert Description.objects.get().asset_id == orders.pk
    assert told(run) == {("shop", "removed"), ("shop.orders", "removed"), ("shop.customers", "removed")}


def test_what_has_the_same_name_there_keeps_its_identity_and_gets_the_new_ids(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS, scopes=[SHOP])
    look(datastore)
    before = dict(Relation.objects.values_list("name", "pk"))
    datastore = turn(datastore, host="elsewhere")
    crossed = (
        table("orders", "id integer", "total numeric(10,2)", native="2"),
        table("customers", "id integer", "email text", native="1"),
    )
    show(*crossed, scopes=[SHOP])
    assert told(look(datastore)) <= {("shop.orders", "changed"), ("shop.customers", "changed")}
    assert dict(Relation.objects.values_list("name", "pk")) == before
    # From now on, ids are those of the new place, and they are followed again.
    show(table("sold", "id integer", "total numeric(10,2)", native="2"), crossed[1], scopes=[SHOP])
    assert told(look(datastore)) == {("shop.sold", "renamed")}
    assert Relation.objects.get(name="sold").pk == before["orders"]


def test_columns_are_not_followed_there_by_their_ids(register: Register) -> None:
    datastore = register()
    show(ORDERS, scopes=[SHOP])
    look(datastore)
    columns = dict(Column.objects.values_list("name", "pk"))
    datastore = turn(datastore, host="elsewhere")
    show(table("orders", "secret text", "kind money", "id integer", native="1"), scopes=[SHOP])
    run = look(datastore)
    assert not Change.objects.filter(run_id=run.pk, kind="renamed", certainty="certain").exists()
    assert Column.objects.get(name="id").pk == columns["id"]


def test_what_was_retired_before_is_not_brought_back_by_an_id_of_there(register: Register) -> None:
    datastore = register()
    kept = [table(f"kept_{number}", "id integer", native=f"5{number}") for number in range(5)]
    show(ORDERS, *kept, scopes=[SHOP])
    look(datastore)
    show(*kept, scopes=[SHOP])
    look(datastore)
    orders = Relation.objects.get(name="orders")
    assert orders.retired_at
    datastore = turn(datastore, host="elsewhere")
    look(datastore)
    show(*kept, table("invoices", "id integer", "total numeric(10,2)", "due date", native="1"), scopes=[SHOP])
    assert told(look(datastore)) == {("shop.invoices", "added")}
    assert Relation.objects.get(name="invoices").pk != orders.pk


def test_a_look_that_was_not_whole_leaves_doubt(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS, scopes=[SHOP])
    look(datastore)
    datastore = turn(datastore, host="elsewhere")
    show(CUSTOMERS, scopes=[Scope(name="shop", native_id="9", completeness=Completeness.PARTIAL)])
    look(datastore)
    show(CUSTOMERS, table("parcels", "weight numeric(5,1)", native="1"), scopes=[SHOP])
    assert told(look(datastore)) == {("shop.parcels", "added"), ("shop.orders", "removed")}


def test_what_a_filter_hid_during_a_move_is_known_by_its_name(register: Register) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS, scopes=[SHOP])
    look(datastore)
    datastore = turn(datastore, host="elsewhere", tables="!orders")
    look(datastore)
    datastore = turn(datastore, host="elsewhere")
    show(CUSTOMERS, table("parcels", "weight numeric(5,1)", native="1"), scopes=[SHOP])
    assert told(look(datastore)) == {("shop.parcels", "added"), ("shop.orders", "removed")}


@pytest.mark.parametrize(
    ("change", "follows"),
    [
        pytest.param({"connect_timeout": 60}, True, id="a time-out"),
        pytest.param({"host": "elsewhere"}, False, id="the host"),
        pytest.param({"hops": (Hop("bastion.lan", 22, "mm"),)}, False, id="the way"),
    ],
)
def test_only_where_it_leads_matters(
    register: Register, change: dict[str, Any], follows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    datastore = register()
    show(ORDERS, CUSTOMERS, scopes=[SHOP])
    look(datastore)
    datastore = turn(datastore, **change)
    monkeypatch.setattr("metamapper.datastores.services.tunnel_for", lambda *_: None)
    show(table("sold", "x date", native="1"), CUSTOMERS, scopes=[SHOP])
    look(datastore)
    assert Change.objects.filter(kind="renamed").exists() is follows
