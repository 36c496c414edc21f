"""Old runs that history does not refer to are forgotten."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from metamapper.lib.bulk import update
from metamapper.runs.clock import metastore_now
from metamapper.runs.models import CHANGED, NOTED, Attempt, Run, Schedule, State
from metamapper.runs.timing import timing

BATCH = 500


class _Ended(NamedTuple):
    slot: datetime | None
    finished_at: datetime


def forget_runs() -> int:
    """Forget a batch of the runs that ended too long ago and wrote no history; how many. 0 is not "none is left": try later.

    A run stays while it is the datastore's latest successful one, or newer than that: the last look, and the failures
    since. What is forgotten is counted, so that numbers and slots still add up. Passes over what others hold.
    """
    limits = timing()
    if not limits.runs_kept:
        return 0
    with transaction.atomic():
        found = _forgettable(metastore_now() - timedelta(seconds=limits.runs_kept))
        chosen = dict(found.order_by("finished_at").values_list("pk", "datastore_id")[:BATCH])
        held = Schedule.objects.filter(pk__in=set(chosen.values())).select_for_update(skip_locked=True)
        schedules = {each.pk: each for each in held.order_by("pk")}
        return _forget([pk for pk, datastore_id in chosen.items() if datastore_id in schedules], schedules)


def _forgettable(before: datetime) -> QuerySet[Run]:
    good = Run.objects.filter(state__in=[State.SUCCEEDED, State.PARTIAL])
    later = good.filter(datastore=OuterRef("datastore"), number__gt=OuterRef("number"))
    return Run.objects.filter(Exists(later), finished_at__lt=before, tallied=True).exclude(
        outcome_code__in=[CHANGED, NOTED]
    )


def _forget(ids: Sequence[UUID], schedules: dict[UUID, Schedule]) -> int:
    """The schedules are locked by now: what is still there is ours to forget."""
    runs: dict[UUID, list[_Ended]] = defaultdict(list)
    ended = Run.objects.filter(pk__in=ids, finished_at__isnull=False)
    for datastore_id, slot, finished_at in ended.values_list("datastore_id", "slot", "finished_at"):
        if finished_at:
            runs[datastore_id].append(_Ended(slot, finished_at))
    Attempt.objects.filter(run__in=ids).delete()
    Run.objects.filter(pk__in=ids).delete()
    columns = ("datastore_id", "forgotten", "forgotten_slots", "forgotten_until")
    update(Schedule, columns, [_counted(schedules[pk], of_one) for pk, of_one in runs.items()])
    return sum(map(len, runs.values()))


def _counted(schedule: Schedule, runs: Sequence["_Ended"]) -> tuple[UUID, int, int, datetime]:
    began, last = schedule.created_slot, schedule.last_slot
    counting = [each for each in runs if each.slot and began and last and began <= each.slot <= last]
    latest = max(each.finished_at for each in runs)
    until = max(schedule.forgotten_until or latest, latest)
    return schedule.pk, schedule.forgotten + len(runs), schedule.forgotten_slots + len(counting), until
