"""Many at once: schedulers, workers and frozen processes meet in the metastore, and each thing still happens once."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, connection, connections, transaction
from django.test import override_settings

from metamapper.runs import due
from metamapper.runs.dispatch import dispatch
from metamapper.runs.due import create_due_runs
from metamapper.runs.forgetting import forget_runs
from metamapper.runs.invariants import broken
from metamapper.runs.models import Run, Schedule, State, Trigger
from metamapper.runs.reaper import reap
from metamapper.runs.services import (
    Heartbeat,
    LeaseLost,
    Standing,
    cancel_run,
    claim,
    finish,
    guard,
    heartbeat,
    metastore_now,
    request_run,
    set_schedule,
)
from tests.runs.ledger import Broker, fresh, make_datastore, make_workspace
from tests.support.eventually import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
SHORT = {"heartbeat": 0.1, "progress": 0.05, "lease": 0.2}


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """``work`` in as many threads, begun at one moment, each with a connection of its own."""
    ready = threading.Barrier(count)

    def started(each: int) -> Any:
        try:
            ready.wait()
            return work(each)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(started, range(count)))


def all_due(count: int) -> None:
    workspace = make_workspace()
    for _ in range(count):
        set_schedule(make_datastore(workspace))
    Schedule.objects.update(next_due_at=metastore_now())


def test_schedulers_at_once_turn_each_slot_into_one_run() -> None:
    """Slots of this test are not on the grid, so only what counts runs is asked."""
    all_due(120)
    with override_settings(METAMAPPER_RUNS={"due_batch": 7}):
        created = at_once(5, lambda _: create_due_runs())
    assert sum(created) == Run.objects.count() == 120
    assert Run.objects.values("datastore").distinct().count() == 120


def test_without_locks_the_unique_index_still_refuses_a_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    all_due(1)
    schedule = Schedule.objects.get()
    assert due._turn_into_runs([schedule], metastore_now()) == 1
    monkeypatch.setattr(due, "_taken", lambda *_: due.Taken(frozenset(), frozenset()))
    stale = Schedule.objects.get()
    with pytest.raises(Error), transaction.atomic():
        due._turn_into_runs([stale], metastore_now())
    assert Run.objects.count() == 1


def test_a_run_is_claimed_by_one_of_many() -> None:
    run = request_run(make_datastore(), trigger=Trigger.MANUAL)
    leases = at_once(8, lambda each: claim(run.pk, owner=f"w/{each}"))
    assert len([lease for lease in leases if lease]) == 1
    assert broken() == {}


def test_a_run_is_requested_once_by_many() -> None:
    made = make_datastore()
    runs = at_once(8, lambda _: request_run(made, trigger=Trigger.MANUAL).pk)
    assert len(set(runs)) == 1
    assert broken() == {}


def test_a_message_is_sent_by_one_of_many_schedulers() -> None:
    for _ in range(20):
        request_run(make_datastore(), trigger=Trigger.MANUAL)
    brokers = [Broker() for _ in range(4)]
    at_once(4, lambda each: dispatch(brokers[each].publish))
    sent = Counter(run_id for broker in brokers for run_id in broker)
    assert sent == Counter(Run.objects.values_list("pk", flat=True))


def test_everything_at_once_ends_soundly() -> None:
    """Requests, claims, ends, cancels and reaps of the same few datastores: no deadlock, no promise broken."""
    workspace = make_workspace()
    made = [make_datastore(workspace) for _ in range(3)]
    with override_settings(METAMAPPER_RUNS={"lease": 0.01}):
        at_once(6, lambda each: [_hustle(made[(each + turn) % 3], turn) for turn in range(12)])
    assert broken() == {}


def _hustle(made: Any, turn: int) -> None:
    run = request_run(made, trigger=Trigger.MANUAL)
    lease = claim(run.pk, owner="w/1")
    if turn % 3 == 0:
        reap()
    if turn % 5 == 0:
        cancel_run(run, user=None)
    if lease:
        try:
            with transaction.atomic():
                guard(lease)
                finish(lease, state=State.SUCCEEDED)
        except LeaseLost:
            assert fresh(run).fence != lease.fence or fresh(run).state != State.RUNNING


@pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has no row locks: it admits one writer at a time"
)
def test_the_guard_keeps_the_reaper_out_and_lets_the_heartbeat_pass() -> None:
    run = request_run(make_datastore(), trigger=Trigger.MANUAL)
    with override_settings(METAMAPPER_RUNS={"lease": 0}):
        lease = claim(run.pk, owner="w/1")
        assert lease
        with transaction.atomic():
            guard(lease)
            assert at_once(1, lambda _: (reap(), heartbeat(lease))) == [(0, True)]
            finish(lease, state=State.SUCCEEDED)
    assert fresh(run).state == State.SUCCEEDED


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no sessions that a server could cut")
def test_a_process_that_freezes_within_its_transaction_is_cut_and_reaped() -> None:
    run = request_run(make_datastore(), trigger=Trigger.MANUAL)
    with override_settings(METAMAPPER_RUNS={"lease": 0, "idle_in_transaction": 0.3}):
        lease = claim(run.pk, owner="w/1")
        assert lease

        def freeze_and_wake() -> None:
            with transaction.atomic():
                guard(lease)
                eventually(lambda: at_once(1, lambda _: reap()) == [1])
                finish(lease, state=State.SUCCEEDED)

        with pytest.raises(Error):
            freeze_and_wake()
        connection.close()
    assert (fresh(run).state, fresh(run).lost_count) == (State.QUEUED, 1)


@override_settings(METAMAPPER_RUNS={"idle_in_transaction": 0.5, "lock_wait": 20})
def test_a_scheduler_that_freezes_in_the_middle_of_a_batch_holds_nobody_up() -> None:
    """Its server cuts it, whatever the transaction is about; the slot gets its run from another, the button answers."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no sessions that a server could cut")
    all_due(1)
    holds, thaw = threading.Event(), threading.Event()

    def frozen() -> None:
        connections.close_all()
        try:
            with transaction.atomic():
                assert due._due_batch(metastore_now())
                holds.set()
                thaw.wait(60)
                metastore_now()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        freezing = pool.submit(frozen)
        assert holds.wait(20)
        assert request_run(Schedule.objects.get().datastore, trigger=Trigger.MANUAL).state == State.QUEUED
        thaw.set()
        with pytest.raises(Error):
            freezing.result(60)
    create_due_runs()
    assert not Schedule.objects.filter(next_due_at__lte=metastore_now()).exists()
    assert broken() == {}


