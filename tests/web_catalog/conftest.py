"""Pages of a catalog that real inspections wrote: a SQLite file is changed, inspected, and looked at."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from metamapper.catalog.models import Column, Relation
    from metamapper.datastores.models import Datastore
    from metamapper.runs.models import Run
    from tests.cast import Cast


@pytest.fixture
def cast(db: None) -> "Cast":
    from tests.cast import assemble

    return assemble()


@dataclass
class Shop:
    """A datastore over a SQLite file, with what is needed to change it and to look at its pages."""

    cast: "Cast"
    datastore: "Datastore"
    file: Path

    def change(self, *statements: str) -> "Run":
        """Run statements on the file, then inspect it."""
        from metamapper.inspection.services import execute
        from metamapper.runs.models import Run, Trigger
        from metamapper.runs.services import request_run

        connection = sqlite3.connect(self.file)
        connection.executescript(";\n".join(statements))
        connection.close()
        run = request_run(self.datastore, trigger=Trigger.MANUAL)
        execute(run.pk, owner="test/1")
        done = Run.objects.get(pk=run.pk)
        assert done.state in {"succeeded", "partial"}, done.outcome
        return done

    def table(self, name: str) -> "Relation":
        from metamapper.catalog.models import Relation

        return Relation.objects.get(datastore=self.datastore, name=name)

    def column(self, table: str, name: str) -> "Column":
        from metamapper.catalog.models import Column

        return Column.objects.get(relation=self.table(table), name=name, retired_at=None)

    def href(self, name: str, tab: str = "") -> str:
        from metamapper.web import addresses

        return addresses.table("larkspur", self.datastore.slug, self.table(name).pk, name) + (f"{tab}/" if tab else "")

    @property
    def home(self) -> str:
        return f"/larkspur/datastores/{self.datastore.slug}/"

    def as_(self, person: Any) -> "Client":
        from tests.web.clients import as_user

        return as_user(person)


@pytest.fixture
def open_shop(cast: "Cast", tmp_path: Path, settings: Any) -> Callable[..., Shop]:
    from metamapper.connectors.registry import engine
    from metamapper.datastores.services import create_datastore
    from metamapper.runs.services import set_schedule

    settings.METAMAPPER_ALLOWED_FOLDERS = [str(tmp_path)]

    def opened(name: str = "shop", *statements: str) -> Shop:
        file = tmp_path / f"{name}.sqlite"
        sqlite3.connect(file).close()
        kind = engine("sqlite")
        datastore = create_datastore(
            cast.larkspur,
            name=name,
            engine=kind.name,
            settings=kind.settings(path=str(file)),  # type: ignore[call-arg]
            user=cast.ana,
            interval_seconds=3600,
            tested=True,
        )
        set_schedule(datastore)
        shop = Shop(cast, datastore, file)
        if statements:
            shop.change(*statements)
        return shop

    return opened


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop(
        "shop",
        "create table customers (id integer primary key, name text)",
        "create table orders (id integer primary key, customer_id integer not null references customers(id), "
        "total numeric(10,2) default 0, note text)",
        "create index ix_orders_total on orders(total)",
        "create view v_orders as select id, total from orders",
    )


@pytest.fixture
def just_before() -> Callable[[datetime], str]:
    return lambda moment: (moment - timedelta(microseconds=1)).isoformat()
