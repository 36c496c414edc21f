"""Servers that keep a metastore made by hand: each takes the rows of a model, in one transaction."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import duckdb
import psycopg
import sqlglot
from sqlglot import exp

from metamapper.connectors.engines.hive.rights import create_account
from metamapper.connectors.engines.hive.settings import Access, HiveSettings
from tests.support.databases import with_database
from tests.support.hive_tables import TABLES, Rows, insertion, statements
from tests.support.mysql import MysqlServer
from tests.support.tds import Answer, Hello, Refused, TdsServer

PASSWORD = "correct horse, battery %41 staple"
ALL_TABLES = tuple(TABLES)


class Store(Protocol):
    """``settings`` are those of an account with the least rights, made as the documentation says."""

    settings: HiveSettings

    def put(self, rows: Rows) -> None:
        """These rows in place of whatever was there."""
        ...

    def run(self, *statements: str) -> None:
        """As an administrator."""
        ...

    def cut(self) -> None:
        """End every session of the account that reads."""
        ...


def _settings(access: Access, port: int, database: str, user: str) -> HiveSettings:
    return HiveSettings(
        access=access, host="127.0.0.1", port=port, database=database, user=user, password=PASSWORD, connect_timeout=5
    )


def _made(settings: HiveSettings) -> list[str]:
    """What an administrator pastes, with a password chosen."""
    spelled = create_account(settings).replace("<choose one>", PASSWORD.replace("'", "''"))
    return [statement for statement in spelled.split(";\n") if statement.strip()]


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@dataclass
class PostgresqlKeeper:
    url: str
    settings: HiveSettings

    def put(self, rows: Rows) -> None:
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            for table, lines in rows.items():
                cursor.execute(f'DELETE FROM "{table}"')  # type: ignore[call-overload]  # our own names
                for columns, values in _alike(lines):
                    cursor.executemany(insertion("postgresql", table, columns, "%s"), values)  # type: ignore[arg-type]

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]  # tests write their own SQL

    def cut(self) -> None:
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'metamapper' AND datname = current_database()"
        )


@contextmanager
def on_postgresql(server_url: str, version: str) -> Iterator[PostgresqlKeeper]:
    name = f"mm_hive_{uuid.uuid4().hex[:12]}"
    parts = urlsplit(server_url)
    settings = _settings(Access.POSTGRESQL, parts.port or 5432, name, f'mm "reader" {name}')
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # our own name
        keeper = PostgresqlKeeper(with_database(server_url, name), settings)
        role = settings.user.replace('"', '""')
        try:
            keeper.run(*statements("postgresql", version), *_made(settings))
            yield keeper
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
            server.execute(f'DROP ROLE IF EXISTS "{role}"')  # type: ignore[arg-type]


# --- MySQL and MariaDB -----------------------------------------------------------------------------------------------


@dataclass
class MysqlKeeper:
    server: MysqlServer
    settings: HiveSettings

    def put(self, rows: Rows) -> None:
        with self.server.connect(autocommit=False, database=self.settings.database) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION innodb_lock_wait_timeout = 5")
                for table, lines in rows.items():
                    cursor.execute(f"DELETE FROM `{table}`")
                    for columns, values in _alike(lines):
                        cursor.executemany(insertion("mysql", table, columns, "%s"), values)
            connection.commit()

    def run(self, *statements: str) -> None:
        with self.server.connect(database=self.settings.database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def cut(self) -> None:
        user = self.settings.user.replace("'", "''")
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM information_schema.processlist WHERE user = '{user}'")
            for (number,) in list(cursor.fetchall()):
                cursor.execute(f"KILL CONNECTION {number}")


@contextmanager
def on_mysql(server: MysqlServer, version: str) -> Iterator[MysqlKeeper]:
    name = f"mm_hive_{uuid.uuid4().hex[:12]}"
    settings = _settings(Access.MYSQL, server.port, name, f"mm '{name}'"[:32])
    server.run(f"CREATE DATABASE {name} CHARACTER SET latin1")
    keeper = MysqlKeeper(server, settings)
    account = settings.user.replace("'", "''")
    try:
        keeper.run(*statements("mysql", version), *_made(settings))
        yield keeper
    finally:
        server.run(f"DROP DATABASE {name}", f"DROP USER IF EXISTS '{account}'@'%'")


# --- SQL Server ------------------------------------------------------------------------------------------------------

_MACROS = """
CREATE SCHEMA sys;
CREATE MACRO quotename(n) AS '[' || n || ']';
CREATE TABLE sys.schemas AS SELECT 1 AS schema_id, 'dbo' AS name;
CREATE MACRO tsql_hash(x) AS (hash(x) % 1000000007)::BIGINT;
CREATE TABLE sys.rights (target VARCHAR, granted VARCHAR);
CREATE MACRO has_perms_by_name(securable, kind, permission) AS
  (SELECT count(*) FROM sys.rights WHERE target = securable AND granted = permission)::INT;
