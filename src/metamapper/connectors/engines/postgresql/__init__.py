"""PostgreSQL 10 and later, and what speaks its catalog: Amazon RDS and Aurora, Cloud SQL, AlloyDB. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings, settings_from_url
from metamapper.schema import AssetKind

_YES = Capability(Support.YES)

ENGINE = Engine(
    name="postgresql",
    title="PostgreSQL",
    mark="Pg",
    blurb="10 and later, RDS, Aurora",
    settings=PostgresqlSettings,
    connector=f"{__name__}.connector:PostgresqlConnector",
    url_schemes=("postgresql", "postgres"),
    settings_from_url=settings_from_url,
    capabilities=dict.fromkeys(Ability, _YES),
    stable_ids=frozenset(
        {AssetKind.SCHEMA, AssetKind.RELATION, AssetKind.COLUMN, AssetKind.INDEX, AssetKind.CONSTRAINT}
    ),
    hidden_schemas=("pg_*", "information_schema"),
)
