"""BigQuery's stand-in for the conformance suite: operations become changes of the interface's resources.

What is done to a table here is what its resource is like afterwards, whatever statement or job BigQuery would need for it.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.bigquery import ENGINE
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind, TypeFamily
from tests.support.bigquery import PROJECT, Account, BigQuery, Hangup, Json, Refused, bigquery

TOLD: Mapping[TypeFamily, Json] = {
    TypeFamily.INTEGER: {"type": "INTEGER"},
    TypeFamily.STRING: {"type": "STRING"},
    TypeFamily.DECIMAL: {"type": "NUMERIC", "precision": "12", "scale": "2"},
    TypeFamily.BOOLEAN: {"type": "BOOLEAN"},
    TypeFamily.TIMESTAMP: {"type": "TIMESTAMP"},
    TypeFamily.DATE: {"type": "DATE"},
    TypeFamily.FLOAT: {"type": "FLOAT"},
    TypeFamily.BINARY: {"type": "BYTES"},
}
"""Types as the interface tells them."""
SHOWN = {
    TypeFamily.INTEGER: "INT64",
    TypeFamily.STRING: "STRING",
    TypeFamily.DECIMAL: "NUMERIC(12, 2)",
    TypeFamily.BOOLEAN: "BOOL",
    TypeFamily.TIMESTAMP: "TIMESTAMP",
    TypeFamily.DATE: "DATE",
    TypeFamily.FLOAT: "FLOAT64",
    TypeFamily.BINARY: "BYTES",
}
SCHEMAS: Mapping[str, str] = {"main": "shop", "other": "archive"}


def settings_of(server: BigQuery, account: Account) -> BigquerySettings:
    return BigquerySettings(project=PROJECT, key=account.key, endpoint=server.url, connect_timeout=5, call_timeout=30)


@dataclass
class BigquerySource:
    server: BigQuery
    owner: Account = field(init=False)
    metadata_viewer: Account = field(init=False)

    def __post_init__(self) -> None:
        self.owner = self.server.account("owner")
        self.owner.project |= {"bigquery.tables.update"}
        self.metadata_viewer = self.server.account("metadata-viewer")
        self.server.add_dataset(SCHEMAS["main"])

    @property
    def settings(self) -> BigquerySettings:
        return settings_of(self.server, self.owner)

    @property
    def reader(self) -> BigquerySettings:
        return settings_of(self.server, self.metadata_viewer)

    @property
    def reach(self) -> Reach:
        return Reach()

    def perform(self, *operations: ops.Operation) -> None:
        for operation in operations:
            Doing(self.server).do(operation)

    def revoke(self, schema: str) -> None:
        """As where a role lets see the dataset, and nothing in it."""
        self.metadata_viewer.datasets[SCHEMAS[schema]] = {"bigquery.datasets.get"}

    def paste(self, remedy: str) -> None:
        found = re.fullmatch(r'GRANT `roles/bigquery.metadataViewer` ON SCHEMA `(.+)`\.`(.+)` TO "(.+):(.+)";', remedy)
        assert found
        assert (found[1], found[3]) == (PROJECT, "serviceAccount")
        del self.server.accounts[found[4]].datasets[found[2]]

    def aimed_at(self, host: str, port: int) -> BigquerySettings:
        scheme = "http" if host.startswith("127.") else "https"
        key = self.owner.key.replace(self.server.url, f"{scheme}://{host}:{port}")
        place = {"endpoint": f"{scheme}://{host}:{port}", "key": key}
        return replace(self.settings, **place, connect_timeout=2, call_timeout=2)

    def refusing(self, ending: str, status: int, reason: str = "") -> Callable[[str], None]:
        """What to put ``before`` the stand-in's answers, to have paths that end so refused."""

        def refuse(path: str) -> None:
            if path.endswith(ending):
                raise Refused(status, "Not now", reason)

        return refuse

    def cut(self) -> None:
        def hang_up(path: str) -> None:
            raise Hangup

        self.server.before = hang_up


