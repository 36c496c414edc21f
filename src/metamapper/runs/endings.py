"""How the work on a run ends: finished, failed, cancelled, lost, or handed back. Each is one conditional update.

Every ending locks the datastore's schedule before it touches a run, so that two of them never wait for each other.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from metamapper.plugins import hooks
from metamapper.runs import doorbell
from metamapper.runs.clock import metastore_now
from metamapper.runs.fences import next_fence
from metamapper.runs.leases import Lease, LeaseLost, held
from metamapper.runs.models import Attempt, Run, Schedule, State
from metamapper.runs.slots import breaker, jittered
from metamapper.runs.statements import ask, change, identity
from metamapper.runs.timing import timing

LOST, RELEASED = "lost", "released"
DETAILS = ("outcome_code", "outcome", "scopes", "counts", "statements")
"""What an ending may say of the work; what it does not say stays as it was."""


def finish(
    lease: Lease,
    *,
    state: State | str,
    outcome_code: str = "",
    outcome: Mapping[str, Any] | None = None,
    scopes: Sequence[Mapping[str, Any]] | None = None,
    counts: Mapping[str, Any] | None = None,
    statements: Sequence[Any] | None = None,
) -> None:
    """The run succeeded, wholly or in part. Call it last, within the transaction that applies the results.

    Raises ``LeaseLost``, which must roll that transaction back.
    """
    if state not in {State.SUCCEEDED, State.PARTIAL}:
        raise ValueError(f"A run finishes as succeeded or partial, not as {state}")
    with transaction.atomic(savepoint=False):
        now = metastore_now()
        failing = any(row[1] for row in ask("lock_schedule", datastore=lease.datastore_id))
        _end(
            lease,
            now,
            state=state,
            outcome_code=outcome_code,
            outcome=outcome,
            scopes=scopes,
            counts=counts,
            statements=statements,
        )
        if failing:
            change("streak_over", datastore=lease.datastore_id)


def fail(
    lease: Lease,
    *,
    code: str,
    outcome: Mapping[str, Any],
    permanent: bool,
    statements: Sequence[Any] | None = None,
    waits: Sequence[float] | None = None,
) -> State:
    """The attempt failed: the run is tried again later, or it has failed; how the run stands now.

    ``waits`` are the seconds to wait before each further try that this kind of error is worth (by default the ledger's back-off,
    none if ``permanent``). A run that was to be cancelled is cancelled. Commits by itself; raises ``LeaseLost``.
    """
    details: dict[str, Any] = {"outcome_code": code, "outcome": outcome, "statements": statements}
    tries = () if permanent else timing().backoff if waits is None else waits
    with transaction.atomic():
        now = metastore_now()
        lock_schedule(lease.datastore_id)
        run = held(lease).first()
        if run is None:
            raise LeaseLost(lease)
        if run.cancel_requested_at:
            return _end(
                lease,
                now,
                state=State.CANCELLED,
                attempt_code=code,
                outcome_code="cancelled",
                statements=statements,
            )
        failures = 1 + _failures(run)
        if failures <= len(tries):
            wait = jittered(tries[failures - 1], timing().jitter)
            state = requeue(run, now, code=code, available_at=now + wait, **details)
            if state is State.SUPERSEDED:  # not tried again: it has failed, whatever comes of the newer one
                count_failure(run, now)
            return state
        count_failure(run, now)
        return _end(lease, now, state=State.FAILED, attempt_code=code, **details)


TOO_LONG: Mapping[str, Any] = {
    "code": "time.limit",
    "title": "The inspection took too long",
    "detail": "It was stopped at its time limit.",
    "hint": "Narrow the scope, or raise task_soft_time_limit and task_time_limit in the Celery settings.",
    "permanent": False,
}


def cancelled(lease: Lease, *, statements: Sequence[Any] | None = None) -> None:
    """The work stopped because the heartbeat said so: somebody asked to cancel it, or else it is over its deadline.

    Commits by itself; raises ``LeaseLost``.
    """
    with transaction.atomic():
        now = metastore_now()
        lock_schedule(lease.datastore_id)
        if held(lease).filter(cancel_requested_at=None).exists():
            fail(lease, code="time.limit", outcome=TOO_LONG, permanent=False, statements=statements)
            return
        _end(lease, now, state=State.CANCELLED, outcome_code="cancelled", statements=statements)


def lose(run: Run, now: datetime) -> State:
    """Whoever held the lease is gone: the run waits again, or is dead if it took its worker with it too often.

    The caller holds the schedule's lock and, on PostgreSQL, the run's.
    """
    if run.cancel_requested_at:
        return _cancel_taken(run, now, LOST)
    if run.lost_count + 1 < timing().lost_limit:
        return requeue(run, now, code=LOST, available_at=now, lost=1)
    count_failure(run, now)
    outcome = {
        "code": "worker.lost",
        "title": "The worker was lost each time",
        "detail": f"{run.lost_count + 1} workers ended or froze while they were at this run.",
        "hint": "Look for memory limits and crashes in the workers' logs, then inspect again.",
        "permanent": True,
    }
    return _end(
        lease_of(run),
        now,
        state=State.DEAD,
        attempt_code=LOST,
        fence=next_fence(),
        lost=1,
        outcome_code="worker.lost",
        outcome=outcome,
    )


def release(run: Run, now: datetime) -> State:
    """A stopping worker hands its run back: it waits again, and nothing counts against it. The caller holds the locks."""
    if run.cancel_requested_at:
        return _cancel_taken(run, now, RELEASED)
    return requeue(run, now, code=RELEASED, available_at=now)


def _cancel_taken(run: Run, now: datetime, attempt_code: str) -> State:
    """Who held the lease is gone, and nobody wants the run any more. Its fence goes too: the holder may wake up."""
    fence = next_fence()
    return _end(
        lease_of(run), now, state=State.CANCELLED, attempt_code=attempt_code, outcome_code="cancelled", fence=fence
    )


def take_back(runs: QuerySet[Run], settle: Callable[[Run, datetime], State]) -> list[UUID]:
    """End the lease of each of ``runs`` by ``lose`` or ``release``, one transaction each; the ids of those that it took.

    Passes over what is locked: an apply in flight keeps its run, and another reaper its own.
    """
    candidates = list(runs.values_list("pk", "datastore_id"))
    return [pk for pk, datastore_id in candidates if _take_back(runs.filter(pk=pk), datastore_id, settle)]


def _take_back(one: QuerySet[Run], datastore_id: UUID, settle: Callable[[Run, datetime], State]) -> bool:
    with transaction.atomic():
        if not lock_schedule(datastore_id, wait=False).exists():
            return False
        run = one.select_for_update(skip_locked=True).first()
        if run is None:
            return False
        settle(run, metastore_now())
        return True


def requeue(run: Run, now: datetime, *, code: str, available_at: datetime, lost: int = 0, **details: Any) -> State:
    """The run waits again under a new fence; if a newer one waits already, that one takes its place."""
    lease = lease_of(run)
    if Run.objects.filter(datastore=run.datastore_id, state=State.QUEUED).exists():
        return _end(lease, now, state=State.SUPERSEDED, attempt_code=code, fence=next_fence(), lost=lost, **details)
    close_attempt(lease, now, code)
    _write(lease, "requeue", available=available_at, fence=next_fence(), lost=lost, **details)
    if available_at <= now:
        transaction.on_commit(partial(doorbell.ring, run.pk))
    return State.QUEUED


def _end(
    lease: Lease,
    now: datetime,
    *,
    state: State | str,
    attempt_code: str | None = None,
    fence: int | None = None,
    lost: int = 0,
    **details: Any,
) -> State:
    """The one way to a final state."""
    _write(lease, "end", state=str(state), now=now, fence=fence, lost=lost, **details)
    close_attempt(lease, now, attempt_code or str(state))
    # What waited behind this run may go now, without waiting for its message to be sent again.
    for row in ask("waiting", datastore=lease.datastore_id, now=now):
        pk = identity(row[0])
        Run.objects.filter(pk=pk, state=State.QUEUED).update(dispatched_at=None)
        transaction.on_commit(partial(doorbell.ring, pk))
    transaction.on_commit(partial(hooks.run_finished, run_id=lease.run_id), robust=True)
    return State(state)


def _write(lease: Lease, name: str, *, fence: int | None, **values: Any) -> None:
    """The run is no longer its holder's; raises ``LeaseLost`` where it was not before."""
    details = dict.fromkeys(DETAILS) | values
    if change(name, run=lease.run_id, fence=lease.fence, next_fence=fence, **details) != 1:
        raise LeaseLost(lease)


