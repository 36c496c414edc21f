"""Microsoft SQL Server 2016 and later, Azure SQL Database and Managed Instance. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.sqlserver.settings import SqlserverSettings, settings_from_url
from metamapper.schema import AssetKind

ENGINE = Engine(
    name="sqlserver",
    title="Microsoft SQL Server",
    mark="Ms",
    blurb="2016 and later, Azure SQL Database",
    settings=SqlserverSettings,
    connector=f"{__name__}.connector:SqlserverConnector",
    url_schemes=("sqlserver", "mssql"),
    settings_from_url=settings_from_url,
    capabilities=dict.fromkeys(Ability, Capability(Support.YES)),
    stable_ids=frozenset(
        {AssetKind.SCHEMA, AssetKind.RELATION, AssetKind.COLUMN, AssetKind.INDEX, AssetKind.CONSTRAINT}
    ),
    decoder="metamapper.connectors.sql.tsql.payload:decode",
    hidden_schemas=("sys", "INFORMATION_SCHEMA", "db_*"),
)
