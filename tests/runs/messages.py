"""Messages from outside, put on a broker's queue for inspections as Celery's protocol has them, and the loss of all of them."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from kombu import Connection, Exchange, Queue

INSPECTIONS = "inspections"
Message = tuple[dict[str, Any], Any]
"""Headers and body."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The queue for inspections: ``send`` puts a message on it, ``lose`` empties it."""

    send: Callable[[Message], None]
    lose: Callable[[], None]


def redis_mailbox(url: str) -> Mailbox:
    return _by_kombu(url, {"global_keyprefix": "metamapper:"}, None)


def rabbitmq_mailbox(url: str) -> Mailbox:
    return _by_kombu(url, {}, {"x-queue-type": "quorum"})


def pgmq_mailbox(url: str) -> Mailbox:
    return _by_kombu(url, {"queue_name_prefix": "metamapper_", "init_extension": False}, None)


def _by_kombu(url: str, options: dict[str, Any], arguments: dict[str, Any] | None) -> Mailbox:
    exchange = Exchange(INSPECTIONS, type="direct")
    queue = Queue(INSPECTIONS, exchange, INSPECTIONS, queue_arguments=arguments)

    def send(message: Message) -> None:
        headers, body = message
        with Connection(url, transport_options=options) as connection, connection.Producer() as producer:
            producer.publish(
                body,
                exchange=exchange,
                routing_key=INSPECTIONS,
                declare=[queue],
                headers=headers,
                serializer="json",
                correlation_id=str(uuid.uuid4()),
            )

    def lose() -> None:
        with Connection(url, transport_options=options) as connection:
            here = queue(connection)
            here.declare()
            here.purge()

    return Mailbox(send, lose)


def sqs_client(address: str) -> Any:
    return boto3.client(
        "sqs", endpoint_url=address, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def sqs_mailbox(address: str, prefix: str) -> Mailbox:
    client, name = sqs_client(address), f"{prefix}-{INSPECTIONS}"

    def url() -> str:
        return str(client.create_queue(QueueName=name)["QueueUrl"])

    def send(message: Message) -> None:
        headers, body = message
        tag = str(uuid.uuid4())
        envelope = {
            "body": _base64(body),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                "correlation_id": tag,
                "delivery_tag": tag,
                "body_encoding": "base64",
                "delivery_info": {"exchange": INSPECTIONS, "routing_key": INSPECTIONS},
            },
        }
        client.send_message(QueueUrl=url(), MessageBody=_base64(envelope))

    def lose() -> None:
        """One by one: a queue may be purged once a minute only."""
        here = url()
        while found := client.receive_message(QueueUrl=here, MaxNumberOfMessages=10).get("Messages"):
            for each in found:
                client.delete_message(QueueUrl=here, ReceiptHandle=each["ReceiptHandle"])

    return Mailbox(send, lose)


def _base64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def message(*arguments: object, task: str = "metamapper.inspect") -> Message:
    """A message as Celery's protocol has it."""
    headers = {"lang": "py", "task": task, "id": str(uuid.uuid4()), "root_id": None, "parent_id": None, "group": None}
    return headers, [list(arguments), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


def foreign() -> list[Message]:
    """What none of ours sends: unknown runs, no ids, another's task, another's format."""
    return [
        message(str(uuid.uuid4())),
        message("no id"),
        message(),
        message(str(uuid.uuid4()), {"a newer": "field"}),
        message(str(uuid.uuid4()), task="metamapper.canary"),
        message(task="somebody.elses"),
        ({}, {"not": "ours"}),
    ]
