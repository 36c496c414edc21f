"""Fresh databases to inspect, on a server that somebody else may use too: each has a name of its own and is dropped."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql


@contextmanager
def fresh_postgresql(server_url: str, *, template: str = "template0") -> Iterator[str]:
    """The URL of a new, empty database; it is dropped at the end, whoever is still connected."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"mm_src_{worker}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield with_database(server_url, name)
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def run_sql(url: str, *statements: str) -> None:
    """Each statement in its own transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]  # tests write their own SQL


@contextmanager
def empty_redis(server_url: str) -> Iterator[str]:
    """The URL of a database (of a server's sixteen) that nobody uses; it is left empty.

    A marker is set if nobody else has: two workers that look at once never take the same one.
    """
    owner = uuid.uuid4().hex
    for number in range(15, 0, -1):
        with redis.Redis.from_url(f"{server_url}/{number}", socket_timeout=5) as client:
            if client.dbsize() or not client.set("mm-test-owner", owner, nx=True, ex=3600):
                continue
            try:
                yield f"{server_url}/{number}"
            finally:
                client.flushdb()
            return
    raise LookupError(f"None of the databases of {server_url} is empty")
