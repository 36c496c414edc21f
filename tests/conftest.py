"""What every test gets: a home of its own, a closed network, fresh databases. See ``tests/run.py`` for whole runs.

A test that uses the metastore (``django_db``, or a fixture that does) runs on SQLite, or on the PostgreSQL that
METAMAPPER_DATABASE_URL names; ``make test`` runs it on both.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from hypothesis import HealthCheck, settings

from tests.support import brokers, databases, network, servers, sshd

OF_THE_METASTORE = {"db", "transactional_db", "live_server", "django_db_reset_sequences"}
KEPT = {"METAMAPPER_HOME", "METAMAPPER_DATABASE_URL"}


def _own_environment() -> None:
    """Before Django reads its settings: no variable of the developer's, a home that goes away with the run."""
    for name in [name for name in os.environ if name.startswith("METAMAPPER_") and name not in KEPT]:
        del os.environ[name]
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["METAMAPPER_HOME"] = tempfile.mkdtemp(prefix="mm-test-home-")
    os.environ["ENVIRONMENT"] = "development"
    os.environ["DJANGO_SETTINGS_MODULE"] = "metamapper.project.settings"


# A busy machine is slow without anything being wrong.
settings.register_profile("metamapper", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("metamapper")
_own_environment()
network.close_to_loopback()


def pytest_configure() -> None:
    """pytest-django sets Django up only where an option names the settings, which is too early for our environment."""
    django.setup()
    from django.conf import settings

    settings.METAMAPPER_ERRAND_PUBLISHER = ""
    settings.METAMAPPER_PUBLISHER = ""  # No test of this process wakes a worker by accident.


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("metamapper")
    group.addoption("--only-metastore", action="store_true", help="Only tests that use the metastore.")
    group.addoption("--leave-either", action="store_true", help="Not the tests that run once, on either metastore.")
    group.addoption("--require-live", action="store_true", help="A server that cannot be had fails its tests.")
    group.addoption("--counts", metavar="FILE", help="Append the counts of this run as a line of JSON.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the metastore, and leave the rest out where only that is wanted."""
    for item in items:
        if item.get_closest_marker("django_db") or OF_THE_METASTORE & set(getattr(item, "fixturenames", ())):
            item.add_marker("metastore")
    chosen = [
        item
        for item in items
        if not (config.getoption("--only-metastore") and not item.get_closest_marker("metastore"))
        and not (config.getoption("--leave-either") and item.get_closest_marker("either_metastore"))
    ]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Leave the counts where ``tests/run.py`` adds them up."""
    path = config.getoption("--counts")
    if not path or "PYTEST_XDIST_WORKER" in os.environ:
        return
    stats = terminalreporter.stats
    counts = {kind: len(stats.get(kind, ())) for kind in ("passed", "failed", "error", "skipped", "xfailed")}
    reasons = sorted({report.longrepr[2] for report in stats.get("skipped", ()) if isinstance(report.longrepr, tuple)})
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"counts": counts, "skips": reasons}) + "\n")


def pytest_unconfigure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["METAMAPPER_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """SQLite is tested as it is used: a file with a write-ahead log, open to threads and to other processes."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("metastore") / "metastore.sqlite3")


@pytest.fixture(autouse=True)
def _no_beats_from_outside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that runs within a transaction is invisible to other connections, such as a run's heartbeat has.

    On a busy machine, where a run lasts longer than its first report of progress, the heartbeat would find no run and
    call it lost. Tests of heartbeats themselves use ``transactional_db``.
    """
    marker = request.node.get_closest_marker("django_db")
    committed = {"transactional_db", "live_server"} & set(request.fixturenames)
    if committed or (marker and marker.kwargs.get("transaction")):
        return
    if marker or "db" in request.fixturenames:
        silence = {"heartbeat": 3600, "progress": 3600}
        monkeypatch.setattr("django.conf.settings.METAMAPPER_RUNS", silence, raising=False)


def _deletes(operations: Any, _style: Any, tables: list[str], **_options: bool) -> list[str]:
    """Empty what is not empty. Django truncates every table, which makes PostgreSQL write as many new files each time."""
    quoted = [operations.quote_name(table) for table in tables]
    with operations.connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{each}' WHERE EXISTS (SELECT FROM {each})" for each in quoted))
        written = [row[0] for row in cursor.fetchall()]
    # As a replica does it: foreign keys are not looked at, for both of their ends go.
    return ["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {each}" for each in written)]


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.backends.postgresql.operations.DatabaseOperations.sql_flush", _deletes)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A worker that a test killed may still be signed in at the server: it is shown out before the database goes."""
    yield
    from django.db import connection

    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                others = "datname = current_database() AND pid <> pg_backend_pid()"
                cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


def _missing(request: pytest.FixtureRequest, reason: str) -> None:
    """A loud skip, or a failure where everything is required."""
    if request.config.getoption("--require-live"):
        pytest.fail(f"Not to be had: {reason}", pytrace=False)
    pytest.skip(f"Not to be had: {reason}")


@pytest.fixture(scope="session")
def postgresql_server(request: pytest.FixtureRequest) -> str:
    """The URL of a PostgreSQL where we are superuser."""
    url = os.environ.get("MM_TEST_POSTGRESQL") or ((found := servers.find_postgresql()) and found.url)
    if not url:
        _missing(request, "PostgreSQL on port 5432, superuser without a password")
    assert url
    return url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database to inspect, dropped after the test."""
    with databases.fresh_postgresql(postgresql_server) as url:
        yield url


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty Redis database, emptied after the test."""
    server = os.environ.get("MM_TEST_REDIS") or ((found := servers.find_redis()) and found.url)
    if not server:
        _missing(request, "Redis on port 6379")
    assert server
    with databases.empty_redis(server) as url:
        yield url


@pytest.fixture
def openssh(request: pytest.FixtureRequest) -> str:
    """The path of OpenSSH's server, for tests that start one."""
    try:
        return sshd.program()
    except servers.Missing as missing:
        _missing(request, str(missing))
        raise


@pytest.fixture
def redis_port(request: pytest.FixtureRequest) -> int:
    """A free port, for tests that start a Redis of their own there, kill it and start it again."""
    if shutil.which("redis-server") is None:
        _missing(request, "redis-server")
    return servers.free_port()


@pytest.fixture
def process_namespace(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The command that runs another as process 1 of a world of its own."""
    command = ("unshare", "--fork", "--pid", "--kill-child", "--mount-proc")
    if (
        shutil.which(command[0]) is None
        or subprocess.run([*command, "true"], check=False, capture_output=True).returncode
    ):
        _missing(request, "a process namespace (it takes unshare, and root)")
    return command


@pytest.fixture
def rabbitmq_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a RabbitMQ's new virtual host, deleted after the test."""
    told = os.environ.get("MM_TEST_RABBITMQ")
    server = brokers.RabbitMQ.heard(told) if told else brokers.find_rabbitmq()
    if not server:
        _missing(request, "RabbitMQ on port 5672 that lets us make virtual hosts")
    assert server
    with brokers.virtual_host(server) as url:
        yield url


@pytest.fixture
def sqs_url(request: pytest.FixtureRequest) -> str:
    """The address of a stand-in for Amazon SQS. Queues are told apart by their names' prefix."""
    url = os.environ.get("MM_TEST_SQS")
    if not url:
        _missing(request, "a stand-in for SQS (tests.run starts one)")
    assert url
    return url


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> str:
    """The path of a Chromium."""
    try:
        return servers.chromium(install=False)
    except servers.Missing as missing:
        _missing(request, str(missing))
        raise


@pytest.fixture
def cast(db: None) -> Any:
    """Everybody that tests are about, freshly made: see ``tests/cast.py``."""
    from tests.cast import assemble

    return assemble()
