"""Opening and testing a BigQuery project."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors.base import Step
from metamapper.connectors.engines.bigquery.diagnosis import diagnose
from metamapper.connectors.engines.bigquery.dial import dialled
from metamapper.connectors.engines.bigquery.session import BigquerySession
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.reach import Reach


class BigqueryConnector:
    def __init__(self, settings: BigquerySettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[BigquerySession]:
        """A session whose token can read only, of a project that answers; raises a ``ConnectorError``."""
        with dialled(self._settings, self._reach) as line:
            line.calls.project()
            yield BigquerySession(line.calls, self._settings, line.account)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)
