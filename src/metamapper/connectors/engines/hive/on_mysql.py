"""A metastore that MySQL or MariaDB keeps: one read-only transaction, everything as it was at one moment."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pymysql
from msgspec.structs import replace
from pymysql.cursors import DictCursor

from metamapper.connectors import errors
from metamapper.connectors.base import Statement
from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.engines.hive.statements import Statements
from metamapper.connectors.engines.hive.stores import IDLE_SECONDS, LOCK_SECONDS, Row, shared
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.mysql.dial import Wire, dialled
from metamapper.connectors.sql.mysql.errors import GARBLED, from_statement
from metamapper.connectors.sql.mysql.names import version_of
from metamapper.connectors.sql.mysql.settings import MysqlSettings
from metamapper.connectors.sql.statements import StatementLog

QUERIES = Statements("mysql.sql")
CANCEL_SECONDS = 5
SORT_BYTES = 64 << 20
"""MySQL 8 and later sort whole rows: the buffer, taken as it is needed, must hold the longest view there is."""


class MysqlStore:
    queries = QUERIES
    shows_what_is_closed = False
    sees_one_moment = True

    def __init__(
        self, connection: Wire, settings: MysqlSettings, dial: Callable[[], AbstractContextManager[Wire]]
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._dial = dial
        self._cancelled = False
        self.statements = StatementLog()
        (said,) = self.rows("version", QUERIES.at("version", 0), {})
        version = version_of(str(said["version"]))
        if version is None or version.is_old:
            raise errors.VersionUnsupported(
                f"The server calls itself {said['version']}; MySQL 5.7 and MariaDB 10.5 are the oldest that are read.",
                hint="It needs a newer server, or reading through the metastore's service.",
            )
        for name in ("read_only", "prepare", "begin"):
            self.rows(name, QUERIES.at(name, version.number), self._time_outs())
        (facts,) = self.rows("facts", QUERIES.at("facts", version.number), {})
        self.server = f"{'MariaDB' if version.mariadb else 'MySQL'} {said['version']}"
        self.account: str = facts["account"]
        self._number: int = facts["number"]

    def rows(self, label: str, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        with self._sent(label, sql) as statement, self._connection.cursor(DictCursor) as cursor:
            cursor.execute(sql, parameters or None)
            rows = list(cursor.fetchall())
            statement.rows = len(rows)
            return rows

    def stream(self, label: str, sql: str, parameters: Mapping[str, Any]) -> Iterator[Row]:
        with self._sent(label, sql) as statement, self._connection.cursor() as cursor:
            statement.rows = 0
            for row in self._connection.stream(cursor.mogrify(sql, parameters)):
                if self._cancelled:
                    raise errors.Cancelled
                statement.rows += 1
                yield row

    def among(self, values: Iterable[int | str]) -> Any:
        return tuple(values)

    def cancel(self) -> None:
        self._cancelled = True
        if not self._connection.open:
            return
        try:
            with self._dial() as other, other.cursor() as cursor:
                other.wait_for(CANCEL_SECONDS)
                cursor.execute("KILL QUERY %s", (self._number,))
        except (errors.ConnectorError, pymysql.Error, OSError, *GARBLED):
            # The server is out of reach: end the session from this side, so that the reader stops waiting for it.
            self._connection.shut()

    def _time_outs(self) -> Mapping[str, int]:
        seconds = self._settings.statement_timeout
        return {
            "seconds": seconds,
            "milliseconds": 1000 * seconds,
            "lock_seconds": LOCK_SECONDS,
            "idle_seconds": IDLE_SECONDS,
            "sort_bytes": SORT_BYTES,
        }

    @contextmanager
    def _sent(self, label: str, sql: str) -> Iterator[Statement]:
        if self._cancelled:
            raise errors.Cancelled
        try:
            with self.statements.sent(label, sql) as statement:
                yield statement
        except (pymysql.Error, OSError, *GARBLED) as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise from_statement(error, self._settings) from None


@contextmanager
def opened(settings: HiveSettings, reach: Reach) -> Iterator[MysqlStore]:
    """A session in one transaction, closed at the end; raises a ``ConnectorError``."""
    theirs = MysqlSettings(**shared(settings), tls=settings.tls)
    hurried = replace(theirs, connect_timeout=min(CANCEL_SECONDS, theirs.connect_timeout))
    with dialled(theirs, reach) as connection:
        yield MysqlStore(connection, theirs, partial(dialled, hurried, reach))
