"""Opening and testing a SQL pool of Azure Synapse."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.engines.synapse.settings import SynapseSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.tsql.diagnosis import diagnose
from metamapper.connectors.sql.tsql.dial import dialled
from metamapper.connectors.sql.tsql.session import Dialect, Facts, TsqlSession

_POOLS = {6: "dedicated", 11: "serverless"}
"""SERVERPROPERTY('EngineEdition').
See https://learn.microsoft.com/en-us/sql/t-sql/functions/serverproperty-transact-sql."""


def release(facts: Facts) -> int:
    """There is one release, the one that Microsoft runs; raises ``VersionUnsupported`` for another kind of server."""
    if facts.engine_edition not in _POOLS:
        raise errors.VersionUnsupported(
            "The server is no SQL pool of Azure Synapse.", hint="Add it as Microsoft SQL Server."
        )
    return 1


def variant(facts: Facts) -> str:
    """What the names of statements end in that a serverless pool gets: it lacks what a dedicated pool has."""
    return "serverless" if _POOLS[facts.engine_edition] == "serverless" else ""


def full_name(facts: Facts) -> str:
    """``dedicated 10.0.16003.0``."""
    return f"{_POOLS[facts.engine_edition]} {facts.version}"


QUERIES = load("metamapper.connectors.engines.synapse")
DIALECT = Dialect(b"synapse-1", QUERIES, release, variant, full_name)


class SynapseConnector:
    def __init__(self, settings: SynapseSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[TsqlSession]:
        """A session; raises a ``ConnectorError``. A pool has no read-only sessions: nothing but reading is sent."""
        with dialled(self._settings, self._reach) as (connection, channel):
            yield TsqlSession(connection, channel, self._settings, DIALECT)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach, QUERIES, self.open)
