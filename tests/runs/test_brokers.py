"""The same promises on every broker, with real workers and schedulers: woken within seconds, nothing lost with the
messages, nothing done twice by more of them, and nothing harmed by what others send.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pgmq.install import install_pgmq_from_sql

from metamapper.runs.health import round_trip
from metamapper.runs.invariants import broken
from metamapper.runs.models import Attempt, Run, State, Trigger
from metamapper.runs.services import request_run
from tests.runs.ledger import fresh, make_datastore
from tests.runs.messages import (
    Mailbox,
    foreign,
    message,
    pgmq_mailbox,
    rabbitmq_mailbox,
    redis_mailbox,
    sqs_client,
    sqs_mailbox,
)
from tests.runs.processes import SQS_SETTINGS, Site, site
from tests.support.eventually import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.either_metastore, pytest.mark.timeout(240)]
NAMELESS = 2
"""Messages among the foreign ones that reach our task without naming a run."""


@dataclass
class Ground:
    """A broker with processes on it."""

    place: Site
    mailbox: Mailbox
    environment: dict[str, str]

    def start(self, service: str) -> None:
        self.place.celery(service, **self.environment)


@pytest.fixture(params=["redis", "rabbitmq", "pgmq", "sqs", "sqs predefined"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    environment: dict[str, str] = {}
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        mailbox = redis_mailbox(url)
    elif request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
        mailbox = rabbitmq_mailbox(url)
    elif request.param == "pgmq":
        database = request.getfixturevalue("postgresql_url")
        install_pgmq_from_sql(dsn=database)
        url = database.replace("postgresql://", "pgmq://")
        mailbox = pgmq_mailbox(url)
    else:
        address = request.getfixturevalue("sqs_url")
        prefix, url = f"t{uuid.uuid4().hex[:12]}", "sqs://"
        mailbox = sqs_mailbox(address, prefix)
        environment = SQS_SETTINGS | {"AWS_ENDPOINT_URL": address, "MM_TEST_PREFIX": prefix}
        if request.param == "sqs predefined":
            environment["MM_TEST_PREDEFINED"] = f"{address}/123456789012"
            for name in ("inspections", "default"):
                sqs_client(address).create_queue(QueueName=f"{prefix}-{name}")
    with site(tmp_path, url) as place:
        yield Ground(place, mailbox, environment)
    assert broken() == {}


def requested() -> Run:
    return request_run(make_datastore(), trigger=Trigger.MANUAL)


def done(run: Run) -> bool:
    return fresh(run).state == State.SUCCEEDED


def test_a_day_on_this_broker(ground: Ground) -> None:
    """In the wrong order, with everything lost once and sent thrice once, and with foreign messages in between."""
    first = requested()
    ground.start("beat")
    ground.place.until(lambda: fresh(first).dispatched_at is not None, within=60)
    ground.mailbox.lose()
    ground.start("worker")
    ground.place.until(lambda: done(first), within=60)
    ground.place.until(lambda: round_trip() is not None, within=30)

    second = requested()
    for sent in [*[message(str(second.pk))] * 3, message(str(second.pk), {"a newer": "field"}), *foreign()]:
        ground.mailbox.send(sent)
    third = requested()
    ground.place.until(lambda: done(second) and done(third), within=60)
    assert Attempt.objects.filter(run=second).count() == 1
    assert Run.objects.exclude(state=State.SUCCEEDED).count() == 0
    assert [each.popen.poll() for each in ground.place.started] == [None, None]
    # What none of ours sends is told once each, and does not come back: two name no run, one is another's task.
    worker = ground.place.started[1].log
    eventually(lambda: worker.read_text(errors="replace").count("run.message_ignored") >= NAMELESS)
    told = worker.read_text(encoding="utf-8", errors="replace")
    assert told.count("run.message_ignored") == NAMELESS
    assert told.count("Received unregistered task") == 1
