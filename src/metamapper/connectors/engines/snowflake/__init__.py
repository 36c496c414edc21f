"""Snowflake, one database or all that the role can see. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings, settings_from_url
from metamapper.schema import AssetKind

_GAPS = {
    Ability.CHECK_CONSTRAINTS: (Support.NOT_YET, "Snowflake's catalog tells of keys only."),
    Ability.INDEXES: (Support.NOT_BUILT, "Only hybrid tables have indexes."),
    Ability.GENERATED_COLUMNS: (
        Support.NOT_YET,
        "INFORMATION_SCHEMA shows a virtual column without the expression that makes it.",
    ),
}

ENGINE = Engine(
    name="snowflake",
    title="Snowflake",
    mark="Sn",
    blurb="One database or all of an account",
    settings=SnowflakeSettings,
    connector=f"{__name__}.connector:SnowflakeConnector",
    url_schemes=("snowflake",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
    stable_ids=frozenset({AssetKind.RELATION, AssetKind.COLUMN}),
    hidden_schemas=("INFORMATION_SCHEMA", "SNOWFLAKE.*"),
)
