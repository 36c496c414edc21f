"""A canary is sent when it is time and somebody would take it, comes back once, and tells how long it was on its way."""

from datetime import timedelta

import pytest

from metamapper.runs.canary import receive_canary, send_canary, sweep_canaries
from metamapper.runs.health import round_trip
from metamapper.runs.models import Canary, WorkerHeartbeat
from tests.runs.ledger import Broker, Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(db: None, clock: Clock) -> WorkerHeartbeat:
    return WorkerHeartbeat.objects.create(name="one", slots=2, started_at=clock.now, heard_at=clock.now)


def heard(worker: WorkerHeartbeat, clock: Clock) -> None:
    WorkerHeartbeat.objects.filter(pk=worker.pk).update(heard_at=clock.now)


def test_one_a_minute(worker: WorkerHeartbeat, broker: Broker, clock: Clock) -> None:
    assert [send_canary(broker.publish), send_canary(broker.publish)] == [True, False]
    clock.advance(2)
    receive_canary(str(broker[0]))
    assert round_trip() == 2
    clock.advance(57)
    assert not send_canary(broker.publish)
    clock.advance(1)
    heard(worker, clock)
    assert send_canary(broker.publish)


def test_none_where_nobody_would_take_it(broker: Broker, clock: Clock) -> None:
    assert not send_canary(broker.publish)
    assert not Canary.objects.exists()


def test_one_that_does_not_come_back_is_followed_by_few(worker: WorkerHeartbeat, broker: Broker, clock: Clock) -> None:
    for _ in range(60):
        send_canary(broker.publish)
        clock.advance(20)
        heard(worker, clock)
    assert len(broker) == 4


def test_a_broker_that_is_away_leaves_no_trace(worker: WorkerHeartbeat, broker: Broker) -> None:
    broker.down = True
    assert not send_canary(broker.publish)
    assert not Canary.objects.exists()
    broker.down = False
    assert send_canary(broker.publish)


def test_a_clock_that_went_back_does_not_silence_it(worker: WorkerHeartbeat, broker: Broker, clock: Clock) -> None:
    send_canary(broker.publish)
    clock.advance(-7200)
    heard(worker, clock)
    assert send_canary(broker.publish)


@pytest.mark.parametrize("message", [None, "", "no id", 7, {"a": 1}, "01a21e44-0000-7000-8000-000000000000"])
def test_what_is_no_canary_changes_nothing(worker: WorkerHeartbeat, broker: Broker, message: object) -> None:
    send_canary(broker.publish)
    receive_canary(message)
    assert Canary.objects.get().received_at is None


def test_the_first_coming_counts(worker: WorkerHeartbeat, broker: Broker, clock: Clock) -> None:
    send_canary(broker.publish)
    for seconds in (1, 30):
        clock.advance(seconds)
        receive_canary(str(broker[0]))
    assert round_trip() == 1


def test_old_ones_are_forgotten(worker: WorkerHeartbeat, broker: Broker, clock: Clock) -> None:
    send_canary(broker.publish)
    sweep_canaries(clock.now + timedelta(hours=2))
    assert not Canary.objects.exists()
