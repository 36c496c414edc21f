"""What people ask of the ledger: inspect now, and stop."""

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from metamapper.plugins import hooks
from metamapper.runs import doorbell
from metamapper.runs.clock import metastore_now
from metamapper.runs.endings import lock_schedule
from metamapper.runs.models import Run, Schedule, State, Trigger
from metamapper.runs.schedules import set_schedule

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from metamapper.accounts.models import User
    from metamapper.datastores.models import Datastore

PRIORITY: dict[Trigger, int] = {Trigger.MANUAL: 20, Trigger.INITIAL: 10, Trigger.SCHEDULED: 0}


def request_run(datastore: "Datastore", *, trigger: Trigger | str, user: "User | None" = None) -> Run:
    """The datastore's waiting run: the one that there is (which then waits no longer), else a new one.

    Publishes nothing: after the commit the doorbell is rung in the background, and the scheduler's next tick sends whatever
    the doorbell did not.
    """
    trigger = Trigger(trigger)
    with transaction.atomic():
        schedule = lock_schedule(datastore.pk).first() or set_schedule(datastore, user=user)
        run = Run.objects.filter(datastore=datastore, state=State.QUEUED).first()
        run = _hasten(run, trigger) if run else _create(schedule, trigger, user)
        transaction.on_commit(partial(doorbell.ring, run.pk))
    return run


def _hasten(run: Run, trigger: Trigger) -> Run:
    """Somebody waits for it now: no more back-off, and ahead of what is merely due."""
    now = metastore_now()
    run.priority = max(run.priority, PRIORITY[trigger])
    if run.available_at > now:
        run.available_at, run.dispatched_at = now, None
    Run.objects.filter(pk=run.pk, state=State.QUEUED).update(
        priority=run.priority, available_at=run.available_at, dispatched_at=run.dispatched_at
    )
    return run


def _create(schedule: Schedule, trigger: Trigger, user: "User | None") -> Run:
    now = metastore_now()
    schedule.last_number += 1
    schedule.save(update_fields=["last_number"])
    return Run.objects.create(
        datastore_id=schedule.datastore_id,
        number=schedule.last_number,
        trigger=trigger,
        requested_by=user,
        priority=PRIORITY[trigger],
        available_at=now,
        created_at=now,
    )


def cancel_run(run: Run, *, user: "User | None") -> bool:
    """A waiting run is cancelled at once; a running one is told at its next heartbeat. False if it has ended already."""
    with transaction.atomic():
        now = metastore_now()
        lock_schedule(run.datastore_id)
        asked: dict[str, Any] = {"cancel_requested_at": now, "cancel_requested_by": user}
        waiting = Run.objects.filter(pk=run.pk, state=State.QUEUED)
        if waiting.update(state=State.CANCELLED, finished_at=now, outcome_code="cancelled", **asked):
            transaction.on_commit(partial(hooks.run_finished, run_id=run.pk), robust=True)
            return True
        running = Run.objects.filter(pk=run.pk, state=State.RUNNING)
        running.filter(cancel_requested_at=None).update(**asked)
        return running.exists()


def hold_still(datastore_id: UUID) -> bool:
    """Lock the datastore's schedule and open runs until the transaction ends, so that none begins, writes or ends.

    Waits for nobody: False where another session holds one of them, and then the caller should step back.
    """
    opened = Run.objects.filter(datastore=datastore_id, state__in=[State.QUEUED, State.RUNNING])
    every: list[QuerySet[Any]] = [Schedule.objects.filter(pk=datastore_id), opened]
    return all(len(each.select_for_update(skip_locked=True)) == each.count() for each in every)
