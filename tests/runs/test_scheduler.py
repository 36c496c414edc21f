"""The tick: slots become runs or are counted, expired leases come back, waiting runs are sent, whoever leads."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import Error, OperationalError

from metamapper.datastores.models import Datastore
from metamapper.runs import scheduler
from metamapper.runs.dispatch import dispatch, dispatch_now
from metamapper.runs.due import create_due_runs
from metamapper.runs.endings import fail, finish
from metamapper.runs.leases import claim
from metamapper.runs.models import Run, Schedule, SchedulerLease, State, Trigger, WorkerHeartbeat
from metamapper.runs.scheduler import Ledger
from metamapper.runs.services import request_run, set_schedule
from tests.runs.ledger import Broker, Clock, fresh, make_datastore, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sound", "clock")]


def scheduled(datastore: Datastore, interval: int = 3600) -> Schedule:
    return set_schedule(datastore, interval_seconds=interval)


def at_slot(clock: Clock, datastore: Datastore) -> None:
    due = Schedule.objects.get(pk=datastore.pk).next_due_at
    assert due
    clock.now = due


def succeed(run: Run) -> None:
    lease = claim(run.pk, owner="w/1")
    assert lease
    finish(lease, state=State.SUCCEEDED)


def break_down(run: Run) -> None:
    lease = claim(run.pk, owner="w/1")
    assert lease
    fail(lease, code="sign_in.failed", outcome={}, permanent=True)


# --- Due ---------------------------------------------------------------------------------------------------------------


def test_a_due_slot_becomes_one_run(datastore: Datastore, clock: Clock) -> None:
    schedule = scheduled(datastore)
    assert create_due_runs() == 0
    at_slot(clock, datastore)
    assert (create_due_runs(), create_due_runs()) == (1, 0)
    run = Run.objects.get()
    assert (run.trigger, run.slot, run.number, run.state) == (Trigger.SCHEDULED, schedule.next_due_at, 1, State.QUEUED)


def test_missed_slots_are_counted_and_the_newest_runs(datastore: Datastore, clock: Clock) -> None:
    schedule = scheduled(datastore)
    at_slot(clock, datastore)
    clock.advance(5 * 3600 + 10)
    assert create_due_runs() == 1
    after = Schedule.objects.get()
    assert after.coalesced == 5
    assert schedule.next_due_at
    assert Run.objects.get().slot == schedule.next_due_at + timedelta(hours=5)
    assert after.next_due_at == schedule.next_due_at + timedelta(hours=6)


def test_a_slot_whose_datastore_waits_already_is_counted(datastore: Datastore, clock: Clock) -> None:
    scheduled(datastore)
    request_run(datastore, trigger=Trigger.MANUAL)
    at_slot(clock, datastore)
    assert create_due_runs() == 0
    assert Schedule.objects.get().coalesced == 1


def test_a_slot_during_a_run_waits_behind_it(datastore: Datastore, clock: Clock) -> None:
    scheduled(datastore)
    running = request_run(datastore, trigger=Trigger.MANUAL)
    lease = claim(running.pk, owner="w/1")
    assert lease
    at_slot(clock, datastore)
    assert create_due_runs() == 1
    finish(lease, state=State.SUCCEEDED)


def test_a_paused_datastore_has_no_slots(datastore: Datastore, clock: Clock) -> None:
    scheduled(datastore)
    set_schedule(datastore, enabled=False)
    clock.advance(10 * 3600)
    assert create_due_runs() == 0
    set_schedule(datastore, enabled=True)
    at_slot(clock, datastore)
    assert create_due_runs() == 1
    assert Schedule.objects.get().coalesced == 0


def test_a_new_interval_counts_anew(datastore: Datastore, clock: Clock) -> None:
    scheduled(datastore)
    at_slot(clock, datastore)
    clock.advance(7200)
    create_due_runs()
    succeed(Run.objects.get())
    assert set_schedule(datastore, interval_seconds=900).coalesced == 0
    at_slot(clock, datastore)
    assert create_due_runs() == 1


def test_five_failed_slots_open_the_breaker_and_a_trial_run_closes_it(datastore: Datastore, clock: Clock) -> None:
    scheduled(datastore)
    for _ in range(5):
        at_slot(clock, datastore)
        assert create_due_runs() == 1
        break_down(Run.objects.get(state=State.QUEUED))
    schedule = Schedule.objects.get()
    assert schedule.breaker_until == clock.now + timedelta(hours=2)
    at_slot(clock, datastore)
    assert create_due_runs() == 0
    at_slot(clock, datastore)
    assert create_due_runs() == 1
    succeed(Run.objects.get(state=State.QUEUED))
    schedule = Schedule.objects.get()
    assert (schedule.consecutive_failures, schedule.breaker_until, schedule.coalesced) == (0, None, 1)


def test_a_button_press_ignores_the_breaker(datastore: Datastore, clock: Clock) -> None:
    scheduled(datastore)
    Schedule.objects.update(consecutive_failures=9, breaker_until=clock.now + timedelta(hours=20))
    succeed(request_run(datastore, trigger=Trigger.MANUAL))


def test_many_are_turned_in_batches(clock: Clock, db: None) -> None:
    workspace = make_workspace()
    for _ in range(620):
        scheduled(make_datastore(workspace))
    clock.advance(3600)
    assert create_due_runs() == 620
    assert Run.objects.values("datastore").distinct().count() == 620


# --- Dispatch ----------------------------------------------------------------------------------------------------------


def waiting(count: int, **facts: str) -> list[Run]:
    workspace = make_workspace()
    return [request_run(make_datastore(workspace, **facts), trigger=Trigger.SCHEDULED) for _ in range(count)]


def test_a_waiting_run_is_sent_once_and_again_when_it_is_lost(broker: Broker, clock: Clock) -> None:
    (run,) = waiting(1)
    assert (dispatch(broker.publish), dispatch(broker.publish)) == (1, 0)
    clock.advance(119)
    assert dispatch(broker.publish) == 0
    clock.advance(1)
    assert dispatch(broker.publish) == 1
    assert broker == [run.pk, run.pk]
    assert fresh(run).dispatch_count == 2


def test_the_broker_never_holds_more_than_the_window_nor_more_than_half_of_it_of_one_workspace(broker: Broker) -> None:
    waiting(80)
    assert dispatch(broker.publish) == 25
    waiting(80)
    waiting(80)
    assert dispatch(broker.publish) == 25
    assert dispatch(broker.publish) == 0
    assert len(set(broker)) == 50


def test_more_workers_widen_the_window(broker: Broker, clock: Clock) -> None:
    WorkerHeartbeat.objects.create(name="one", slots=30, started_at=clock.now, heard_at=clock.now)
    WorkerHeartbeat.objects.create(
        name="gone", slots=1000, started_at=clock.now, heard_at=clock.now - timedelta(minutes=2)
    )
    waiting(70)
    waiting(70)
    assert dispatch(broker.publish) == 120


def test_workspaces_take_turns(broker: Broker) -> None:
    big, small = waiting(60), waiting(5)
    dispatch(broker.publish)
    position = {pk: at for at, pk in enumerate(broker)}
    assert max(position[run.pk] for run in small) == 9
    assert sum(run.pk in position for run in big) == 25


def test_what_people_wait_for_goes_first(broker: Broker) -> None:
    runs = waiting(40)
    request_run(runs[-1].datastore, trigger=Trigger.MANUAL)
    dispatch(broker.publish)
    assert broker[0] == runs[-1].pk


def test_a_host_gets_two_sessions(broker: Broker) -> None:
    same, other = waiting(10, host="db.example"), waiting(1, host="other.example")
    assert dispatch(broker.publish) == 3
    assert other[0].pk in broker
    first = next(run for run in same if run.pk in broker)
    lease = claim(first.pk, owner="w/1")
    assert lease
    assert dispatch(broker.publish) == 0
    finish(lease, state=State.SUCCEEDED)
    assert dispatch(broker.publish) == 1


def test_a_run_behind_a_running_one_is_sent_as_soon_as_that_ends(datastore: Datastore, broker: Broker) -> None:
    lease = claim(request_run(datastore, trigger=Trigger.MANUAL).pk, owner="w/1")
    assert lease
    behind = request_run(datastore, trigger=Trigger.MANUAL)
    assert dispatch(broker.publish) == 0
    finish(lease, state=State.SUCCEEDED)
    assert dispatch(broker.publish) == 1
    assert broker == [behind.pk]


def test_a_broker_that_is_away_costs_nothing_but_time(broker: Broker) -> None:
    waiting(3)
    broker.down = True
    assert dispatch(broker.publish) == 0
    broker.down = False
    assert dispatch(broker.publish) == 3


def test_the_doorbell_sends_ahead_of_the_tick_what_people_wait_for(broker: Broker) -> None:
    runs = waiting(60)
    request_run(runs[-1].datastore, trigger=Trigger.MANUAL)
    assert dispatch_now([runs[-1].pk], broker.publish) == 1
    assert dispatch_now([runs[-1].pk], broker.publish) == 0
    assert broker == [runs[-1].pk]


def test_the_doorbell_is_as_fair_as_the_tick(broker: Broker) -> None:
    """Many buttons of one workspace, or of one host, wait like everything else."""
    runs = waiting(60)
    assert dispatch_now([run.pk for run in runs], broker.publish) == 25
    assert dispatch_now([run.pk for run in runs], broker.publish) == 0
    same = waiting(10, host="db.example")
    assert dispatch_now([run.pk for run in same], broker.publish) == 2
    assert dispatch_now([run.pk for run in waiting(60)], broker.publish) == 23


def test_back_off_is_not_sent(datastore: Datastore, broker: Broker, clock: Clock) -> None:
    lease = claim(request_run(datastore, trigger=Trigger.MANUAL).pk, owner="w/1")
    assert lease
    fail(lease, code="connection.refused", outcome={}, permanent=False)
    assert dispatch(broker.publish) == 0
    clock.advance(72)
    assert dispatch(broker.publish) == 1


# --- The tick ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_leads_until_it_is_gone(broker: Broker, clock: Clock) -> None:
    first, second = Ledger("first", broker.publish), Ledger("second", broker.publish)
    assert (first.tick(), second.tick()) == (True, False)
    clock.advance(10)
    assert (second.tick(), first.tick()) == (False, True)
    clock.advance(16)
    assert (second.tick(), first.tick()) == (True, False)
    second.stop()
    assert first.tick()


def test_a_leader_that_renews_at_the_same_moment_keeps_the_lead(clock: Clock, db: None) -> None:
    """Only a lease that lies far ahead was written under a wrong clock, not one of a moment later."""
    clock.advance(0.01)
    assert scheduler.lead("first")
    clock.advance(-0.01)
    assert scheduler.lead("second") is None
    SchedulerLease.objects.update(expires_at=clock.now + timedelta(days=1))
    assert scheduler.lead("second")


def test_a_tick_does_it_all(datastore: Datastore, broker: Broker, clock: Clock) -> None:
    scheduled(datastore)
    ledger = Ledger("first", broker.publish)
    ledger.tick()
    at_slot(clock, datastore)
    ledger.tick()
    assert broker == [Run.objects.get().pk]
    assert SchedulerLease.objects.get().ticked_at == clock.now


def test_after_a_pause_of_the_ticks_nothing_is_reaped_at_once(
    datastore: Datastore, broker: Broker, clock: Clock
) -> None:
    """The metastore was away: nobody could renew a lease, and those that live do so now."""
    ticks = iter(range(0, 10_000, 5))
    ledger = Ledger("first", broker.publish, monotonic=lambda: float(next(ticks)))
    ledger.tick()
    set_schedule(datastore, enabled=False)
    run = request_run(datastore, trigger=Trigger.MANUAL)
    assert claim(run.pk, owner="w/1")
    clock.advance(600)
    for _ in range(3):
        ledger.tick()
        clock.advance(5)
        assert fresh(run).state == State.RUNNING
    for _ in range(12):
        ledger.tick()
        clock.advance(5)
    assert fresh(run).state == State.QUEUED


def test_a_lease_that_is_over_is_reaped_by_the_tick(datastore: Datastore, broker: Broker, clock: Clock) -> None:
    ledger = Ledger("first", broker.publish)
    set_schedule(datastore, enabled=False)
    run = request_run(datastore, trigger=Trigger.MANUAL)
    assert claim(run.pk, owner="w/1")
    for _ in range(20):
        ledger.tick()
        clock.advance(5)
    assert (fresh(run).state, fresh(run).lost_count) == (State.QUEUED, 1)


def test_a_clock_that_went_back_a_day_stops_nothing(datastore: Datastore, broker: Broker, clock: Clock) -> None:
    ledger = Ledger("first", broker.publish)
    scheduled(datastore)
    ledger.tick()
    clock.advance(86_400)
    ledger.tick()
    succeed(Run.objects.get())
    other = request_run(make_datastore(), trigger=Trigger.MANUAL)
    dispatch(broker.publish)
    clock.advance(-86_400)
    broker.clear()
    assert Ledger("second", broker.publish).tick()
    assert other.pk in broker
    succeed(other)
    clock.advance(3600)
    ledger.tick()
    assert Run.objects.filter(datastore=datastore, state=State.QUEUED).exists()


@pytest.mark.django_db(transaction=True)
def test_a_metastore_that_is_away_is_survived_and_told_once(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said: Counter[str] = Counter()
    monkeypatch.setattr(scheduler.log, "warning", lambda event, **_: said.update([event]))
    monkeypatch.setattr(scheduler.log, "info", lambda event, **_: said.update([event]))
    ledger = Ledger("first", broker.publish)

    def away(_owner: str) -> None:
        raise OperationalError

    with monkeypatch.context() as outage:
        outage.setattr(scheduler, "lead", away)
        assert issubclass(OperationalError, Error)
        assert [ledger.try_to_tick() for _ in range(3)] == [False, False, False]
    assert ledger.try_to_tick()
    assert said == {"scheduler.waits_for_metastore": 1, "scheduler.metastore_is_back": 1}
