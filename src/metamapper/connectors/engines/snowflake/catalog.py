"""The statements of one session: recorded, translated where they fail, and stoppable."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

from snowflake.connector.errors import Error

from metamapper.connectors import errors
from metamapper.connectors.base import Statement
from metamapper.connectors.engines.snowflake.dial import Line
from metamapper.connectors.engines.snowflake.errors import translated
from metamapper.connectors.engines.snowflake.names import quoted
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.statements import StatementLog

QUERIES = load("metamapper.connectors.engines.snowflake")
CHUNK = 1000
CANCEL_SECONDS = 5.0
_CANCEL = "SELECT SYSTEM$CANCEL_ALL_QUERIES(CURRENT_SESSION())"


class Catalog:
    """``with_usage`` tells whether statements may join ACCOUNT_USAGE; it is found out by asking."""

    def __init__(self, line: Line, settings: SnowflakeSettings) -> None:
        self._line = line
        self._settings = settings
        self._cancelled = False
        self._database: str | None = None
        self.with_usage = True
        self.statements = StatementLog()

    def use(self, database: str) -> None:
        """Make a database the current one: every statement is about that."""
        if self._database != database:
            self.all("use", (quoted(database),))
            self._database = database

    def all(self, name: str, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        return list(self.rows(name, values))

    def rows(self, name: str, values: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a named statement, as they come."""
        with self._sent(name) as (statement, sql):
            cursor = self._line.connection.cursor()
            try:
                cursor.execute(sql, values or None)
                statement.rows = 0
                while rows := cursor.fetchmany(CHUNK):
                    for row in rows:
                        if self._cancelled:
                            raise errors.Cancelled
                        statement.rows += 1
                        yield row
            finally:
                cursor.close()

    def shown(self, name: str) -> list[dict[str, Any]]:
        """The rows of a SHOW, by the names that it gives to its columns."""
        with self._sent(name) as (statement, sql):
            cursor = self._line.connection.cursor()
            try:
                cursor.execute(sql)
                names = [each.name.lower() for each in cursor.description]
                found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            finally:
                cursor.close()
            statement.rows = len(found)
            return found

    def cancel(self) -> None:
        """Stop what runs now, at the server where it can be reached, and let nothing else begin. Never raises."""
        self._cancelled = True
        asking = Thread(target=self._ask_to_cancel, name="snowflake-cancel", daemon=True)
        asking.start()
        asking.join(CANCEL_SECONDS)
        self._line.gate.close()

    def _ask_to_cancel(self) -> None:
        try:
            self._line.connection.cursor().execute(_CANCEL)
        except Error:
            # It is out of reach, or over: the gate, which closes next, ends the session from this side.
            return

    @contextmanager
    def _sent(self, name: str) -> Iterator[tuple[Statement, str]]:
        """Record a statement, and translate what goes wrong with it."""
        if self._cancelled:
            raise errors.Cancelled
        sql = QUERIES.at(name, int(self.with_usage))
        try:
            with self.statements.sent(name, sql) as statement:
                yield statement, sql
        except Error as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise translated(error, self._settings, self._line.gate) from None
