"""The outbox: what was committed is done, what was rolled back is not, by one worker at a time, whatever happens."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from metamapper.runs import errands
from metamapper.runs.errands import (
    Held,
    Hopeless,
    Overtaken,
    dispatch_errands,
    execute_errand,
    hand_over_errands,
    handles,
    put,
    reap_errands,
    sweep_errands,
    take_errands_from,
)
from metamapper.runs.models import Errand
from metamapper.runs.timing import timing
from tests.runs.ledger import Broker, Clock

pytestmark = pytest.mark.django_db(transaction=True)
State = Errand.State
LAST = len(timing().errand_backoff) + 1


class Doing:
    """A handler that notes what it was given, and fails as told."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.error: Exception | None = None

    def __call__(self, held: Held) -> None:
        if self.error:
            raise self.error
        self.done.append(dict(held.what))


@pytest.fixture(autouse=True)
def doing(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Doing]:
    monkeypatch.setattr(errands, "_handlers", dict(errands._handlers))
    handler = Doing()
    handles("test")(handler)
    yield handler
    leased = Errand.objects.filter(lease_owner__isnull=False)
    assert set(leased.values_list("state", flat=True)) <= {State.WORKING}


def only() -> Errand:
    return Errand.objects.get()


def work(message: object, owner: str = "w/1") -> None:
    execute_errand(message, owner=owner)


def test_what_is_committed_is_done_once(doing: Doing, broker: Broker) -> None:
    put("test", {"to": "ana"})
    assert dispatch_errands(broker.publish) == 1
    for message in [*broker, *broker, *broker]:
        work(str(message))
    assert doing.done == [{"to": "ana"}]
    assert (only().state, only().attempt, bytes(only().sealed)) == (State.DONE, 1, b"")


def test_what_is_rolled_back_was_never_asked_for(broker: Broker) -> None:
    class Undone(Exception):
        pass

    def undone() -> None:
        with transaction.atomic():
            put("test", {})
            raise Undone

    with pytest.raises(Undone):
        undone()
    assert dispatch_errands(broker.publish) == 0


def test_the_metastore_holds_no_word_of_it() -> None:
    put("test", {"link": "https://site/reset/secret-token"})
    assert b"secret-token" not in bytes(only().sealed)


def test_a_key_is_put_once() -> None:
    put("test", {}, key="digest of Monday")
    put("test", {}, key="digest of Monday")
    put("test", {})
    put("test", {})
    assert Errand.objects.count() == 3


def test_a_kind_that_nobody_handles_is_refused_where_it_is_put() -> None:
    with pytest.raises(ValueError, match="nothing-of-ours"):
        put("nothing-of-ours", {})


def test_a_kind_that_an_older_worker_does_not_know_waits_for_one_that_does(doing: Doing, clock: Clock) -> None:
    put("test", {"to": "ana"})
    handler = errands._handlers.pop("test")
    work(only().pk)
    assert (only().state, only().error, doing.done) == (State.WAITING, "LookupError", [])
    handles("test")(handler)
    clock.now = only().available_at
    work(only().pk)
    assert doing.done == [{"to": "ana"}]


def test_a_lost_message_is_sent_again(doing: Doing, broker: Broker, clock: Clock) -> None:
    put("test", {})
    dispatch_errands(broker.publish)
    broker.clear()
    clock.advance(timing().redispatch - 1)
    assert dispatch_errands(broker.publish) == 0
    clock.advance(1)
    assert dispatch_errands(broker.publish) == 1


def test_a_broker_that_is_away_loses_nothing(broker: Broker) -> None:
    put("test", {})
    broker.down = True
    assert dispatch_errands(broker.publish) == 0
    broker.down = False
    assert dispatch_errands(broker.publish) == 1


def test_the_broker_holds_a_window_at_most(broker: Broker) -> None:
    for _ in range(timing().errand_window + 5):
        put("test", {})
    dispatch_errands(broker.publish)
    dispatch_errands(broker.publish)
    assert len(set(broker)) == len(broker) == timing().errand_window
    work(broker.pop())
    assert dispatch_errands(broker.publish) == 1


