"""MySQL 5.7 to 9, MariaDB 10.5 and later, and what speaks their protocol: Amazon RDS and Aurora, Cloud SQL. Facts only."""

from metamapper.connectors.base import Ability, Capability, Engine, Support
from metamapper.connectors.sql.mysql.settings import MysqlSettings, settings_from_url

_YES = Capability(Support.YES)

ENGINE = Engine(
    name="mysql",
    title="MySQL and MariaDB",
    mark="My",
    blurb="MySQL 5.7 to 9, MariaDB 10.5 and later",
    settings=MysqlSettings,
    connector=f"{__name__}.connector:MysqlConnector",
    url_schemes=("mysql", "mariadb"),
    settings_from_url=settings_from_url,
    capabilities={
        **dict.fromkeys(Ability, _YES),
        Ability.MATERIALIZED_VIEWS: Capability(Support.NEVER, "Neither MySQL nor MariaDB has materialized views."),
    },
    # InnoDB's ids change when a table is rebuilt, by many an ALTER TABLE: they are hints.
    stable_ids=frozenset(),
    hidden_schemas=("information_schema", "mysql", "performance_schema", "sys"),
)
