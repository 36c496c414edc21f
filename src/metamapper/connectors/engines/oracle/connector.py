"""Opening and testing an Oracle."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors.base import Step
from metamapper.connectors.engines.oracle.diagnosis import diagnose
from metamapper.connectors.engines.oracle.dial import dialled
from metamapper.connectors.engines.oracle.session import OracleSession
from metamapper.connectors.engines.oracle.settings import OracleSettings
from metamapper.connectors.reach import Reach


class OracleConnector:
    def __init__(self, settings: OracleSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[OracleSession]:
        """A session in one read-only transaction; raises a ``ConnectorError``."""
        with dialled(self._settings, self._reach) as line:
            yield OracleSession(line, self._settings)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)
