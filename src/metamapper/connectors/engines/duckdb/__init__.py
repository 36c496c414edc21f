"""DuckDB files, opened read-only. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.duckdb.settings import DuckdbSettings, settings_from_url

_GAPS = {
    Ability.CONSTRAINT_NAMES: (Support.NOT_YET, "DuckDB does not keep the names of keys and checks."),
    Ability.MATERIALIZED_VIEWS: (Support.NEVER, "DuckDB has no materialized views."),
    Ability.PRIVILEGES: (Support.NEVER, "Rights are those of the file."),
    Ability.PASSWORDS: (Support.NEVER, "A file has no sign-in."),
    Ability.ADD_CONSTRAINT: (Support.NOT_YET, "DuckDB adds and drops no foreign key or check of a table that exists."),
    Ability.SET_SCHEMA: (Support.NOT_YET, "DuckDB has no ALTER TABLE … SET SCHEMA."),
    Ability.NETWORK: (Support.NEVER, "A file is not reached over a network."),
}

ENGINE = Engine(
    name="duckdb",
    title="DuckDB",
    mark="Du",
    blurb="Files in allowed folders",
    settings=DuckdbSettings,
    connector=f"{__name__}.connector:DuckdbConnector",
    url_schemes=("duckdb",),
    settings_from_url=settings_from_url,
    capabilities={ability: Capability(*_GAPS.get(ability, (Support.YES,))) for ability in Ability},
    hidden_schemas=(),
)
