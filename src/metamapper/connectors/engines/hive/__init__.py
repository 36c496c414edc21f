"""Hive Metastores from 2.3 to 4, by their database or by their Thrift service. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.hive.settings import HiveSettings, settings_from_url
from metamapper.schema import AssetKind

_GAPS = {
    Ability.INDEXES: (Support.NEVER, "Hive has had no indexes since 3.0; those of 2.3 are tables of their own."),
    Ability.PRIVILEGES: (
        Support.NEVER,
        "An account reads the metastore's tables whole or not at all; the service hides without a word.",
    ),
    Ability.GENERATED_COLUMNS: (Support.NEVER, "Hive has no generated columns."),
}
_SERVICE = "The service tells it table by table, which would be a call for each: read the metastore's database."
THROUGH_THE_SERVICE = dict.fromkeys(
    (
        Ability.NOT_NULL,
        Ability.DEFAULTS,
        Ability.PRIMARY_KEYS,
        Ability.UNIQUE_KEYS,
        Ability.FOREIGN_KEYS,
        Ability.CHECK_CONSTRAINTS,
        Ability.CONSTRAINT_NAMES,
        Ability.ADD_CONSTRAINT,
        Ability.ALTER_COLUMN,
    ),
    Capability(Support.NOT_BUILT, _SERVICE),
) | {
    Ability.PROBE: Capability(
        Support.NEVER, "The service counts only changes that a listener notes down, and may have none."
    )
}
"""What is missing besides where a metastore is read through its service."""

ENGINE = Engine(
    name="hive",
    title="Hive Metastore",
    mark="Hi",
    blurb="2.3 to 4, by its database or by Thrift",
    settings=HiveSettings,
    connector=f"{__name__}.connector:HiveConnector",
    decoder="metamapper.connectors.sql.hive_relations:decode",
    url_schemes=("hive", "thrift"),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
    # The service tells no ids, so that what it shows is matched by name.
    stable_ids=frozenset({AssetKind.SCHEMA, AssetKind.RELATION}),
)
