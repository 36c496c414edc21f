"""The broker of a chaos run, with what can be done to it. Each is ours alone: it is killed, frozen and emptied."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

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
    server = current.__enter__()
    url, pid = f"{server.url}/0", server.pid
    mailbox = redis_mailbox(url)

    def restart(seconds: float) -> None:
        nonlocal current, pid
        current.__exit__(None, None, None)
        time.sleep(seconds)
        current = servers.started_redis(port=port)
        pid = current.__enter__().pid

    def flush(_: float) -> None:
        with redis.Redis.from_url(url) as client:
            client.flushall()

    harm = {
        "broker restarted": restart,
        "broker emptied": flush,
        "broker frozen": lambda seconds: _frozen(pid, seconds),
    }
    try:
        yield Ground(url, mailbox, harm)
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

        environment = SQS_SETTINGS | {"AWS_ENDPOINT_URL": server.url, "MM_TEST_PREFIX": prefix}
        harm = {
            "broker frozen": lambda seconds: _frozen(server.pid, seconds),
            "broker emptied": lambda _: mailbox.lose(),
        }
        yield Ground("sqs://", mailbox, harm, environment)


def _frozen(pid: int | None, seconds: float) -> None:
    assert pid
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


GROUNDS = {"redis": redis_ground, "rabbitmq": rabbitmq_ground, "sqs": sqs_ground}
