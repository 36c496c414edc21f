"""How a SQL Server is reached."""

from urllib.parse import SplitResult

from metamapper.connectors.sql.tsql.settings import TsqlSettings, from_parts


class SqlserverSettings(TsqlSettings, frozen=True, kw_only=True):
    """All of it is shared with its relatives."""


def settings_from_url(parts: SplitResult) -> SqlserverSettings:
    """``sqlserver://login:password@host:1433/database?tls=verify``; raises ``SettingsInvalid``."""
    return from_parts(SqlserverSettings, parts)
