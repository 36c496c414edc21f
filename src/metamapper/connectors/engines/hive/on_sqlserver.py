"""A metastore that SQL Server or Azure SQL keeps. There are no read-only sessions, nor one moment for all statements."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.engines.hive.statements import Statements
from metamapper.connectors.engines.hive.stores import Row, shared
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.statements import StatementLog
from metamapper.connectors.sql.tsql.channel import Channel
from metamapper.connectors.sql.tsql.dial import DRIVER_ERRORS, dialled
from metamapper.connectors.sql.tsql.errors import advised, from_server
from metamapper.connectors.sql.tsql.settings import TsqlSettings

QUERIES = Statements("sqlserver.sql")
_PARAMETER = re.compile(r"@(\w+)")


class SqlserverStore:
    queries = QUERIES
    shows_what_is_closed = False
    sees_one_moment = False

    def __init__(self, connection: Any, channel: Channel, settings: TsqlSettings) -> None:
        self._connection = connection
        self._channel = channel
        self._settings = settings
        self._cancelled = False
        self.statements = StatementLog()
        self.rows("prepare", QUERIES.at("prepare", 0), {})
        (facts,) = self.rows("facts", QUERIES.at("facts", 0), {})
        self.server = f"SQL Server {facts['version']}"
        self.account: str = facts["account"]

    def rows(self, label: str, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        names: list[str] = []
        return [dict(zip(names, row, strict=True)) for row in self._asked(label, sql, parameters, names)]

    def stream(self, label: str, sql: str, parameters: Mapping[str, Any]) -> Iterator[Row]:
        return self._asked(label, sql, parameters, [])

    def among(self, values: Iterable[int | str]) -> Any:
        """As a text to look them up in: T-SQL has no lists, and splitting one needs a newer compatibility level."""
        return "," + "".join(f"{value}," for value in values)

    def cancel(self) -> None:
        self._cancelled = True
        self._channel.attention()

    def _asked(self, label: str, sql: str, parameters: Mapping[str, Any], names: list[str]) -> Iterator[Row]:
        """The rows as they come; ``names`` is filled with those of the columns before the first."""
        with self.statements.sent(label, sql) as statement, closing(self._connection.cursor()) as cursor:
            with self._translated():
                if parameters:
                    cursor.execute(_with_places(sql), dict(parameters))
                else:
                    cursor.execute(sql)
            names += [column[0] for column in cursor.description or ()]
            statement.rows = 0
            with self._translated():
                while names and (row := cursor.fetchone()) is not None:
                    self._refuse_if_cancelled()
                    statement.rows += 1
                    yield row

    @contextmanager
    def _translated(self) -> Iterator[None]:
        self._refuse_if_cancelled()
        try:
            yield
            self._refuse_if_cancelled()
        except errors.ConnectorError as error:
            self._refuse_if_cancelled()
            if isinstance(error, errors.StatementTimeout):
                self._channel.attention()
            raise advised(error, self._settings) from None
        except DRIVER_ERRORS as error:
            self._refuse_if_cancelled()
            raise from_server(error, self._settings) from None

    def _refuse_if_cancelled(self) -> None:
        if self._cancelled:
            raise errors.Cancelled


@cache
def _with_places(sql: str) -> str:
    """``@name`` as the driver wants it, who calls sp_executesql."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


@contextmanager
def opened(settings: HiveSettings, reach: Reach) -> Iterator[SqlserverStore]:
    """A session, closed at the end; raises a ``ConnectorError``."""
    theirs = TsqlSettings(**shared(settings), tls=settings.tls)
    with dialled(theirs, reach) as (connection, channel):
        yield SqlserverStore(connection, channel, theirs)
