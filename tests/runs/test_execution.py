"""What a message does: claim, work, and a run that ends whatever the work does."""

import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, transaction
from django.test import override_settings

from metamapper.runs import doorbell, execution
from metamapper.runs.execution import TooLong, execute
from metamapper.runs.metrics import exposition
from metamapper.runs.models import Run, RunTally, State, Trigger
from metamapper.runs.services import Lease, LeaseLost, cancel_run, finish, metastore_now, request_run, wait_for_doorbell
from metamapper.runs.timing import timing
from tests.runs.ledger import fresh, make_datastore

pytestmark = pytest.mark.django_db(transaction=True)
sent: list[UUID] = []


def publish(run_id: UUID) -> None:
    """What the doorbell of these tests publishes with."""
    sent.append(run_id)


@pytest.fixture
def run() -> Run:
    return request_run(make_datastore(), trigger=Trigger.MANUAL)


def done(lease: Lease) -> None:
    with transaction.atomic():
        finish(lease, state=State.SUCCEEDED)


def test_a_message_does_its_run(run: Run) -> None:
    execute(str(run.pk), done, owner="w/1")
    assert fresh(run).state == State.SUCCEEDED


NOBODYS_RUN = "0199d0c2-0000-7000-8000-000000000000"


@pytest.mark.parametrize("message", [None, "", "nonsense", 7, {"foreign": "payload"}, [], NOBODYS_RUN])
def test_a_message_that_names_no_run_is_passed_over(message: object) -> None:
    execute(message, pytest.fail, owner="w/1")


def test_an_error_is_recorded_without_its_words_and_tried_once_more(run: Run) -> None:
    def broken(_lease: Lease) -> None:
        raise RuntimeError("password=hunter2")

    execute(run.pk, broken, owner="w/1")
    assert (fresh(run).state, fresh(run).outcome_code) == (State.QUEUED, "unexpected")
    assert "hunter2" not in str(fresh(run).outcome)
    Run.objects.update(available_at=run.created_at)
    execute(run.pk, broken, owner="w/1")
    assert fresh(run).state == State.FAILED


def test_work_that_forgets_to_end_its_run_has_failed(run: Run) -> None:
    execute(run.pk, lambda _lease: None, owner="w/1")
    assert fresh(run).outcome_code == "unexpected"


def test_an_error_after_the_commit_changes_nothing(run: Run) -> None:
    """A signal may land within COMMIT: the ledger decides, never the exception."""

    def committed(lease: Lease) -> None:
        done(lease)
        raise RuntimeError

    execute(run.pk, committed, owner="w/1")
    assert fresh(run).state == State.SUCCEEDED


def test_the_time_limit_is_told_as_such(run: Run) -> None:
    def endless(_lease: Lease) -> None:
        raise TooLong

    execute(run.pk, endless, owner="w/1")
    assert fresh(run).outcome_code == "time.limit"


def test_a_fenced_run_is_left_alone_and_counted(run: Run) -> None:
    def fenced(lease: Lease) -> None:
        raise LeaseLost(lease)

    execute(run.pk, fenced, owner="w/1")
    assert fresh(run).state == State.RUNNING
    assert RunTally.objects.get().fenced == 1
    assert 'metamapper_writes_fenced_total{engine="postgresql"} 1.0' in exposition().decode()


def test_a_metastore_that_cuts_a_run_short_is_nobodys_fault_and_soon_over(run: Run) -> None:
    def cut(_lease: Lease) -> None:
        raise OperationalError("terminating connection due to administrator command")

    limits = timing()
    for wait in limits.metastore_backoff:
        execute(run.pk, cut, owner="w/1")
        assert (fresh(run).state, fresh(run).outcome_code) == (State.QUEUED, "metastore.away")
        assert (fresh(run).available_at - metastore_now()).total_seconds() <= wait * (1 + limits.jitter)
        Run.objects.update(available_at=run.created_at)
    execute(run.pk, cut, owner="w/1")
    assert fresh(run).state == State.FAILED


def test_a_run_that_was_cancelled_meanwhile_is_cancelled(run: Run) -> None:
    def stopped(_lease: Lease) -> None:
        cancel_run(run, user=None)
        raise RuntimeError

    execute(run.pk, stopped, owner="w/1")
    assert fresh(run).state == State.CANCELLED


def test_a_metastore_that_is_away_at_the_claim_costs_the_message_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(execution, "claim", away)
    execute(run.pk, pytest.fail, owner="w/1")
    assert fresh(run).state == State.QUEUED


def test_a_metastore_that_is_away_at_the_end_is_asked_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OperationalError(), OperationalError()])
    real = execution.standing

    def sometimes(lease: Lease) -> object:
        for error in answers:
            raise error
        return real(lease)

    monkeypatch.setattr(execution, "standing", sometimes)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0)
    execute(run.pk, lambda _lease: None, owner="w/1")
    assert fresh(run).outcome_code == "unexpected"


# --- The doorbell --------------------------------------------------------------------------------------------------------


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(doorbell.RUNS, "_bell", doorbell.Bell("METAMAPPER_PUBLISHER", doorbell.RUNS._deliver))
    sent.clear()
    with override_settings(METAMAPPER_PUBLISHER=f"{__name__}.publish"):
        yield
        assert wait_for_doorbell(10)


@pytest.mark.usefixtures("bell")
def test_a_request_rings_after_its_commit() -> None:
    with transaction.atomic():
        run = request_run(make_datastore(), trigger=Trigger.MANUAL)
        assert sent == []
    assert wait_for_doorbell(10)
    assert sent == [run.pk]
    assert fresh(run).dispatched_at


@pytest.mark.usefixtures("bell")
def test_ringing_never_waits_for_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = threading.Event()
    monkeypatch.setattr(doorbell.RUNS, "_bell", doorbell.Bell("METAMAPPER_PUBLISHER", lambda *_: frozen.wait(20)))
    for _ in range(doorbell.WAITING_AT_MOST + 10):
        doorbell.ring(uuid4())
    frozen.set()


@pytest.mark.usefixtures("bell")
def test_a_doorbell_that_failed_rings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(METAMAPPER_PUBLISHER="no.such.module"):
        first = request_run(make_datastore(), trigger=Trigger.MANUAL)
        assert wait_for_doorbell(10)
    second = request_run(make_datastore(), trigger=Trigger.MANUAL)
    assert wait_for_doorbell(10)
    assert sent == [second.pk]
    assert fresh(first).state == State.QUEUED