def test_the_heartbeat_keeps_a_lease_and_writes_progress() -> None:
    run = request_run(make_datastore(), trigger=Trigger.MANUAL)
    with override_settings(METAMAPPER_RUNS=SHORT):
        lease = claim(run.pk, owner="w/1")
        assert lease
        first = fresh(run).lease_expires_at
        with Heartbeat(lease, on_lost=pytest.fail) as beat:
            for done in range(50):
                beat.progress({"done": done})
            eventually(lambda: fresh(run).progress == {"done": 49})
            eventually(lambda: fresh(run).lease_expires_at != first)
            finish(lease, state=State.SUCCEEDED)
    assert not beat.lost


@pytest.mark.parametrize(("end", "standing"), [("cancel", Standing.CANCEL), ("reap", Standing.LOST)])
def test_the_heartbeat_tells_that_the_work_must_stop(end: str, standing: Standing) -> None:
    run = request_run(make_datastore(), trigger=Trigger.MANUAL)
    told = threading.Event()
    with override_settings(METAMAPPER_RUNS=SHORT):
        lease = claim(run.pk, owner="w/1")
        assert lease
        with Heartbeat(lease, on_lost=told.set) as beat:
            if end == "cancel":
                cancel_run(run, user=None)
            else:
                Run.objects.filter(pk=run.pk).update(lease_expires_at=run.created_at)
                assert eventually(reap)
            assert told.wait(10)
    assert beat.lost
    assert beat.standing is standing


def many_old_runs() -> None:
    """Two datastores, each with fifty old runs of which the last is kept."""
    old = metastore_now() - timedelta(days=100)
    for _ in range(2):
        datastore = make_datastore()
        set_schedule(datastore, enabled=False)
        Schedule.objects.filter(pk=datastore.pk).update(last_number=50)
        same = {"datastore": datastore, "state": State.SUCCEEDED, "outcome_code": "same", "tallied": True, "fence": 1}
        moments = {"available_at": old, "created_at": old, "finished_at": old}
        Run.objects.bulk_create(Run(number=number, **same, **moments) for number in range(1, 51))


def test_forgetting_at_once_counts_each_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metamapper.runs.forgetting.BATCH", 10)
    many_old_runs()

    def forget(_: int) -> int:
        return sum(forget_runs() for _ in range(8))

    assert sum(at_once(3, forget)) + sum(forget_runs() for _ in range(10)) == 98
    assert list(Schedule.objects.values_list("forgotten", flat=True)) == [49, 49]


def test_forgetting_passes_over_what_another_holds() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no row locks: it admits one writer at a time")
    many_old_runs()
    with transaction.atomic():
        list(Schedule.objects.select_for_update())
        assert at_once(1, lambda _: forget_runs()) == [0]
    assert forget_runs() == 98
