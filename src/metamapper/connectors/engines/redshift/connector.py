"""Opening and testing a Redshift."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors.base import Step
from metamapper.connectors.engines.redshift.diagnosis import diagnose
from metamapper.connectors.engines.redshift.dial import dialled
from metamapper.connectors.engines.redshift.session import RedshiftSession
from metamapper.connectors.engines.redshift.settings import RedshiftSettings
from metamapper.connectors.reach import Reach


class RedshiftConnector:
    def __init__(self, settings: RedshiftSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[RedshiftSession]:
        """A session in one read-only transaction; raises a ``ConnectorError``."""
        with dialled(self._settings, self._reach) as line:
            yield RedshiftSession(line, self._settings)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)
