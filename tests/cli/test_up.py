"""`metamapper up`, as somebody runs it: a page, a worker, a scheduler; children that die come back; one Ctrl-C ends all."""

import http.client
import importlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.servers import free_port

pytestmark = pytest.mark.timeout(180)
COMMAND = [sys.executable, "-m", "metamapper.cli", "up", "--workers", "1"]


class Up:
    def __init__(self, home: Path, port: int) -> None:
        self.port = port
        self.log = home / "up.log"
        environment = os.environ | {"METAMAPPER_HOME": str(home), "METAMAPPER_DATABASE_URL": ""}
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                [*COMMAND, "--port", str(port)], env=environment, stdout=file, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ready(self) -> str:
        return eventually(lambda: "Metamapper is ready" in self.said() and self.said(), within=60)

    def children(self) -> dict[str, int]:
        """By name."""
        listed = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        found = re.findall(r"^\s*(\d+) .*(gunicorn|worker|beat)\b.*$", listed, flags=re.MULTILINE)
        return {name: int(pid) for pid, name in found}

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started = Up(tmp_path, free_port())
    yield started
    if started.process.poll() is None:
        started.stop()


def status(port: int) -> int:
    connection = http.client.HTTPConnection("localhost", port, timeout=20)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_command_runs_everything_and_one_key_ends_it(up: Up, tmp_path: Path) -> None:
    said = up.ready()
    assert f"METAMAPPER_HOME={tmp_path}" in up.said()
    assert "METAMAPPER_EMAIL_HOST" not in up.said(), "what was not set is not told"
    assert f"http://localhost:{up.port}" in said
    assert status(up.port) < 400
    children = eventually(lambda: len(up.children()) == 3 and up.children(), within=30)

    second = subprocess.run(
        [*COMMAND, "--port", str(free_port())],
        env=os.environ | {"METAMAPPER_HOME": str(tmp_path), "METAMAPPER_DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert f"already runs on the data folder {tmp_path}: http://localhost:{up.port}" in second.stderr

    os.kill(children["beat"], signal.SIGKILL)
    eventually(lambda: up.children().get("beat") not in {None, children["beat"]}, within=30)
    assert "The scheduler ended (signal SIGKILL); it starts again in 1 s." in up.said()

    children = up.children()
    begun = time.monotonic()
    assert up.stop() == 0
    assert time.monotonic() - begun < 20
    assert all(gone(pid) for pid in children.values())
    assert "Traceback" not in up.said()


def test_a_port_that_is_taken_is_told_in_words(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("localhost", 0)) as taken:
        port = taken.getsockname()[1]
        started = Up(tmp_path, port)
        assert started.process.wait(60) == 2
    said = started.said()
    assert f"Error: Port {port} on localhost cannot be used: Address already in use." in said
    assert f"metamapper up --port {port + 1}" in said
    assert "Traceback" not in said


def test_children_end_with_a_parent_that_is_killed(up: Up) -> None:
    up.ready()
    children = eventually(lambda: len(up.children()) == 3 and up.children(), within=30)
    up.process.kill()
    up.process.wait()
    eventually(lambda: all(gone(pid) for pid in children.values()), within=30)


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
def test_links_in_mail_lead_to_the_port_that_was_asked_for(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    environment = importlib.import_module("metamapper.cli.up")._environment
    monkeypatch.delenv("METAMAPPER_WEBSERVER_ORIGIN", raising=False)
    assert environment(host, 5099)["METAMAPPER_WEBSERVER_ORIGIN"] == "http://localhost:5099"
    monkeypatch.setenv("METAMAPPER_WEBSERVER_ORIGIN", "https://catalog.example.com")
    assert environment(host, 5099)["METAMAPPER_WEBSERVER_ORIGIN"] == "https://catalog.example.com"
