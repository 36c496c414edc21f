"""What is well is told from the metastore alone; a worker that lives and does not consume is not well."""

from typing import Any

import pytest
from django.db import OperationalError

from metamapper.datastores.models import Datastore
from metamapper.runs import health as module
from metamapper.runs.canary import receive_canary, send_canary
from metamapper.runs.health import health
from metamapper.runs.leases import claim
from metamapper.runs.models import Trigger, WorkerHeartbeat
from metamapper.runs.scheduler import Ledger
from metamapper.runs.services import request_run
from tests.runs.ledger import Broker, Clock, make_datastore

pytestmark = pytest.mark.django_db


def worker(clock: Clock, slots: int = 2) -> None:
    known = {"slots": slots, "started_at": clock.now, "heard_at": clock.now}
    WorkerHeartbeat.objects.update_or_create(name="one", defaults=known)


def statuses() -> tuple[str, str, str]:
    found = health()
    return found.metastore["status"], found.scheduler["status"], found.worker["status"]


def test_a_web_server_by_itself_is_well(clock: Clock) -> None:
    assert statuses() == ("healthy", "not_configured", "not_configured")
    assert health().is_well


def test_everything_at_work(broker: Broker, clock: Clock) -> None:
    worker(clock)
    Ledger("a", broker.publish).tick()
    assert statuses() == ("healthy", "healthy", "healthy")
    assert health().scheduler["latest_scheduler_heartbeat"] == clock.now.isoformat()
    assert (health().worker["workers"], health().worker["slots"]) == (1, 2)


def test_a_scheduler_that_is_gone(broker: Broker, clock: Clock) -> None:
    Ledger("a", broker.publish).tick()
    clock.advance(46)
    assert statuses()[1] == "unhealthy"
    assert not health().is_well


def test_workers_that_are_gone(datastore: Datastore, clock: Clock) -> None:
    worker(clock)
    claim(request_run(datastore, trigger=Trigger.MANUAL).pk, owner="one/1")
    clock.advance(61)
    assert statuses()[2] == "unhealthy"


def test_a_run_that_waits_for_a_worker_that_never_was(datastore: Datastore, clock: Clock) -> None:
    request_run(datastore, trigger=Trigger.MANUAL)
    assert statuses()[2] == "not_configured"
    clock.advance(61)
    assert statuses()[2] == "unhealthy"


def test_a_worker_that_lives_and_does_not_consume(broker: Broker, clock: Clock) -> None:
    worker(clock)
    send_canary(broker.publish)
    clock.advance(61)
    worker(clock)
    assert statuses()[2] == "unhealthy"
    receive_canary(broker[0])
    assert statuses()[2] == "healthy"


def test_a_worker_whose_slots_are_all_busy_is_well(broker: Broker, clock: Clock) -> None:
    worker(clock, slots=1)
    send_canary(broker.publish)
    claim(request_run(make_datastore(), trigger=Trigger.MANUAL).pk, owner="one/1")
    clock.advance(61)
    worker(clock, slots=1)
    assert statuses()[2] == "healthy"


def test_a_metastore_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(module, "metastore_now", away)
    assert statuses() == ("unhealthy", "unhealthy", "unhealthy")
    assert not health().is_well