def test_an_error_is_tried_again_ever_later_and_given_up_after_a_day(doing: Doing, clock: Clock) -> None:
    put("test", {})
    doing.error = ConnectionRefusedError("password=hunter2")
    began = clock.now
    for _ in range(LAST - 1):
        work(only().pk)
        assert (only().state, only().error) == (State.WAITING, "ConnectionRefusedError")
        work(only().pk)  # too early: nothing to claim
        clock.now = only().available_at
    assert 18 < (clock.now - began).total_seconds() / 3600 < 30
    work(only().pk)
    assert (only().state, only().attempt) == (State.FAILED, LAST)


def test_what_is_hopeless_is_not_tried_again(doing: Doing) -> None:
    put("test", {})
    doing.error = Hopeless("The mail server takes no mail for this address.")
    work(only().pk)
    assert (only().state, only().error) == (State.FAILED, "The mail server takes no mail for this address.")


def test_a_worker_that_vanished_gives_it_back(doing: Doing, clock: Clock) -> None:
    put("test", {})
    held = errands._claim(only().pk, "w/1")
    assert held
    assert reap_errands() == 0
    clock.advance(timing().errand_lease + 1)
    assert reap_errands() == 1
    work(only().pk, "v/2")
    assert len(doing.done) == 1
    with pytest.raises(Overtaken), held.settling():
        pytest.fail("A holder whose lease is gone must write nothing")


def test_a_stopping_worker_gives_it_back_without_blame() -> None:
    put("test", {})
    for _ in range(LAST + 1):
        assert errands._claim(only().pk, "w/1")
        assert hand_over_errands("w") == 1
    assert (only().state, only().attempt) == (State.WAITING, 0)


@pytest.mark.parametrize("give_back", [lambda: take_errands_from(["w/1"]), lambda: hand_over_errands("w")])
def test_a_death_that_was_seen_gives_it_back_at_once(doing: Doing, give_back: Any) -> None:
    put("test", {})
    put("test", {})
    mine, other = Errand.objects.all()
    errands._claim(mine.pk, "w/1")
    errands._claim(other.pk, "v/1")
    assert give_back() == 1
    assert [each.state for each in Errand.objects.order_by("pk")] == [State.WAITING, State.WORKING]


def test_one_that_takes_its_worker_with_it_each_time_is_given_up(clock: Clock) -> None:
    put("test", {})
    for _ in range(LAST):
        assert errands._claim(only().pk, "w/1")
        take_errands_from(["w/1"])
    assert (only().state, only().attempt) == (State.FAILED, LAST)


def test_a_handler_that_settles_has_its_effect_with_its_end(doing: Doing) -> None:
    """Either both are there or neither is."""

    class Crash(Exception):
        pass

    crash = True

    def settle(held: Held) -> None:
        with held.settling():
            Errand.objects.create(kind="effect", sealed=b"", available_at=clock_of(held), created_at=clock_of(held))
            if crash:
                raise Crash

    handles("test")(settle)
    put("test", {})
    errand = only()
    work(errand.pk)
    assert not Errand.objects.filter(kind="effect").exists()
    crash = False
    Errand.objects.update(available_at=errand.created_at)
    work(errand.pk)
    work(errand.pk)
    assert Errand.objects.filter(kind="effect").count() == 1
    assert Errand.objects.get(pk=errand.pk).state == State.DONE


def clock_of(held: Held) -> Any:
    return Errand.objects.get(pk=held.id).created_at


@pytest.mark.parametrize("message", [None, "", "nonsense", 7, {"foreign": "payload"}, UUID(int=7)])
def test_a_message_that_names_no_errand_is_passed_over(doing: Doing, message: object) -> None:
    work(message)
    assert doing.done == []


def test_the_ended_are_forgotten_after_a_week(clock: Clock) -> None:
    put("test", {})
    put("test", {})
    work(Errand.objects.earliest("pk").pk)
    clock.advance(timing().errand_forgotten + 1)
    sweep_errands(clock.now)
    assert only().state == State.WAITING


def test_under_another_key_it_waits_for_the_right_one(doing: Doing, settings: Any) -> None:
    put("test", {"to": "ana"})
    right = settings.METAMAPPER_FERNET_KEYS
    settings.METAMAPPER_FERNET_KEYS = ["A" * 43 + "="]
    work(only().pk)
    assert (only().state, only().error, doing.done) == (State.WAITING, "WrongKey", [])
    settings.METAMAPPER_FERNET_KEYS = right
    Errand.objects.update(available_at=only().created_at)
    work(only().pk)
    assert doing.done == [{"to": "ana"}]
