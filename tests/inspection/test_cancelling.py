"""A running inspection is stopped within a heartbeat, and so is its statement in the datastore: the server says so."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections

from metamapper.catalog.models import Relation
from metamapper.connectors.registry import from_url
from metamapper.datastores.services import create_datastore
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, State, Trigger
from metamapper.runs.services import cancel_run, request_run, set_schedule
from tests.cast import Cast, assemble
from tests.support.databases import run_sql
from tests.support.eventually import eventually

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
ACTIVE = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'metamapper' AND wait_event_type = 'Lock'"
)
OURS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'metamapper'"


@pytest.fixture(autouse=True)
def scripted_engines() -> None:
    """A real PostgreSQL stands behind this test."""


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return assemble()


@pytest.fixture
def stuck(postgresql_url: str, cast: Cast, settings: Any) -> Iterator[tuple[Run, Callable[[str], int]]]:
    """A run whose read waits for a lock that nobody lets go, with a way to ask the server."""
    settings.METAMAPPER_RUNS = {"heartbeat": 0.3}
    run_sql(postgresql_url, "CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT * FROM t")
    engine, found = from_url(postgresql_url)
    datastore = create_datastore(
        cast.larkspur,
        name="source",
        engine=engine.name,
        settings=found,
        user=cast.ana,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(datastore, enabled=False)
    run = request_run(datastore, trigger=Trigger.MANUAL)
    with psycopg.connect(postgresql_url) as locker, psycopg.connect(postgresql_url, autocommit=True) as observer:
        locker.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")

        def number(query: str) -> int:
            row = observer.execute(query).fetchone()  # type: ignore[call-overload]
            return int(row[0])

        yield run, number


def test_cancelling_ends_the_statement_too(stuck: tuple[Run, Callable[[str], int]], cast: Cast) -> None:
    run, number = stuck

    def work() -> None:
        try:
            execute(run.pk, owner="test/1")
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    eventually(lambda: number(ACTIVE) == 1)
    assert cancel_run(run, user=cast.ana)
    eventually(lambda: number(OURS) == 0, within=5)
    worker.join(10)
    run.refresh_from_db()
    assert (run.state, run.cancel_requested_by) == (State.CANCELLED, cast.ana)
    assert not Relation.objects.exists()
