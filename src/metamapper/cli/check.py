"""`metamapper check`: the configuration in force, and whether what it names can be used."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import click
import msgspec

from metamapper.cli.framework import start_django
from metamapper.cli.rendering import aligned
from metamapper.cli.telling import shown
from metamapper.lib import tracing
from metamapper.lib.masking import masked

SECONDS = 5
"""How long a broker or metastore may take to answer."""


class State(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what to do if it is not good."""

    subject: str
    state: State
    detail: str
    hint: str = ""


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def check(form: str) -> None:
    """Show the configuration in force, and prove it.

    Secrets are masked. The metastore, the broker and the engines are tried.

    The exit code is 0 if all is good, 1 if something is not, 2 if the configuration itself cannot be read.
    """
    start_django()
    from django.conf import settings

    from metamapper.lib.celery_settings import shown as all_shown
    from metamapper.runs.configuration import celery_settings

    in_force = all_shown(celery_settings()[0])
    findings = [finding for look in (_metastore, _broker, _celery, _engines, _environment) for finding in look()]
    if form == "json":
        report = {"configuration": settings.METAMAPPER_EFFECTIVE, "celery": in_force, "findings": findings}
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    else:
        for line in _lines(settings.METAMAPPER_EFFECTIVE, in_force, findings):
            click.echo(line)
    raise SystemExit(1 if any(each.state is State.BAD for each in findings) else 0)


def _lines(configuration: dict[str, str], celery: dict[str, str], findings: list[Finding]) -> Iterator[str]:
    for part in (configuration, celery):
        yield from aligned([(name, shown(value) or "(not set)") for name, value in part.items()])
        yield ""
    for finding in findings:
        yield f"{finding.state:8} {finding.subject}: {shown(finding.detail)}"
        if finding.hint:
            yield f"         {finding.hint}"


def _tried(subject: str, attempt: Callable[[], str], hint: str) -> Finding:
    """What the attempt says, or why it failed."""
    try:
        return Finding(subject, State.GOOD, attempt())
    except Exception as error:  # noqa: BLE001 - drivers and brokers fail in their own ways; each is a finding
        reason = masked(" ".join(str(error).split())) or type(error).__name__
        return Finding(subject, State.BAD, reason, hint)


def _metastore() -> Iterator[Finding]:
    from django.db import connection

    def answers() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))} answers"

    answer = _tried("metastore", answers, "See METAMAPPER_DATABASE_URL; is the server up, does the database exist?")
    yield answer
    if answer.state is State.GOOD:
        yield _migrations()


def _migrations() -> Finding:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Finding("tables", State.BAD, f"{len(waiting)} migrations are not applied", "Run `metamapper migrate`.")
    return Finding("tables", State.GOOD, "up to date")


def _broker() -> Iterator[Finding]:
    from django.conf import settings
    from django.utils.module_loading import import_string

    def answers() -> str:
        import_string(settings.METAMAPPER_PUBLISHER)  # the Celery application is made where its messages are sent
        from celery import current_app

        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS)
            return f"{connection.transport_cls} answers"

    yield _tried("broker", answers, "See METAMAPPER_CELERY_BROKER_URL. Until it answers, runs wait; none is lost.")


def _celery() -> Iterator[Finding]:
    from metamapper.runs.configuration import celery_settings

    for problem in celery_settings()[1]:
        yield Finding("celery", State.WARNING, problem)
    if missing := tracing.problem():
        yield Finding("tracing", State.WARNING, missing)


def _engines() -> Iterator[Finding]:
    from metamapper.connectors.registry import registry

    found = registry()
    for engine in found.engines.values():
        yield Finding(f"engine {engine.name}", State.GOOD, engine.title)
    for name, why in found.broken.items():
        yield Finding(f"engine {name}", State.BAD, why, "Update or remove the package that offers it.")


def _environment() -> Iterator[Finding]:
    from django.conf import settings

    production = settings.ENVIRONMENT == "production"
    if production and not settings.METAMAPPER_ORIGIN.startswith("https://"):
        hint = "Set METAMAPPER_WEBSERVER_ORIGIN to the https address that people type."
        yield Finding("address", State.WARNING, f"{settings.METAMAPPER_ORIGIN} is not encrypted", hint)
    if production and settings.METAMAPPER_EMAIL_BACKEND.endswith("console.EmailBackend"):
        hint = "Set METAMAPPER_EMAIL_BACKEND=smtp and its server: whoever reads the log could use a reset link."
        yield Finding("mail", State.WARNING, "mail is written to the workers' log", hint)
    if production and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = "Set METAMAPPER_DATABASE_URL to a PostgreSQL for more than one machine."
        yield Finding("metastore", State.WARNING, "SQLite serves one machine", hint)
