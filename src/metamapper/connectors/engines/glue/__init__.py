"""The AWS Glue Data Catalog. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.glue.settings import GlueSettings, settings_from_url

_GAPS = {
    Ability.NOT_NULL: (Support.NEVER, "Tables of Hive know no NOT NULL; what Iceberg tables say of it is read."),
    Ability.DEFAULTS: (Support.NEVER, "The Data Catalog keeps no defaults."),
    Ability.INDEXES: (Support.NOT_BUILT, "Partition indexes would take a call for every table."),
    Ability.PRIMARY_KEYS: (Support.NEVER, "The Data Catalog keeps no keys."),
    Ability.UNIQUE_KEYS: (Support.NEVER, "The Data Catalog keeps no keys."),
    Ability.FOREIGN_KEYS: (Support.NEVER, "The Data Catalog keeps no keys."),
    Ability.CHECK_CONSTRAINTS: (Support.NEVER, "The Data Catalog keeps no constraints."),
    Ability.CONSTRAINT_NAMES: (Support.NEVER, "The Data Catalog keeps no constraints."),
    Ability.GENERATED_COLUMNS: (Support.NEVER, "The Data Catalog keeps no expressions."),
    Ability.PROBE: (
        Support.NEVER,
        "No call tells that nothing changed, save listing every table, which is the read itself.",
    ),
    Ability.ALTER_COLUMN: (Support.NEVER, "The Data Catalog keeps neither NOT NULL nor defaults."),
    Ability.ADD_CONSTRAINT: (Support.NEVER, "The Data Catalog keeps no constraints."),
    Ability.SET_SCHEMA: (Support.NEVER, "No call moves a table to another database."),
}

ENGINE = Engine(
    name="glue",
    title="AWS Glue Data Catalog",
    mark="Gl",
    blurb="Databases and tables of a data lake",
    settings=GlueSettings,
    connector=f"{__name__}.connector:GlueConnector",
    decoder="metamapper.connectors.sql.hive_relations:decode",
    url_schemes=("glue",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
)
