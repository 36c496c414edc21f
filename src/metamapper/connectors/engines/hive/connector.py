"""Opening and testing a metastore, by its database or by its service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from metamapper.connectors.base import Session, Step
from metamapper.connectors.engines.hive import on_mysql, on_postgresql, on_sqlserver
from metamapper.connectors.engines.hive.advice import advised
from metamapper.connectors.engines.hive.database import DatabaseSession
from metamapper.connectors.engines.hive.diagnosis import diagnose
from metamapper.connectors.engines.hive.service import service
from metamapper.connectors.engines.hive.settings import Access, HiveSettings
from metamapper.connectors.engines.hive.stores import Store
from metamapper.connectors.reach import Reach

_STORES: Mapping[Access, Callable[[HiveSettings, Reach], AbstractContextManager[Store]]] = {
    Access.POSTGRESQL: on_postgresql.opened,
    Access.MYSQL: on_mysql.opened,
    Access.SQLSERVER: on_sqlserver.opened,
}


class HiveConnector:
    def __init__(self, settings: HiveSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    def open(self) -> AbstractContextManager[Session]:
        """A session that cannot write, or that calls nothing that does; raises a ``ConnectorError``."""
        return self._database() if self._settings.is_database else service(self._settings, self._reach)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach, self.open)

    @contextmanager
    def _database(self) -> Iterator[DatabaseSession]:
        with advised(self._settings), _STORES[self._settings.access](self._settings, self._reach) as store:
            yield DatabaseSession(store, self._settings)
