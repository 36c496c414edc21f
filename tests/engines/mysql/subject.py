"""MySQL and MariaDB for the conformance suite."""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import SqlSpelling
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.mysql import ENGINE
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.mysql.names import account, pattern, quoted, text
from metamapper.connectors.sql.mysql.settings import MysqlSettings
from metamapper.schema import AssetKind, TypeFamily
from tests.support.mysql import ADMIN, MysqlServer

PASSWORD = "correct horse, battery %41 staple é"
TYPES = {
    TypeFamily.INTEGER: "int",
    TypeFamily.STRING: "varchar(255)",
    TypeFamily.DECIMAL: "decimal(12,2)",
    TypeFamily.BOOLEAN: "tinyint(1)",
    TypeFamily.TIMESTAMP: "datetime(6)",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "double",
    TypeFamily.BINARY: "longblob",
}
WIDTHS_OF_MARIADB = {TypeFamily.INTEGER: "int(11)"}


class Spelling(SqlSpelling):
    types = TYPES

    def __init__(self, schemas: Mapping[str, str]) -> None:
        self.schemas = schemas

    def quote(self, name: str) -> str:
        return quoted(name)

    def text(self, value: str) -> str:
        return text(value.replace("\\", "\\\\"))

    def spell_rename_table(self, op: ops.RenameTable) -> str:
        return f"RENAME TABLE {self.table(op.table)} TO {self.table(ops.Table(op.to, op.table.schema))}"

    def spell_move_table(self, op: ops.MoveTable) -> str:
        return f"RENAME TABLE {self.table(op.table)} TO {self.table(ops.Table(op.table.name, op.to_schema))}"

    def spell_drop_index(self, op: ops.DropIndex) -> str:
        return f"DROP INDEX {self.quote(op.name)} ON {self.table(op.table)}"


@dataclass(frozen=True)
class MysqlSource:
    server: MysqlServer
    schemas: Mapping[str, str]
    role: str = ""
    """An account, as CURRENT_USER() tells it, that may read and nothing else."""
    made: list[str] = field(default_factory=list)

    @property
    def settings(self) -> MysqlSettings:
        return MysqlSettings(host="127.0.0.1", port=self.server.port, user=ADMIN)

    @property
    def reader(self) -> MysqlSettings:
        return replace(self.settings, user=self.role.rpartition("@")[0], password=PASSWORD)

    @property
    def reach(self) -> Reach:
        return Reach()

    @property
    def account(self) -> str:
        """The reader, as a GRANT spells it."""
        return account(self.role)

    @property
    def main(self) -> str:
        return self.schemas["main"]

    def perform(self, *operations: ops.Operation) -> None:
        with self._connected() as cursor:
            for operation in operations:
                if isinstance(operation, ops.CreateSchema):
                    self.made.append(self.schemas.get(operation.schema, operation.schema))
                cursor.execute(self._spelled(operation, cursor))

    def run(self, *statements: str) -> None:
        with self._connected() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        with self._connected() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def grant(self, what: str, schema: str) -> None:
        self.run(f"GRANT {what} ON {pattern(schema, literal=False)}.* TO {account(self.role)}")

    def revoke(self, schema: str) -> None:
        name = pattern(self.schemas[schema], literal=False)
        self.run(f"REVOKE SELECT, SHOW VIEW ON {name}.* FROM {account(self.role)}")

    def paste(self, remedy: str) -> None:
        self.run(*(statement for statement in remedy.split(";\n") if statement.strip()))

    def aimed_at(self, host: str, port: int) -> MysqlSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        mine = "id <> CONNECTION_ID() AND db IS NULL"
        for (number,) in self.asked(f"SELECT id FROM information_schema.processlist WHERE user = '{ADMIN}' AND {mine}"):
            self.run(f"KILL CONNECTION {number}")

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with self.server.connect(database=self.main) as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION lock_wait_timeout = 5")
            yield cursor

    def _spelled(self, operation: ops.Operation, cursor: Any) -> str:
        spelling = Spelling(self.schemas)
        if isinstance(operation, ops.SetNullable):
            return self._modified(operation.table, operation.column, cursor, spelling, nullable=operation.nullable)
        if isinstance(operation, ops.Retype):
            wanted = TYPES[operation.family]
            return self._modified(operation.table, operation.column, cursor, spelling, type=wanted)
        if isinstance(operation, ops.Comment) and operation.column is not None:
            return self._modified(operation.table, operation.column, cursor, spelling, comment=operation.text)
        if isinstance(operation, ops.Comment):
            return f"ALTER TABLE {spelling.table(operation.table)} COMMENT = {spelling.text(operation.text)}"
        return spelling.spelled(operation)

    def _modified(self, table: ops.Table, column: str, cursor: Any, spelling: Spelling, **changes: Any) -> str:
        """MODIFY COLUMN takes the whole column anew: as the server shows it, with one thing changed."""
        cursor.execute(f"SHOW CREATE TABLE {spelling.table(table)}")
        shown = cursor.fetchone()[1]
        [line] = re.findall(rf"^  {re.escape(quoted(column))} (.*?),?$", shown, re.MULTILINE)
        spelled, _, rest = line.partition(" ")
        if "type" in changes:
            spelled = changes["type"]
        if "nullable" in changes:
            rest = rest.replace("NOT NULL", "").replace("DEFAULT NULL", "")
            rest = ("NULL " if changes["nullable"] else "NOT NULL ") + rest
        if "comment" in changes:
            rest = f"{rest} COMMENT {spelling.text(changes['comment'])}"
        return f"ALTER TABLE {spelling.table(table)} MODIFY COLUMN {quoted(column)} {spelled} {rest}"


