"""Commands that run Metamapper's services, each in place of this process: signals arrive where they should."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

import click
import structlog

from metamapper.cli.framework import settings_read, start_django

PARENT = "METAMAPPER_PARENT"
_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": False}
_SET_PARENT_DEATH_SIGNAL = 1

quiet = click.option("--quiet", is_flag=True, help="Without Celery's banner.")
calm = click.option("--quiet", is_flag=True, help="Without saying what is in force.")
arguments = click.argument("arguments", nargs=-1, type=click.UNPROCESSED)


@click.command()
def migrate() -> None:
    """Bring the metastore's tables up to date."""
    start_django()
    from django.core.management import call_command

    call_command("migrate", interactive=False)


@click.command(context_settings=_PASS_ON)
@click.option("--host", default="localhost", show_default=True, help="The address to listen on.")
@click.option("--port", default=5050, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@calm
@arguments
def web(*, host: str, port: int, quiet: bool, arguments: tuple[str, ...]) -> None:
    """Run the web server. ARGUMENTS go to gunicorn."""
    settings = settings_read()
    if not quiet:
        _tell(settings.METAMAPPER_EFFECTIVE)
    own = settings.METAMAPPER_GUNICORN_CONFIG
    config, bind = (own, []) if own else ("python:metamapper.conf.gunicorn", ["--bind", f"{host}:{port}"])
    _become("gunicorn", "--config", config, *bind, *arguments)


@click.command(context_settings=_PASS_ON)
@quiet
@arguments
def worker(*, quiet: bool, arguments: tuple[str, ...]) -> None:
    """Run a worker. ARGUMENTS go to Celery: --concurrency 4, -Q inspections …"""
    settings_read()
    _celery("worker", quiet=quiet, arguments=arguments)


@click.command(context_settings=_PASS_ON)
@quiet
@arguments
def scheduler(*, quiet: bool, arguments: tuple[str, ...]) -> None:
    """Run a scheduler; any number may run. ARGUMENTS go to Celery's beat."""
    settings_read()
    _celery("beat", quiet=quiet, arguments=arguments)


def _tell(effective: Mapping[str, str]) -> None:
    """Every start says what is in force, secrets masked. Workers and schedulers say it by themselves, Celery's settings too."""
    log = structlog.get_logger(__name__)
    for name, value in effective.items():
        log.info("configuration", name=name, value=value)


def _celery(service: str, *, quiet: bool, arguments: tuple[str, ...]) -> NoReturn:
    level = () if any(each.startswith(("-l", "--loglevel")) for each in arguments) else ("--loglevel", "info")
    _become("celery", *(("--quiet",) if quiet else ()), "--app", "metamapper", service, *level, *arguments)


def _become(module: str, *arguments: str) -> NoReturn:
    _end_with_parent()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - our own interpreter


def _end_with_parent() -> None:
    """Where `metamapper up` started us, end when it does, even if it is killed. Linux alone can promise that."""
    parent = os.environ.pop(PARENT, "")
    if not parent or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != int(parent):  # it ended before we asked
        sys.exit(1)
