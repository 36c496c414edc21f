"""Turn schedules that are due into runs. Each slot ends as a run or is counted: nothing is dropped unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from metamapper.lib.bulk import insert, update
from metamapper.lib.ids import uuid7
from metamapper.runs.clock import metastore_now
from metamapper.runs.models import Run, Schedule, State
from metamapper.runs.schedules import start_counting
from metamapper.runs.slots import slot_at, slots_between
from metamapper.runs.timing import timing

MANY = 1000
"""So many new runs at once are another table to the planner, which learns of it by itself only after a minute."""
_SAME = {
    "trigger": "scheduled",
    "state": "queued",
    "priority": 0,
    "attempt": 0,
    "lost_count": 0,
    "fence": 0,
    "dispatch_count": 0,
    "outcome_code": "",
    "outcome": "{}",
    "progress": "{}",
    "scopes": "[]",
    "counts": "{}",
    "statements": "[]",
    "tallied": False,
}
"""What all new runs have in common."""


class Row(NamedTuple):
    """What differs between the runs of one batch."""

    id: UUID
    datastore_id: UUID
    number: int
    slot: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What lies between a schedule's batch being read and written: slots that already have a run, datastores that wait."""

    slots: frozenset[tuple[UUID, datetime]]
    waiting: frozenset[UUID]


def create_due_runs() -> int:
    """Runs for all that is due, in transactions of a few hundred; how many. Any number of schedulers may do this at once."""
    created = 0
    while (made := _create_batch()) is not None:
        created += made
    if created >= MANY and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE runs_run")
    return created


def _create_batch() -> int | None:
    """How many runs one batch of schedules came to; None where nothing is due."""
    with transaction.atomic():
        batch = _due_batch(metastore_now())
        return _turn_into_runs(batch, metastore_now()) if batch else None


def _due_batch(now: datetime) -> list[Schedule]:
    due = Schedule.objects.filter(enabled=True, next_due_at__lte=now).order_by("next_due_at")
    return list(due.select_for_update(skip_locked=True)[: timing().due_batch])


def _turn_into_runs(batch: Sequence[Schedule], now: datetime) -> int:
    taken = _taken(batch, now)
    runs = [row for schedule in batch if (row := _advance(schedule, taken, now))]
    _insert(runs)
    _write(batch)
    return len(runs)


def _taken(batch: Sequence[Schedule], now: datetime) -> Taken:
    ids = [schedule.datastore_id for schedule in batch]
    newest = {schedule.datastore_id: _slot(schedule, now) for schedule in batch}
    runs = Run.objects.filter(datastore__in=ids)
    with_slot = runs.filter(slot__in=set(newest.values())).values_list("datastore_id", "slot")
    waiting = runs.filter(state=State.QUEUED).values_list("datastore_id", flat=True)
    return Taken(frozenset((pk, slot) for pk, slot in with_slot if slot), frozenset(waiting))


def _advance(schedule: Schedule, taken: Taken, now: datetime) -> Row | None:
    """Move the schedule behind its newest slot; a run for that slot, unless one waits already or the breaker is open."""
    slot = _slot(schedule, now)
    passed = _passed(schedule, slot)
    broken = schedule.breaker_until is not None and schedule.breaker_until > now
    exists = (schedule.datastore_id, slot) in taken.slots
    run = None
    if not (exists or broken or schedule.datastore_id in taken.waiting):
        schedule.last_number += 1
        run = Row(uuid7(), schedule.datastore_id, schedule.last_number, slot, now)
    schedule.coalesced += passed - (1 if run or exists else 0)
    schedule.last_slot = slot
    schedule.next_due_at = slot + timedelta(seconds=schedule.interval_seconds)
    return run


def _slot(schedule: Schedule, now: datetime) -> datetime:
    return slot_at(now, interval=schedule.interval_seconds, phase=schedule.phase_seconds)


def _passed(schedule: Schedule, slot: datetime) -> int:
    """How many slots went by since the last that was dealt with, this one included."""
    if schedule.last_slot:
        return slots_between(schedule.last_slot, slot, interval=schedule.interval_seconds)
    return 1 + slots_between(schedule.created_slot or slot, slot, interval=schedule.interval_seconds)


def _insert(runs: Sequence[Row]) -> None:
    columns = ("id", "datastore_id", "number", "slot", "available_at", "created_at", *_SAME)
    same = tuple(_SAME.values())
    insert(Run, columns, ((*run[:4], run.now, run.now, *same) for run in runs))


def _write(batch: Sequence[Schedule]) -> None:
    columns = ("datastore_id", "last_number", "coalesced", "last_slot", "next_due_at")
    update(Schedule, columns, (tuple(getattr(each, name) for name in columns) for each in batch))


def follow_the_clock() -> int:
    """The metastore's clock went back: schedules that are due only in a far future start anew; how many."""
    with transaction.atomic():
        now = metastore_now()
        # Waits for what is locked: if that takes too long, this tick fails and the next one sees the clock's step again.
        ahead = Schedule.objects.filter(enabled=True, next_due_at__gt=now).select_for_update()
        stray = [
            each
            for each in ahead
            if each.next_due_at and each.next_due_at - now > timedelta(seconds=each.interval_seconds)
        ]
        for schedule in stray:
            start_counting(schedule, now)
            schedule.save()
    return len(stray)
