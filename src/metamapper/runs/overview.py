"""How the installation does, for its administrator: who works, who leads, what waits, and how late it is."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from django.db.models import Count, Min

from metamapper.runs.clock import metastore_now
from metamapper.runs.health import Health, health
from metamapper.runs.models import (
    Audit,
    Errand,
    Run,
    SchedulerHeartbeat,
    SchedulerLease,
    State,
    Trigger,
    WorkerHeartbeat,
)
from metamapper.runs.timing import timing

LATEST = 200
"""How many of the latest scheduled runs tell how late slots are."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker's last word. ``busy`` is how many runs it holds."""

    name: str
    slots: int
    busy: int
    started_at: datetime
    heard_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class Scheduler:
    """One scheduler's last word; one of them leads."""

    name: str
    leads: bool
    heard_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds from slots to the claims of their runs: the middle one, and the one that 19 in 20 do not exceed."""

    runs: int
    middle: float
    most: float


@dataclass(frozen=True, slots=True)
class Overview:
    """``waiting_since`` is when the oldest run that could begin could have begun; ``unsent_since`` the oldest without a
    message. ``leader`` is the scheduler that ticks. ``errands`` is other work by state: mail and the like. ``broken`` is how
    many rows break each promise that does not hold, of the ``audited`` among all ``promises``; the oldest of these answers is
    of ``audited_at``.
    """

    health: Health
    workers: list[Worker]
    schedulers: list[Scheduler]
    leader: str
    ticked_at: datetime | None
    waiting: int
    running: int
    waiting_since: datetime | None
    unsent_since: datetime | None
    lateness: Lateness | None
    errands: dict[str, int]
    promises: int
    audited: int
    audited_at: datetime | None
    broken: dict[str, int]


def overview() -> Overview:
    """A dozen small queries, whatever the number of datastores."""
    now = metastore_now()
    lease = SchedulerLease.objects.filter(pk=1).first()
    owners = Run.objects.filter(state=State.RUNNING).values_list("lease_owner", flat=True)
    busy = Counter(owner.rpartition("/")[0] for owner in owners if owner)
    queued = Run.objects.filter(state=State.QUEUED, cancel_requested_at=None)
    ready = queued.filter(available_at__lte=now)
    audits = list(Audit.objects.order_by("invariant"))
    checked = [each.checked_at for each in audits if each.checked_at]
    return Overview(
        health=health(),
        workers=_workers(now, busy),
        schedulers=_schedulers(now, lease),
        leader=lease.owner if lease else "",
        ticked_at=lease.ticked_at if lease else None,
        waiting=queued.count(),
        running=busy.total(),
        waiting_since=ready.aggregate(at=Min("available_at"))["at"],
        unsent_since=ready.filter(dispatched_at=None).aggregate(at=Min("available_at"))["at"],
        lateness=_lateness(),
        errands=dict(Errand.objects.values_list("state").annotate(number=Count("pk"))),
        promises=len(audits),
        audited=len(checked),
        audited_at=min(checked, default=None),
        broken={each.invariant: each.broken for each in audits if each.broken},
    )


def _schedulers(now: datetime, lease: SchedulerLease | None) -> list[Scheduler]:
    """The leader first."""
    gone = now - timedelta(seconds=timing().scheduler_gone)
    leader = lease.owner if lease and lease.expires_at and lease.expires_at > now else ""
    found = [
        Scheduler(each.name, each.name == leader, each.heard_at, each.heard_at > gone)
        for each in SchedulerHeartbeat.objects.order_by("name")
    ]
    return sorted(found, key=lambda each: not each.leads)


def _workers(now: datetime, busy: Counter[str]) -> list[Worker]:
    since = now - timedelta(seconds=timing().worker_gone)
    return [
        Worker(each.name, each.slots, busy[each.name], each.started_at, each.heard_at, each.heard_at > since)
        for each in WorkerHeartbeat.objects.order_by("name")
    ]


def _lateness() -> Lateness | None:
    latest = Run.objects.filter(trigger=Trigger.SCHEDULED, slot__isnull=False, started_at__isnull=False)
    rows = latest.order_by("-pk").values_list("slot", "started_at")[:LATEST]
    seconds = [max((begun - slot).total_seconds(), 0.0) for slot, begun in rows if slot and begun]
    if not seconds:
        return None
    most = quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    return Lateness(len(seconds), median(seconds), most)
