"""The outside engine for the conformance suite: what its own tests would have."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import engine
from metamapper.schema import AssetKind, TypeFamily

TYPES = {
    TypeFamily.INTEGER: "long",
    TypeFamily.STRING: "string",
    TypeFamily.DECIMAL: "decimal",
    TypeFamily.BOOLEAN: "boolean",
    TypeFamily.TIMESTAMP: "timestamp-millis",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "double",
    TypeFamily.BINARY: "bytes",
}
CARRIED_BY = {"decimal": "bytes", "timestamp-millis": "long", "date": "int"}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class AvroSource:
    folder: Path

    @property
    def settings(self) -> EngineSettings:
        return engine("avro").settings(folder=str(self.folder))  # type: ignore[call-arg]  # its own settings

    @property
    def reach(self) -> Reach:
        return Reach(folders=(self.folder.parent,))

    def perform(self, *operations: ops.Operation) -> None:
        for operation in operations:
            getattr(self, re.sub("(?<!^)(?=[A-Z])", "_", type(operation).__name__).lower())(operation)

    def create_table(self, op: ops.CreateTable) -> None:
        if op.primary_key or op.unique or op.foreign_keys or op.checks:
            raise LookupError("Avro has no constraints")
        fields = [_field(column) for column in op.columns]
        self._write({"type": "record", "name": op.table.name, "fields": fields})

    def drop_table(self, op: ops.DropTable) -> None:
        self._file(op.table).unlink()

    def rename_table(self, op: ops.RenameTable) -> None:
        record = self._record(op.table) | {"name": op.to}
        self._file(op.table).unlink()
        self._write(record)

    def add_column(self, op: ops.AddColumn) -> None:
        record = self._record(op.table)
        self._write(record | {"fields": [*record["fields"], _field(op.column)]})

    def drop_column(self, op: ops.DropColumn) -> None:
        record = self._record(op.table)
        self._write(record | {"fields": [each for each in record["fields"] if each["name"] != op.column]})

    def rename_column(self, op: ops.RenameColumn) -> None:
        self._change(op.table, op.column, name=op.to)

    def retype(self, op: ops.Retype) -> None:
        self._change(op.table, op.column, type=_type(op.family, nullable=True))

    def set_nullable(self, op: ops.SetNullable) -> None:
        self._change(op.table, op.column, type=_type(TypeFamily.STRING, nullable=op.nullable))

    def set_default(self, op: ops.SetDefault) -> None:
        self._change(op.table, op.column, default=_default(op.default))

    def comment(self, op: ops.Comment) -> None:
        if op.column is None:
            self._write(self._record(op.table) | {"doc": op.text})
        else:
            self._change(op.table, op.column, doc=op.text)

    def _change(self, table: ops.Table, column: str, **values: Any) -> None:
        record = self._record(table)
        fields = [each | values if each["name"] == column else each for each in record["fields"]]
        self._write(record | {"fields": fields})

    def _file(self, table: ops.Table) -> Path:
        return self.folder / f"{table.name}.avsc"

    def _record(self, table: ops.Table) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self._file(table).read_text())
        return record

    def _write(self, record: dict[str, Any]) -> None:
        self._file(ops.Table(record["name"])).write_text(json.dumps(record))


def _field(column: ops.NewColumn) -> dict[str, Any]:
    if column.generated:
        raise LookupError("Avro generates nothing")
    field = {"name": column.name, "type": _type(column.family, nullable=column.nullable)}
    return field | ({"default": _default(column.default)} if column.default else {})


def _type(family: TypeFamily, *, nullable: bool) -> Any:
    name = TYPES[family]
    kind = {"type": CARRIED_BY[name], "logicalType": name} if name in CARRIED_BY else name
    return ["null", kind] if nullable else kind


def _default(literal: str | None) -> Any:
    return json.loads(literal.replace("'", '"')) if literal else None


@dataclass(frozen=True)
class AvroSubject:
    folder: Path
    schemas: ClassVar[Mapping[str, str]] = {"main": "avro", "other": "other"}
    shown = TYPES
    widest = 2000
    longest_name = 200
    most_statements = 1

    @property
    def engine(self) -> Any:
        return engine("avro")

    def allows(self, name: str, kind: AssetKind) -> bool:
        return bool(NAME.fullmatch(name))

    @contextmanager
    def fresh(self) -> Iterator[AvroSource]:
        source = AvroSource(self.folder / "schemas")
        source.folder.mkdir(exist_ok=True)
        for file in source.folder.iterdir():
            file.unlink()
        yield source

    def right_password(self) -> AbstractContextManager[EngineSettings]:
        raise LookupError("A folder has no sign-in")

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        yield ()
