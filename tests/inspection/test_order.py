"""History is told in the order in which it happened, whatever clocks say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from metamapper.catalog.models import Hold, Relation
from metamapper.catalog.records import load_records
from metamapper.diffing.fields import settled
from metamapper.diffing.replay import replay
from metamapper.history.models import Change, RelationVersion
from metamapper.history.selectors import records_at, relation_at
from metamapper.history.values import as_change
from metamapper.inspection.decisions import decide_hold
from metamapper.runs.clock import clock_from
from metamapper.schema import Scope
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import show

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def replayed(datastore: Any) -> dict[Any, Any]:
    rows = Change.objects.filter(datastore=datastore).order_by("at", "order")
    return {each: settled(record) for each, record in replay(map(as_change, rows)).relations.items()}


def present(datastore: Any) -> dict[Any, Any]:
    living = Relation.objects.filter(datastore=datastore, retired_at=None).values_list("pk", flat=True)
    return {each: settled(record) for each, record in load_records(living).items()}


def test_a_clock_that_goes_back_turns_no_history_around(register: Register) -> None:
    datastore = register()
    with clock_from(lambda: NOON):
        show(table("orders", "id integer", native="1"))
        look(datastore)
    with clock_from(lambda: NOON - timedelta(days=1)):
        show(table("purchases", "id integer", native="1"))
        look(datastore)
        show(table("purchases", "id integer", "total integer", native="1"))
        look(datastore)
    assert replayed(datastore) == present(datastore)
    assert all(version.valid_from < version.valid_to for version in RelationVersion.objects.all())
    told = Change.objects.filter(datastore=datastore, asset="relation").order_by("at", "order")
    assert list(told.values_list("kind", flat=True)) == ["added", "renamed"]


def test_a_decision_in_the_same_moment_comes_after_what_it_decides(register: Register, cast: Any) -> None:
    datastore = register()
    with clock_from(lambda: NOON):
        show(*(table(f"t{number}", "id integer", native=str(number)) for number in range(3)))
        look(datastore)
        show(*(table(f"t{number}", "id bigint", native=str(number)) for number in range(3)))
        look(datastore)
        show(scopes=[])
        look(datastore)
        decide_hold(Hold.objects.get(), retire_them=True, user=cast.ana)
    assert replayed(datastore) == present(datastore) == {}
    assert all(version.valid_from < version.valid_to for version in RelationVersion.objects.all())


def test_the_past_bears_the_schema_s_name_of_then(register: Register, cast: Any) -> None:
    datastore = register()
    orders, lines = table("orders", "id integer", native="1"), table("lines", "id integer", native="2")
    with clock_from(lambda: NOON):
        show(orders, lines, scopes=[Scope(name="shop", native_id="9")])
        look(datastore)
    with clock_from(lambda: NOON + timedelta(hours=1)):
        changed = table("orders", "id bigint", native="1", schema="store")
        show(changed, replace(lines, schema="store"), scopes=[Scope(name="store", native_id="9")])
        look(datastore)
    for relation in Relation.objects.filter(datastore=datastore):
        then, now = (relation_at(cast.ana, relation, moment) for moment in (NOON, None))
        assert then is not None
        assert now is not None
        assert (then.record.relation.schema, now.record.relation.schema) == ("shop", "store"), relation.name
    ids = Relation.objects.values_list("pk", flat=True)
    assert {each.relation.schema for each in records_at(cast.ana, ids, NOON).values()} == {"shop"}
    assert {each.relation.schema for each in records_at(cast.ana, ids).values()} == {"store"}
