"""A real worker and a real scheduler on a Redis of our own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import servers


@contextmanager
def redis() -> Iterator[tuple[int, str]]:
    """Its process id and URL; names it as this process's broker, before the application is made."""
    with servers.started_redis(port=servers.free_port()) as server:
        assert server.pid
        os.environ["METAMAPPER_CELERY_BROKER_URL"] = f"{server.url}/0"
        yield server.pid, f"{server.url}/0"


@contextmanager
def services(*names: str) -> Iterator[dict[str, int]]:
    """Started as documented, and ready; their process ids by name."""
    with tempfile.TemporaryDirectory() as folder:
        logs = {name: Path(folder) / name for name in names}
        started = {}
        for name, log in logs.items():
            size = ["--concurrency", "2"] if name == "worker" else []
            with log.open("wb") as file:
                started[name] = subprocess.Popen(
                    [sys.executable, "-m", "celery", "--app", "metamapper", name, *size, "-l", "info"],
                    stdout=file,
                    stderr=subprocess.STDOUT,
                )
        try:
            until(lambda: all(said(log) for log in logs.values()), seconds=60)
            yield {name: process.pid for name, process in started.items()}
        finally:
            for process in started.values():
                process.terminate()
            for process in started.values():
                process.wait()


def said(log: Path) -> bool:
    text = log.read_text(errors="replace")
    return "ready." in text or "beat: Starting" in text


def until(check: Callable[[], object], *, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not check():
        if time.monotonic() > ends:
            raise SystemExit(f"Not within {seconds} s")
        time.sleep(0.01)
