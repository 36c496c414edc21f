"""Azure Synapse, dedicated and serverless SQL pools. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.synapse.settings import SynapseSettings, settings_from_url
from metamapper.schema import AssetKind

_GAPS = {
    Ability.COMMENTS: (Support.NEVER, "Azure Synapse has no extended properties."),
    Ability.FOREIGN_KEYS: (Support.NEVER, "Azure Synapse has no foreign keys."),
    Ability.CHECK_CONSTRAINTS: (Support.NEVER, "Azure Synapse has no check constraints."),
    Ability.GENERATED_COLUMNS: (Support.NEVER, "Azure Synapse has no computed columns."),
    Ability.ROW_ESTIMATES: (
        Support.NOT_BUILT,
        "Counts by node need VIEW DATABASE STATE, which is more than reading takes.",
    ),
}

ENGINE = Engine(
    name="synapse",
    title="Azure Synapse",
    mark="Sy",
    blurb="Dedicated and serverless SQL pools",
    settings=SynapseSettings,
    connector=f"{__name__}.connector:SynapseConnector",
    url_schemes=("synapse",),
    settings_from_url=settings_from_url,
    capabilities={ability: Capability(*_GAPS.get(ability, (Support.YES,))) for ability in Ability},
    stable_ids=frozenset(
        {AssetKind.SCHEMA, AssetKind.RELATION, AssetKind.COLUMN, AssetKind.INDEX, AssetKind.CONSTRAINT}
    ),
    decoder="metamapper.connectors.sql.tsql.payload:decode",
    hidden_schemas=("sys", "INFORMATION_SCHEMA", "db_*"),
)
