"""`metamapper up`: everything on one machine, in one terminal."""

import fcntl
import http.client
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from metamapper.cli.framework import settings_read, start_django
from metamapper.cli.supervising import Child, Supervisor
from metamapper.cli.telling import Failed

STOP_SECONDS = "METAMAPPER_STOP_SECONDS"
ORIGIN = "METAMAPPER_WEBSERVER_ORIGIN"
GRACE = 5
"""Seconds that a run in progress gets when somebody stops everything; then it is handed over to the next start."""
PATIENCE = GRACE + 10
START_ANYWAY = 10
"""Seconds after which worker and scheduler start even if no page was answered."""
CALM = ("--quiet", "--loglevel", "warning")


@click.command()
@click.option("--host", default="localhost", show_default=True, help="The address to listen on.")
@click.option("--port", default=5050, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Inspections at a time.")
def up(*, host: str, port: int, workers: int) -> None:
    """Run everything here: web server, worker and scheduler. Ctrl-C stops it all."""
    settings = settings_read()
    home = settings.METAMAPPER_HOME
    address = f"http://{host}:{port}"
    with _alone(home, address):
        _refuse_taken(host, port)
        _tell_set(settings.METAMAPPER_EFFECTIVE)
        supervisor = Supervisor(_services(host, port, workers), _environment(host, port), _say, PATIENCE)
        supervisor.listen()
        supervisor.start("web")
        start_django()
        _migrate_if_needed()
        threading.Thread(target=_announce, args=(host, port, address, supervisor), daemon=True).start()
        supervisor.run()
    _say("Stopped. Everything is kept; `metamapper up` goes on from here.")


def _services(host: str, port: int, workers: int) -> list[Child]:
    """The web server first: the others would only slow its first page down."""
    program = [sys.executable, "-m", "metamapper.cli"]
    later = time.monotonic() + START_ANYWAY
    return [
        Child("web", [*program, "web", "--quiet", "--host", host, "--port", str(port)]),
        Child("worker", [*program, "worker", *CALM, "--concurrency", str(workers)], due_at=later),
        Child("scheduler", [*program, "scheduler", *CALM], due_at=later),
    ]


def _environment(host: str, port: int) -> dict[str, str]:
    """What the children are given. Links in mail lead to where this one listens, unless another address is set."""
    colour = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    usual = {STOP_SECONDS: str(GRACE), ORIGIN: f"http://{_reachable(host)}:{port}"}
    return {**usual, **os.environ, **colour, "PYTHONUNBUFFERED": "1"}


def _tell_set(effective: Mapping[str, str]) -> None:
    """What is in force beside the defaults; `metamapper check` tells all of it."""
    for name, value in effective.items():
        if name in os.environ:
            _say(f"{name}={value}")


def _reachable(host: str) -> str:
    return "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


@contextmanager
def _alone(home: Path, address: str) -> Iterator[None]:
    """Only one `up` works on a data folder; a second is told where the first is."""
    with (home / "up.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Failed(
                f"Metamapper already runs on the data folder {home}: {file.read().strip() or 'it is starting'}.",
                hint="Stop that one first, or name another folder with METAMAPPER_HOME.",
            ) from None
        file.truncate(0)
        file.write(f"{address}, process {os.getpid()}")
        file.flush()
        yield


def _refuse_taken(host: str, port: int) -> None:
    """Say so now, in words: the web server would say it later, among other lines."""
    for family, kind, protocol, _, where in _addresses(host, port):
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(where)
            except OSError as error:
                raise Failed(
                    f"Port {port} on {host} cannot be used: {error.strerror}.",
                    hint=f"Another program may have it. Choose another port: metamapper up --port {port % 65535 + 1}",
                ) from error
            return


def _addresses(host: str, port: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value] # any family binds
    except socket.gaierror as error:
        raise Failed(f"{host} is not an address of this machine.", hint="Use localhost or 0.0.0.0.") from error


def _migrate_if_needed() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        _say("Preparing the metastore …")
        call_command("migrate", interactive=False, verbosity=0)
    connection.close()


def _announce(host: str, port: int, address: str, supervisor: Supervisor) -> None:
    """Print the address once the web server answers there, whatever it answers, and let the others start."""
    while (status := _status(_reachable(host), port)) is None:
        time.sleep(0.1)
    if status < http.client.INTERNAL_SERVER_ERROR:
        _say(f"Metamapper is ready: {address}  (Ctrl-C stops it)")
    else:
        _say(f"The web server runs on {address}, but its first page failed; the lines above say why.")
    supervisor.hurry()


def _status(host: str, port: int) -> int | None:
    """What the first page answers; None while nothing answers."""
    connection = http.client.HTTPConnection(host, port, timeout=15)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
