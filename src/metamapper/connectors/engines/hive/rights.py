"""The least rights that reading a metastore's database takes, as each server spells them: to be pasted by an administrator."""

from collections.abc import Callable

from metamapper.connectors.engines.hive.settings import Access, HiveSettings
from metamapper.connectors.engines.hive.statements import NEEDED
from metamapper.connectors.sql.mysql import names as mysql
from metamapper.connectors.sql.tsql.names import quoted as bracketed


def grants(settings: HiveSettings, account: str) -> str:
    """So that an account may read the metastore's tables, and nothing else; ``account`` as the server told it."""
    return _GRANTS[settings.access](settings, account)


def create_account(settings: HiveSettings) -> str:
    """The account of the settings, with these rights."""
    return _CREATE[settings.access](settings)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _on_postgresql(settings: HiveSettings, account: str) -> str:
    schema, role = _quoted(settings.schema), _quoted(account)
    tables = ", ".join(f"{schema}.{_quoted(name)}" for name in NEEDED)
    return f"GRANT USAGE ON SCHEMA {schema} TO {role};\nGRANT SELECT ON {tables} TO {role};"


def _on_mysql(settings: HiveSettings, account: str) -> str:
    schema, user = mysql.quoted(settings.database), mysql.account(account)
    return "\n".join(f"GRANT SELECT ON {schema}.{mysql.quoted(name)} TO {user};" for name in NEEDED)


def _on_sqlserver(settings: HiveSettings, account: str) -> str:  # noqa: ARG001 - one signature for all
    return "\n".join(f"GRANT SELECT ON {bracketed(name)} TO {bracketed(account)};" for name in NEEDED)


def _create_on_postgresql(settings: HiveSettings) -> str:
    role = _quoted(settings.user)
    return (
        f"CREATE ROLE {role} LOGIN PASSWORD '<choose one>' CONNECTION LIMIT 3;\n"
        f"GRANT CONNECT ON DATABASE {_quoted(settings.database)} TO {role};\n{_on_postgresql(settings, settings.user)}"
    )


def _create_on_mysql(settings: HiveSettings) -> str:
    user = f"{mysql.text(settings.user)}@'%'"
    account = f"{settings.user}@%"
    return (
        f"CREATE USER {user} IDENTIFIED BY '<choose one>' WITH MAX_USER_CONNECTIONS 3;\n{_on_mysql(settings, account)}"
    )


def _create_on_sqlserver(settings: HiveSettings) -> str:
    user = bracketed(settings.user)
    return (
        f"CREATE LOGIN {user} WITH PASSWORD = '<choose one>';\n"
        f"USE {bracketed(settings.database)};  -- on Azure connect to the database instead\n"
        f"CREATE USER {user} FOR LOGIN {user};\n{_on_sqlserver(settings, settings.user)}"
    )


_GRANTS: dict[Access, Callable[[HiveSettings, str], str]] = {
    Access.POSTGRESQL: _on_postgresql,
    Access.MYSQL: _on_mysql,
    Access.SQLSERVER: _on_sqlserver,
}
_CREATE: dict[Access, Callable[[HiveSettings], str]] = {
    Access.POSTGRESQL: _create_on_postgresql,
    Access.MYSQL: _create_on_mysql,
    Access.SQLSERVER: _create_on_sqlserver,
}
