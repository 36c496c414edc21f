"""A worker killed with -9 at any statement leaves the catalog as it was or as it should be, and the run is done again."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now

from metamapper.catalog.models import Column, Relation
from metamapper.connectors.registry import engine
from metamapper.datastores.services import create_datastore
from metamapper.history.models import Change
from metamapper.inspection.services import execute
from metamapper.runs.endings import lose, take_back
from metamapper.runs.models import Attempt, Run, State, Trigger
from metamapper.runs.services import request_run, set_schedule
from tests.cast import assemble

BEFORE = "CREATE TABLE orders (id INTEGER PRIMARY KEY, total TEXT, placed_at DATE); CREATE TABLE gone (a, b); CREATE TABLE stays (c)"
AFTER = "ALTER TABLE orders RENAME TO purchases; DROP TABLE gone; CREATE TABLE new (x)"


@pytest.fixture(autouse=True)
def scripted_engines() -> None:
    """A real SQLite file stands behind these tests, for another process must read it too."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.sqlite3"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(BEFORE)
    return path


@pytest.fixture
def datastore(transactional_db: None, source: Path, settings: Any) -> Any:
    settings.METAMAPPER_ALLOWED_FOLDERS = [str(source.parent)]
    cast = assemble()
    sqlite = engine("sqlite")
    made = create_datastore(
        cast.larkspur,
        name="source",
        engine="sqlite",
        settings=sqlite.settings(path=str(source)),
        user=cast.ana,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(made, enabled=False)
    execute(request_run(made, trigger=Trigger.INITIAL).pk, owner="test/1")
    with closing(sqlite3.connect(source)) as file:
        file.executescript(AFTER)
    return made


def metastore_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgresql://{found['USER']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def work(run: Run, kill_at: int, source: Path) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "METAMAPPER_DATABASE_URL": metastore_url(),
        "METAMAPPER_ALLOWED_FOLDERS": str(source.parent),
    }
    command = [sys.executable, "-m", "tests.support.killed", str(run.pk), str(kill_at)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def state() -> tuple[Any, ...]:
    relations = Relation.objects.order_by("pk").values_list("pk", "name", "retired_at", "since")
    columns = Column.objects.order_by("pk").values_list("pk", "name", "retired_at")
    return list(relations), list(columns), Change.objects.count()


def reap(run: Run) -> None:
    """Let the lease run out, and do what the scheduler's reaper does."""
    Run.objects.filter(pk=run.pk, state=State.RUNNING).update(lease_expires_at=now() - timedelta(minutes=5))
    take_back(Run.objects.filter(pk=run.pk, state=State.RUNNING), lose)


def test_killed_before_any_statement(datastore: Any, source: Path) -> None:
    """Where is the last statement? Then: killed before each of them, spread over the whole of the work."""
    untouched = state()
    run = request_run(datastore, trigger=Trigger.MANUAL)
    for at in (3, 8, 13, 18, 22, 26, 30, 34, 38, 42):
        done = work(run, at, source)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert state() == untouched
        Run.objects.filter(pk=run.pk).update(lost_count=0)
        reap(run)
        run.refresh_from_db()
        assert run.state == State.QUEUED
    execute(run.pk, owner="test/1")
    run.refresh_from_db()
    assert (run.state, Change.objects.filter(run_id=run.pk, kind="renamed").count()) == (State.SUCCEEDED, 1), (
        run.outcome
    )
    assert set(Relation.objects.filter(retired_at=None).values_list("name", flat=True)) == {"purchases", "new", "stays"}
    kept = Change.objects.filter(run_id=run.pk).count()
    execute(run.pk, owner="test/late")
    assert Change.objects.filter(run_id=run.pk).count() == kept
    assert Attempt.objects.filter(run=run).count() == run.attempt


def test_a_worker_that_wakes_up_after_its_lease_was_taken_writes_nothing(datastore: Any, source: Path) -> None:
    from metamapper.runs.services import claim

    run = request_run(datastore, trigger=Trigger.MANUAL)
    before = state()

    class Thief:
        """While the first worker reads, its lease runs out and another claims the run."""

        stolen = False

        def read(self, *_: Any, **__: Any) -> None:
            if not self.stolen:
                self.stolen = True
                reap(run)
                assert claim(run.pk, owner="thief/1")

    thief = Thief()
    with pytest.MonkeyPatch.context() as patch:
        from metamapper.inspection import services

        original = services.read
        patch.setattr(services, "read", lambda *args, **kwargs: (thief.read(), original(*args, **kwargs))[1])
        execute(run.pk, owner="zombie/1")
    run.refresh_from_db()
    assert thief.stolen
    assert (run.state, run.lease_owner) == (State.RUNNING, "thief/1")
    assert state() == before