def close_attempt(lease: Lease, now: datetime, code: str) -> None:
    change("close_attempt", fence=lease.fence, now=now, code=code)


def _failures(run: Run) -> int:
    """How many attempts ended in an error of the work itself."""
    ended = Attempt.objects.filter(run=run, ended_at__isnull=False)
    return ended.exclude(outcome_code__in=[LOST, RELEASED]).count()


def count_failure(run: Run, now: datetime) -> None:
    """One more in a row; from the fifth on, slots get no run for a while. The caller holds the schedule's lock."""
    schedule = Schedule.objects.filter(pk=run.datastore_id).first()
    if schedule is None:
        return
    schedule.consecutive_failures += 1
    pause = breaker(schedule.consecutive_failures, schedule.interval_seconds, timing()) if run.slot else None
    if pause:
        schedule.breaker_until = now + pause
    schedule.save(update_fields=["consecutive_failures", "breaker_until"])


def lock_schedule(datastore_id: UUID, *, wait: bool = True) -> QuerySet[Schedule]:
    """Whoever changes which runs a datastore has goes through here, one at a time; the schedule, to read or update.

    ``wait=False`` answers nothing where another holds the lock (PostgreSQL).
    """
    one = Schedule.objects.filter(pk=datastore_id)
    locked = ask("lock_schedule" if wait else "lock_schedule_if_free", datastore=datastore_id)
    return one if locked else one.none()


def lease_of(run: Run) -> Lease:
    """The lease that the ledger has on record for a running run."""
    return Lease(run.pk, run.datastore_id, run.fence, run.attempt, run.deadline_at or run.created_at)
