"""Real workers and schedulers, started as documented, over the test's own metastore and a broker of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from tests.support.databases import with_database
from tests.support.eventually import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = "tests.runs.stand_in_settings"
SQS_SETTINGS = {
    "METAMAPPER_CELERY_CONFIG_MODULE": "tests.runs.broker_settings",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
"""The environment of processes on a stand-in for SQS, beside ``AWS_ENDPOINT_URL`` and ``MM_TEST_PREFIX``."""


def metastore_url() -> str:
    """The URL of the database that this test uses."""
    name = str(connection.settings_dict["NAME"])
    return (
        f"sqlite:///{name}"
        if connection.vendor == "sqlite"
        else with_database(os.environ["METAMAPPER_DATABASE_URL"], name)
    )


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in listed.stdout.split()]


@dataclass(slots=True)
class Process:
    """One of ours. ``log`` holds what it said."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def children(self) -> list[int]:
        return children_of(self.pid)

    def said(self, text: str) -> bool:
        return text in self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.popen.send_signal(number)

    def wait(self, seconds: float = 30) -> int:
        return self.popen.wait(seconds)


@dataclass(slots=True)
class Site:
    """A home for processes: starts them, and stops whatever is left."""

    home: Path
    broker_url: str
    started: list[Process] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "METAMAPPER_HOME": str(self.home),
            "METAMAPPER_DATABASE_URL": metastore_url(),
            "METAMAPPER_CELERY_BROKER_URL": self.broker_url,
            "METAMAPPER_CELERY_CONFIG_MODULE": SETTINGS,
            "METAMAPPER_SETTINGS_OVERRIDE_MODULE": SETTINGS,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        }

    def celery(self, *arguments: str, **environment: str) -> Process:
        log = self.home / f"{len(self.started)}-{arguments[0]}.log"
        with log.open("wb") as file:
            popen = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "metamapper", *arguments, "-l", "info"],
                env=self.environment() | environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self.home,
            )
        process = Process(popen, log)
        self.started.append(process)
        return process

    def worker(self, name: str = "one", **environment: str) -> Process:
        return self.celery("worker", "-n", f"{name}@%h", **environment)

    def ready_worker(self, name: str = "one") -> Process:
        process = self.worker(name)
        self.until(lambda: process.said("ready."), process, within=40)
        return process

    def beat(self, **environment: str) -> Process:
        return self.celery("beat", **environment)

    def until(self, check: Callable[[], Any], *processes: Process, within: float = 20) -> Any:
        """``eventually``, with what the processes said if it does not come about."""
        try:
            return eventually(check, within=within)
        except AssertionError as error:
            said = "\n".join(each.log.read_text(errors="replace")[-3000:] for each in processes or self.started)
            raise AssertionError(f"{error}\n{said}") from error

    def stop(self) -> None:
        for process in self.started:
            if process.popen.poll() is None:
                process.kill()
        for process in self.started:
            process.wait()


@contextmanager
def site(home: Path, broker_url: str) -> Iterator[Site]:
    made = Site(home, broker_url)
    try:
        yield made
    finally:
        made.stop()
