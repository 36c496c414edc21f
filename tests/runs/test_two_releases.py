"""Releases side by side during an upgrade, and processes whose own clocks are wrong: neither is noticed."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED
from django.utils import timezone

from metamapper.runs.invariants import broken
from metamapper.runs.leases import claim, heartbeat
from metamapper.runs.models import Run, Schedule, Trigger
from metamapper.runs.reaper import reap
from metamapper.runs.scheduler import Ledger
from metamapper.runs.services import finish, metastore_now, request_run, set_schedule
from tests.runs.ledger import fresh, make_datastore

pytestmark = pytest.mark.django_db
FIRST = ("runs", "0003_canary")
"""Before the first column was added to a table that older workers write."""


def test_what_an_older_release_writes_is_accepted() -> None:
    """Workers of the release before know nothing of columns that came since: the metastore fills them in."""
    older = MigrationLoader(connection).project_state([FIRST]).apps
    for old in older.get_app_config("runs").get_models():
        known = {field.column for field in old._meta.concrete_fields}
        for field in apps.get_model("runs", old.__name__)._meta.concrete_fields:
            filled = field.null or field.db_default is not NOT_PROVIDED
            assert field.column in known or filled, f"{old.__name__}.{field.name}: an older worker cannot write it"


def test_what_an_older_release_reads_is_still_there() -> None:
    older = MigrationLoader(connection).project_state([FIRST]).apps
    for old in older.get_app_config("runs").get_models():
        present = {field.column for field in apps.get_model("runs", old.__name__)._meta.concrete_fields}
        assert {field.column for field in old._meta.concrete_fields} <= present, old.__name__


@pytest.mark.parametrize("days", [-1, 1])
def test_a_process_whose_clock_is_a_day_off_does_as_all_others(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """F16. Schedules, leases and back-off are timed by the metastore alone."""
    other = request_run(make_datastore(), trigger=Trigger.MANUAL)
    assert claim(other.pk, owner="right/1")
    datastore = make_datastore()
    set_schedule(datastore, interval_seconds=900)
    Schedule.objects.update(next_due_at=metastore_now() - timedelta(seconds=1))
    _set_off(monkeypatch, timedelta(days=days))
    assert abs(timezone.now() - metastore_now()) > timedelta(hours=23), "the clock of this process is off"

    sent: list[Any] = []
    Ledger("wrong/2/x", sent.append).tick()
    run = Run.objects.get(datastore=datastore)
    assert sent == [run.pk]
    lease = claim(run.pk, owner="wrong/2")
    assert lease
    assert heartbeat(lease)
    assert reap() == 0
    finish(lease, state="succeeded")
    now = metastore_now()
    ended = fresh(run)
    for moment in (ended.created_at, ended.started_at, ended.finished_at, fresh(other).heartbeat_at):
        assert moment
        assert abs(now - moment) < timedelta(minutes=1)
    due = Schedule.objects.get(datastore=datastore).next_due_at
    assert due
    assert timedelta(0) < due - now <= timedelta(seconds=900)
    # The slot was made due by hand, and is none of the grid's: that alone is out of count.
    assert broken().keys() <= {"every_slot_is_a_run_or_counted"}


def _set_off(patch: pytest.MonkeyPatch, by: timedelta) -> None:
    seconds, nanoseconds = time.time, time.time_ns
    patch.setattr(time, "time", lambda: seconds() + by.total_seconds())
    patch.setattr(time, "time_ns", lambda: nanoseconds() + int(by.total_seconds()) * 10**9)
    patch.setattr(timezone, "now", lambda: datetime.now(UTC) + by)
