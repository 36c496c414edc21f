"""Oracle Database, 12c to 23ai. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.oracle.settings import OracleSettings, settings_from_url
from metamapper.schema import AssetKind

_GAPS = {Ability.SET_SCHEMA: (Support.NEVER, "A schema is a user, and Oracle gives no table to another one.")}

ENGINE = Engine(
    name="oracle",
    title="Oracle Database",
    mark="Or",
    blurb="12c to 23ai",
    settings=OracleSettings,
    connector=f"{__name__}.connector:OracleConnector",
    url_schemes=("oracle",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
    stable_ids=frozenset({AssetKind.SCHEMA, AssetKind.RELATION}),
    hidden_schemas=("SYS", "SYSTEM", "XDB", "MDSYS", "CTXSYS", "APEX_*"),
)