CREATE VIEW sys.objects AS SELECT table_name AS name, 1 AS schema_id, hash(table_name) AS object_id, 'U' AS type
  FROM duckdb_tables() WHERE schema_name = 'main' AND '[dbo].[' || table_name || ']' IN (SELECT target FROM sys.rights);
CREATE VIEW sys.columns AS SELECT column_name AS name, hash(table_name) AS object_id FROM duckdb_columns()
  WHERE schema_name = 'main'
"""


@dataclass
class SqlserverKeeper:
    """A stand-in: the real driver speaks TDS to it, and sqlglot turns its statements into DuckDB's."""

    version: str
    server: TdsServer = field(init=False)
    lock: Any = field(default_factory=threading.RLock)
    before: Callable[[str], None] = lambda _: None
    """Called with each statement before it is answered."""

    def __post_init__(self) -> None:
        self.server = TdsServer(self._sign_in)
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.run(*statements("duckdb", self.version), *_MACROS.strip().split(";\n"))
        self.grant(*ALL_TABLES)

    @property
    def settings(self) -> HiveSettings:
        return _settings(Access.SQLSERVER, self.server.port, "metastore", "mm reader")

    def grant(self, *tables: str, right: str = "SELECT") -> None:
        self.run(*(f"INSERT INTO sys.rights VALUES ('[dbo].[{table}]', '{right}')" for table in tables))

    def put(self, rows: Rows) -> None:
        with self.lock, closing(self.connection.cursor()) as cursor:
            cursor.begin()
            for table, lines in rows.items():
                cursor.execute(f'DELETE FROM "{table}"')
                for columns, values in _alike(lines):
                    cursor.executemany(insertion("duckdb", table, columns, "?"), values)
            cursor.commit()

    def run(self, *statements: str) -> None:
        with self.lock, closing(self.connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)

    def cut(self) -> None:
        self.server.cut()

    def answer(self, sql: str, parameters: dict[str, Any]) -> Answer:
        if sql.startswith("SET "):
            return Answer()
        self.before(sql)
        with self.lock, closing(self.connection.cursor()) as cursor:
            cursor.execute(as_duckdb(sql, frozenset(parameters.items())))
            columns = [(name, _kind(kind)) for name, kind, *_ in cursor.description]
            return Answer(columns, cursor.fetchall())

    def _sign_in(self, hello: Hello) -> "SqlserverKeeper":
        if hello.password != PASSWORD or hello.user != "mm reader":
            raise Refused(18456, f"Login failed for user '{hello.user}'.")
        if hello.database != "metastore":
            text = f'Cannot open database "{hello.database}" requested by the login. The login failed.'
            raise Refused(18456, "Login failed.", before=Refused(4060, text))
        return self


@lru_cache(maxsize=512)
def as_duckdb(sql: str, given: frozenset[tuple[str, Any]]) -> str:
    parameters = dict(given)
    (statement,) = sqlglot.parse(sql, read="tsql")
    assert isinstance(statement, exp.Query), f"Nothing but questions: {sql}"
    for each in list(statement.find_all(exp.Collate)):
        each.replace(each.this)
    for cast in list(statement.find_all(exp.Cast)):
        if cast.to.this in {exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY}:
            cast.replace(cast.this)
        elif cast.to.this in exp.DataType.TEXT_TYPES:
            cast.set("to", exp.DataType.build("text"))
    for hashed in list(statement.find_all(exp.SHA2)):
        hashed.replace(exp.Anonymous(this="tsql_hash", expressions=[hashed.this]))
    for parameter in list(statement.find_all(exp.Parameter)):
        parameter.replace(exp.convert(parameters[parameter.name]))
    facts = {"SERVERPROPERTY": "16.0.4135.4", "USER_NAME": "mm reader"}
    for function in list(statement.find_all(exp.Anonymous)):
        if function.name.upper() in facts:
            function.replace(exp.convert(facts[function.name.upper()]))
    return statement.sql("duckdb")


def _kind(kind: Any) -> type:
    return int if "INT" in str(kind) or str(kind) in {"NULL", "NUMBER"} else str


@contextmanager
def on_sqlserver(version: str) -> Iterator[SqlserverKeeper]:
    keeper = SqlserverKeeper(version)
    with closing(keeper.connection), keeper.server.running():
        yield keeper


# --- All -------------------------------------------------------------------------------------------------------------


def _alike(lines: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """The rows, by the columns that they have."""
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for line in lines:
        by_columns.setdefault(tuple(line), []).append(tuple(line.values()))
    yield from by_columns.items()
