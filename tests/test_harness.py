"""The tests' own tools: they find or start servers, close the network, and wait for what is so."""

import shutil
import socket

import psycopg
import pytest
import redis

from tests.support import servers
from tests.support.databases import run_sql
from tests.support.eventually import eventually
from tests.support.network import LeavesTheMachine


def test_a_connection_elsewhere_is_refused_at_once() -> None:
    with socket.socket() as client, pytest.raises(LeavesTheMachine):
        client.connect(("192.0.2.1", 80))


@pytest.mark.parametrize("name", ["example.com", "metadata.internal"])
def test_no_resolver_is_asked(name: str) -> None:
    with pytest.raises(LeavesTheMachine):
        socket.getaddrinfo(name, 80)


def test_loopback_stays_open() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname(), timeout=5):
            pass


def test_eventually_tells_what_it_saw_last() -> None:
    with pytest.raises(AssertionError, match=r"the sum is right.*Last seen: 0"):
        eventually(lambda: 0, within=0.1, what="the sum is right")


def test_eventually_takes_a_failed_assertion_for_not_yet() -> None:
    answers = iter([False, True])

    def check() -> bool:
        assert next(answers)
        return True

    assert eventually(check)


@pytest.mark.live
def test_each_source_database_is_empty_and_its_own(postgresql_url: str) -> None:
    run_sql(postgresql_url, "CREATE TABLE only_here (id int)")
    with psycopg.connect(postgresql_url) as connection:
        rows = connection.execute("SELECT relname FROM pg_class WHERE relname = 'only_here'").fetchall()
    assert rows == [("only_here",)]


@pytest.mark.live
def test_a_redis_database_is_ours_alone(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 1


@pytest.mark.live
def test_a_redis_of_our_own_starts_and_is_gone_afterwards() -> None:
    if not shutil.which("redis-server"):
        pytest.skip("Not to be had: redis-server")
    with servers.started_redis() as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()
    assert not servers._redis_answers(server.url)


@pytest.mark.live
def test_a_postgresql_of_our_own_starts_and_is_gone_afterwards() -> None:
    try:
        with servers.started_postgresql() as server, psycopg.connect(server.url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
    except servers.Missing as missing:
        pytest.skip(f"Not to be had: {missing}")
    assert not servers._may_create_databases(server.url)


@pytest.mark.django_db
def test_the_metastore_is_the_chosen_one(pytestconfig: pytest.Config) -> None:
    import os

    from django.db import connection

    expected = "postgresql" if os.environ.get("METAMAPPER_DATABASE_URL") else "sqlite"
    assert connection.vendor == expected
    if expected == "sqlite":
        assert "memory" not in str(connection.settings_dict["NAME"])
