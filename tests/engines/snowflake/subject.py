"""Snowflake's stand-in for the conformance suite: operations become changes of the rows of its catalog."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.snowflake import ENGINE
from metamapper.connectors.engines.snowflake.settings import SignIn, SnowflakeSettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily
from tests.support.certificates import Certificate
from tests.support.snowflake import PASSWORD, TOKEN, Snowflake
from tests.support.snowflake_wire import snowflake

TEXT = {"data_type": "TEXT", "character_maximum_length": 16777216, "character_octet_length": 16777216}
TOLD: Mapping[TypeFamily, dict[str, Any]] = {
    TypeFamily.INTEGER: {"data_type": "NUMBER", "numeric_precision": 38, "numeric_scale": 0},
    TypeFamily.STRING: TEXT,
    TypeFamily.DECIMAL: {"data_type": "NUMBER", "numeric_precision": 12, "numeric_scale": 2},
    TypeFamily.BOOLEAN: {"data_type": "BOOLEAN"},
    TypeFamily.TIMESTAMP: {"data_type": "TIMESTAMP_NTZ", "datetime_precision": 9},
    TypeFamily.DATE: {"data_type": "DATE"},
    TypeFamily.FLOAT: {"data_type": "FLOAT"},
    TypeFamily.BINARY: {"data_type": "BINARY", "character_maximum_length": 8388608},
}
"""Types as INFORMATION_SCHEMA tells them."""
MEASURES = (
    *("data_type", "character_maximum_length", "character_octet_length"),
    *("numeric_precision", "numeric_scale", "datetime_precision"),
)
SHOWN = {
    TypeFamily.INTEGER: "NUMBER(38,0)",
    TypeFamily.STRING: "VARCHAR",
    TypeFamily.DECIMAL: "NUMBER(12,2)",
    TypeFamily.BOOLEAN: "BOOLEAN",
    TypeFamily.TIMESTAMP: "TIMESTAMP_NTZ(9)",
    TypeFamily.DATE: "DATE",
    TypeFamily.FLOAT: "FLOAT",
    TypeFamily.BINARY: "BINARY",
}
SCHEMAS: Mapping[str, str] = {"main": "PUBLIC", "other": "archive"}
DATABASE = "SHOP"
CREATED = "2026-01-01 00:00:00"


@dataclass
class SnowflakeSource:
    server: Snowflake

    def __post_init__(self) -> None:
        self.server.users |= {"OWNER": "OWNER", "READER": "READER"}
        self.server.sees |= {"OWNER": set(), "READER": set()}
        self.server.uses |= {"OWNER": {DATABASE}, "READER": {DATABASE}}
        self.server.databases[DATABASE] = "STANDARD"
        self.doing = Doing(self.server)
        self.doing.create_schema(ops.CreateSchema("main"))

    @property
    def settings(self) -> SnowflakeSettings:
        return SnowflakeSettings(
            account="acme",
            host="127.0.0.1",
            port=self.server.port,
            user="owner",
            sign_in=SignIn.PASSWORD,
            password=PASSWORD,
            database="shop",
            ca_certificate=self.server.authority,
            connect_timeout=5,
        )

    @property
    def reader(self) -> SnowflakeSettings:
        return replace(self.settings, user="reader")

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        for operation in operations:
            self.doing.do(operation)

    def revoke(self, schema: str) -> None:
        self.server.sees["READER"].discard((DATABASE, SCHEMAS[schema]))

    def paste(self, remedy: str) -> None:
        for line in remedy.splitlines():
            if found := re.fullmatch(r'GRANT USAGE ON SCHEMA "(.+)"\."(.+)" TO ROLE "(.+)";', line):
                self.server.sees[found[3]].add((found[1], found[2]))
            elif found := re.fullmatch(r'GRANT DATABASE ROLE SNOWFLAKE.OBJECT_VIEWER TO ROLE "(.+)";', line):
                self.server.blind.discard(found[1])
            else:
                assert re.fullmatch(
                    r'GRANT REFERENCES ON (ALL|FUTURE) (TABLES|VIEWS) IN SCHEMA ".+"\.".+" TO ROLE ".+";', line
                )

    def aimed_at(self, host: str, port: int) -> SnowflakeSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2)

    def cut(self) -> None:
        self.server.gone = True


class Doing:
    """Operations on the stand-in's catalog, each by the method that is named after it."""

    def __init__(self, server: Snowflake, database: str = DATABASE) -> None:
        self.server = server
        self.database = database

    def do(self, operation: ops.Operation) -> None:
        with self.server.lock:
            getattr(self, re.sub("([A-Z])", r"_\1", type(operation).__name__).lower().strip("_"))(operation)

    def create_schema(self, op: ops.CreateSchema) -> None:
        name = SCHEMAS.get(op.schema, op.schema)
        facts = {"catalog_name": self.database, "schema_name": name}
        self.server.insert("info_schemata", is_transient="NO", is_managed_access="NO", **facts)
        self.server.insert("usage_schemata", schema_id=next(self.server.numbers), **facts)
        for role in ("OWNER", "READER"):
            self.server.sees[role].add((self.database, name))

    def create_table(self, op: ops.CreateTable) -> None:
        assert not op.checks
        self.relation(op.table, "BASE TABLE", row_count=0, bytes=0)
        for place, column in enumerate(op.columns, start=1):
            self._column(op.table, column, place)
        for kind, columns in (("PRIMARY", op.primary_key), ("UNIQUE", op.unique)):
            for place, column in enumerate(columns, start=1):
                self._key(kind, op.table, f"SYS_CONSTRAINT_{kind}", column, place)
        for key in op.foreign_keys:
            self.add_foreign_key(ops.AddForeignKey(op.table, key))

    def relation(self, table: ops.Table, kind: str, **facts: Any) -> None:
        """A table or view without columns, here and in ACCOUNT_USAGE."""
        created = f"{CREATED}.{next(self.server.numbers):06}"
        own = {"table_type": kind, "created": created, "last_ddl": created, "is_transient": "NO", "retention_time": 1}
        self.server.insert("info_tables", **self._at(table), **own, **facts)
        number = next(self.server.numbers)
        known = {"table_id": number, "table_type": kind, "created": created}
        self.server.insert("usage_tables", **self._at(table), **known)

    def drop_table(self, op: ops.DropTable) -> None:
        for name in ("info_tables", "info_columns", "info_views"):
            self._run(f"DELETE FROM {name}", op.table)
        self.server.run('DELETE FROM keys WHERE db = ? AND "schema" = ? AND name = ?', *self._at(op.table).values())
        for name in ("usage_tables", "usage_columns"):
            self._run(f"UPDATE {name} SET deleted = 'now'", op.table)

    def rename_table(self, op: ops.RenameTable) -> None:
        self._move(op.table, ops.Table(op.to, op.table.schema))

    def move_table(self, op: ops.MoveTable) -> None:
        self._move(op.table, ops.Table(op.table.name, op.to_schema))

    def add_column(self, op: ops.AddColumn) -> None:
        [(last,)] = self._run("SELECT MAX(ordinal_position) FROM info_columns", op.table)
        self._column(op.table, op.column, last + 1)
        self._altered(op.table)

    def drop_column(self, op: ops.DropColumn) -> None:
        self._of_column("DELETE FROM info_columns", op.table, op.column)
        self._of_column("UPDATE usage_columns SET deleted = 'now'", op.table, op.column)

    def rename_column(self, op: ops.RenameColumn) -> None:
        for name in ("info_columns", "usage_columns"):
            self._of_column(f"UPDATE {name} SET column_name = {self._text(op.to)}", op.table, op.column)

    def retype(self, op: ops.Retype) -> None:
        told = dict.fromkeys(MEASURES) | TOLD[op.family]
        words = ", ".join(f"{name} = {self._text(value)}" for name, value in told.items())
        self._of_column(f"UPDATE info_columns SET {words}", op.table, op.column)

    def set_nullable(self, op: ops.SetNullable) -> None:
        self._of_column(
            f"UPDATE info_columns SET is_nullable = '{'YES' if op.nullable else 'NO'}'", op.table, op.column
        )

    def set_default(self, op: ops.SetDefault) -> None:
        self._of_column(f"UPDATE info_columns SET column_default = {self._text(op.default)}", op.table, op.column)

    def comment(self, op: ops.Comment) -> None:
        if op.column is not None:
            self._of_column(f"UPDATE info_columns SET comment = {self._text(op.text)}", op.table, op.column)
            return
        self._run(f"UPDATE info_tables SET comment = {self._text(op.text)}", op.table)
        self._altered(op.table)

    def create_view(self, op: ops.CreateView) -> None:
        self.relation(op.view, "VIEW")
        shown = ", ".join(f'"{name}"' for name in op.columns)
        shown += f", '{op.literal}' AS long_text" if op.literal else ""
        at = ".".join(f'"{name}"' for name in self._at(op.of).values())
        definition = f"create or replace view \"{op.view.name}\" comment = 'AS' as select {shown} from {at};"
        self.server.insert("info_views", **self._at(op.view), view_definition=definition, is_secure="NO")
        columns = [(name, *self._told(op.of, name)) for name in op.columns]
        columns += [("LONG_TEXT", TEXT, "YES")] if op.literal else []
        for place, (name, told, nullable) in enumerate(columns, start=1):
            self.column(op.view, name, place, is_nullable=nullable, **told)

    def drop_view(self, op: ops.DropView) -> None:
        self.drop_table(ops.DropTable(op.view))

    def add_foreign_key(self, op: ops.AddForeignKey) -> None:
        target = dict(zip(("pk_db", "pk_schema", "pk_name"), self._at(op.key.target).values(), strict=True))
        pairs = zip(op.key.columns, op.key.target_columns, strict=True)
        rules = {"update_rule": "NO ACTION", "delete_rule": "NO ACTION"}
        for place, (mine, other) in enumerate(pairs, start=1):
            self._key("IMPORTED", op.table, op.key.name, mine, place, pk_column=other, **target, **rules)
        self._altered(op.table)

    def drop_constraint(self, op: ops.DropConstraint) -> None:
        self.server.run("DELETE FROM keys WHERE key = ?", op.name)
        self._altered(op.table)

    def column(self, table: ops.Table, name: str, place: int, **facts: Any) -> None:
        at = {**self._at(table), "column_name": name, "ordinal_position": place}
        self.server.insert("info_columns", **at, **facts)
        self.server.insert("usage_columns", **at, column_id=next(self.server.numbers))

    def _column(self, table: ops.Table, column: ops.NewColumn, place: int) -> None:
        assert column.generated is None
        facts = {"is_nullable": "YES" if column.nullable else "NO", "column_default": column.default}
        self.column(table, column.name, place, **facts, **TOLD[column.family])

    def _told(self, table: ops.Table, column: str) -> tuple[dict[str, Any], str]:
        names = ", ".join(MEASURES)
        [row] = self._run(f"SELECT {names}, is_nullable FROM info_columns", table, column)
        return dict(zip(MEASURES, row, strict=False)), "YES"

    def _key(self, kind: str, table: ops.Table, key: str, column: str, place: int, **facts: Any) -> None:
        at = dict(zip(("db", "schema", "name"), self._at(table).values(), strict=True))
        self.server.insert("keys", kind=kind, key=key, column=column, sequence=place, **at, **facts)

    def _move(self, table: ops.Table, to: ops.Table) -> None:
        """A table takes its keys, its columns and its ids along."""
        new = self._at(to)
        for name in ("info_tables", "info_columns", "info_views", "usage_tables", "usage_columns"):
            words = ", ".join(f"{column} = {self._text(value)}" for column, value in new.items())
            self._run(f"UPDATE {name} SET {words}", table)
        values = (*new.values(), *self._at(table).values())
        self.server.run(
            'UPDATE keys SET db = ?, "schema" = ?, name = ? WHERE db = ? AND "schema" = ? AND name = ?', *values
        )
        self._altered(to)

    def _of_column(self, sql: str, table: ops.Table, column: str) -> None:
        self._run(sql, table, column)
        self._altered(table)

    def _altered(self, table: ops.Table) -> None:
        self._run(f"UPDATE info_tables SET last_ddl = 'ddl {next(self.server.numbers)}'", table)

    def _run(self, sql: str, table: ops.Table, column: str | None = None) -> list[Any]:
        where = [f"{name} = {self._text(value)}" for name, value in self._at(table).items()]
        where += [] if column is None else [f"column_name = {self._text(column)}"]
        where += ["deleted IS NULL"] if "usage" in sql else []
        return self.server.run(f"{sql} WHERE {' AND '.join(where)}")

    def _at(self, table: ops.Table) -> dict[str, str]:
        schema = SCHEMAS.get(table.schema, table.schema)
        return {"table_catalog": self.database, "table_schema": schema, "table_name": table.name}

    def _text(self, value: Any) -> str:
        return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True)
class SnowflakeSubject:
    certificate: Certificate
    engine = ENGINE
    schemas = SCHEMAS
    shown = SHOWN
    widest = 2000
    longest_name = 255
    most_statements = 20

    def allows(self, name: str, kind: AssetKind) -> bool:
        return True

    @contextmanager
    def fresh(self) -> Iterator[SnowflakeSource]:
        with snowflake(self.certificate) as server:
            yield SnowflakeSource(server)

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.settings

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.fresh() as source:
            known = source.settings
            key = source.server.key_pair("OWNER")
            source.server.key_pair("OWNER")
            yield [
                replace(known, password="not the right one"),
                replace(known, password="p@ss:w/rd?#%41 é"),
                replace(known, user="no such user", password="whatever it is"),
                replace(known, sign_in=SignIn.KEY_PAIR, password="", private_key=key),
                replace(known, sign_in=SignIn.OAUTH, password="", token=f"{TOKEN} that has expired"),
            ]


ELSEWHERE = "snowflake://ana:pw@acme-shop/SHOP"
"""A server that is nowhere, for what is asked for on the way to it."""
FIRST_ASKED = ("acme-shop.snowflakecomputing.com", 443)
