"""Counters count each run once, whatever happens beside them; what Prometheus reads names nobody and costs little."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from metamapper.datastores.models import Datastore
from metamapper.runs.auditing import audit
from metamapper.runs.leases import claim
from metamapper.runs.metrics import exposition
from metamapper.runs.models import Audit, Run, RunTally, Schedule, State, Trigger, WorkerHeartbeat
from metamapper.runs.services import finish, request_run, set_schedule
from metamapper.runs.tallies import SECONDS, tally
from tests.runs.ledger import Clock, make_datastore, make_workspace

pytestmark = pytest.mark.django_db


def ended(clock: Clock, datastore: Datastore | None = None, *, seconds: float = 2) -> Run:
    run = request_run(datastore or make_datastore(), trigger=Trigger.MANUAL)
    lease = claim(run.pk, owner="w/1")
    assert lease
    clock.advance(seconds)
    finish(lease, state=State.SUCCEEDED)
    return run


def samples() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition().decode())
        for sample in family.samples
    }


def test_each_run_is_counted_once(clock: Clock) -> None:
    for seconds in (0.2, 2, 2000):
        ended(clock, seconds=seconds)
    assert [tally(), tally()] == [3, 0]
    kept = RunTally.objects.get()
    assert (kept.runs, kept.seconds, kept.state) == (3, pytest.approx(2002.2), "succeeded")
    assert kept.buckets == [1, 0, 1, 0, 0, 0, 0, 0, 1]
    ended(clock)
    tally()
    assert RunTally.objects.get().runs == 4


def test_what_is_forgotten_stays_counted(clock: Clock) -> None:
    ended(clock)
    tally()
    Run.objects.all().delete()
    tally()
    assert (
        samples()[("metamapper_runs_total", (("engine", Datastore.objects.get().engine), ("state", "succeeded")))] == 1
    )


def test_a_cancelled_run_that_never_began_has_no_duration(datastore: Datastore, clock: Clock) -> None:
    run = request_run(datastore, trigger=Trigger.MANUAL)
    Run.objects.filter(pk=run.pk).update(state=State.CANCELLED, finished_at=clock.now)
    tally()
    assert (RunTally.objects.get().runs, sum(RunTally.objects.get().buckets)) == (1, 0)


def test_lateness_is_that_of_slots(datastore: Datastore, clock: Clock) -> None:
    run = request_run(datastore, trigger=Trigger.SCHEDULED)
    Run.objects.filter(pk=run.pk).update(slot=clock.now - timedelta(seconds=10), lost_count=2, dispatch_count=3)
    lease = claim(run.pk, owner="w/1")
    assert lease
    finish(lease, state=State.SUCCEEDED)
    tally()
    kept = RunTally.objects.get()
    assert (kept.late_seconds, kept.lost, kept.resent) == (10, 2, 2)
    assert kept.late_buckets[SECONDS.index(15.0)] == 1


def test_buckets_are_cumulative(clock: Clock) -> None:
    datastore = make_datastore()
    for seconds in (0.2, 2, 2000):
        ended(clock, datastore, seconds=seconds)
    tally()
    found = samples()
    name, engine = "metamapper_run_duration_seconds", ("engine", datastore.engine)
    assert found[(f"{name}_bucket", (engine, ("le", "0.5")))] == 1
    assert found[(f"{name}_bucket", (engine, ("le", "900.0")))] == 2
    assert found[(f"{name}_bucket", (engine, ("le", "+Inf")))] == found[(f"{name}_count", (engine,))] == 3


def test_what_waits_and_for_how_long(datastore: Datastore, clock: Clock) -> None:
    request_run(datastore, trigger=Trigger.MANUAL)
    clock.advance(30)
    found = samples()
    waiting = {name: value for (name, _), value in found.items()}
    assert (waiting["metamapper_runs_queued"], waiting["metamapper_queue_age_seconds"]) == (1, 30)
    assert waiting["metamapper_dispatch_lag_seconds"] == 30
    assert waiting["metamapper_runs_running"] == 0


def test_stale_datastores_are_counted(clock: Clock) -> None:
    workspace = make_workspace()
    for seen in (30, 3 * 3600):
        datastore = make_datastore(workspace)
        set_schedule(datastore, interval_seconds=3600)
        Datastore.objects.filter(pk=datastore.pk).update(seen_at=clock.now - timedelta(seconds=seen))
    found = {name: value for (name, _), value in samples().items()}
    assert found["metamapper_datastores_stale"] == 1
    Schedule.objects.update(enabled=False)
    assert {name: value for (name, _), value in samples().items()}["metamapper_datastores_stale"] == 0


def test_no_name_is_told(clock: Clock) -> None:
    WorkerHeartbeat.objects.create(name="celery@secret-host", slots=2, started_at=clock.now, heard_at=clock.now)
    datastore = make_datastore(host="secret-host")
    ended(clock, datastore)
    tally()
    text = exposition().decode()
    assert "secret-host" not in text
    assert datastore.name not in text
    assert datastore.workspace.name not in text


def test_a_scrape_costs_a_constant_number_of_queries(clock: Clock, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        ended(clock)
    tally()
    with django_assert_max_num_queries(14):
        exposition()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite admits one writer at a time")
def test_two_schedulers_count_no_run_twice(clock: Clock) -> None:
    for _ in range(60):
        ended(clock)
    barrier, counted = threading.Barrier(4), []

    def count() -> None:
        barrier.wait()
        counted.append(tally())
        connection.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally()
    assert sum(counted) <= 60
    assert RunTally.objects.get().runs == 60


def test_what_the_audit_found_is_told_with_its_age(clock: Clock) -> None:
    assert not any(name.startswith("metamapper_invariant") for name, _ in samples())
    ended(clock)
    audit()
    Audit.objects.filter(invariant="no_slot_twice").update(broken=2)
    clock.advance(90)
    told = samples()
    assert told[("metamapper_invariant_broken", (("invariant", "no_slot_twice"),))] == 2
    assert told[("metamapper_invariant_broken", (("invariant", "numbers_have_no_gap"),))] == 0
    assert told[("metamapper_invariant_check_age_seconds", (("invariant", "no_slot_twice"),))] == 90
