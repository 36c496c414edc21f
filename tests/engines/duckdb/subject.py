"""DuckDB for the conformance suite."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import SqlSpelling
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.duckdb import ENGINE
from metamapper.connectors.engines.duckdb.settings import DuckdbSettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily

TYPES = {
    TypeFamily.INTEGER: "INTEGER",
    TypeFamily.STRING: "VARCHAR",
    TypeFamily.DECIMAL: "DECIMAL(12,2)",
    TypeFamily.BOOLEAN: "BOOLEAN",
    TypeFamily.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    TypeFamily.DATE: "DATE",
    TypeFamily.FLOAT: "DOUBLE",
    TypeFamily.BINARY: "BLOB",
}
REFERENCING = """
SELECT DISTINCT t.sql, quoted(t.schema_name) || '.' || quoted(t.table_name)
  FROM duckdb_constraints() c JOIN duckdb_tables() t USING (table_oid) WHERE c.referenced_table = $name
"""
INDEXES = """
SELECT i.sql, quoted(i.schema_name) || '.' || quoted(i.index_name) FROM duckdb_indexes() i
 WHERE i.table_name = $name OR i.table_oid IN
       (SELECT table_oid FROM duckdb_constraints() WHERE referenced_table = $name)
"""
QUOTED = """CREATE OR REPLACE TEMP MACRO quoted(name) AS '"' || replace(name, '"', '""') || '"'"""


class Spelling(SqlSpelling):
    types = TYPES
    schemas: Mapping[str, str] = {"main": "main", "other": "other"}

    def column(self, column: ops.NewColumn) -> str:
        """DuckDB has generated columns that are not stored, and no others."""
        return super().column(column).replace(") STORED", ")")


@dataclass(frozen=True)
class DuckdbSource:
    path: Path

    @property
    def settings(self) -> DuckdbSettings:
        return DuckdbSettings(path=str(self.path))

    @property
    def reach(self) -> Reach:
        return Reach(folders=(self.path.parent,))

    def perform(self, *operations: ops.Operation) -> None:
        with closing(duckdb.connect(self.path)) as connection:
            for operation in operations:
                statement = Spelling().spelled(operation)
                try:
                    connection.execute(statement)
                except duckdb.DependencyException:
                    assert not isinstance(operation, ops.CreateSchema | ops.CreateView | ops.DropView)
                    to = operation.to if isinstance(operation, ops.RenameTable) else operation.table.name
                    _without_dependents(connection, operation.table.name, statement, to)

    def run(self, *statements: str) -> None:
        with closing(duckdb.connect(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)


def _without_dependents(connection: duckdb.DuckDBPyConnection, name: str, statement: str, to: str) -> None:
    """DuckDB alters no table that has an index or is referred to: those go, and come back, as an administrator does it."""
    connection.execute(QUOTED)
    again: list[str] = []
    for kind, query in (("INDEX", INDEXES), ("TABLE", REFERENCING)):
        for sql, path in connection.execute(query, {"name": name}).fetchall():
            again.insert(0, sql)
            connection.execute(f"DROP {kind} {path}")
    connection.execute(statement)
    for sql in again:
        connection.execute(sql.replace(f" ON {name}(", f" ON {to}("))


@dataclass(frozen=True)
class DuckdbSubject:
    folder: Path
    engine = ENGINE
    schemas = Spelling.schemas
    shown = TYPES
    widest = 2000
    longest_name = 255
    most_statements = 7

    def allows(self, name: str, kind: AssetKind) -> bool:
        return True

    @contextmanager
    def fresh(self) -> Iterator[DuckdbSource]:
        source = DuckdbSource(self.folder / "a source.duckdb")
        for path in (source.path, source.path.with_name(f"{source.path.name}.wal")):
            path.unlink(missing_ok=True)
        source.run("SELECT 1")
        yield source

    def right_password(self) -> AbstractContextManager[EngineSettings]:
        raise LookupError("A file has no sign-in")

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        yield ()
