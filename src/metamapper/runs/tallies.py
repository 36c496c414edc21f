"""Counters of what runs came to, kept beside the ledger so that they go on counting when old runs are forgotten.

Each run is counted once: the mark on it and the counters change in one transaction.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F

from metamapper.runs.models import Run, RunTally, Trigger

SECONDS = (0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0)
"""The upper bounds of the buckets, for durations and for lateness alike; one more bucket holds what is above."""
BATCH = 1000


class Ended(NamedTuple):
    """What of a run is counted."""

    id: object
    engine: str
    state: str
    trigger: str
    slot: datetime | None
    started_at: datetime | None
    finished_at: datetime
    lost: int
    sent: int
    attempt: int


_FIELDS = (
    "pk", "datastore__engine", "state", "trigger", "slot", "started_at", "finished_at", "lost_count", "dispatch_count",
    "attempt",
)  # fmt: skip


@dataclass(slots=True)
class Sum:
    """What one engine's runs that ended alike add to their tally."""

    runs: int = 0
    lost: int = 0
    resent: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    late_seconds: float = 0.0
    late_buckets: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))

    def add(self, run: Ended) -> None:
        self.runs += 1
        self.lost += run.lost
        self.resent += max(run.sent - max(run.attempt, 1), 0)
        if run.started_at is None:
            return
        self.seconds += _count(self.buckets, run.started_at, run.finished_at)
        if run.trigger == Trigger.SCHEDULED and run.slot:
            self.late_seconds += _count(self.late_buckets, run.slot, run.started_at)


def _count(buckets: list[int], since: datetime, until: datetime) -> float:
    """Count a duration in its bucket; a clock that went back makes none negative."""
    seconds = max((until - since).total_seconds(), 0.0)
    buckets[bisect_left(SECONDS, seconds)] += 1
    return seconds


@transaction.atomic
def tally() -> int:
    """Count runs that have ended since; how many. Those that another scheduler counts at this moment are left to it."""
    ended = Run.objects.filter(tallied=False, finished_at__isnull=False).order_by("finished_at")
    rows = [
        Ended(*row) for row in ended.select_for_update(skip_locked=True, of=("self",)).values_list(*_FIELDS)[:BATCH]
    ]
    if rows:
        Run.objects.filter(pk__in=[row.id for row in rows]).update(tallied=True)
        for (engine, state), sums in _sums(rows).items():
            _write(engine, state, sums)
    return len(rows)


def _sums(rows: Iterable[Ended]) -> dict[tuple[str, str], Sum]:
    sums: dict[tuple[str, str], Sum] = {}
    for row in rows:
        sums.setdefault((row.engine, row.state), Sum()).add(row)
    return sums


def count_fenced(run_id: UUID) -> None:
    """A holder whose lease was gone came to write, and was refused."""
    run = Run.objects.filter(pk=run_id).values_list("datastore__engine", "state").first()
    if run:
        engine, state = run
        _make_sure_of(engine, state)
        RunTally.objects.filter(engine=engine, state=state).update(fenced=F("fenced") + 1)


def _make_sure_of(engine: str, state: str) -> None:
    RunTally.objects.get_or_create(
        engine=engine, state=state, defaults={"buckets": Sum().buckets, "late_buckets": Sum().buckets}
    )


def _write(engine: str, state: str, sums: Sum) -> None:
    _make_sure_of(engine, state)
    kept = RunTally.objects.select_for_update().get(engine=engine, state=state)
    kept.runs += sums.runs
    kept.lost += sums.lost
    kept.resent += sums.resent
    kept.seconds += sums.seconds
    kept.late_seconds += sums.late_seconds
    kept.buckets = _added(kept.buckets, sums.buckets)
    kept.late_buckets = _added(kept.late_buckets, sums.late_buckets)
    kept.save(update_fields=["runs", "lost", "resent", "seconds", "late_seconds", "buckets", "late_buckets"])


def _added(kept: list[int], more: list[int]) -> list[int]:
    return [one + other for one, other in zip(kept, more, strict=True)]
