"""The built-in example: the shop's SQLite file is made, altered step by step, and inspected after each, as if three
weeks had passed. From then on it is a datastore like any other.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from django.conf import settings
from django.db import transaction

from metamapper.accounts.models import User
from metamapper.annotations.models import Description
from metamapper.catalog.models import Column, Relation
from metamapper.connectors.registry import engine
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from metamapper.inspection.services import execute
from metamapper.plugins import hooks
from metamapper.runs import services as runs
from metamapper.runs.models import Run, State, Trigger
from metamapper.workspaces.models import Workspace

NAME = "shop"


@dataclass(frozen=True, slots=True)
class Step:
    """A script of DDL, how many days ago it ran, and what people wrote about what was there then."""

    script: str
    days_ago: float
    descriptions: tuple[tuple[str, str], ...] = ()


STEPS = (
    Step(
        "01_opening.sql",
        21,
        (
            ("customers", "Everybody who ever bought, guests included."),
            ("customers.mail", "Where the invoice goes. Confirmed before the first order."),
            ("products.price", "Gross, in euro; what the page shows."),
            ("purchases", "One row per checkout. Never deleted, only cancelled."),
            ("purchases.total", "Sum of the lines after discounts, frozen at checkout."),
            ("gift_cards", "Cards sold and not yet used up."),
        ),
    ),
    Step(
        "02_payments.sql", 18, (("payments.method", "card, paypal or transfer."), ("shipments", "One row per parcel."))
    ),
    Step("03_email.sql", 14.2),
    Step("04_orders.sql", 9.1),
    Step("05_wider.sql", 6.3),
    Step("06_gift_cards_return.sql", 2.1),
    Step("07_fees.sql", 0.3, (("countries.vat_rate", "Per cent, the reduced rate is in products."),)),
)


class ExampleFailed(Exception):
    """The example could not be inspected; what its run says is why."""

    def __init__(self, run: Run) -> None:
        super().__init__(
            f"The example could not be loaded: {run.outcome.get('title', run.state)} {run.outcome.get('detail', '')}"
        )


def load(workspace: Workspace, user: User) -> Datastore:
    """Connect the example to a workspace, with its history; the one that is there if it was loaded before."""
    found = Datastore.objects.filter(workspace=workspace, is_example=True).first()
    if found is not None:
        return found
    path = Path(settings.METAMAPPER_HOME) / "example" / f"{workspace.pk}.sqlite3"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch()
    datastore = _register(workspace, user, path)
    for step in STEPS:
        _live_through(step, datastore, user, path)
    runs.set_schedule(datastore, enabled=True)
    # Its history ended some hours ago: a look at once makes it as fresh as any other.
    runs.request_run(datastore, trigger=Trigger.INITIAL, user=user)
    return datastore


def _register(workspace: Workspace, user: User, path: Path) -> Datastore:
    sqlite = engine("sqlite")
    datastore = create_datastore(
        workspace,
        name=NAME,
        engine=sqlite.name,
        settings=sqlite.settings(path=str(path)),
        user=user,
        interval_seconds=3600,
        include_schemas="",
        include_tables="",
        tested=True,
        is_example=True,
    )
    # Paused until the history is written, so that no worker looks in between.
    runs.set_schedule(datastore, enabled=False)
    return datastore


def _live_through(step: Step, datastore: Datastore, user: User, path: Path) -> None:
    moment = runs.metastore_now() - timedelta(days=step.days_ago)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(files(__name__).joinpath(step.script).read_text(encoding="utf-8"))
    run = runs.request_run(datastore, trigger=Trigger.INITIAL if step is STEPS[0] else Trigger.SCHEDULED)
    execute(run.pk, owner="example", at=moment)
    _date_back(Run.objects.get(pk=run.pk), moment)
    with transaction.atomic():
        for name, text in step.descriptions:
            _describe(datastore, user, name, text, moment + timedelta(hours=2))


def _date_back(run: Run, moment: datetime) -> None:
    if run.state != State.SUCCEEDED:
        raise ExampleFailed(run)
    run.created_at = run.started_at = moment
    run.finished_at = moment + timedelta(milliseconds=400)
    run.save(update_fields=["created_at", "started_at", "finished_at"])
    run.attempts.update(started_at=moment, ended_at=run.finished_at)


def _describe(datastore: Datastore, user: User, name: str, text: str, moment: datetime) -> None:
    table, _, column = name.partition(".")
    relation = Relation.objects.get(datastore=datastore, name=table, retired_at=None)
    asset_id = Column.objects.get(relation=relation, name=column, retired_at=None).pk if column else relation.pk
    Description.objects.create(
        datastore=datastore,
        asset="column" if column else "relation",
        asset_id=asset_id,
        text=text,
        author=user,
        at=moment,
    )
    hooks.annotation_changed(asset_id=asset_id)
