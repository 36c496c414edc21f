"""The image's entrypoint, without an image: each command becomes what it says, and signals reach it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.eventually import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
ENTRYPOINT = ROOT / "deploy" / "entrypoint"
STAND_IN = """#!/bin/sh
echo "$$ $(basename "$0") $*" >> "$SAID"
if [ "${STAY-}" = "$1" ]; then
  trap 'echo "stopped" >> "$SAID"; exit 7' TERM
  while :; do sleep 0.05; done
fi
"""


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """What the programs that the entrypoint starts were called with, and as which process."""
    for name in ("metamapper", "celery"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(STAND_IN, encoding="utf-8")
        program.chmod(0o755)
    return tmp_path / "said"


def started(said: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    folders = [str(said.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    return subprocess.Popen(
        [str(ENTRYPOINT), *arguments],
        env=os.environ | {"PATH": os.pathsep.join(folders), "SAID": str(said)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=30)
    return process.returncode


def lines(said: Path) -> list[str]:
    return said.read_text(encoding="utf-8").splitlines() if said.exists() else []


@pytest.mark.parametrize(
    ("arguments", "becomes"),
    [
        (("webserver",), "metamapper web --host 0.0.0.0"),
        (("webserver", "--port", "80"), "metamapper web --host 0.0.0.0 --port 80"),
        (("worker", "-Q", "inspections"), "metamapper worker -Q inspections"),
        (("scheduler",), "metamapper scheduler"),
        (("migrate",), "metamapper migrate"),
        (("flower", "--port=5555"), "celery --app metamapper flower --port=5555"),
    ],
)
def test_the_service_takes_the_place_of_the_shell(said: Path, arguments: tuple[str, ...], becomes: str) -> None:
    process = started(said, *arguments)
    assert ended(process) == 0
    assert lines(said) == [f"{process.pid} {becomes}"]


def test_migrating_comes_first_and_the_server_takes_the_place(said: Path) -> None:
    process = started(said, "migrate-then-webserver")
    assert ended(process) == 0
    first, second = lines(said)
    assert first.endswith("metamapper migrate")
    assert second == f"{process.pid} metamapper web --host 0.0.0.0"


@pytest.mark.parametrize(
    ("command", "stays"), [("worker", "worker"), ("migrate", "migrate"), ("migrate-then-webserver", "migrate")]
)
def test_a_signal_reaches_what_runs_and_its_end_is_ours(said: Path, command: str, stays: str) -> None:
    process = started(said, command, STAY=stays)
    eventually(lambda: bool(lines(said)), within=20)
    time.sleep(0.1)  # its trap is set right after it has said who it is
    process.send_signal(signal.SIGTERM)
    assert ended(process) != 0
    assert lines(said)[1:] == ["stopped"]


def test_django_s_own_commands(said: Path, tmp_path: Path) -> None:
    process = started(said, "manage", "version", METAMAPPER_HOME=str(tmp_path / "home"))
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output.startswith("5.2")) == (0, True)


def test_the_shell_has_the_models(said: Path, tmp_path: Path) -> None:
    process = started(said, "shell", "-c", "print(Run.__name__)", METAMAPPER_HOME=str(tmp_path / "home"))
    output, errors = process.communicate(timeout=30)
    assert "Run" in output, errors


def test_any_other_program_is_run(said: Path) -> None:
    output, _ = started(said, "echo", "hello").communicate(timeout=20)
    assert output == "hello\n"


def test_an_unknown_command_says_which_there_are(said: Path) -> None:
    process = started(said, "webserve")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 64
    assert "webserve" in errors
    assert "migrate-then-webserver" in errors
