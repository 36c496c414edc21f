"""Opening and testing a Snowflake account."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors.base import Step
from metamapper.connectors.engines.snowflake.diagnosis import diagnose
from metamapper.connectors.engines.snowflake.dial import dialled
from metamapper.connectors.engines.snowflake.session import SnowflakeSession
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings
from metamapper.connectors.reach import Reach


class SnowflakeConnector:
    def __init__(self, settings: SnowflakeSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[SnowflakeSession]:
        """A session with every time-out set; Snowflake has none that can only read. Raises a ``ConnectorError``."""
        with dialled(self._settings, self._reach) as line:
            yield SnowflakeSession(line, self._settings)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)
