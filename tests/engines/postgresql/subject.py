"""PostgreSQL for the conformance suite."""

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from msgspec.structs import replace
from psycopg import sql

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import SqlSpelling
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.postgresql import ENGINE
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings
from metamapper.schema import AssetKind, TypeFamily
from tests.support.databases import fresh_postgresql
from tests.support.guarded import Guarded

TYPES = {
    TypeFamily.INTEGER: "integer",
    TypeFamily.STRING: "text",
    TypeFamily.DECIMAL: "numeric(12,2)",
    TypeFamily.BOOLEAN: "boolean",
    TypeFamily.TIMESTAMP: "timestamp with time zone",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "double precision",
    TypeFamily.BINARY: "bytea",
}


class Spelling(SqlSpelling):
    types = TYPES
    schemas: Mapping[str, str] = {"main": "public", "other": "archive"}


def settings_of(url: str) -> PostgresqlSettings:
    _, settings = from_url(url)
    assert isinstance(settings, PostgresqlSettings)
    return settings


@dataclass(frozen=True)
class PostgresqlSource:
    url: str
    role: str = ""
    """A role that may sign in and owns nothing."""

    @property
    def settings(self) -> PostgresqlSettings:
        return settings_of(self.url)

    @property
    def reader(self) -> PostgresqlSettings:
        return replace(self.settings, user=self.role)

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        self.run(*(Spelling().spelled(operation) for operation in operations))

    def run(self, *statements: str | sql.Composed) -> None:
        """All in one transaction, without waiting for a lock for long."""
        with psycopg.connect(self.url) as connection:
            connection.execute("SET LOCAL lock_timeout = '5s'")
            for statement in statements:
                connection.execute(_as_written(statement))

    def paste(self, remedy: str) -> None:
        self.run(remedy)

    def revoke(self, schema: str) -> None:
        name = sql.Identifier(Spelling.schemas[schema])
        self.run(sql.SQL("REVOKE USAGE ON SCHEMA {} FROM PUBLIC").format(name))

    def aimed_at(self, host: str, port: int) -> PostgresqlSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'metamapper' AND datname = current_database()"
        )


def _as_written(statement: str | sql.Composed) -> Any:
    return statement


@dataclass(frozen=True)
class PostgresqlSubject:
    server_url: str
    guarded: Guarded | None = None
    engine = ENGINE
    schemas = Spelling.schemas
    shown = TYPES
    widest = 1600
    longest_name = 63
    most_statements = 12

    def allows(self, name: str, kind: AssetKind) -> bool:
        return True

    @contextmanager
    def fresh(self) -> Iterator[PostgresqlSource]:
        with ExitStack() as stack:
            role = stack.enter_context(_role(self.server_url))
            yield PostgresqlSource(stack.enter_context(fresh_postgresql(self.server_url)), role)

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        assert self.guarded
        yield settings_of(self.guarded.url)

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        assert self.guarded
        known = settings_of(self.guarded.url)
        yield [
            replace(known, password="not the right one"),
            replace(known, password="p@ss:w/rd?#%41 é"),
            replace(known, user="no such user", password="whatever it is"),
        ]


@contextmanager
def _role(server_url: str) -> Iterator[str]:
    name = f'mm reader "{os.getpid()}" {uuid.uuid4().hex[:8]}'
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


ELSEWHERE = "postgresql://ana:pw@db.invalid:5433/shop"
"""A server that is nowhere, for what is asked for on the way to it."""
TAKES_SOCKETS = True