@dataclass(frozen=True)
class Doing:
    """Operations on the stand-in's resources, each by the method that is named after it."""

    server: BigQuery

    def do(self, operation: ops.Operation) -> None:
        getattr(self, re.sub("([A-Z])", r"_\1", type(operation).__name__).lower().strip("_"))(operation)

    def create_schema(self, op: ops.CreateSchema) -> None:
        self.server.add_dataset(SCHEMAS.get(op.schema, op.schema))

    def create_table(self, op: ops.CreateTable) -> None:
        assert not op.unique
        assert not op.checks
        constraints: Json = {}
        if op.primary_key:
            constraints["primaryKey"] = {"columns": list(op.primary_key)}
        if op.foreign_keys:
            constraints["foreignKeys"] = [self._key(key) for key in op.foreign_keys]
        facts = {"tableConstraints": constraints} if constraints else {}
        self.server.add_table(self._dataset(op.table), op.table.name, [self._field(c) for c in op.columns], **facts)

    def drop_table(self, op: ops.DropTable) -> None:
        del self._tables(op.table)[op.table.name]

    def rename_table(self, op: ops.RenameTable) -> None:
        renamed = self._tables(op.table).pop(op.table.name)
        reference = {**renamed["tableReference"], "tableId": op.to}
        self._tables(op.table)[op.to] = {**renamed, "tableReference": reference}

    def add_column(self, op: ops.AddColumn) -> None:
        self._fields(op.table).append(self._field(op.column))

    def drop_column(self, op: ops.DropColumn) -> None:
        self._fields(op.table).remove(self._column(op.table, op.column))

    def rename_column(self, op: ops.RenameColumn) -> None:
        self._column(op.table, op.column)["name"] = op.to

    def retype(self, op: ops.Retype) -> None:
        self._column(op.table, op.column).update(TOLD[op.family])

    def set_nullable(self, op: ops.SetNullable) -> None:
        self._column(op.table, op.column)["mode"] = "NULLABLE" if op.nullable else "REQUIRED"

    def set_default(self, op: ops.SetDefault) -> None:
        column = self._column(op.table, op.column)
        column.pop("defaultValueExpression", None)
        if op.default is not None:
            column["defaultValueExpression"] = op.default

    def comment(self, op: ops.Comment) -> None:
        target = self._table(op.table) if op.column is None else self._column(op.table, op.column)
        target["description"] = op.text

    def create_view(self, op: ops.CreateView) -> None:
        fields = [{**self._column(op.of, name), "mode": "NULLABLE"} for name in op.columns]
        shown = ", ".join(op.columns) + (f", '{op.literal}' AS long_text" if op.literal else "")
        query = f"SELECT {shown} FROM `{PROJECT}.{self._dataset(op.of)}.{op.of.name}`"
        fields += [{"name": "long_text", "type": "STRING"}] if op.literal else []
        view = {"query": query, "useLegacySql": False}
        self.server.add_table(self._dataset(op.view), op.view.name, fields, type="VIEW", view=view)

    def drop_view(self, op: ops.DropView) -> None:
        del self._tables(op.view)[op.view.name]

    def add_foreign_key(self, op: ops.AddForeignKey) -> None:
        self._constraints(op.table).setdefault("foreignKeys", []).append(self._key(op.key))

    def drop_constraint(self, op: ops.DropConstraint) -> None:
        keys = self._constraints(op.table)["foreignKeys"]
        keys[:] = [key for key in keys if key["name"] != op.name]

    def _dataset(self, table: ops.Table) -> str:
        return SCHEMAS.get(table.schema, table.schema)

    def _tables(self, table: ops.Table) -> dict[str, Json]:
        return self.server.tables[self._dataset(table)]

    def _table(self, table: ops.Table) -> Json:
        return self._tables(table)[table.name]

    def _fields(self, table: ops.Table) -> list[Json]:
        fields: list[Json] = self._table(table)["schema"]["fields"]
        return fields

    def _column(self, table: ops.Table, name: str) -> Json:
        return next(field for field in self._fields(table) if field["name"] == name)

    def _constraints(self, table: ops.Table) -> Json:
        found: Json = self._table(table).setdefault("tableConstraints", {})
        return found

    def _field(self, column: ops.NewColumn) -> Json:
        told: Json = {"name": column.name, **TOLD[column.family], "mode": "NULLABLE" if column.nullable else "REQUIRED"}
        if column.default is not None:
            told["defaultValueExpression"] = column.default
        if column.generated is not None:
            expression = {"generationExpression": column.generated, "stored": True}
            told["generatedColumn"] = {"generatedMode": "GENERATED_ALWAYS", "generatedExpressionInfo": expression}
        return told

    def _key(self, key: ops.ForeignKey) -> Json:
        target = {"projectId": PROJECT, "datasetId": self._dataset(key.target), "tableId": key.target.name}
        pairs = zip(key.columns, key.target_columns, strict=True)
        columns = [{"referencingColumn": mine, "referencedColumn": other} for mine, other in pairs]
        return {"name": key.name, "referencedTable": target, "columnReferences": columns}


@dataclass(frozen=True)
class BigquerySubject:
    engine = ENGINE
    schemas = SCHEMAS
    shown = SHOWN
    widest = 10_000
    longest_name = 300
    most_statements = 8

    def allows(self, name: str, kind: AssetKind) -> bool:
        """See https://cloud.google.com/bigquery/docs/tables#table_naming and the same for datasets."""
        if kind is AssetKind.SCHEMA:
            return re.fullmatch(r"\w+", name, re.ASCII) is not None
        return all(unicodedata.category(each)[0] in "LMN" or unicodedata.category(each) in _MARKS for each in name)

    @contextmanager
    def fresh(self) -> Iterator[BigquerySource]:
        with bigquery() as server:
            yield BigquerySource(server)

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        with self.fresh() as source:
            yield source.settings

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        """A key that was replaced, and one of an account that was deleted."""
        with self.fresh() as source:
            old = source.settings
            source.server.account("owner")
            deleted = source.reader
            del source.server.accounts[source.metadata_viewer.email]
            yield [old, deleted]


_MARKS = {"Pc", "Pd", "Zs"}


def told(**fields: Any) -> list[Json]:
    """Fields of a table's schema: ``told(id="INTEGER")``."""
    return [{"name": name, **(kind if isinstance(kind, dict) else {"type": kind})} for name, kind in fields.items()]


def elsewhere() -> BigquerySettings:
    """A project that is nowhere: a URL holds no key."""
    pem = _pem()
    key = {"type": "service_account", "client_email": "a@shop.iam.gserviceaccount.com", "private_key": pem}
    return BigquerySettings(project="acme-shop", key=json.dumps(key))


@cache
def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*formats).decode()


FIRST_ASKED = ("oauth2.googleapis.com", 443)
