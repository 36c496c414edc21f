"""Amazon Redshift, provisioned and serverless. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, settings_from_url
from metamapper.schema import AssetKind

_GAPS = {
    Ability.INDEXES: (Support.NEVER, "Redshift has no indexes; sort keys are among a table's own facts."),
    Ability.CHECK_CONSTRAINTS: (Support.NEVER, "Redshift has no check constraints."),
    Ability.GENERATED_COLUMNS: (Support.NEVER, "Redshift has no generated columns."),
    Ability.ALTER_TYPE: (Support.NEVER, "Redshift changes the length of a varchar and no other type."),
    Ability.ALTER_COLUMN: (Support.NEVER, "Redshift changes neither nullability nor default of a column that exists."),
    Ability.SET_SCHEMA: (Support.NEVER, "Redshift moves no table to another schema."),
    Ability.PROBE: (Support.NOT_YET, "Redshift tells nobody cheaply whether its catalog has changed."),
}

ENGINE = Engine(
    name="redshift",
    title="Amazon Redshift",
    mark="Rs",
    blurb="Provisioned and serverless, Spectrum",
    settings=RedshiftSettings,
    connector=f"{__name__}.connector:RedshiftConnector",
    url_schemes=("redshift",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
    stable_ids=frozenset({AssetKind.SCHEMA, AssetKind.RELATION, AssetKind.COLUMN, AssetKind.CONSTRAINT}),
    hidden_schemas=("pg_*", "information_schema", "catalog_history"),
)
