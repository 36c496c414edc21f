"""The same promises on every broker, with real workers and schedulers: woken within seconds, nothing lost with the
messages, nothing done twice by more of them, and nothing harmed by what others send.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from kombu import Connection, Exchange, Queue

from metamapper.datastores.models import Datastore
from metamapper.runs.health import round_trip
from metamapper.runs.invariants import broken
from metamapper.runs.models import Attempt, Run, State, Trigger
from metamapper.runs.services import request_run
from tests.runs.ledger import fresh, make_datastore
from tests.runs.processes import Site, site

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

AWS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}


@dataclass
class Ground:
    """A broker with processes on it; ``send`` puts a message's body on the queue for inspections, ``lose`` empties it."""

    place: Site
    environment: dict[str, str]
    send: Callable[[dict[str, Any], dict[str, Any]], None]
    lose: Callable[[], None]

    def start(self, service: str) -> None:
        self.place.celery(service, **self.environment)


def _by_kombu(url: str, prefix: str = "", queue_type: str = "classic") -> tuple[Any, Any]:
    options = {"global_keyprefix": prefix} if prefix else {}
    arguments = {"x-queue-type": "quorum"} if queue_type == "quorum" else None
    queue = Queue("inspections", Exchange("inspections", type="direct"), "inspections", queue_arguments=arguments)

    def send(headers: dict[str, Any], body: Any) -> None:
        with Connection(url, transport_options=options) as connection, connection.Producer() as producer:
            producer.publish(
                body,
                exchange=queue.exchange,
                routing_key="inspections",
                declare=[queue],
                headers=headers,
                serializer="json",
                correlation_id=str(uuid.uuid4()),
            )

    def lose() -> None:
        with Connection(url, transport_options=options) as connection:
            queue(connection).declare()
            queue(connection).purge()

    return send, lose


def _by_boto(address: str, prefix: str) -> tuple[Any, Any]:
    def queue() -> tuple[Any, str]:
        client = boto3.client(
            "sqs", endpoint_url=address, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        return client, client.create_queue(QueueName=f"{prefix}-inspections")["QueueUrl"]

    def send(headers: dict[str, Any], body: Any) -> None:
        import base64

        client, url = queue()
        tag = str(uuid.uuid4())
        message = {
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                "correlation_id": tag,
                "delivery_tag": tag,
                "body_encoding": "base64",
                "delivery_info": {"exchange": "inspections", "routing_key": "inspections"},
            },
        }
        client.send_message(QueueUrl=url, MessageBody=base64.b64encode(json.dumps(message).encode()).decode())

    def lose() -> None:
        client, url = queue()
        client.purge_queue(QueueUrl=url)

    return send, lose


@pytest.fixture(params=["redis", "rabbitmq", "sqs", "sqs predefined"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    environment: dict[str, str] = {}
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        send, lose = _by_kombu(url, prefix="metamapper:")
    elif request.param == "rabbitmq":
        url = request.getfixturevalue("rabbitmq_url")
        send, lose = _by_kombu(url, queue_type="quorum")
    else:
        address = request.getfixturevalue("sqs_url")
        prefix, url = f"t{uuid.uuid4().hex[:12]}", "sqs://"
        environment = AWS | {"AWS_ENDPOINT_URL": address, "MM_TEST_PREFIX": prefix}
        environment["METAMAPPER_CELERY_CONFIG_MODULE"] = "tests.runs.broker_settings"
        if request.param == "sqs predefined":
            environment["MM_TEST_PREDEFINED"] = f"{address}/123456789012"
            client = boto3.client(
                "sqs", endpoint_url=address, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
            )
            for name in ("inspections", "default"):
                client.create_queue(QueueName=f"{prefix}-{name}")
        send, lose = _by_boto(address, prefix)
    with site(tmp_path, url) as place:
        yield Ground(place, environment, send, lose)
    assert broken() == {}


def requested(datastore: Datastore | None = None) -> Run:
    return request_run(datastore or make_datastore(), trigger=Trigger.MANUAL)


def done(run: Run) -> bool:
    return fresh(run).state == State.SUCCEEDED


def message(*arguments: object, task: str = "metamapper.inspect") -> tuple[dict[str, Any], list[Any]]:
    """A message as Celery's protocol has it."""
    headers = {"lang": "py", "task": task, "id": str(uuid.uuid4()), "root_id": None, "parent_id": None, "group": None}
    return headers, [list(arguments), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


def test_a_day_on_this_broker(ground: Ground) -> None:
    """In the wrong order, with everything lost once and sent thrice once, and with foreign messages in between."""
    first = requested()
    ground.start("beat")
    ground.place.until(lambda: fresh(first).dispatched_at is not None, within=60)
    ground.lose()
    ground.start("worker")
    ground.place.until(lambda: done(first), within=60)
    ground.place.until(lambda: round_trip() is not None, within=30)

    second = requested()
    for _ in range(3):
        ground.send(*message(str(second.pk)))
    for foreign in (
        message(str(uuid.uuid4())),
        message("no id"),
        message(),
        message(str(second.pk), {"a newer": "field"}),
        message(str(uuid.uuid4()), task="metamapper.canary"),
        message(task="somebody.elses"),
        ({}, {"not": "ours"}),
    ):
        ground.send(*foreign)
    third = requested()
    ground.place.until(lambda: done(second) and done(third), within=60)
    assert Attempt.objects.filter(run=second).count() == 1
    assert Run.objects.exclude(state=State.SUCCEEDED).count() == 0
    assert [each.popen.poll() for each in ground.place.started] == [None, None]
