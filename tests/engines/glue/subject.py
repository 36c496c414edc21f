"""Glue for the conformance suite: what the suite does, as calls of the API."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any, ClassVar

from msgspec.structs import replace

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.glue import ENGINE
from metamapper.connectors.engines.glue.settings import GlueSettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily
from tests.support.aws import REGION, Aws, People

TYPES = {
    TypeFamily.INTEGER: "bigint",
    TypeFamily.STRING: "string",
    TypeFamily.DECIMAL: "decimal(12,2)",
    TypeFamily.BOOLEAN: "boolean",
    TypeFamily.TIMESTAMP: "timestamp",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "double",
    TypeFamily.BINARY: "binary",
}
SCHEMAS = {"main": "sales", "other": "archive"}
FLEETING = {"DatabaseName", "CreateTime", "UpdateTime", "VersionId", "CatalogId"}
"""What Glue tells of a table and does not take."""

Told = dict[str, Any]


class Impossible(Exception):
    """What nobody can do to a Data Catalog."""


class Lake:
    """An administrator's hands: operations of the suite as calls of Glue."""

    def __init__(self, client: Any) -> None:
        self.client = client

    @singledispatchmethod
    def perform(self, operation: object) -> None:
        raise Impossible(f"Glue has no {type(operation).__name__}")

    @perform.register
    def _(self, op: ops.CreateSchema) -> None:
        self.client.create_database(DatabaseInput={"Name": SCHEMAS.get(op.schema, op.schema)})

    @perform.register
    def _(self, op: ops.CreateTable) -> None:
        """Without what a Data Catalog does not keep: NOT NULL and defaults."""
        columns = [{"Name": column.name, "Type": TYPES[column.family]} for column in op.columns]
        self.create(op.table, {"TableType": "MANAGED_TABLE", "StorageDescriptor": {"Columns": columns}})

    @perform.register
    def _(self, op: ops.CreateView) -> None:
        """As Athena makes one."""
        literal = f", '{op.literal}' AS long_text" if op.literal is not None else ""
        query = f"SELECT {', '.join(op.columns)}{literal} FROM {op.of.name}"
        text = base64.b64encode(json.dumps({"originalSql": query}).encode()).decode()
        told = {
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": f"/* Presto View: {text} */",
            "ViewExpandedText": "/* Presto View */",
            "StorageDescriptor": {"Columns": [{"Name": name, "Type": "bigint"} for name in op.columns]},
        }
        self.create(op.view, told)

    @perform.register(ops.DropTable)
    def _(self, op: ops.DropTable) -> None:
        self._drop(op.table)

    @perform.register
    def _(self, op: ops.DropView) -> None:
        self._drop(op.view)

    @perform.register
    def _(self, op: ops.RenameTable) -> None:
        """Glue renames nothing: whoever renames makes the table anew."""
        self.create(ops.Table(op.to, op.table.schema), self.told(op.table))
        self._drop(op.table)

    @perform.register
    def _(self, op: ops.AddColumn) -> None:
        added = {"Name": op.column.name, "Type": TYPES[op.column.family]}
        self._columns(op.table, lambda columns: [*columns, added])

    @perform.register
    def _(self, op: ops.DropColumn) -> None:
        self._columns(op.table, lambda columns: [each for each in columns if each["Name"] != op.column])

    @perform.register
    def _(self, op: ops.RenameColumn) -> None:
        self._columns(op.table, lambda columns: [_with(each, op.column, Name=op.to) for each in columns])

    @perform.register
    def _(self, op: ops.Retype) -> None:
        self._columns(op.table, lambda columns: [_with(each, op.column, Type=TYPES[op.family]) for each in columns])

    @perform.register
    def _(self, op: ops.Comment) -> None:
        if op.column is None:
            self.change(op.table, lambda told: {**told, **self.comment(told, op.text)})
        else:
            self._columns(op.table, lambda columns: [_with(each, op.column, Comment=op.text) for each in columns])

    def comment(self, told: Told, text: str) -> Told:
        """What of a table holds its comment."""
        return {"Description": text}

    def create(self, table: ops.Table, told: Told) -> None:
        self.client.create_table(DatabaseName=_database(table), TableInput={**told, "Name": table.name})

    def told(self, table: ops.Table) -> Told:
        found: Told = self.client.get_table(DatabaseName=_database(table), Name=table.name)["Table"]
        return {name: value for name, value in found.items() if name not in FLEETING}

    def change(self, table: ops.Table, change: Callable[[Told], Told]) -> None:
        self.client.update_table(DatabaseName=_database(table), TableInput=change(self.told(table)))

    def _columns(self, table: ops.Table, change: Callable[[list[Told]], list[Told]]) -> None:
        def changed(told: Told) -> Told:
            storage = told["StorageDescriptor"]
            return {**told, "StorageDescriptor": {**storage, "Columns": change(storage["Columns"])}}

        self.change(table, changed)

    def _drop(self, table: ops.Table) -> None:
        self.client.delete_table(DatabaseName=_database(table), Name=table.name)


