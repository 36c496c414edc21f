"""The tie between a worker's main process and the ledger holds whatever the metastore does meanwhile."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from metamapper.runs import doorbell, worker
from metamapper.runs.models import WorkerHeartbeat
from tests.support.eventually import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.05)
    settings.METAMAPPER_RUNS = {"worker_beat": 0.05}
    settings.METAMAPPER_ALIVE_FILE = str(tmp_path / "alive")


def test_a_metastore_that_is_away_when_the_worker_is_ready_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, answers = worker.metastore_now, iter([OperationalError("away")] * 3)

    def sometimes() -> Any:
        for error in answers:
            raise error
        return real()

    monkeypatch.setattr(worker, "metastore_now", sometimes)
    tie = worker.Tie("w")
    tie.start()
    eventually((tmp_path / "alive").exists, within=10)
    assert not WorkerHeartbeat.objects.exists()
    tie.ready(3)
    eventually(lambda: WorkerHeartbeat.objects.filter(name="w", slots=3).exists(), within=10)
    tie.stop()
    assert not WorkerHeartbeat.objects.exists()


def test_a_step_of_leaving_that_fails_keeps_no_other_from_being_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    tie = worker.Tie("w")
    tie.start()
    tie.ready(1)
    eventually(WorkerHeartbeat.objects.exists, within=10)
    monkeypatch.setattr(worker, "hand_over", broken)
    tie.stop()
    assert not WorkerHeartbeat.objects.exists()


def test_a_bell_that_may_start_no_thread_fails_nobody(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    from uuid import uuid4

    def refused(*_: Any, **__: Any) -> Any:
        def start() -> None:
            raise RuntimeError("can't create new thread at interpreter shutdown")

        return SimpleNamespace(start=start)

    settings.METAMAPPER_PUBLISHER = "somewhere.publish"
    bell = doorbell.Doorbell("METAMAPPER_PUBLISHER", lambda *_: None)
    monkeypatch.setattr(doorbell.threading, "Thread", refused)
    bell.ring(uuid4())
    assert bell._bell._thread is None
