"""Opening and testing a MySQL or MariaDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from msgspec.structs import replace

from metamapper.connectors.base import Step
from metamapper.connectors.engines.mysql.diagnosis import diagnose
from metamapper.connectors.engines.mysql.session import CANCEL_SECONDS, MysqlSession
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.mysql.dial import dialled
from metamapper.connectors.sql.mysql.settings import MysqlSettings


class MysqlConnector:
    def __init__(self, settings: MysqlSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[MysqlSession]:
        """A session that cannot write; raises a ``ConnectorError``."""
        hurried = replace(self._settings, connect_timeout=min(CANCEL_SECONDS, self._settings.connect_timeout))
        with dialled(self._settings, self._reach) as connection:
            yield MysqlSession(connection, self._settings, partial(dialled, hurried, self._reach))

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)
