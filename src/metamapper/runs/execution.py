"""What a task does with a message: claim, work, and end the run whatever happens. Makes the task itself a line."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import Error, InterfaceError, OperationalError, connections

from metamapper.lib.tracing import span
from metamapper.runs.endings import TOO_LONG, cancelled, fail
from metamapper.runs.leases import Lease, LeaseLost, Standing, claim, standing
from metamapper.runs.tallies import count_fenced
from metamapper.runs.timing import timing

TooLong = SoftTimeLimitExceeded
"""Raised in the middle of the work at Celery's soft limit: let it through."""
METASTORE_AWAY = (OperationalError, InterfaceError)
"""What Django raises where the metastore was cut off, locked or too slow: let it through."""
RETRY_SECONDS = 1.0
log = structlog.get_logger(__name__)


def execute(message: object, work: Callable[[Lease], None], *, owner: str) -> None:
    """Do ``work`` under a lease on the run that ``message`` names; ``owner`` is who holds it (``worker.owner()``).

    A message that names nothing to do (doubled, late, foreign, unknown) is passed over. ``work`` ends the run itself
    (``finish``, ``fail`` or ``cancelled``); an error that it lets through, or an end that it forgot, is recorded here.
    """
    run_id = _run_id(message)
    lease = _claimed(run_id, owner) if run_id else None
    if lease is None:
        return
    facts: dict[str, str | int] = {"run": str(run_id), "attempt": lease.attempt, "datastore": str(lease.datastore_id)}
    with structlog.contextvars.bound_contextvars(**facts), span("run", identity=lease.run_id, **facts):
        try:
            work(lease)
        except LeaseLost:
            _fenced(lease)
        except TooLong:
            _settle(lease, partial(_too_long, lease))
        except METASTORE_AWAY as error:
            log.warning("run.metastore_away", error=type(error).__name__)
            _settle(lease, partial(_metastore_away, lease))
        except Exception:  # whatever it is, the run must not stay open
            log.exception("run.unexpected_error")
            _settle(lease, partial(_unexpected, lease))
        else:
            _settle(lease, partial(_unexpected, lease))


def _run_id(message: object) -> UUID | None:
    try:
        return UUID(str(message))
    except ValueError:
        log.warning("run.message_ignored", reason="it names no run")
        return None


def _claimed(run_id: UUID, owner: str) -> Lease | None:
    """The message is gone whatever happens here; if the metastore is away, the run is sent again by and by."""
    try:
        return claim(run_id, owner=owner)
    except Error as error:
        connections.close_all()
        log.warning("run.not_claimed", run=str(run_id), error=type(error).__name__)
        return None


def _settle(lease: Lease, end: Callable[[], object]) -> None:
    """End the run unless the ledger says that it has ended; while the metastore is away, try as long as a lease lasts.

    An exception may have come from within a commit, so a fresh connection is asked, never the exception.
    """
    give_up = time.monotonic() + timing().lease
    while True:
        try:
            if standing(lease) not in {Standing.ENDED, Standing.LOST}:
                end()
        except LeaseLost:
            _fenced(lease)
        except Error as error:
            connections.close_all()
            if time.monotonic() >= give_up:
                log.warning("run.left_to_the_reaper", error=type(error).__name__)
                return
            time.sleep(RETRY_SECONDS)
            continue
        return


def _fenced(lease: Lease) -> None:
    """Nothing was written. That it was tried is counted, if the metastore is there."""
    log.warning("run.fenced")
    try:
        count_fenced(lease.run_id)
    except Error:
        connections.close_all()


def _too_long(lease: Lease) -> None:
    fail(lease, code="time.limit", outcome=TOO_LONG, permanent=False)


def _unexpected(lease: Lease) -> None:
    if standing(lease) is Standing.CANCEL:
        cancelled(lease)
        return
    outcome = {
        "code": "unexpected",
        "title": "Something went wrong that should not have",
        "detail": "This is a fault of Metamapper or of its installation, not of your datastore.",
        "hint": f"The workers' logs tell more: look for run {lease.run_id}.",
        "permanent": False,
    }
    fail(lease, code="unexpected", outcome=outcome, permanent=False, waits=once())


def once() -> Sequence[float]:
    """What an error that nobody knows is worth: one more try."""
    return timing().backoff[:1]


def _metastore_away(lease: Lease) -> None:
    if standing(lease) is Standing.CANCEL:
        cancelled(lease)
        return
    outcome = {
        "code": "metastore.away",
        "title": "The catalog's own database was interrupted",
        "detail": "Nothing of the inspection was written. Your datastore has nothing to do with it.",
        "hint": "It is tried again by itself within seconds. If it goes on, look at the metastore's log.",
        "permanent": False,
    }
    fail(lease, code="metastore.away", outcome=outcome, permanent=False, waits=timing().metastore_backoff)
