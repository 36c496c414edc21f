"""The state machine, arrow by arrow: each is taken once, by whoever holds the lease, or not at all."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from metamapper.datastores.models import Datastore
from metamapper.runs.due import create_due_runs
from metamapper.runs.models import Attempt, Run, Schedule, State, Trigger
from metamapper.runs.reaper import hand_over, reap, take_from_dead
from metamapper.runs.services import (
    Lease,
    LeaseLost,
    Standing,
    cancel_run,
    cancelled,
    claim,
    fail,
    finish,
    guard,
    heartbeat,
    request_run,
    set_schedule,
    standing,
)
from metamapper.runs.timing import timing
from tests.runs.ledger import Clock, fresh, make_datastore

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sound", "clock")]
OWNER = "worker-1/100"


def requested(datastore: Datastore, trigger: Trigger = Trigger.MANUAL) -> Run:
    return request_run(datastore, trigger=trigger)


def claimed(run: Run, owner: str = OWNER) -> Lease:
    lease = claim(run.pk, owner=owner)
    assert lease
    return lease


def finished(lease: Lease) -> None:
    with transaction.atomic():
        guard(lease)
        finish(lease, state=State.SUCCEEDED, counts={"relations": 3})


def failed(lease: Lease, *, permanent: bool = False, code: str = "connection.refused") -> State:
    return fail(lease, code=code, outcome={"code": code}, permanent=permanent)


def test_a_request_makes_a_schedule_and_one_waiting_run(datastore: Datastore, clock: Clock) -> None:
    first, second = requested(datastore), requested(datastore)
    assert first == second
    assert (first.number, first.state, first.available_at) == (1, State.QUEUED, clock.now)
    assert Schedule.objects.get().datastore == datastore


def test_a_run_is_claimed_once(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    lease = claimed(run)
    assert claim(run.pk, owner="worker-2/1") is None
    run = fresh(run)
    assert (run.state, run.attempt, run.fence, run.lease_owner) == (State.RUNNING, 1, lease.fence, OWNER)
    assert run.lease_expires_at == clock.now + timedelta(seconds=90)
    assert run.started_at == clock.now


def test_messages_that_name_nothing_to_do_are_nothing(datastore: Datastore) -> None:
    assert claim(uuid4(), owner=OWNER) is None
    run = requested(datastore)
    finished(claimed(run))
    assert claim(run.pk, owner=OWNER) is None


def test_a_datastore_has_one_running_run(datastore: Datastore) -> None:
    lease = claimed(requested(datastore))
    waiting = requested(datastore)
    assert waiting.pk != lease.run_id
    assert claim(waiting.pk, owner="worker-2/1") is None
    finished(lease)
    assert claim(waiting.pk, owner="worker-2/1")


def test_a_finished_run_says_what_it_saw(datastore: Datastore, clock: Clock) -> None:
    lease = claimed(requested(datastore))
    clock.advance(12)
    finished(lease)
    run = Run.objects.get()
    assert (run.state, run.finished_at, run.counts) == (State.SUCCEEDED, clock.now, {"relations": 3})
    assert standing(lease) is Standing.ENDED
    assert Attempt.objects.get().outcome_code == "succeeded"


def test_a_run_finishes_as_succeeded_or_partial_only(datastore: Datastore) -> None:
    lease = claimed(requested(datastore))
    with pytest.raises(ValueError, match="not as dead"):
        finish(lease, state=State.DEAD)


def test_an_end_rolls_back_with_its_results(datastore: Datastore) -> None:
    lease = claimed(requested(datastore))

    def apply() -> None:
        with transaction.atomic():
            guard(lease)
            finish(lease, state=State.SUCCEEDED)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        apply()
    assert standing(lease) is Standing.HELD


def test_a_heartbeat_extends_the_lease_and_tells_progress(datastore: Datastore, clock: Clock) -> None:
    lease = claimed(requested(datastore))
    clock.advance(80)
    assert heartbeat(lease, {"phase": "columns", "done": 3})
    clock.advance(80)
    assert reap() == 0
    assert Run.objects.get().progress == {"phase": "columns", "done": 3}


def test_a_heartbeat_ends_at_the_deadline(datastore: Datastore, clock: Clock) -> None:
    lease = claimed(requested(datastore))
    for _ in range(15):
        clock.advance(80)
        assert heartbeat(lease)
    clock.now = lease.deadline_at
    assert not heartbeat(lease)
    assert standing(lease) is Standing.OVERDUE
    clock.advance(91)
    assert reap() == 1


@pytest.mark.django_db(transaction=True)
def test_the_guard_protects_a_transaction_only(datastore: Datastore) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        guard(claimed(requested(datastore)))


@pytest.mark.django_db(transaction=True)
def test_a_zombie_writes_nothing(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    zombie = claimed(run)
    clock.advance(91)
    assert reap() == 1
    other = claimed(run, "worker-2/1")
    assert other.fence > zombie.fence
    for write in (
        finished,
        failed,
        cancelled,
        lambda lease: finish(lease, state=State.PARTIAL),
    ):
        with pytest.raises(LeaseLost):
            write(zombie)
    assert not heartbeat(zombie)
    assert standing(zombie) is Standing.LOST
    assert standing(other) is Standing.HELD
    finished(other)
    assert fresh(run).lost_count == 1


def test_a_zombie_of_a_waiting_run_writes_nothing(datastore: Datastore, clock: Clock) -> None:
    zombie = claimed(requested(datastore))
    clock.advance(91)
    reap()
    with pytest.raises(LeaseLost):
        finished(zombie)


def test_a_lease_that_was_late_but_not_reaped_still_holds(datastore: Datastore, clock: Clock) -> None:
    lease = claimed(requested(datastore))
    clock.advance(600)
    finished(lease)
    assert reap() == 0


def test_three_losses_are_death(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    for _ in range(3):
        claimed(run)
        clock.advance(91)
        reap()
    run = fresh(run)
    assert (run.state, run.attempt, run.lost_count) == (State.DEAD, 3, 3)
    assert run.outcome["code"] == "worker.lost"
    assert Schedule.objects.get().consecutive_failures == 1


def test_a_dead_child_is_taken_from_at_once_and_others_are_not(datastore: Datastore) -> None:
    mine, other = requested(datastore), requested(make_datastore())
    claimed(mine, "worker-1/100")
    claimed(other, "worker-1/1000")
    assert take_from_dead(["worker-1/100"]) == 1
    assert (fresh(mine).state, fresh(other).state) == (State.QUEUED, State.RUNNING)


def test_a_stopping_worker_hands_over_without_blame(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    for _ in range(5):
        claimed(run)
        assert hand_over("worker-1") == 1
    run = fresh(run)
    assert (run.state, run.attempt, run.lost_count, run.available_at) == (State.QUEUED, 5, 0, clock.now)


def test_transient_errors_are_tried_again_three_times(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    for expected in (60, 300, 900):
        assert failed(claimed(run)) == State.QUEUED
        wait = (fresh(run).available_at - clock.now).total_seconds()
        assert 0.8 * expected <= wait <= 1.2 * expected
        assert claim(run.pk, owner=OWNER) is None
        clock.advance(wait)
    assert failed(claimed(run)) == State.FAILED
    assert fresh(run).outcome == {"code": "connection.refused"}


def test_losses_do_not_use_up_retries(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    claimed(run)
    hand_over("worker-1")
    claimed(run)
    clock.advance(91)
    reap()
    for _ in range(3):
        assert failed(claimed(run)) == State.QUEUED
        clock.advance(1200)
    assert failed(claimed(run)) == State.FAILED


def test_permanent_errors_are_not_tried_again(datastore: Datastore) -> None:
    assert failed(claimed(requested(datastore)), permanent=True, code="sign_in.failed") == State.FAILED


def test_a_button_press_ends_the_wait_for_a_retry(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore, Trigger.INITIAL)
    failed(claimed(run))
    assert requested(datastore) == run
    assert fresh(run).available_at == clock.now
    assert claim(run.pk, owner=OWNER)


def test_a_retry_gives_way_to_a_newer_run(datastore: Datastore) -> None:
    old = requested(datastore)
    lease = claimed(old)
    newer = requested(datastore)
    assert failed(lease) == State.SUPERSEDED
    assert (fresh(old).state, fresh(newer).state) == (State.SUPERSEDED, State.QUEUED)
    assert fresh(old).outcome_code == "connection.refused"


def test_runs_that_always_give_way_open_the_breaker_too(datastore: Datastore, clock: Clock) -> None:
    """Where each run outlasts the interval, a newer one always waits when it fails."""
    lease = claimed(requested(datastore))
    schedule = Schedule.objects.get(pk=datastore.pk)
    for _ in range(timing().breaker_after):
        clock.now += timedelta(seconds=schedule.interval_seconds)
        create_due_runs()
        assert failed(lease) == State.SUPERSEDED
        lease = claimed(Run.objects.get(datastore=datastore, state=State.QUEUED))
    schedule.refresh_from_db()
    assert schedule.consecutive_failures == timing().breaker_after
    assert schedule.breaker_until


def test_a_waiting_run_is_cancelled_at_once(datastore: Datastore, clock: Clock) -> None:
    run = requested(datastore)
    assert cancel_run(run, user=None)
    assert (fresh(run).state, fresh(run).finished_at) == (State.CANCELLED, clock.now)
    assert claim(run.pk, owner=OWNER) is None
    assert not cancel_run(run, user=None)


def test_a_running_run_is_told_to_stop(datastore: Datastore) -> None:
    run = requested(datastore)
    lease = claimed(run)
    assert cancel_run(run, user=None)
    assert not heartbeat(lease)
    assert standing(lease) is Standing.CANCEL
    cancelled(lease, statements=["SELECT 1"])
    assert (fresh(run).state, fresh(run).statements) == (State.CANCELLED, ["SELECT 1"])


@pytest.mark.parametrize("ending", [failed, lambda _: take_from_dead([OWNER]), lambda _: hand_over("worker-1")])
def test_a_run_to_be_cancelled_is_not_tried_again(datastore: Datastore, ending: object) -> None:
    run = requested(datastore)
    lease = claimed(run)
    cancel_run(run, user=None)
    assert callable(ending)
    ending(lease)
    assert fresh(run).state == State.CANCELLED


def test_a_run_that_finishes_before_it_hears_of_the_cancel_has_succeeded(datastore: Datastore) -> None:
    run = requested(datastore)
    lease = claimed(run)
    cancel_run(run, user=None)
    finished(lease)
    assert fresh(run).state == State.SUCCEEDED


def test_a_success_ends_the_streak_of_failures(datastore: Datastore) -> None:
    for _ in range(2):
        failed(claimed(requested(datastore)), permanent=True)
    assert Schedule.objects.get().consecutive_failures == 2
    finished(claimed(requested(datastore)))
    assert Schedule.objects.get().consecutive_failures == 0


def test_a_deleted_datastore_takes_its_run_along(datastore: Datastore) -> None:
    lease = claimed(requested(datastore))
    datastore.delete()
    assert not heartbeat(lease)
    with pytest.raises(LeaseLost):
        finished(lease)
    with pytest.raises(LeaseLost):
        failed(lease)


def test_numbers_count_up_for_each_datastore(datastore: Datastore) -> None:
    other = make_datastore()
    for expected in (1, 2, 3):
        run = requested(datastore)
        assert run.number == expected
        finished(claimed(run))
    assert requested(other).number == 1


def test_a_schedule_is_paused_and_goes_on(datastore: Datastore, clock: Clock) -> None:
    schedule = set_schedule(datastore, interval_seconds=900)
    assert schedule.next_due_at
    assert clock.now < schedule.next_due_at <= clock.now + timedelta(seconds=900)
    paused = set_schedule(datastore, enabled=False)
    assert (paused.next_due_at, paused.paused_at) == (None, clock.now)
    assert set_schedule(datastore, enabled=True).next_due_at == schedule.next_due_at


def test_an_interval_is_positive(datastore: Datastore) -> None:
    with pytest.raises(ValueError, match="none"):
        set_schedule(datastore, interval_seconds=0)


def test_a_run_that_was_stopped_at_its_deadline_was_not_cancelled_by_anybody(
    datastore: Datastore, clock: Clock
) -> None:
    run = requested(datastore)
    lease = claimed(run)
    clock.now = lease.deadline_at
    cancelled(lease)
    assert (fresh(run).state, fresh(run).outcome_code) == (State.QUEUED, "time.limit")
