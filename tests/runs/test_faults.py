"""Faults of whole servers, with real processes: brokers that die with everything, connections that are half-open, services
that start before what they need, and schedulers that freeze.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from metamapper.runs.invariants import broken
from metamapper.runs.models import Run, Schedule, SchedulerLease, State, Trigger
from metamapper.runs.services import request_run, set_schedule
from tests.runs.ledger import fresh, make_datastore, make_workspace
from tests.runs.processes import Process, Site, children_of, site
from tests.support import servers
from tests.support.databases import with_database
from tests.support.eventually import eventually
from tests.support.wire import Wire, wire_to

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.either_metastore, pytest.mark.timeout(240)]
IMPATIENT = "tests.runs.impatient_settings"


def requested() -> Run:
    return request_run(make_datastore(), trigger=Trigger.MANUAL)


def succeeded(run: Run) -> bool:
    return fresh(run).state == State.SUCCEEDED


def test_a_broker_that_dies_with_a_hundred_messages_loses_no_run(redis_port: int, tmp_path: Path) -> None:
    """F5. Nobody restarts anything of ours."""
    workspaces = [make_workspace() for _ in range(4)]
    runs = [request_run(make_datastore(workspaces[n % 4]), trigger=Trigger.MANUAL) for n in range(100)]
    with site(tmp_path, f"redis://127.0.0.1:{redis_port}/0") as place:
        with servers.started_redis(port=redis_port):
            place.beat()
            place.until(lambda: Run.objects.filter(dispatched_at__isnull=False).count() >= 40, within=60)
        place.worker()
        with servers.started_redis(port=redis_port):
            place.until(lambda: Run.objects.filter(state=State.SUCCEEDED).count() == len(runs), within=120)
    assert broken() == {}


@pytest.fixture(params=["redis_url", "rabbitmq_url"])
def half_open(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Wire, Site]]:
    """Processes whose way to the broker is a wire that can be cut."""
    parts = urlsplit(request.getfixturevalue(request.param))
    with wire_to(parts.port or 5672) as wire:
        person = f"{parts.username}:{parts.password}@" if parts.username else ""
        url = parts._replace(netloc=f"{person}127.0.0.1:{wire.port}").geturl()
        with site(tmp_path, url) as place:
            yield wire, place


def test_a_half_open_connection_is_noticed(half_open: tuple[Wire, Site]) -> None:
    """F7. Neither side is told, so only time-outs can notice."""
    wire, place = half_open
    settings = {"METAMAPPER_CELERY_CONFIG_MODULE": IMPATIENT}
    place.celery("beat", **settings)
    place.worker(**settings)
    first = requested()
    place.until(lambda: succeeded(first), within=60)
    assert wire.cut() > 1
    second = requested()
    place.until(lambda: succeeded(second), within=90)
    assert broken() == {}


def test_a_frozen_leader_is_followed_and_doubles_nothing(tmp_path: Path, redis_url: str) -> None:
    """F14. Five schedulers over slots of a second; the leader freezes, and wakes up where another leads."""
    for _ in range(5):
        set_schedule(make_datastore(), interval_seconds=1)
    with site(tmp_path, redis_url) as place:
        beats = {process.pid: process for process in (place.beat() for _ in range(5))}
        place.worker()
        place.until(lambda: Run.objects.filter(state=State.SUCCEEDED).count() > 5, within=60)
        before = leader()
        beats[before].kill(signal.SIGSTOP)
        place.until(lambda: leader() != before, within=20)
        beats[before].kill(signal.SIGCONT)
        done = Run.objects.filter(state=State.SUCCEEDED).count()
        place.until(lambda: Run.objects.filter(state=State.SUCCEEDED).count() > done + 10, within=60)
        Schedule.objects.update(enabled=False)
    assert broken() == {}


def leader() -> int:
    return int(SchedulerLease.objects.get().owner.split("/")[1])


def test_services_wait_for_what_is_not_there_yet_even_as_process_1(
    redis_port: int, tmp_path: Path, postgresql_server: str, process_namespace: tuple[str, ...]
) -> None:
    """F30. No metastore and no broker at first; each is process 1 of its own world, and stops when it is told to."""
    if connection.vendor == "sqlite":
        pytest.skip("the metastore's server is told apart from its tables on PostgreSQL only")
    name = f"mm_late_{os.getpid()}_{time.monotonic_ns()}"
    url = with_database(postgresql_server, name)
    environment = {"METAMAPPER_DATABASE_URL": url, "METAMAPPER_ALIVE_FILE": str(tmp_path / "alive")}
    with site(tmp_path, f"redis://127.0.0.1:{redis_port}/0") as place:
        worker, beat = (_as_process_1(place, service, environment, process_namespace) for service in ("worker", "beat"))
        eventually(lambda: "waits_for_metastore" in worker.read_text(), within=60)
        eventually(lambda: "waits_for_metastore" in beat.read_text(), within=60)
        with psycopg.connect(postgresql_server, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
            try:
                _migrate(place, environment)
                with servers.started_redis(port=redis_port):
                    eventually(lambda: "ready." in worker.read_text(), within=60)
                    eventually(lambda: _ticked(url), within=60)
                    _stop_all(place)
            finally:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type]


def _as_process_1(place: Site, service: str, environment: dict[str, str], within: tuple[str, ...]) -> Path:
    """Starts it in a process namespace of its own; its log."""
    log = place.home / f"first-{service}.log"
    with log.open("wb") as file:
        popen = subprocess.Popen(
            [*within, sys.executable, "-m", "celery", "--app", "metamapper", service, "-l", "info"],
            env=place.environment() | environment, stdout=file, stderr=subprocess.STDOUT, cwd=place.home,
        )  # fmt: skip
    place.started.append(Process(popen, log))
    return log


def _migrate(place: Site, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "metamapper.cli", "migrate"]
    subprocess.run(command, env=place.environment() | environment, check=True, capture_output=True, timeout=120)


def _ticked(url: str) -> bool:
    with psycopg.connect(url) as metastore:
        return bool(metastore.execute("SELECT 1 FROM runs_schedulerlease WHERE ticked_at IS NOT NULL").fetchone())


def _stop_all(place: Site) -> None:
    """As an orchestrator does: SIGTERM to process 1, which must be gone within 40 seconds."""
    for process in place.started:
        for first in children_of(process.pid):
            os.kill(first, signal.SIGTERM)
    for process in place.started:
        process.wait(40)
