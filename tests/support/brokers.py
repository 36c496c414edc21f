"""The brokers of tests beside Redis: a RabbitMQ, found or started, and a stand-in for Amazon SQS."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kombu import Connection

from tests.support.servers import LOOPBACK, Missing, Server, free_port, install_package, running

RABBITMQ_PROGRAMS = "/usr/lib/rabbitmq/bin"
"""Where Debian keeps the programs themselves; those on the path insist on a user of their own."""


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """``url`` has no virtual host; ``control`` is the command that rules it, to be run in ``environment``."""

    url: str
    origin: str
    control: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def told(self) -> str:
        """All of it as text for another process; ``RabbitMQ.heard`` reads it."""
        return json.dumps([self.url, self.origin, self.control, dict(self.environment)])

    @classmethod
    def heard(cls, text: str) -> "RabbitMQ":
        url, origin, control, environment = json.loads(text)
        return cls(url, origin, tuple(control), environment)

    def rule(self, *words: str) -> None:
        """Do as its administrator; raises ``Missing`` with what it said."""
        done = subprocess.run(
            [*self.control, *words], env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Missing(f"RabbitMQ does not do as it is told: {done.stderr.strip()[-300:] or done.stdout[-300:]}")


@contextmanager
def rabbitmq_host(*, install: bool = True) -> Iterator[RabbitMQ]:
    """A RabbitMQ that makes virtual hosts for us; raises ``Missing``."""
    found = find_rabbitmq()
    if found:
        yield found
        return
    if not _rabbitmq_program() and install:
        install_package("rabbitmq-server")
    if not _rabbitmq_program():
        raise Missing("RabbitMQ neither listens on port 5672 nor is installed")
    with started_rabbitmq() as server:
        yield server


def find_rabbitmq() -> RabbitMQ | None:
    """The one on the standard port, if it lets us rule it."""
    url = f"amqp://guest:guest@{LOOPBACK}:5672"
    control = shutil.which("rabbitmqctl")
    if not control or not _amqp_answers(f"{url}//"):
        return None
    found = RabbitMQ(url, "found on port 5672", (control, "-q"), {})
    try:
        found.rule("list_vhosts")
    except Missing:
        return None
    return found


def _rabbitmq_program() -> str | None:
    return shutil.which("rabbitmq-server", path=RABBITMQ_PROGRAMS) or shutil.which("rabbitmq-server")


@contextmanager
def started_rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ of our own in a temporary folder, for tests that kill it."""
    program = _rabbitmq_program()
    if not program:
        raise Missing("RabbitMQ is not installed")
    port, epmd = free_port(), free_port()
    node = f"mm{port}@localhost"
    with tempfile.TemporaryDirectory(prefix="mm-rabbitmq-", ignore_cleanup_errors=True) as folder:
        environment = {
            "HOME": folder,
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            **dict.fromkeys(
                ("RABBITMQ_CONFIG_FILE", "RABBITMQ_CONF_ENV_FILE", "RABBITMQ_ENABLED_PLUGINS_FILE"), f"{folder}/none"
            ),
        }
        control = (str(Path(program).with_name("rabbitmqctl")), "-q", "-n", node)
        if not Path(control[0]).exists():
            control = (str(Path(program).resolve().with_name("rabbitmqctl")), *control[1:])
        server = RabbitMQ(f"amqp://guest:guest@{LOOPBACK}:{port}", f"started on port {port}", control, environment)
        try:
            with running(
                [program],
                ready=lambda: _amqp_answers(f"{server.url}//"),
                folder=folder,
                seconds=90,
                whole_group=True,
                env=os.environ | environment,
            ):
                yield server
        finally:
            # Erlang's name server outlives what it was started for.
            subprocess.run(["epmd", "-port", str(epmd), "-kill"], capture_output=True, check=False)


@contextmanager
def virtual_host(server: RabbitMQ) -> Iterator[str]:
    """The URL of a new virtual host, deleted at the end."""
    name = f"metamapper-{uuid.uuid4().hex[:12]}"
    server.rule("add_vhost", name)
    try:
        server.rule("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        yield f"{server.url}/{name}"
    finally:
        server.rule("delete_vhost", name)


def _amqp_answers(url: str) -> bool:
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.connect()
    except Exception:  # noqa: BLE001 - sockets and the protocol fail in many ways; none of them is an answer
        return False
    return True


@contextmanager
def started_sqs() -> Iterator[Server]:
    """moto's stand-in for Amazon SQS, to which AWS's own client talks."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="mm-sqs-") as folder:
        command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", port]
        with running(command, ready=lambda: _listens(port), folder=folder) as pid:
            yield Server(f"http://{LOOPBACK}:{port}", f"started on port {port}", Path(folder) / "log", pid)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
