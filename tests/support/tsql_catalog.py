"""The catalog of a stand-in for SQL Server: tables named like ``sys.*`` in DuckDB.

What is done to a database (``perform``) becomes rows as SQL Server keeps them: ids, dates of change, bytes for lengths.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from metamapper.connectors.conformance import SqlSpelling
from metamapper.connectors.conformance import operations as ops
from metamapper.schema import TypeFamily
from tests.support.tsql_tables import (
    ADMINISTRATOR,
    CLR,
    COLLATION,
    IDS,
    MACROS,
    OF_NOBODY,
    OWNERS,
    SYSTEM_TYPE_OF,
    SYSTEM_TYPES,
    TABLES,
    TEXTS,
    tables,
)

TYPES = {
    TypeFamily.INTEGER: "int",
    TypeFamily.STRING: "nvarchar(max)",
    TypeFamily.DECIMAL: "decimal(12,2)",
    TypeFamily.BOOLEAN: "bit",
    TypeFamily.TIMESTAMP: "datetimeoffset(3)",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "float",
    TypeFamily.BINARY: "varbinary(max)",
}
CLUSTERED, NONCLUSTERED = 1, 2
DBO = 1
OBJECT, SCHEMA, INDEX = 1, 3, 7
"""sys.extended_properties.class."""


class TsqlSpelling(SqlSpelling):
    """For the texts of views, which SQL Server keeps as they were written."""

    types = TYPES
    schemas: Mapping[str, str] = {"main": "dbo", "other": "archive"}

    def quote(self, name: str) -> str:
        return "[" + name.replace("]", "]]") + "]"


@dataclass(frozen=True)
class TypeOf:
    """A type as sys.columns has it."""

    user_type_id: int
    max_length: int
    precision: int = 0
    scale: int = 0

    @classmethod
    def spelled(cls, text: str) -> "TypeOf":
        """Of ``nvarchar(200)``: 400 bytes; of ``varbinary(max)``: -1."""
        found = re.fullmatch(r"(\w+)(?:\((\w+)(?:,(\d+))?\))?", text)
        assert found, text
        name, first, second = found[1], found[2], int(found[3] or 0)
        if name in {"decimal", "numeric"}:
            return cls(IDS[name], 9, int(first), second)
        if name in {"time", "datetime2", "datetimeoffset"}:
            return cls(IDS[name], 8, 0, int(first or 7))
        if name == "float":
            return cls(IDS[name], 8, int(first or 53))
        if name == "vector":
            return cls(IDS[name], 8 + 4 * int(first))
        if first:
            return cls(IDS[name], -1 if first == "max" else int(first) * (2 if name in {"nvarchar", "nchar"} else 1))
        return cls(IDS[name], {"int": 4, "bit": 1, "sysname": 256, "xml": -1}.get(name, 8))


class TsqlCatalog:
    """One database. Statements may come from many threads."""

    def __init__(
        self, name: str = "shop", *, facts: Mapping[str, Any] | None = None, text: str = TABLES, views: str = ""
    ) -> None:
        self.name = name
        self.facts = {
            "ProductVersion": "16.0.4135.4",
            "EngineEdition": 3,
            "Edition": "Developer Edition (64-bit)",
            **(facts or {}),
        }
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.lock = threading.RLock()
        self.statements: list[str] = []
        self.tables = tables(text)
        self._last_id = 1_000
        self._clock = datetime(2026, 1, 1)  # noqa: DTZ001 - the server's own time, which knows no zone
        self.run("CREATE SCHEMA sys")
        for table, columns in self.tables.items():
            self.run(f"CREATE TABLE sys.{table} ({', '.join(columns)})")
        for statement in filter(None, (*MACROS.strip().split(";\n"), *views.strip().split(";\n"))):
            self.run(statement)
        known = {1: "dbo", 2: "guest", 3: "INFORMATION_SCHEMA", 4: "sys", 16384: "db_owner"}
        self.put_all("schemas", [(number, schema, DBO) for number, schema in known.items()])
        self.put_all("system_views", [(4, table, -1 - n) for n, table in enumerate(self.tables)])
        systems = {number: SYSTEM_TYPE_OF.get(number, number) for number in SYSTEM_TYPES}
        rows = [(n, 4, SYSTEM_TYPES[n], system, 8, 0, int(system == CLR)) for n, system in systems.items()]
        self.put_all("types", rows)
        self.grant(ADMINISTRATOR, "CONTROL")

    def close(self) -> None:
        self.connection.close()

    # Rows

    def run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.lock:
            return self.connection.execute(sql, parameters).fetchall()

    def put(self, table: str, *values: Any) -> None:
        """A row, by the order in which the table's columns are listed; nothing is put where there is no such table."""
        self.put_all(table, [values])

    def put_all(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if table in self.tables and rows:
            names = ", ".join(column.split()[0] for column in self.tables[table][: len(rows[0])])
            places = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
            self.run(f"INSERT INTO sys.{table} ({names}) VALUES {places}", *(value for row in rows for value in row))

    def _delete(self, key: str, value: int, *names: str) -> None:
        for name in names:
            if name in self.tables:
                self.run(f"DELETE FROM sys.{name} WHERE {key} = ?", value)

    def one(self, sql: str, *parameters: Any) -> Any:
        (row,) = self.run(sql, *parameters)
        return row[0]

    def schema_id(self, place: str) -> int:
        name = TsqlSpelling.schemas.get(place, place)
        return int(self.one("SELECT schema_id FROM sys.schemas WHERE name = ?", name))

    def object_id(self, table: ops.Table) -> int:
        sql = "SELECT object_id FROM sys.objects WHERE name = ? AND schema_id = ?"
        return int(self.one(sql, table.name, self.schema_id(table.schema)))

    def column_id(self, table: int, name: str) -> int:
        return int(self.one("SELECT column_id FROM sys.columns WHERE object_id = ? AND name = ?", table, name))

    def new_object(self, kind: str, name: str, schema: int, parent: int = 0) -> int:
        self._last_id += 1
        self.put("objects", self._last_id, schema, parent, name, kind, self._now())
        return self._last_id

    def touch(self, table: int) -> None:
        self.run("UPDATE sys.objects SET modify_date = ? WHERE object_id = ?", self._now(), table)

    def _now(self) -> datetime:
        self._clock += timedelta(seconds=1)
        return self._clock

    # What is done to it

    def perform(self, *operations: ops.Operation) -> None:
        with self.lock:
            for operation in operations:
                _DOING[type(operation)](self, operation)

    def create_schema(self, op: ops.CreateSchema) -> None:
        name = TsqlSpelling.schemas.get(op.schema, op.schema)
        self.put("schemas", self.one("SELECT 5 + count(*) FROM sys.schemas"), name, DBO)

    def create_table(self, op: ops.CreateTable) -> None:
        schema = self.schema_id(op.table.schema)
        table = self.new_object("U", op.table.name, schema)
        self.put("tables", table)
        self._new_columns(table, schema, op.columns)
        keyed = int(bool(op.primary_key))
        self.put("indexes", table, keyed, f"PK_{table}" if keyed else None, keyed, keyed, keyed)
        self.put("partitions", table, table, keyed, 0)
        self.put("allocation_units", table, 2)
        self.put("pdw_table_distribution_properties", table, 2)
        self.put("pdw_column_distribution_properties", table, 1, 1)
        if keyed:
            self._new_key(table, schema, "PK", CLUSTERED)
            self._index_columns(table, CLUSTERED, op.primary_key)
        if op.unique:
            self._new_key(table, schema, "UQ", self.new_index(table, f"UQ_{table}", op.unique, unique=True))
        for key in op.foreign_keys:
            self.add_foreign_key(ops.AddForeignKey(op.table, key))
        for check in op.checks:
            self.add_check(ops.AddCheck(op.table, check))

    def _new_columns(self, table: int, schema: int, columns: Sequence[ops.NewColumn]) -> None:
        first = self.one("SELECT coalesce(max(column_id), 0) + 1 FROM sys.columns WHERE object_id = ?", table)
        kinds = [TypeOf.spelled(TYPES[column.family]) for column in columns]
        rows = zip(range(first, first + len(columns)), columns, kinds, strict=True)
        self.put_all("columns", [_column(table, n, c.name, kind, c.nullable) for n, c, kind in rows])
        for number, column in enumerate(columns, start=first):
            if column.generated is not None:
                self.run("UPDATE sys.columns SET is_computed = 1 WHERE (object_id, column_id) = (?, ?)", table, number)
                self.put("computed_columns", table, number, f"({column.generated})", 1)
            if column.default is not None:
                self._new_default(table, schema, number, column.default)

    def add_typed(self, table: int, number: int, name: str, kind: TypeOf, *, nullable: bool = True) -> None:
        self.put_all("columns", [_column(table, number, name, kind, nullable)])

    def _new_default(self, table: int, schema: int, column: int, default: str | None) -> None:
        where = "(object_id, column_id) = (?, ?)"
        old = self.one(f"SELECT default_object_id FROM sys.columns WHERE {where}", table, column)
        self._delete("object_id", old, "default_constraints", "objects")
        made = 0
        if default is not None:
            made = self.new_object("D", f"DF_{self._last_id}", schema, table)
            self.put("default_constraints", made, table, f"({default})")
        self.run(f"UPDATE sys.columns SET default_object_id = ? WHERE {where}", made, table, column)

    def _new_key(self, table: int, schema: int, kind: str, index: int) -> None:
        made = self.new_object(kind, f"{kind}_{table}", schema, table)
        self.put("key_constraints", made, table, f"{kind}_{table}", kind, index)

    def _index_columns(self, table: int, index: int, columns: tuple[str, ...]) -> None:
        for place, name in enumerate(columns, start=1):
            self.put("index_columns", table, index, place, self.column_id(table, name), place)

    def new_index(self, table: int, name: str, columns: tuple[str, ...], *, unique: bool = False) -> int:
        number = int(self.one("SELECT greatest(max(index_id), 1) + 1 FROM sys.indexes WHERE object_id = ?", table))
        self.put("indexes", table, number, name, NONCLUSTERED, int(unique))
        self._index_columns(table, number, columns)
        return number

    def drop(self, op: ops.DropTable | ops.DropView) -> None:
        table = self.object_id(op.view if isinstance(op, ops.DropView) else op.table)
        for name in self.tables:
            if name not in OF_NOBODY:
                self.run(f"DELETE FROM sys.{name} WHERE {OWNERS.get(name, 'object_id')} = ?", table)
        self.run("DELETE FROM sys.objects WHERE parent_object_id = ?", table)

    def rename_table(self, op: ops.RenameTable) -> None:
        table = self.object_id(op.table)
        self.run("UPDATE sys.objects SET name = ? WHERE object_id = ?", op.to, table)
        self.touch(table)

    def move_table(self, op: ops.MoveTable) -> None:
        table, schema = self.object_id(op.table), self.schema_id(op.to_schema)
        self.run("UPDATE sys.objects SET schema_id = ? WHERE ? IN (object_id, parent_object_id)", schema, table)
        self.touch(table)

    def add_column(self, op: ops.AddColumn) -> None:
        table = self.object_id(op.table)
        self._new_columns(table, self.schema_id(op.table.schema), (op.column,))
        self.touch(table)

    def drop_column(self, op: ops.DropColumn) -> None:
        table = self.object_id(op.table)
        self.run("DELETE FROM sys.columns WHERE object_id = ? AND name = ?", table, op.column)
        self.touch(table)

    def _alter(self, table: ops.Table, column: str, assignments: str, *values: Any) -> None:
        number = self.object_id(table)
        self.run(f"UPDATE sys.columns SET {assignments} WHERE object_id = ? AND name = ?", *values, number, column)
        self.touch(number)

    def rename_column(self, op: ops.RenameColumn) -> None:
        self._alter(op.table, op.column, "name = ?", op.to)

    def retype(self, op: ops.Retype) -> None:
        kind = TypeOf.spelled(TYPES[op.family])
        assignments = "user_type_id = ?, max_length = ?, precision = ?, scale = ?"
        self._alter(op.table, op.column, assignments, kind.user_type_id, kind.max_length, kind.precision, kind.scale)

    def set_nullable(self, op: ops.SetNullable) -> None:
        self._alter(op.table, op.column, "is_nullable = ?", int(op.nullable))

    def set_default(self, op: ops.SetDefault) -> None:
        table = self.object_id(op.table)
        self._new_default(table, self.schema_id(op.table.schema), self.column_id(table, op.column), op.default)

    def comment(self, op: ops.Comment) -> None:
        table = self.object_id(op.table)
        self.describe(OBJECT, table, self.column_id(table, op.column) if op.column else 0, op.text)

    def describe(self, kind: int, major: int, minor: int, text: str) -> None:
        """What sp_addextendedproperty and sp_updateextendedproperty do: no date of change moves."""
        self.run(
            "DELETE FROM sys.extended_properties WHERE (class, major_id, minor_id) = (?, ?, ?)", kind, major, minor
        )
        self.put("extended_properties", kind, major, minor, "MS_Description", text)

    def create_index(self, op: ops.CreateIndex) -> None:
        table = self.object_id(op.table)
        self.new_index(table, op.name, op.columns, unique=op.unique)
        self.touch(table)

    def drop_index(self, op: ops.DropIndex) -> None:
        """Without moving the table's date of change, which Microsoft does not promise."""
        table = self.object_id(op.table)
        number = self.one("SELECT index_id FROM sys.indexes WHERE object_id = ? AND name = ?", table, op.name)
        for name in ("indexes", "index_columns"):
            self.run(f"DELETE FROM sys.{name} WHERE object_id = ? AND index_id = ?", table, number)

    def create_view(self, op: ops.CreateView) -> None:
        view, of = self.new_object("V", op.view.name, self.schema_id(op.view.schema)), self.object_id(op.of)
        self.put("sql_modules", view, TsqlSpelling().spelled(op))
        measures = "user_type_id, max_length, precision, scale, is_nullable"
        for place, name in enumerate(op.columns, start=1):
            sql = f"SELECT {measures} FROM sys.columns WHERE object_id = ? AND name = ?"
            ((*kind, nullable),) = self.run(sql, of, name)
            self.add_typed(view, place, name, TypeOf(*kind), nullable=bool(nullable))
        if op.literal is not None:
            self.add_typed(view, len(op.columns) + 1, "long_text", TypeOf(IDS["nvarchar"], -1))

    def add_foreign_key(self, op: ops.AddForeignKey) -> None:
        key, table, schema = op.key, self.object_id(op.table), self.schema_id(op.table.schema)
        target, made = self.object_id(key.target), self.new_object("F", key.name, schema, table)
        self.put("foreign_keys", made, schema, table, key.name, target)
        for place, (own, other) in enumerate(zip(key.columns, key.target_columns, strict=True), start=1):
            pair = (table, self.column_id(table, own), target, self.column_id(target, other))
            self.put("foreign_key_columns", made, place, *pair)

    def add_check(self, op: ops.AddCheck) -> None:
        table, schema = self.object_id(op.table), self.schema_id(op.table.schema)
        made = self.new_object("C", op.check.name, schema, table)
        self.put("check_constraints", made, schema, table, op.check.name, f"({op.check.expression})")

    def drop_constraint(self, op: ops.DropConstraint) -> None:
        sql = "SELECT object_id FROM sys.objects WHERE name = ? AND parent_object_id = ?"
        made = self.one(sql, op.name, self.object_id(op.table))
        self._delete("constraint_object_id", made, "foreign_key_columns")
        self._delete("object_id", made, "objects", "foreign_keys", "check_constraints")

    # Who may see what

    def seen_by(self, who: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids of the objects and of the schemas that somebody gets to see."""
        objects = """SELECT o.object_id FROM sys.objects o LEFT JOIN sys.objects p ON p.object_id = o.parent_object_id
            JOIN sys.schemas s ON s.schema_id = o.schema_id
            WHERE has(?, 'VIEW DEFINITION', quotename(s.name))
               OR has(?, 'VIEW DEFINITION', quotename(s.name) || '.' || quotename(coalesce(p.name, o.name)))"""
        schemas = "SELECT schema_id FROM sys.schemas WHERE schema_id < 5 OR has(?, 'VIEW DEFINITION', quotename(name))"
        return tuple(row[0] for row in self.run(objects, who, who)), tuple(row[0] for row in self.run(schemas, who))

    def grant(self, who: str, permission: str, securable: str = "") -> None:
        self.run("INSERT INTO main.grants VALUES (?, ?, ?)", who, permission, securable)

    def revoke(self, who: str, permission: str, securable: str = "") -> None:
        self.run("DELETE FROM main.grants WHERE (grantee, granted, target) = (?, ?, ?)", who, permission, securable)

    def paste(self, remedy: str) -> None:
        """The statements that our remedies are made of."""
        for statement in filter(str.strip, remedy.split(";")):
            found = re.fullmatch(r"\s*GRANT ([A-Z ]+?)(?: ON (?:SCHEMA::)?(\S+))? TO \[(.*)\]\s*", statement)
            assert found, statement
            if found[1] == "SELECT":
                self.revoke(found[3], "DENY", found[2])
            else:
                self.grant(found[3], found[1], found[2] or "")


def _column(table: int, number: int, name: str, kind: TypeOf, nullable: bool) -> tuple[Any, ...]:
    collation = COLLATION if SYSTEM_TYPES.get(kind.user_type_id) in TEXTS else None
    measures = (kind.user_type_id, kind.max_length, kind.precision, kind.scale)
    return (table, number, name, *measures, int(nullable), collation)


_DOING: dict[type, Callable[[TsqlCatalog, Any], None]] = {
    ops.CreateSchema: TsqlCatalog.create_schema,
    ops.CreateTable: TsqlCatalog.create_table,
    ops.DropTable: TsqlCatalog.drop,
    ops.DropView: TsqlCatalog.drop,
    ops.RenameTable: TsqlCatalog.rename_table,
    ops.MoveTable: TsqlCatalog.move_table,
    ops.AddColumn: TsqlCatalog.add_column,
    ops.DropColumn: TsqlCatalog.drop_column,
    ops.RenameColumn: TsqlCatalog.rename_column,
    ops.Retype: TsqlCatalog.retype,
    ops.SetNullable: TsqlCatalog.set_nullable,
    ops.SetDefault: TsqlCatalog.set_default,
    ops.Comment: TsqlCatalog.comment,
    ops.CreateIndex: TsqlCatalog.create_index,
    ops.DropIndex: TsqlCatalog.drop_index,
    ops.CreateView: TsqlCatalog.create_view,
    ops.AddForeignKey: TsqlCatalog.add_foreign_key,
    ops.AddCheck: TsqlCatalog.add_check,
    ops.DropConstraint: TsqlCatalog.drop_constraint,
}
