"""A metastore that PostgreSQL keeps: one read-only transaction, everything as it was at one moment."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from metamapper.connectors import errors
from metamapper.connectors.base import Statement
from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.engines.hive.statements import Statements
from metamapper.connectors.engines.hive.stores import IDLE_SECONDS, LOCK_SECONDS, Row, shared
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.postgresql.dial import dialled
from metamapper.connectors.sql.postgresql.errors import from_statement
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings
from metamapper.connectors.sql.statements import StatementLog

QUERIES = Statements("postgresql.sql")
CANCEL_SECONDS = 5.0


class PostgresqlStore:
    queries = QUERIES
    shows_what_is_closed = True
    sees_one_moment = True

    def __init__(self, connection: psycopg.Connection[Any], settings: PostgresqlSettings, schema: str) -> None:
        self._connection = connection
        self._settings = settings
        self._schema = schema
        self._cancelled = False
        self.statements = StatementLog()
        version = connection.info.server_version // 10000
        self.rows("begin", QUERIES.at("begin", version), {})
        time_outs = {
            "schema": schema,
            "statement_timeout": f"{settings.statement_timeout}s",
            "lock_timeout": f"{LOCK_SECONDS}s",
            "idle_timeout": f"{IDLE_SECONDS}s",
        }
        (facts,) = self.rows("prepare", QUERIES.at("prepare", version), time_outs)
        self.server = f"PostgreSQL {facts['version']}"
        self.account: str = facts["account"]

    def rows(self, label: str, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        with self._sent(label, sql) as statement, self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(sql, {**parameters, "schema": self._schema})
            rows = list(cursor) if cursor.description else []
            statement.rows = len(rows)
            return rows

    def stream(self, label: str, sql: str, parameters: Mapping[str, Any]) -> Iterator[Row]:
        with self._sent(label, sql) as statement, self._connection.cursor() as cursor:
            statement.rows = 0
            for row in cursor.stream(sql, parameters):
                if self._cancelled:
                    raise errors.Cancelled
                statement.rows += 1
                yield row

    def among(self, values: Iterable[int | str]) -> Any:
        return list(values)

    def cancel(self) -> None:
        self._cancelled = True
        try:
            self._connection.cancel_safe(timeout=CANCEL_SECONDS)
        except psycopg.Error:
            # The server is out of reach: end the session from this side, so that the reader stops waiting for it.
            self._connection.close()

    @contextmanager
    def _sent(self, label: str, sql: str) -> Iterator[Statement]:
        if self._cancelled:
            raise errors.Cancelled
        try:
            with self.statements.sent(label, sql) as statement:
                yield statement
        except psycopg.Error as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise from_statement(error, self._settings) from None


@contextmanager
def opened(settings: HiveSettings, reach: Reach) -> Iterator[PostgresqlStore]:
    """A session in one transaction, closed at the end; raises a ``ConnectorError``."""
    theirs = PostgresqlSettings(**shared(settings), tls=settings.tls)
    with dialled(theirs, reach) as connection:
        yield PostgresqlStore(connection, theirs, settings.schema)
