"""The broker of a chaos run, with what can be done to it. Each is ours alone: it is killed, frozen and emptied."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.runs.messages import Mailbox, rabbitmq_mailbox, redis_mailbox, sqs_mailbox
from tests.runs.processes import SQS_SETTINGS
from tests.support import brokers, servers


@dataclass(frozen=True, slots=True)
class Ground:
    """``harm`` are the faults that this broker can suffer, by name; each returns when it is over."""

    url: str
    mailbox: Mailbox
    harm: Mapping[str, Callable[[float], None]]
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def redis_ground() -> Iterator[Ground]:
    """Killed and started anew on the same port, with nothing kept."""
    port = servers.free_port()
    current: Any = servers.started_redis(port=port)
    url = f"{current.__enter__().url}/0"
    mailbox = redis_mailbox(url)

    def restart(seconds: float) -> None:
        nonlocal current
        current.__exit__(None, None, None)
        time.sleep(seconds)
        current = servers.started_redis(port=port)
        current.__enter__()

    try:
        yield Ground(url, mailbox, {"broker restarted": restart, "broker emptied": lambda _: mailbox.lose()})
    finally:
        current.__exit__(None, None, None)


@contextmanager
def rabbitmq_ground() -> Iterator[Ground]:
    """Stopped and started within its node: its quorum queues stay."""
    with brokers.started_rabbitmq() as server, brokers.virtual_host(server) as url:
        mailbox = rabbitmq_mailbox(url)

        def restart(seconds: float) -> None:
            server.rule("stop_app")
            time.sleep(seconds)
            server.rule("start_app")

        yield Ground(url, mailbox, {"broker restarted": restart, "broker emptied": lambda _: mailbox.lose()})


@contextmanager
def sqs_ground() -> Iterator[Ground]:
    """Frozen, for the stand-in forgets its queues when it ends, which Amazon's does not."""
    with brokers.started_sqs() as server:
        prefix = f"chaos{uuid.uuid4().hex[:8]}"
        mailbox = sqs_mailbox(server.url, prefix)

        def freeze(seconds: float) -> None:
            assert server.pid
            os.kill(server.pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(server.pid, signal.SIGCONT)

        environment = SQS_SETTINGS | {"AWS_ENDPOINT_URL": server.url, "MM_TEST_PREFIX": prefix}
        harm = {"broker frozen": freeze, "broker emptied": lambda _: mailbox.lose()}
        yield Ground("sqs://", mailbox, harm, environment)


GROUNDS = {"redis": redis_ground, "rabbitmq": rabbitmq_ground, "sqs": sqs_ground}