@dataclass(frozen=True)
class MysqlSubject:
    server: MysqlServer
    mariadb: bool
    names: tuple[str, str] = field(default_factory=lambda: (f"mm_{uuid.uuid4().hex[:8]}", f"mm_{uuid.uuid4().hex[:8]}"))
    engine = ENGINE
    widest = 1017
    longest_name = 64
    most_statements = 14

    @property
    def schemas(self) -> Mapping[str, str]:
        return {"main": self.names[0], "other": self.names[1]}

    @property
    def shown(self) -> Mapping[TypeFamily, str]:
        return TYPES | (WIDTHS_OF_MARIADB if self.mariadb else {})

    def allows(self, name: str, kind: AssetKind) -> bool:
        """Names are of the Basic Multilingual Plane and end in no space; so says "Schema Object Names" of the manual."""
        return not name.endswith(" ") and max(name) <= "\uffff"

    @contextmanager
    def fresh(self) -> Iterator[MysqlSource]:
        role = f"mm 'reader' {uuid.uuid4().hex[:8]}@%"
        source = MysqlSource(self.server, self.schemas, role, [self.names[0]])
        # The query of a view is shown to those only who may also read from it.
        self.server.run(
            f"CREATE DATABASE {quoted(source.main)} CHARACTER SET utf8mb4",
            f"CREATE USER {account(role)} IDENTIFIED BY '{PASSWORD}'",
            f"GRANT SHOW DATABASES, PROCESS ON *.* TO {account(role)}",
        )
        source.grant("SELECT, SHOW VIEW", source.main)
        try:
            yield source
        finally:
            self.server.run(*(f"DROP DATABASE IF EXISTS {quoted(name)}" for name in source.made))
            self.server.run(f"DROP USER {account(role)}")

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.reader

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.fresh() as source:
            yield [
                replace(source.reader, password="not the right one"),
                replace(source.reader, password="p@ss:w/rd?#%41 é"),
                replace(source.reader, user="no such user", password="whatever it is"),
            ]


ELSEWHERE = "mysql://ana:pw@db.invalid:3307/shop"
"""A server that is nowhere, for what is asked for on the way to it."""
TAKES_SOCKETS = True
