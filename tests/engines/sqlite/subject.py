"""SQLite for the conformance suite."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import SqlSpelling
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.sqlite import ENGINE
from metamapper.connectors.engines.sqlite.settings import SqliteSettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily

TYPES = {
    TypeFamily.INTEGER: "INTEGER",
    TypeFamily.STRING: "TEXT",
    TypeFamily.DECIMAL: "NUMERIC(12,2)",
    TypeFamily.BOOLEAN: "BOOLEAN",
    TypeFamily.TIMESTAMP: "TIMESTAMP",
    TypeFamily.DATE: "DATE",
    TypeFamily.FLOAT: "REAL",
    TypeFamily.BINARY: "BLOB",
}


class Spelling(SqlSpelling):
    types = TYPES
    schemas: Mapping[str, str] = {"main": "main", "other": "other"}

    def table(self, table: ops.Table) -> str:
        """Without its schema, which SQLite allows in some places only."""
        return self.quote(table.name)


@dataclass(frozen=True)
class SqliteSource:
    path: Path

    @property
    def settings(self) -> SqliteSettings:
        return SqliteSettings(path=str(self.path))

    @property
    def reach(self) -> Reach:
        return Reach(folders=(self.path.parent,))

    def perform(self, *operations: ops.Operation) -> None:
        self.run(*(Spelling().spelled(operation) for operation in operations))

    def run(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, timeout=0.2, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            for statement in statements:
                connection.execute(statement)


@dataclass(frozen=True)
class SqliteSubject:
    folder: Path
    engine = ENGINE
    schemas = Spelling.schemas
    shown = TYPES
    widest = 2000
    longest_name = 255
    most_statements = 16

    def allows(self, name: str, kind: AssetKind) -> bool:
        return True

    @contextmanager
    def fresh(self) -> Iterator[SqliteSource]:
        source = SqliteSource(self.folder / "a source.sqlite3")
        source.path.unlink(missing_ok=True)
        source.run("VACUUM")
        yield source

    def right_password(self) -> AbstractContextManager[EngineSettings]:
        raise LookupError("A file has no sign-in")

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        yield ()
