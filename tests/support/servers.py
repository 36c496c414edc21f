"""The servers tests talk to: found on their standard ports, else started from what is installed, else installed.

Each is on loopback. What this module started it also stops. A server that cannot be had is ``Missing`` with its reason,
which the caller turns into a loud skip (or into a failure, with ``--require-live``).
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis

LOOPBACK = "127.0.0.1"
START_SECONDS = 30
INSTALL_SECONDS = 900
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(Exception):
    """A server or program that could not be had; the text says what was tried."""


@dataclass(frozen=True, slots=True)
class Server:
    """``url`` is how it is reached; ``origin`` says in words where it came from; ``log`` and ``pid`` are set where it is ours."""

    url: str
    origin: str
    log: Path | None = None
    pid: int | None = None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def find_postgresql() -> Server | None:
    """A server on the standard port that lets us make databases without a password."""
    for user in ("postgres", os.environ.get("USER", ""), "root"):
        url = f"postgresql://{user}@{LOOPBACK}:5432/postgres"
        if user and _may_create_databases(url):
            return Server(url, "found on port 5432")
    return None


def _may_create_databases(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


@contextmanager
def postgresql(*, install: bool = True) -> Iterator[Server]:
    """A PostgreSQL where we are superuser; raises ``Missing``."""
    found = find_postgresql()
    if found:
        yield found
        return
    programs = _postgresql_programs() or (install and install_package("postgresql") and _postgresql_programs())
    if not programs:
        raise Missing("PostgreSQL neither listens on port 5432 without a password nor is installed")
    with started_postgresql(programs) as server:
        yield server


def _postgresql_programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    candidates = [*reversed(installed), *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def started_postgresql(programs: Path | None = None, *, settings: Sequence[str] = ()) -> Iterator[Server]:
    """A throw-away cluster without durability: quick, and gone afterwards. Raises ``Missing``.

    ``settings`` are the server's own, such as ``log_statement=all``. PostgreSQL refuses to run as root.
    """
    programs = programs or _postgresql_programs()
    if programs is None:
        raise Missing("PostgreSQL's programs are not installed")
    identity = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="mm-postgresql-") as folder:
        if identity:
            shutil.chown(folder, **identity)
        cluster = Path(folder) / "cluster"
        run_as: dict[str, Any] = {**identity, "extra_groups": []} if identity else {}
        initdb = [programs / "initdb", "-D", cluster, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **run_as)
        port = free_port()
        options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off"]
        options += ["synchronous_commit=off", "max_connections=200", *settings]
        command = [
            programs / "postgres",
            "-D",
            cluster,
            "-p",
            port,
            *(word for each in options for word in ("-c", each)),
        ]
        url = f"postgresql://postgres@{LOOPBACK}:{port}/postgres"
        with running(command, ready=lambda: _may_create_databases(url), folder=folder, **run_as):
            yield Server(url, f"started from {programs} on port {port}", Path(folder) / "log")


def _unprivileged() -> dict[str, str]:
    """Whom to run as where we are root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in known else "nobody"
    return {"user": name, "group": grp.getgrgid(pwd.getpwnam(name).pw_gid).gr_name}


# --- Redis -----------------------------------------------------------------------------------------------------------


def _redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def find_redis() -> Server | None:
    """A Redis on the standard port. It may hold somebody's data: use empty databases of it only."""
    url = f"redis://{LOOPBACK}:6379"
    return Server(url, "found on port 6379") if _redis_answers(url) else None


@contextmanager
def redis_server(*, install: bool = True) -> Iterator[Server]:
    """A Redis; raises ``Missing``."""
    found = find_redis()
    if found:
        yield found
        return
    program = shutil.which("redis-server") or (
        install and install_package("redis-server") and shutil.which("redis-server")
    )
    if not program:
        raise Missing("Redis neither listens on port 6379 nor is installed")
    with started_redis(program) as server:
        yield server


@contextmanager
def started_redis(program: str = "redis-server", *, port: int | None = None) -> Iterator[Server]:
    """A Redis of our own that keeps nothing, for tests that kill it."""
    port = port or free_port()
    url = f"redis://{LOOPBACK}:{port}"
    with tempfile.TemporaryDirectory(prefix="mm-redis-") as folder:
        command = [program, "--port", port, "--bind", LOOPBACK, "--save", "", "--appendonly", "no", "--dir", folder]
        with running(command, ready=lambda: _redis_answers(url), folder=folder) as pid:
            yield Server(url, f"started on port {port}", Path(folder) / "log", pid)


# --- Chromium --------------------------------------------------------------------------------------------------------


def chromium(*, install: bool = True) -> str:
    """The path of a Chromium; raises ``Missing``."""
    found = _chromium_path() or (install and install_package("chromium") and _chromium_path())
    if not found:
        raise Missing("no Chromium is installed")
    return found


def _chromium_path() -> str | None:
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


# --- Processes and packages ------------------------------------------------------------------------------------------


@contextmanager
def running(
    command: Sequence[object],
    *,
    ready: Callable[[], bool],
    folder: str,
    seconds: float = START_SECONDS,
    whole_group: bool = False,
    stop: signal.Signals = signal.SIGINT,
    patience: float = 20,
    **run_as: Any,
) -> Iterator[int]:
    """The process, by its id, once it is ready; at the end it is told to stop, and its children if asked, and after so many
    seconds ended. SIGINT is PostgreSQL's quick, orderly stop, and suits most others as well.
    """
    log = Path(folder) / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdout=output, stderr=output, cwd=folder, start_new_session=True, **run_as
        )
    try:
        _await_ready(process, ready, log, seconds)
        yield process.pid
    finally:
        _stop(process, signal.SIGTERM if whole_group else stop, patience, whole_group=whole_group)


def _await_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Missing(f"{process.args[0]!s} did not start: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes], told: signal.Signals, patience: float, *, whole_group: bool) -> None:
    """A whole group is what a script started."""
    tell = (lambda number: os.killpg(process.pid, number)) if whole_group else process.send_signal
    if process.poll() is None:
        tell(told)
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        tell(signal.SIGKILL)
        process.wait()


def install_package(package: str) -> bool:
    """With apt, where it is there and we may; whether that worked."""
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return False
    print(f"Installing {package} with apt (once)", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = [apt, "install", "--yes", "--quiet", "--no-install-recommends", package]
    for command in (install, [apt, "update", "--quiet"], install):
        done = subprocess.run(command, env=quiet, capture_output=True, timeout=INSTALL_SECONDS, check=False)
        if command is install and done.returncode == 0:
            return True
    print(done.stderr.decode(errors="replace")[-1000:], flush=True)
    return False
