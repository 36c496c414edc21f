"""Opening and testing a SQL Server."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.engines.sqlserver.settings import SqlserverSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.tsql.diagnosis import diagnose
from metamapper.connectors.sql.tsql.dial import dialled
from metamapper.connectors.sql.tsql.session import Dialect, Facts, TsqlSession

OLDEST = 13
"""SQL Server 2016."""

NEWEST = 99
"""What Azure counts as: it calls itself 12 and is ahead of every release."""

_SYNAPSE = {6, 11}
_AZURE = {5, 8, 12}
"""SERVERPROPERTY('EngineEdition'): Azure SQL Database, Managed Instance, and SQL database in Fabric.
See https://learn.microsoft.com/en-us/sql/t-sql/functions/serverproperty-transact-sql."""

_YEARS = {13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}


def release(facts: Facts) -> int:
    """The first number of the version; raises ``VersionUnsupported``."""
    if facts.engine_edition in _SYNAPSE:
        raise errors.VersionUnsupported(
            "The server is Azure Synapse, which has an engine of its own.", hint="Add it as Azure Synapse."
        )
    if facts.engine_edition in _AZURE:
        return NEWEST
    first = facts.version.partition(".")[0]
    number = int(first) if first.isdigit() else 0
    if number < OLDEST:
        raise errors.VersionUnsupported(
            f"The server calls itself version {facts.version}; 13 (2016) and later are read."
        )
    return number


def full_name(facts: Facts) -> str:
    """``2022 (16.0.4135.4)``, ``Azure SQL 12.0.2000.8``."""
    if facts.engine_edition in _AZURE:
        return f"{facts.edition} {facts.version}"
    year = _YEARS.get(int(facts.version.partition(".")[0]))
    return f"{year} ({facts.version})" if year else facts.version


QUERIES = load("metamapper.connectors.engines.sqlserver")
DIALECT = Dialect(b"sqlserver-1", QUERIES, release, full_name=full_name)


class SqlserverConnector:
    def __init__(self, settings: SqlserverSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[TsqlSession]:
        """A session; raises a ``ConnectorError``. SQL Server has no read-only sessions: nothing but reading is sent."""
        with dialled(self._settings, self._reach) as (connection, channel):
            yield TsqlSession(connection, channel, self._settings, DIALECT)

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach, QUERIES, self.open)
