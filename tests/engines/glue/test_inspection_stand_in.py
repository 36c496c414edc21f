"""From a Data Catalog to our own: whole inspections by the code that workers run, from moto's server with our extension."""

from collections.abc import Callable
from typing import Any

import pytest

from metamapper.connectors.conformance.operations import CreateSchema, CreateTable, DropTable, NewColumn, Table
from metamapper.connectors.engines.glue import ENGINE
from tests.engines.glue.subject import LEAST, LakeSource

ORDERS = Table("orders")
Inspect = Callable[[], Any]


@pytest.fixture
def inspect(db: None, source: LakeSource) -> Inspect:
    """Inspect the source once more; the run that it was."""
    from metamapper.datastores.services import create_datastore
    from metamapper.inspection.services import execute
    from metamapper.runs.models import Run, Trigger
    from metamapper.runs.services import request_run, set_schedule
    from tests.cast import assemble

    cast = assemble()
    datastore = create_datastore(
        cast.larkspur,
        name="lake",
        engine=ENGINE.name,
        settings=source.settings,
        user=cast.ana,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(datastore, enabled=False)

    def run() -> Any:
        requested = request_run(datastore, trigger=Trigger.MANUAL)
        execute(requested.id, owner="test")
        return Run.objects.get(pk=requested.pk)

    return run


def changes_of(run: Any) -> set[tuple[str, str]]:
    from metamapper.history.models import Change

    return {(each.kind, ".".join(each.path)) for each in Change.objects.filter(run_id=run.pk)}


def with_type(source: LakeSource, kind: str) -> None:
    def changed(told: dict[str, Any]) -> dict[str, Any]:
        return {
            **told,
            "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}, {"Name": "who", "Type": kind}]},
        }

    source.administer(lambda: source.lake.change(ORDERS, changed))


def test_nested_fields_come_stay_and_go(source: LakeSource, inspect: Inspect) -> None:
    from metamapper.catalog.models import Column

    source.perform(CreateTable(ORDERS, (NewColumn("id"),)))
    with_type(source, "struct<name:string,address:array<struct<city:string>>>")
    assert inspect().state == "succeeded"
    found = {(tuple(each.nested_in), each.name) for each in Column.objects.filter(retired_at=None)}
    assert found == {((), "id"), ((), "who"), (("who",), "name"), (("who",), "address"), (("who", "address"), "city")}
    assert inspect().outcome_code == "same"
    with_type(source, "struct<name:string,address:array<struct<city:string,zip:string>>>")
    assert ("added", "sales.orders.who.address.zip") in changes_of(inspect())


def test_lost_rights_retire_nothing(source: LakeSource, inspect: Inspect) -> None:
    from metamapper.catalog.models import Relation

    source.perform(CreateTable(ORDERS, (NewColumn("id"),)), CreateSchema("other"))
    assert inspect().state == "succeeded"
    source.revoke("main")
    run = inspect()
    assert run.state == "partial"
    assert Relation.objects.filter(retired_at=None).count() == 1
    source.administer(lambda: source.people.let("least", [LEAST]))
    source.perform(DropTable(ORDERS))
    assert ("removed", "sales.orders") in changes_of(inspect())
