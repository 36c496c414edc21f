"""AWS Athena: the databases and tables of its data catalogs. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.athena.settings import AthenaSettings, settings_from_url

_QUERY = "Only a query would tell, which costs money and leaves its answer in a bucket."
_GAPS = {
    Ability.NOT_NULL: (Support.NEVER, "Athena tells types and comments of columns, no more."),
    Ability.DEFAULTS: (Support.NEVER, "Athena knows no defaults."),
    Ability.INDEXES: (Support.NEVER, "Athena knows no indexes."),
    Ability.PRIMARY_KEYS: (Support.NEVER, "Athena knows no keys."),
    Ability.UNIQUE_KEYS: (Support.NEVER, "Athena knows no keys."),
    Ability.FOREIGN_KEYS: (Support.NEVER, "Athena knows no keys."),
    Ability.CHECK_CONSTRAINTS: (Support.NEVER, "Athena knows no constraints."),
    Ability.CONSTRAINT_NAMES: (Support.NEVER, "Athena knows no constraints."),
    Ability.VIEW_DEFINITIONS: (Support.NOT_BUILT, _QUERY),
    Ability.MATERIALIZED_VIEWS: (Support.NEVER, "Athena has no materialized views of its own."),
    Ability.GENERATED_COLUMNS: (Support.NEVER, "Athena knows no generated columns."),
    Ability.PROBE: (Support.NEVER, "Athena tells no version of a table, and no time of a change."),
    Ability.ALTER_COLUMN: (Support.NEVER, "Athena knows neither NOT NULL nor defaults."),
    Ability.ADD_CONSTRAINT: (Support.NEVER, "Athena knows no constraints."),
    Ability.SET_SCHEMA: (Support.NEVER, "Athena moves no table to another database."),
}

ENGINE = Engine(
    name="athena",
    title="AWS Athena",
    mark="At",
    blurb="Data catalogs that Athena queries",
    settings=AthenaSettings,
    connector=f"{__name__}.connector:AthenaConnector",
    url_schemes=("athena",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
    hidden_schemas=("information_schema", "*.information_schema"),
)
