"""How a SQL pool of Azure Synapse is reached."""

from urllib.parse import SplitResult

from metamapper.connectors.sql.tsql.settings import TsqlSettings, from_parts


class SynapseSettings(TsqlSettings, frozen=True, kw_only=True):
    """All of it is shared with its relatives."""


def settings_from_url(parts: SplitResult) -> SynapseSettings:
    """``synapse://login:password@workspace.sql.azuresynapse.net/pool``, for serverless ``…-ondemand.sql…``.

    Raises ``SettingsInvalid``.
    """
    return from_parts(SynapseSettings, parts)
