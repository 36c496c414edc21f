"""When a datastore is inspected: its interval, its pause, and where counting its slots began."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from metamapper.runs.clock import metastore_now
from metamapper.runs.endings import lock_schedule
from metamapper.runs.models import Schedule
from metamapper.runs.slots import next_slot, phase

if TYPE_CHECKING:
    from metamapper.accounts.models import User
    from metamapper.datastores.models import Datastore

INTERVALS: tuple[int, ...] = (900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
"""What people may choose, in seconds."""


def set_schedule(
    datastore: "Datastore",
    *,
    interval_seconds: int | None = None,
    enabled: bool | None = None,
    user: "User | None" = None,
) -> Schedule:
    """Make the datastore's schedule if it has none, and change what is given; raises ``ValueError`` for an interval below 1 s."""
    if interval_seconds is not None and interval_seconds < 1:
        raise ValueError(f"An interval of {interval_seconds} s is none")
    with transaction.atomic():
        now = metastore_now()
        _, created = Schedule.objects.get_or_create(datastore=datastore)
        schedule = lock_schedule(datastore.pk).get()
        interval = interval_seconds or schedule.interval_seconds
        switched = enabled is not None and enabled != schedule.enabled
        if switched:
            _switch(schedule, now, user)
        if created or switched or interval != schedule.interval_seconds:
            schedule.interval_seconds = interval
            start_counting(schedule, now)
        schedule.save()
    return schedule


def _switch(schedule: Schedule, now: datetime, user: "User | None") -> None:
    schedule.enabled = not schedule.enabled
    schedule.paused_at = None if schedule.enabled else now
    schedule.paused_by = None if schedule.enabled else user
    schedule.breaker_until = None


def start_counting(schedule: Schedule, now: datetime) -> None:
    """From the next slot on, each slot is either a run or counted as coalesced."""
    schedule.phase_seconds = phase(schedule.datastore_id, schedule.interval_seconds)
    following = next_slot(now, interval=schedule.interval_seconds, phase=schedule.phase_seconds)
    schedule.created_slot = following
    schedule.next_due_at = following if schedule.enabled else None
    schedule.last_slot = None
    schedule.coalesced = 0
    schedule.forgotten_slots = 0