def _with(column: Told, name: str, **changes: str) -> Told:
    return {**column, **changes} if column["Name"] == name else column


def _database(table: ops.Table) -> str:
    return SCHEMAS.get(table.schema, table.schema)


LEAST = {"Effect": "Allow", "Action": ["glue:GetDatabases", "glue:GetTables"], "Resource": "*"}
LISTS_ONLY = {"Effect": "Allow", "Action": "glue:GetDatabases", "Resource": "*"}


@dataclass
class LakeSource:
    """A Data Catalog that holds one empty database, and who may read it."""

    aws: Aws
    lake: Lake
    people: People
    settings: Any
    lists_only: Sequence[Told]

    @property
    def reach(self) -> Reach:
        return Reach()

    @property
    def reader(self) -> EngineSettings:
        found: EngineSettings = self.settings
        return found

    def perform(self, *operations: ops.Operation) -> None:
        self.aws.unguard()
        try:
            for operation in operations:
                self.lake.perform(operation)
        finally:
            self.aws.guard()

    def administer(self, act: Callable[[], object]) -> None:
        """Do something while nobody is asked who they are."""
        self.aws.unguard()
        try:
            act()
        finally:
            self.aws.guard()

    def revoke(self, schema: str) -> None:
        self.administer(lambda: self.people.let("least", list(self.lists_only)))

    def paste(self, remedy: str) -> None:
        statements = json.loads(f"[{remedy}]")
        self.administer(lambda: self.people.let("remedy", statements))

    def aimed_at(self, host: str, port: int) -> EngineSettings:
        url = f"http://{host}:{port}" if host == "127.0.0.1" else f"https://{host}:{port}"
        aimed = {"endpoint_url": url, "sts_endpoint_url": url, "connect_timeout": 2, "call_timeout": 2}
        found: EngineSettings = replace(self.settings, **aimed)
        return found

    def cut(self) -> None:
        self.aws.faults(cut=True)


@dataclass(frozen=True)
class GlueSubject:
    aws: Aws
    engine: ClassVar[Engine] = ENGINE
    schemas: ClassVar[Mapping[str, str]] = SCHEMAS
    shown: ClassVar[Mapping[TypeFamily, str]] = TYPES
    widest: ClassVar[int] = 2000
    longest_name: ClassVar[int] = 255
    most_statements: ClassVar[int] = 4

    def allows(self, name: str, kind: AssetKind) -> bool:
        """Names are on one line: https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html."""
        return "\n" not in name

    @contextmanager
    def fresh(self) -> Iterator[LakeSource]:
        self.aws.reset()
        lake = Lake(self.aws.client("glue"))
        lake.perform(ops.CreateSchema("main"))
        people = People(self.aws, [LEAST])
        self.aws.guard()
        try:
            yield LakeSource(self.aws, lake, people, settings_of(self.aws, people), [LISTS_ONLY])
        finally:
            self.aws.reset()

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.settings

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        with self.fresh() as source:
            yield refused(source.settings)


def settings_of(aws: Aws, people: People, **others: Any) -> GlueSettings:
    return GlueSettings(**reaching(aws, people), **others)


def reaching(aws: Aws, people: People) -> dict[str, Any]:
    return {
        "region": REGION,
        "access_key_id": people.key.id,
        "secret_access_key": people.key.secret,
        "endpoint_url": aws.url,
        "sts_endpoint_url": aws.url,
        "attempts": 2,
    }


def refused(known: Any) -> list[EngineSettings]:
    return [
        replace(known, secret_access_key="not the right one"),
        replace(known, secret_access_key="p@ss:w/rd?#%41 é"),
        replace(known, access_key_id="AKIAUNKNOWNUNKNOWN", secret_access_key="whatever it is"),
        replace(known, access_key_id="ASIAUNKNOWNUNKNOWN", session_token="a token that has ended"),
    ]


ELSEWHERE = "glue://AKIAEXAMPLE:secret@eu-west-1/"
"""A server that is nowhere, for what is asked for on the way to it."""
FIRST_ASKED = ("glue.eu-west-1.amazonaws.com", 443)
