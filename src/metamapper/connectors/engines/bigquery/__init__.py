"""Google BigQuery, read over its REST interface. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.engines.bigquery.settings import BigquerySettings, settings_from_url

_GAPS = {
    Ability.UNIQUE_KEYS: (Support.NEVER, "BigQuery has primary and foreign keys only."),
    Ability.CHECK_CONSTRAINTS: (Support.NEVER, "BigQuery has no checks."),
    Ability.INDEXES: (
        Support.NOT_BUILT,
        "Search and vector indexes are told by INFORMATION_SCHEMA only, which is read by running billed jobs.",
    ),
    Ability.PROBE: (
        Support.NEVER,
        "A list of tables does not say when each was changed; only asking for the table itself does.",
    ),
    Ability.SET_SCHEMA: (Support.NEVER, "A table is copied to another dataset, not moved."),
}

ENGINE = Engine(
    name="bigquery",
    title="BigQuery",
    mark="Bq",
    blurb="A Google Cloud project",
    settings=BigquerySettings,
    connector=f"{__name__}.connector:BigqueryConnector",
    url_schemes=("bigquery",),
    settings_from_url=settings_from_url,
    capabilities={
        ability: Capability(*_GAPS[ability]) if ability in _GAPS else Capability(Support.YES) for ability in Ability
    },
    hidden_schemas=("_*",),
)
