"""fakesnow, a stand-in for Snowflake that other people keep: it runs Snowflake's SQL on DuckDB.

It needs an older driver than ours, so it lives in a virtual environment of its own, which is made once in the user's cache
folder (half a minute, with pip) and found there afterwards.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from tests.support.certificates import Certificate
from tests.support.servers import Missing, free_port, running

REQUIREMENTS = ("fakesnow[server]==0.12.1", "snowflake-connector-python<5")
SCRIPT = Path(__file__).with_name("fakesnow_server.py")
INSTALL_SECONDS = 300
START_SECONDS = 60


@dataclass(frozen=True)
class FakeSnow:
    port: int
    authority: str


@contextmanager
def fakesnow(certificate: Certificate) -> Iterator[FakeSnow]:
    """A server of its own, empty, over HTTPS on loopback; raises ``Missing``."""
    python, port = _python(), free_port()
    # Isolated: beside the script are modules of ours whose names are others' packages.
    command = [python, "-I", SCRIPT, port, certificate.file, certificate.key]
    with (
        tempfile.TemporaryDirectory(prefix="mm-fakesnow-") as folder,
        running(command, ready=lambda: _listens(port), folder=folder, seconds=START_SECONDS),
    ):
        yield FakeSnow(port, certificate.authority)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _python() -> Path:
    """The interpreter of the virtual environment, which is made if it is not there."""
    cache = user_cache_path("metamapper-tests", ensure_exists=True)
    folder = cache / f"fakesnow-0.12.1-python{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of at the end, when the file is closed
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _made(folder, python)
            (folder / "complete").touch()
    return python


def _made(folder: Path, python: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS])


def _run(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("METAMAPPER_")}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"fakesnow could not be installed: {error}") from None
    if done.returncode:
        raise Missing(f"fakesnow could not be installed: {done.stderr[-300:]}")
