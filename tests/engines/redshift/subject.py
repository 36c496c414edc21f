"""Redshift for the conformance suite: the real driver against a stand-in."""

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
from msgspec.structs import replace
from psycopg import sql

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import SqlSpelling
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.redshift import ENGINE
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, Tls
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily
from tests.support.databases import fresh_postgresql
from tests.support.redshift import Proxy, install_catalog, proxy

PASSWORD = "correct horse, battery %41 staple"
TYPES = {
    TypeFamily.INTEGER: "integer",
    TypeFamily.STRING: "character varying(65535)",
    TypeFamily.DECIMAL: "numeric(12,2)",
    TypeFamily.BOOLEAN: "boolean",
    TypeFamily.TIMESTAMP: "timestamp with time zone",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "double precision",
    TypeFamily.BINARY: "bytea",
}
SHOWN = TYPES | {TypeFamily.BINARY: "binary varying(64000)"}
REFUSED = (ops.Retype, ops.SetNullable, ops.SetDefault, ops.MoveTable, ops.CreateIndex, ops.AddCheck)
"""What a real Redshift refuses and the PostgreSQL below would do."""


class Spelling(SqlSpelling):
    types = TYPES
    schemas: Mapping[str, str] = {"main": "public", "other": "archive"}


class RedshiftRefuses(Exception):
    """What Redshift has no statement for."""


@dataclass(frozen=True)
class RedshiftSource:
    url: str
    """The PostgreSQL below, as its superuser."""
    proxy: Proxy
    role: str

    @property
    def settings(self) -> RedshiftSettings:
        parts = urlsplit(self.url)
        return RedshiftSettings(
            host="127.0.0.1",
            port=self.proxy.port,
            database=parts.path[1:],
            user=parts.username or "",
            tls=Tls.OFF,
        )

    @property
    def reader(self) -> RedshiftSettings:
        return replace(self.settings, user=self.role)

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        for operation in operations:
            if isinstance(operation, REFUSED):
                raise RedshiftRefuses(type(operation).__name__)
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

    def aimed_at(self, host: str, port: int) -> RedshiftSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'metamapper' AND datname = current_database()"
        )


def _as_written(statement: str | sql.Composed) -> Any:
    return statement


@dataclass(frozen=True)
class RedshiftSubject:
    server_url: str
    engine = ENGINE
    schemas = Spelling.schemas
    shown = SHOWN
    widest = 1600
    longest_name = 63
    """Of PostgreSQL; Redshift's names have up to 127 bytes."""
    most_statements = 10

    def allows(self, name: str, kind: AssetKind) -> bool:
        return True

    @contextmanager
    def fresh(self) -> Iterator[RedshiftSource]:
        with self._behind() as source:
            yield source

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self._behind(passwords={urlsplit(self.server_url).username or "": PASSWORD}) as source:
            yield replace(source.settings, password=PASSWORD)

    @contextmanager
    def _behind(self, passwords: Mapping[str, str] | None = None) -> Iterator[RedshiftSource]:
        with ExitStack() as stack:
            role = stack.enter_context(_role(self.server_url))
            url = stack.enter_context(fresh_postgresql(self.server_url))
            install_catalog(url)
            front = stack.enter_context(proxy(urlsplit(url).port or 5432, passwords=passwords))
            yield RedshiftSource(url, front, role)

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.right_password() as known:
            assert isinstance(known, RedshiftSettings)
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


ELSEWHERE = "redshift://ana:pw@db.invalid:5440/shop"
"""A server that is nowhere, for what is asked for on the way to it."""
