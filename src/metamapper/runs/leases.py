"""A lease: the right to work on a run, from its claim until it ends, is lost, or is taken away.

Whoever holds it proves so by its fencing token: every write of results begins with ``guard``. A process that was frozen,
lost its lease to the reaper and wakes up again writes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from metamapper.lib.ids import uuid7
from metamapper.runs.clock import metastore_now
from metamapper.runs.fences import next_fence
from metamapper.runs.models import Run, State
from metamapper.runs.sessions import milliseconds
from metamapper.runs.statements import ask, change, identity
from metamapper.runs.timing import timing


@dataclass(frozen=True, slots=True)
class Lease:
    """``fence`` is what the ledger must still hold for anything to be written; ``attempt`` counts claims from 1."""

    run_id: UUID
    datastore_id: UUID
    fence: int
    attempt: int
    deadline_at: datetime


class LeaseLost(Exception):
    """Another may work on this run by now, or it has ended: stop, and write nothing."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"The lease on run {lease.run_id} (fence {lease.fence}) is lost")
        self.lease = lease


def claim(run_id: UUID, *, owner: str) -> Lease | None:
    """Take the run, if it is there to be taken. ``owner`` names the process: ``<worker>/<pid>``.

    1. queued, available, not cancelled, and no other run of its datastore running -> running, under a new fence
    2. append the attempt

    None for a message that came twice, late, or for a run that is unknown, done or not yet available.
    """
    try:
        with transaction.atomic():
            return _claim(run_id, owner)
    except IntegrityError:  # another run of the datastore was claimed at the same moment: one_running_each
        return None


def _claim(run_id: UUID, owner: str) -> Lease | None:
    now, fence, limits = metastore_now(), next_fence(), timing()
    deadline = now + timedelta(seconds=limits.deadline)
    # An available_at that lies beyond the horizon was written under a wrong clock.
    claimed = ask(
        "claim",
        run=run_id,
        now=now,
        fence=fence,
        owner=owner,
        expires=now + timedelta(seconds=limits.lease),
        deadline=deadline,
        horizon=now + timedelta(seconds=limits.longest_wait),
    )
    if not claimed:
        return None
    [(datastore_id, attempt)] = claimed
    change("append_attempt", id=uuid7(), run=run_id, number=attempt, fence=fence, owner=owner, now=now)
    return Lease(run_id, identity(datastore_id), fence, attempt, deadline)


def held(lease: Lease) -> QuerySet[Run]:
    """The run, while the lease on it holds; nothing otherwise."""
    return Run.objects.filter(pk=lease.run_id, fence=lease.fence, state=State.RUNNING)


def heartbeat(lease: Lease, progress: dict[str, Any] | None = None) -> bool:
    """Extend the lease and say how far the work is. False: stop, for it is lost, over its deadline, or to be cancelled."""
    now = metastore_now()
    expires = now + timedelta(seconds=timing().lease)
    if progress is None:
        return bool(change("heartbeat", run=lease.run_id, fence=lease.fence, now=now, expires=expires))
    wanted = held(lease).filter(cancel_requested_at=None, deadline_at__gt=now)
    return bool(wanted.update(heartbeat_at=now, lease_expires_at=expires, progress=progress))


class Standing(Enum):
    """How a lease stands, by what the ledger says."""

    HELD = "held"
    CANCEL = "cancel"
    """Held, and somebody asked to cancel the run."""
    OVERDUE = "overdue"
    """Held, and over its deadline."""
    ENDED = "ended"
    """The run ended under this lease."""
    LOST = "lost"


def standing(lease: Lease) -> Standing:
    """What became of the lease: ask this after an error whose own words cannot be trusted, such as one in a commit."""
    run = Run.objects.filter(pk=lease.run_id, fence=lease.fence).first()
    if run is None:
        return Standing.LOST
    if run.state != State.RUNNING:
        return Standing.ENDED
    if run.cancel_requested_at:
        return Standing.CANCEL
    return Standing.OVERDUE if lease.deadline_at <= metastore_now() else Standing.HELD


def guard(lease: Lease) -> None:
    """The first statement of every transaction that writes results; raises ``LeaseLost``.

    On PostgreSQL it holds a key-share lock until the transaction ends: the heartbeat passes, the reaper does not. The
    session's time-outs cut a process that freezes within the transaction, so that it cannot hold the lock for ever.
    SQLite admits one writer at a time, and its transactions begin as writers: a look suffices.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("guard() protects a transaction: call it within atomic()")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            _bound_transaction(cursor)
    if not ask("guard", run=lease.run_id, fence=lease.fence):
        raise LeaseLost(lease)


def _bound_transaction(cursor: Any) -> None:
    limits = timing()
    cursor.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, true), set_config('lock_timeout', %s, true),"
        " set_config('statement_timeout', %s, true)",
        [milliseconds(each) for each in (limits.idle_in_transaction, limits.lock_wait, limits.apply_statement)],
    )
