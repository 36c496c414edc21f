"""Opening and testing a PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors.base import Step
from metamapper.connectors.engines.postgresql.diagnosis import diagnose
from metamapper.connectors.engines.postgresql.session import PostgresqlSession
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.postgresql.dial import dialled
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings


class PostgresqlConnector:
    def __init__(self, settings: PostgresqlSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[PostgresqlSession]:
        """A session in one read-only, repeatable-read transaction; raises a ``ConnectorError``."""
        with dialled(self._settings, self._reach) as connection:
            yield PostgresqlSession(connection, self._settings)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)
