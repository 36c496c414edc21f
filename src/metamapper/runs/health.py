"""Whether what keeps the catalog current is well, by the metastore alone: no broker and no worker is asked.

``celery inspect`` is not: one broker has no such thing, and a worker can answer it and consume nothing.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from django.db import Error
from django.db.models import Max, Sum

from metamapper.runs.clock import metastore_now
from metamapper.runs.models import Attempt, Canary, Run, SchedulerLease, State, WorkerHeartbeat
from metamapper.runs.timing import timing


class Status(StrEnum):
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NOT_CONFIGURED = "not_configured"


class Health(msgspec.Struct, frozen=True):
    """A status for each part with what supports it. Names nobody and nothing: strangers may ask."""

    metastore: dict[str, Any]
    scheduler: dict[str, Any]
    worker: dict[str, Any]

    @property
    def is_well(self) -> bool:
        """Whether nothing that is there is unhealthy."""
        return all(part["status"] is not Status.UNHEALTHY for part in (self.metastore, self.scheduler, self.worker))


def health() -> Health:
    """A handful of small queries. Where the metastore does not answer, nothing else is known to be well."""
    try:
        now = metastore_now()
        return Health({"status": Status.HEALTHY}, _scheduler(now), _worker(now))
    except Error:
        nothing = {"status": Status.UNHEALTHY}
        return Health(nothing, nothing | {"latest_scheduler_heartbeat": None}, nothing)


def is_ready() -> bool:
    """Whether pages can be answered: the metastore is there and has its tables."""
    try:
        Run.objects.exists()
    except Error:
        return False
    return True


def _scheduler(now: datetime) -> dict[str, Any]:
    ticked_at = SchedulerLease.objects.filter(pk=1).values_list("ticked_at", flat=True).first()
    if ticked_at is None:
        status = Status.NOT_CONFIGURED
    else:
        late = now - ticked_at > timedelta(seconds=timing().scheduler_gone)
        status = Status.UNHEALTHY if late else Status.HEALTHY
    return {"status": status, "latest_scheduler_heartbeat": _text(ticked_at)}


def _worker(now: datetime) -> dict[str, Any]:
    latest = WorkerHeartbeat.objects.aggregate(Max("heard_at"))["heard_at__max"]
    living = WorkerHeartbeat.objects.filter(heard_at__gt=now - timedelta(seconds=timing().worker_gone))
    slots = living.aggregate(Sum("slots"))["slots__sum"] or 0
    return {
        "status": _worker_status(now, slots),
        "latest_worker_heartbeat": _text(latest),
        "workers": living.count(),
        "slots": slots,
        "canary_seconds": round_trip(),
    }


def _worker_status(now: datetime, slots: int) -> Status:
    if not slots:
        # None was ever there, and nothing waits for one: that is a web server by itself.
        needed = Attempt.objects.exists() or _waits_long(now)
        return Status.UNHEALTHY if needed else Status.NOT_CONFIGURED
    free = slots > Run.objects.filter(state=State.RUNNING).count()
    return Status.UNHEALTHY if free and _canary_is_late(now) else Status.HEALTHY


def _waits_long(now: datetime) -> bool:
    since = now - timedelta(seconds=timing().worker_gone)
    return Run.objects.filter(state=State.QUEUED, available_at__lt=since).exists()


def _canary_is_late(now: datetime) -> bool:
    last = Canary.objects.order_by("-sent_at").first()
    return (
        last is not None and last.received_at is None and now - last.sent_at > timedelta(seconds=timing().canary_grace)
    )


def round_trip() -> float | None:
    """Seconds that the latest canary was on its way; None before the first that came back."""
    last = Canary.objects.filter(received_at__isnull=False).order_by("-sent_at").first()
    if last is None or last.received_at is None:
        return None
    return round((last.received_at - last.sent_at).total_seconds(), 3)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
