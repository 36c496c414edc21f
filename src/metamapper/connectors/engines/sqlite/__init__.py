"""SQLite files, opened read-only. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.sqlite.settings import SqliteSettings, settings_from_url

_NEVER = {
    Ability.COMMENTS: "SQLite keeps no comments.",
    Ability.MATERIALIZED_VIEWS: "SQLite has no materialized views.",
    Ability.SCHEMAS: "A file is one schema, main.",
    Ability.SET_SCHEMA: "A file is one schema, main.",
    Ability.PRIVILEGES: "Rights are those of the file.",
    Ability.PASSWORDS: "A file has no sign-in.",
    Ability.ALTER_TYPE: "SQLite has no ALTER COLUMN.",
    Ability.ALTER_COLUMN: "SQLite has no ALTER COLUMN.",
    Ability.ADD_CONSTRAINT: "SQLite has no ADD CONSTRAINT.",
    Ability.NETWORK: "A file is not reached over a network.",
}

ENGINE = Engine(
    name="sqlite",
    title="SQLite",
    mark="Sq",
    blurb="Files in allowed folders",
    settings=SqliteSettings,
    connector=f"{__name__}.connector:SqliteConnector",
    url_schemes=("sqlite",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(Support.NEVER, _NEVER[ability]) if ability in _NEVER else Capability(Support.YES)
        for ability in Ability
    },
    hidden_schemas=(),
)
