"""Real workers and schedulers, killed and frozen: every run ends once, and well."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from metamapper.datastores.models import Datastore
from metamapper.runs.health import health, round_trip
from metamapper.runs.invariants import broken
from metamapper.runs.models import Attempt, Run, SchedulerLease, State, Trigger, WorkerHeartbeat
from metamapper.runs.services import cancel_run, request_run
from tests.runs.ledger import fresh, make_datastore
from tests.runs.processes import Site, site

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """As people run them together: Redis beside PostgreSQL, the embedded broker beside SQLite."""
    with site(tmp_path, request.getfixturevalue("redis_url") if connection.vendor == "postgresql" else "") as place:
        yield place
    assert broken() == {}


def behaving(tmp_path: Path, **behaviour: object) -> Datastore:
    made = make_datastore()
    Datastore.objects.filter(pk=made.pk).update(public_settings=behaviour)
    return made


def requested(datastore: Datastore) -> Run:
    return request_run(datastore, trigger=Trigger.MANUAL)


def is_in(run: Run, state: State) -> bool:
    return fresh(run).state == state


def holder(run: Run) -> int:
    """The process that works on the run."""
    lease_owner = fresh(run).lease_owner
    assert lease_owner
    return int(lease_owner.rpartition("/")[2])


def test_a_run_is_done_by_a_worker_that_a_scheduler_woke(place: Site, tmp_path: Path) -> None:
    run = requested(behaving(tmp_path))
    place.beat()
    place.worker()
    place.until(lambda: is_in(run, State.SUCCEEDED), within=40)
    assert fresh(run).dispatch_count >= 1
    place.until(lambda: WorkerHeartbeat.objects.filter(slots=2).exists())


def test_a_canary_comes_back_and_everything_is_well(place: Site, tmp_path: Path) -> None:
    file = tmp_path / "alive"
    beat = place.celery("beat", METAMAPPER_ALIVE_FILE=str(file))
    place.until(file.exists, beat, within=40)
    file.unlink()
    worker = place.worker(METAMAPPER_ALIVE_FILE=str(file))
    place.until(lambda: round_trip() is not None, worker, within=40)
    assert file.exists()
    assert health().is_well
    assert {health().scheduler["status"], health().worker["status"]} == {"healthy"}


def test_every_start_says_what_is_in_force_and_no_secret(place: Site) -> None:
    for process in (place.worker(), place.beat()):
        place.until(lambda process=process: process.said("task_time_limit"), process, within=40)
        assert process.said("METAMAPPER_HOME")
        assert process.said("METAMAPPER_SECRET_KEY")
        for secret in (settings.SECRET_KEY, *settings.METAMAPPER_FERNET_KEYS):
            assert not process.said(secret)


def test_a_killed_child_gives_its_run_back_at_once(place: Site, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = requested(behaving(tmp_path, gate=str(gate)))
    place.beat()
    place.ready_worker()
    place.until(lambda: is_in(run, State.RUNNING) and fresh(run).progress)
    first = holder(run)
    os.kill(first, signal.SIGKILL)
    # Sooner than the lease of 3 s would end: the parent saw it.
    place.until(lambda: fresh(run).lost_count == 1, within=2.5)
    place.until(lambda: is_in(run, State.RUNNING) and holder(run) != first)
    gate.touch()
    place.until(lambda: is_in(run, State.SUCCEEDED))
    assert list(Attempt.objects.order_by("number").values_list("outcome_code", flat=True)) == ["lost", "succeeded"]


@pytest.mark.either_metastore
def test_twenty_killed_children_cost_twenty_attempts_and_nothing_else(place: Site, tmp_path: Path) -> None:
    place.beat()
    place.ready_worker()
    runs = []
    for number in range(20):
        gate = tmp_path / f"gate-{number}"
        run = requested(behaving(tmp_path, gate=str(gate)))
        runs.append(run.pk)
        place.until(lambda run=run: is_in(run, State.RUNNING) and fresh(run).progress)
        os.kill(holder(run), signal.SIGKILL)
        gate.touch()
        place.until(lambda run=run: fresh(run).lost_count == 1, within=5)
    ours = Run.objects.filter(pk__in=runs)
    place.until(lambda: ours.filter(state=State.SUCCEEDED).count() == 20)
    assert set(ours.values_list("attempt", "lost_count")) == {(2, 1)}


def test_a_killed_worker_loses_its_lease_and_another_goes_on(place: Site, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = requested(behaving(tmp_path, gate=str(gate)))
    place.beat()
    worker = place.ready_worker()
    place.until(lambda: is_in(run, State.RUNNING))
    first = holder(run)
    worker.kill()
    place.ready_worker("two")
    place.until(lambda: is_in(run, State.RUNNING) and holder(run) != first)
    gate.touch()
    place.until(lambda: is_in(run, State.SUCCEEDED))


def test_a_stopped_worker_hands_its_run_over_in_time_and_without_blame(place: Site, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = requested(behaving(tmp_path, gate=str(gate), deaf=True))
    beat, worker = place.beat(), place.ready_worker()
    place.until(lambda: is_in(run, State.RUNNING))
    beat.kill(signal.SIGTERM)
    beat.wait()
    worker.kill(signal.SIGTERM)
    worker.wait(20)
    assert (fresh(run).state, fresh(run).lost_count) == (State.QUEUED, 0)
    assert Attempt.objects.get().outcome_code == "released"
    assert not WorkerHeartbeat.objects.exists()
    assert SchedulerLease.objects.get().expires_at is None


def test_an_idle_worker_and_scheduler_stop_within_seconds(place: Site) -> None:
    beat, worker = place.beat(), place.ready_worker()
    place.until(lambda: WorkerHeartbeat.objects.exists() and SchedulerLease.objects.filter(ticked_at__isnull=False))
    for process in (beat, worker):
        process.kill(signal.SIGTERM)
    assert beat.wait(10) == 0
    assert worker.wait(10) == 0


def test_a_run_that_kills_its_process_each_time_is_dead_after_three(place: Site, tmp_path: Path) -> None:
    poison, neighbour = requested(behaving(tmp_path, crash=True)), requested(behaving(tmp_path))
    place.beat()
    place.ready_worker()
    place.until(lambda: is_in(poison, State.DEAD), within=40)
    place.until(lambda: is_in(neighbour, State.SUCCEEDED))
    assert fresh(poison).attempt == 3


def test_a_frozen_process_that_wakes_up_writes_nothing(place: Site, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = requested(behaving(tmp_path, gate=str(gate), deaf=True))
    place.beat()
    worker = place.ready_worker()
    place.until(lambda: is_in(run, State.RUNNING))
    zombie = holder(run)
    os.kill(zombie, signal.SIGSTOP)
    place.until(lambda: is_in(run, State.RUNNING) and holder(run) != zombie)
    gate.touch()
    place.until(lambda: is_in(run, State.SUCCEEDED))
    fence = fresh(run).fence
    os.kill(zombie, signal.SIGCONT)
    place.until(lambda: worker.said("run.fenced"))
    assert (fresh(run).fence, fresh(run).counts) == (fence, {"relations": 2})


def test_a_running_run_is_cancelled_within_a_heartbeat(place: Site, tmp_path: Path) -> None:
    run = requested(behaving(tmp_path, gate=str(tmp_path / "never")))
    place.beat()
    place.ready_worker()
    place.until(lambda: is_in(run, State.RUNNING))
    cancel_run(run, user=None)
    place.until(lambda: fresh(run).state in {State.CANCELLED, State.SUCCEEDED}, within=5)


def test_two_schedulers_and_the_death_of_the_leader(place: Site, tmp_path: Path) -> None:
    beats = {}
    for _ in range(2):
        process = place.beat()
        beats[process.pid] = process
    place.ready_worker()
    place.until(lambda: SchedulerLease.objects.exclude(owner="").exists())
    leader = int(SchedulerLease.objects.get().owner.split("/")[1])
    beats[leader].kill()
    run = requested(behaving(tmp_path))
    place.until(lambda: is_in(run, State.SUCCEEDED))
    assert int(SchedulerLease.objects.get().owner.split("/")[1]) in set(beats) - {leader}
