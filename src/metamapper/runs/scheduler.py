"""The tick: what turns schedules into runs, and runs into messages. Each step is idempotent, so any number may tick.

A lease in the metastore picks a leader for economy; the ledger's constraints give correctness.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import Error, connection, connections
from django.db.models import Q

from metamapper.runs.canary import send_canary, sweep_canaries
from metamapper.runs.clock import metastore_now
from metamapper.runs.dispatch import Publish, dispatch
from metamapper.runs.due import create_due_runs, follow_the_clock
from metamapper.runs.errands import dispatch_errands, reap_errands, sweep_errands
from metamapper.runs.housekeeping import ask_for_housekeeping
from metamapper.runs.models import SchedulerHeartbeat, SchedulerLease, WorkerHeartbeat
from metamapper.runs.reaper import reap
from metamapper.runs.tallies import tally
from metamapper.runs.timing import timing

SILENCE_SECONDS = 60
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lead:
    """What the one that leads knows of the tick before its own, whoever made it: None for the first ever."""

    now: datetime
    ticked_at: datetime | None

    @property
    def pause(self) -> float:
        """Seconds since then; negative if the metastore's clock went back."""
        return (self.now - self.ticked_at).total_seconds() if self.ticked_at else float("inf")


def lead(owner: str) -> Lead | None:
    """Take or keep the lead; None while another has it. A lease that lies too far ahead is a wrong clock's."""
    limits, now = timing(), metastore_now()
    SchedulerLease.objects.get_or_create(pk=1)
    ends = now + timedelta(seconds=limits.leader)
    free = (
        Q(owner=owner)
        | Q(expires_at=None)
        | Q(expires_at__lte=now)
        | Q(expires_at__gt=now + timedelta(seconds=2 * limits.leader))
    )
    before = SchedulerLease.objects.values_list("ticked_at", flat=True).get(pk=1)
    taken = SchedulerLease.objects.filter(free, pk=1).update(owner=owner, expires_at=ends)
    return Lead(now, before) if taken else None


def resign(owner: str) -> None:
    """Let another lead at once."""
    SchedulerLease.objects.filter(pk=1, owner=owner).update(expires_at=None)


class Ledger:
    """One scheduler's view of the ledger: who it is, how it publishes, and since when it may trust that leases mean something."""

    def __init__(
        self,
        owner: str,
        publish: Publish,
        *,
        canary: Publish | None = None,
        errand: Publish | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.owner = owner
        self._publish = publish
        self._canary = canary
        self._errand = errand
        self._monotonic = monotonic
        self._trust_from = 0.0
        self._told_at: float | None = None

    def tick(self) -> bool:
        """One round; whether this scheduler leads.

        1. say that this one lives; lead, or leave it to the one that does
        2. schedules that are due -> runs
        3. expired leases -> runs that wait again, unless the ticks paused: then workers could not renew them either
        4. waiting runs -> messages
        5. the outbox: other work that waits -> messages, an hour's housekeeping among it
        6. a canary, once a minute
        7. what is old goes
        8. say when the tick was
        """
        SchedulerHeartbeat.objects.update_or_create(name=self.owner, defaults={"heard_at": metastore_now()})
        leading = lead(self.owner)
        if leading is None:
            return False
        if leading.pause < 0:
            follow_the_clock()
        create_due_runs()
        may_reap = self._may_reap(leading)
        if may_reap:
            reap()
            reap_errands()
        dispatch(self._publish)
        if self._errand:
            if may_reap:  # before that, what an outage left is no broken promise
                ask_for_housekeeping(leading.now)
            dispatch_errands(self._errand)
        if self._canary:
            send_canary(self._canary)
        sweep(leading.now)
        SchedulerLease.objects.filter(pk=1, owner=self.owner).update(ticked_at=metastore_now())
        return True

    def _may_reap(self, leading: Lead) -> bool:
        gap = timing().trust_after_gap
        if leading.ticked_at and not 0 <= leading.pause <= gap:
            self._trust_from = self._monotonic() + gap
        return self._monotonic() >= self._trust_from

    def try_to_tick(self) -> bool:
        """``tick``, surviving a metastore that is away or has no tables yet; says so once a minute."""
        try:
            leading = self.tick()
        except Error as error:
            connections.close_all()
            self._tell(error)
            return False
        if self._told_at is not None:
            log.info("scheduler.metastore_is_back")
            self._told_at = None
        return leading

    def _tell(self, error: Error) -> None:
        if self._told_at is None or self._monotonic() - self._told_at > SILENCE_SECONDS:
            self._told_at = self._monotonic()
            log.warning("scheduler.waits_for_metastore", error=str(error).strip().partition("\n")[0])

    def stop(self) -> None:
        """Resign, if the metastore is there to be told."""
        try:
            resign(self.owner)
            SchedulerHeartbeat.objects.filter(name=self.owner).delete()
        except Error as error:
            log.warning("scheduler.not_resigned", error=type(error).__name__)
        finally:
            connection.close()


def sweep(now: datetime) -> None:
    """Forget workers and schedulers that have long been gone, old canaries and errands; count what has ended."""
    sweep_canaries(now)
    sweep_errands(now)
    tally()
    gone = now - timedelta(seconds=timing().worker_forgotten)
    WorkerHeartbeat.objects.filter(heard_at__lt=gone).delete()
    SchedulerHeartbeat.objects.filter(heard_at__lt=gone).delete()
