"""Runs that found nothing are forgotten in time; numbers, slots, counters and history still add up."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import override_settings

from metamapper.datastores.models import Datastore
from metamapper.runs.auditing import _at_most, audit
from metamapper.runs.due import create_due_runs
from metamapper.runs.errands import Held, execute_errand
from metamapper.runs.forgetting import BATCH, forget_runs
from metamapper.runs.housekeeping import KIND, ask_for_housekeeping, housekeeping
from metamapper.runs.invariants import INVARIANTS, broken
from metamapper.runs.leases import claim
from metamapper.runs.metrics import exposition
from metamapper.runs.models import CHANGED, NOTED, Attempt, Audit, Errand, Run, Schedule, State, Trigger
from metamapper.runs.scheduler import Ledger
from metamapper.runs.services import fail, finish, request_run, set_schedule
from metamapper.runs.tallies import tally
from tests.runs.ledger import Clock, make_datastore

pytestmark = pytest.mark.django_db

DAYS = timedelta(days=1).total_seconds()


@pytest.fixture
def datastore(clock: Clock) -> Datastore:
    made = make_datastore()
    set_schedule(made, interval_seconds=3600)
    clock.advance(3600)
    return made


def looked(datastore: Datastore, clock: Clock, *, code: str = "same", state: str = State.SUCCEEDED) -> Run:
    run = Run.objects.filter(datastore=datastore, state=State.QUEUED).first()
    run = run or request_run(datastore, trigger=Trigger.MANUAL)
    lease = claim(run.pk, owner="w/1")
    assert lease
    clock.advance(1)
    if state == State.FAILED:
        fail(lease, code=code, outcome={}, permanent=True)
    else:
        finish(lease, state=state, outcome_code=code)
    tally()
    run.refresh_from_db()
    return run


def remembered() -> list[int]:
    return sorted(Run.objects.values_list("number", flat=True))


def test_what_found_nothing_is_forgotten_after_its_days(datastore: Datastore, clock: Clock) -> None:
    for _ in range(3):
        create_due_runs()
        looked(datastore, clock)
        clock.advance(3600)
    clock.advance(29 * DAYS)
    assert forget_runs() == 0
    clock.advance(DAYS)
    assert forget_runs() == 2
    assert remembered() == [3]
    assert Attempt.objects.count() == 1
    schedule = Schedule.objects.get()
    assert (schedule.forgotten, schedule.forgotten_slots) == (2, 2)
    assert broken() == {}


@pytest.mark.parametrize("code", [CHANGED, NOTED])
def test_a_run_that_history_refers_to_stays(datastore: Datastore, clock: Clock, code: str) -> None:
    looked(datastore, clock, code=code)
    looked(datastore, clock)
    looked(datastore, clock)
    clock.advance(400 * DAYS)
    assert forget_runs() == 1
    assert remembered() == [1, 3]


def test_the_last_look_and_the_failures_since_stay(datastore: Datastore, clock: Clock) -> None:
    looked(datastore, clock, state=State.FAILED)
    looked(datastore, clock, state=State.PARTIAL)
    looked(datastore, clock, state=State.FAILED)
    looked(datastore, clock, state=State.FAILED)
    clock.advance(400 * DAYS)
    assert forget_runs() == 1
    assert remembered() == [2, 3, 4]
    assert broken() == {}


def test_numbers_are_not_given_twice(datastore: Datastore, clock: Clock) -> None:
    looked(datastore, clock)
    looked(datastore, clock)
    clock.advance(400 * DAYS)
    assert forget_runs() == 1
    assert looked(datastore, clock).number == 3
    assert broken() == {}


def test_slots_before_counting_began_do_not_count(datastore: Datastore, clock: Clock) -> None:
    create_due_runs()
    looked(datastore, clock)
    clock.advance(3600)
    set_schedule(datastore, interval_seconds=900)  # counting begins anew
    clock.advance(900)
    create_due_runs()
    looked(datastore, clock)
    clock.advance(400 * DAYS)
    assert forget_runs() == 1
    assert Schedule.objects.get().forgotten_slots == 0
    assert broken() == {}


def test_what_no_counter_has_counted_stays(datastore: Datastore, clock: Clock) -> None:
    first = looked(datastore, clock)
    looked(datastore, clock)
    Run.objects.filter(pk=first.pk).update(tallied=False)
    clock.advance(400 * DAYS)
    assert forget_runs() == 0
    tally()
    assert forget_runs() == 1


@override_settings(METAMAPPER_RUNS={"runs_kept": 0})
def test_for_ever_is_for_ever(datastore: Datastore, clock: Clock) -> None:
    looked(datastore, clock)
    looked(datastore, clock)
    clock.advance(4000 * DAYS)
    assert forget_runs() == 0


def test_a_batch_at_a_time(datastore: Datastore, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metamapper.runs.forgetting.BATCH", 2)
    assert BATCH > 2
    for _ in range(6):
        looked(datastore, clock)
    clock.advance(400 * DAYS)
    assert [forget_runs() for _ in range(4)] == [2, 2, 1, 0]
    assert broken() == {}


# --- Housekeeping ---------------------------------------------------------------------------------------------------------


def test_the_hours_errand_is_put_once_and_done(datastore: Datastore, clock: Clock) -> None:
    looked(datastore, clock)
    looked(datastore, clock)
    clock.advance(400 * DAYS)
    for _ in range(3):
        ask_for_housekeeping(clock.now)
    [errand] = Errand.objects.all()
    execute_errand(errand.pk, owner="w/1")
    errand.refresh_from_db()
    assert errand.state == Errand.State.DONE
    assert remembered() == [2]
    assert set(Audit.objects.values_list("broken", flat=True)) == {0}
    clock.advance(3600)
    ask_for_housekeeping(clock.now)
    assert Errand.objects.count() == 2


def test_a_broken_promise_is_counted_and_told(
    datastore: Datastore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    looked(datastore, clock)
    assert audit() == {}
    Attempt.objects.all().delete()
    clock.advance(60)
    assert audit() == {"succeeded_means_applied_once_under_the_last_fence": 1, "every_claim_is_an_attempt": 1}
    assert "invariants.broken" in caplog.text
    assert set(Audit.objects.values_list("checked_at", flat=True)) == {clock.now}


SLOW = {
    "postgresql": "SELECT pg_sleep(5)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT sum(i) FROM n",
}


def test_a_check_that_takes_too_long_keeps_its_former_answer(
    datastore: Datastore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit()
    before = clock.now
    clock.advance(60)
    monkeypatch.setitem(INVARIANTS, "no_slot_twice", SLOW[connection.vendor])
    with override_settings(METAMAPPER_RUNS={"audit_statement": 0.2}):
        assert audit() == {}
    checked = dict(Audit.objects.values_list("invariant", "checked_at"))
    assert checked.pop("no_slot_twice") == before
    assert set(checked.values()) == {clock.now}


def test_what_could_never_be_checked_is_told_as_such(datastore: Datastore, clock: Clock) -> None:
    audit(seconds=0)
    assert Audit.objects.filter(checked_at=None, broken=None).count() == Audit.objects.count() > 0
    told = exposition().decode()
    assert 'metamapper_invariant_broken{invariant="no_slot_twice"} NaN' in told
    assert 'metamapper_invariant_check_age_seconds{invariant="no_slot_twice"} +Inf' in told


def test_those_that_waited_longest_are_checked_first(datastore: Datastore, clock: Clock) -> None:
    audit()
    Audit.objects.filter(invariant="numbers_have_no_gap").update(checked_at=clock.now - timedelta(days=1))
    order = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metamapper.runs.auditing._check", lambda name, _limit: order.append(name))
        audit()
    assert order[0] == "numbers_have_no_gap"


def test_an_audit_that_waits_keeps_nobody_from_writing() -> None:
    """On SQLite a transaction would: it begins as a writer."""
    with _at_most(5):
        assert not (connection.vendor == "sqlite" and connection.in_atomic_block and connection.savepoint_ids)


def test_the_tick_asks_for_housekeeping_once_what_an_outage_left_is_reaped(datastore: Datastore, clock: Clock) -> None:
    run = request_run(datastore, trigger=Trigger.MANUAL)
    assert claim(run.pk, owner="w/1")
    ledger = Ledger("one", lambda _: None, errand=lambda _: None, monotonic=lambda: clock().timestamp())
    ledger.tick()
    Errand.objects.all().delete()
    clock.advance(7200)
    ledger.tick()
    assert not Errand.objects.filter(kind=KIND).exists()
    for _ in range(8):
        clock.advance(5)
        ledger.tick()
    [errand] = Errand.objects.filter(kind=KIND)
    execute_errand(errand.pk, owner="w/1")
    assert not Audit.objects.filter(broken__gt=0).exists()


def test_what_failed_is_left_to_the_next_hour(datastore: Datastore, clock: Clock) -> None:
    again = Held(uuid4(), KIND, attempt=2, fence=1, sealed=b"")
    housekeeping(again)
    assert not Audit.objects.exists()
    housekeeping(replace(again, attempt=1))
    assert Audit.objects.exists()
