"""A real metastore for the conformance suite, changed through its service as Hive and Spark change it, read by either door."""

import dataclasses
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from msgspec.structs import replace
from pymetastore.hive_metastore import ThriftHiveMetastore, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from metamapper.connectors.base import Ability, Capability, Engine, EngineSettings, Support
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.hive import ENGINE
from metamapper.connectors.engines.hive.settings import Access, HiveSettings, Shows, SignIn
from metamapper.connectors.reach import Reach
from metamapper.schema import AssetKind
from tests.engines.hive.subject import SERVICE
from tests.support.hive import Metastore
from tests.support.hive_model import LAZY, TEXT_INPUT, TEXT_OUTPUT, TYPES
from tests.support.wire import LOOPBACK

HIVE_2 = dict.fromkeys(
    (Ability.NOT_NULL, Ability.DEFAULTS, Ability.UNIQUE_KEYS, Ability.CHECK_CONSTRAINTS, Ability.ALTER_COLUMN),
    Capability(Support.NEVER, "Hive 2.3 keeps primary and foreign keys only."),
)
OPEN = {Ability.PASSWORDS: Capability(Support.NEVER, "The service of 2.3 signs in with Kerberos or not at all.")}


def narrowed(engine: Engine, gaps: Mapping[Ability, Capability]) -> Engine:
    return dataclasses.replace(engine, capabilities={**engine.capabilities, **gaps})


@contextmanager
def client(metastore: Metastore) -> Iterator[Any]:
    """Hive's own interface, as its clients have it."""
    made = TSocket(LOOPBACK, metastore.port)
    made.open()
    with closing(made):
        yield ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(TBufferedTransport(made)))


class Cutter:
    """A port that leads to the service, until everything that goes through it is cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join(10)
        for each in (self._listener, *self._open):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                inside, _ = self._listener.accept()
                outside = socket.create_connection((LOOPBACK, self._target))
                self._open += [inside, outside]
                for way in ((inside, outside), (outside, inside)):
                    self._threads.append(threading.Thread(target=_pass, args=way, daemon=True))
                    self._threads[-1].start()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_RDWR)


@dataclass
class LiveSource:
    metastore: Metastore
    schemas: Mapping[str, str]
    access: Access
    port: int
    cutter: Cutter
    made: list[str] = field(default_factory=list)

    @property
    def settings(self) -> HiveSettings:
        common = {"access": self.access, "host": LOOPBACK, "connect_timeout": 5}
        if self.access is Access.THRIFT:
            return HiveSettings(**common, port=self.port, sign_in=SignIn.NONE, shows=Shows.EVERYTHING)
        port = urlsplit(self.metastore.url).port or 0
        return HiveSettings(**common, port=port, database="metastore", user="postgres")

    @property
    def reach(self) -> Reach:
        return Reach()

    def aimed_at(self, host: str, port: int) -> HiveSettings:
        return replace(self.settings, host=host, port=port, connect_timeout=2, password="a planted secret")

    def cut(self) -> None:
        self.cutter.cut()
        with psycopg.connect(self.metastore.url, autocommit=True) as connection:
            mine = "application_name = 'metamapper' AND datname = current_database()"
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")  # type: ignore[arg-type]

    def perform(self, *operations: ops.Operation) -> None:
        with client(self.metastore) as hive:
            for operation in operations:
                Change(self, hive).make(operation)

    def name(self, place: str) -> str:
        return self.schemas.get(place, place)


@dataclass
class Change:
    """One operation of the suite in Hive's words."""

    source: LiveSource
    hive: Any

    def make(self, op: ops.Operation) -> None:
        match op:
            case ops.CreateSchema():
                self.database(self.source.name(op.schema))
            case ops.CreateTable():
                self._create(op)
            case ops.DropTable(table) | ops.DropView(table):
                self.hive.drop_table(self.source.name(table.schema), table.name, True)
            case ops.CreateView():
                self._create_view(op)
            case ops.AddForeignKey():
                self.hive.add_foreign_key(ttypes.AddForeignKeyRequest(self._keys(op.table, op.key)))
            case ops.DropConstraint():
                where = (self.source.name(op.table.schema), op.table.name)
                self.hive.drop_constraint(ttypes.DropConstraintRequest(*where, op.name))
            case _:
                self._alter(op)

    def database(self, name: str) -> None:
        self.source.made.append(name)
        place = f"{self.source.metastore.warehouse}/{name}.db"
        self.hive.create_database(ttypes.Database(name=name, locationUri=place, parameters={}))

    def table(self, table: ops.Table, columns: Sequence[Any], **facts: Any) -> Any:
        schema = self.source.name(table.schema)
        storage = ttypes.StorageDescriptor(
            cols=list(columns), location=None, inputFormat=TEXT_INPUT, outputFormat=TEXT_OUTPUT,
            compressed=False, numBuckets=-1, serdeInfo=ttypes.SerDeInfo(None, LAZY, {"serialization.format": "1"}),
            bucketCols=[], sortCols=[], parameters={},
        )  # fmt: skip
        if "viewOriginalText" not in facts:
            storage.location = f"{self.source.metastore.warehouse}/{schema}.db/{uuid.uuid4().hex}"
        given: dict[str, Any] = {"tableType": "MANAGED_TABLE", "parameters": {}, "partitionKeys": []} | facts
        return ttypes.Table(
            tableName=table.name, dbName=schema, owner="hive", createTime=int(time.time()), sd=storage, **given
        )

    def _create(self, op: ops.CreateTable) -> None:
        made = self.table(op.table, [ttypes.FieldSchema(each.name, TYPES[each.family]) for each in op.columns])
        schema, name = made.dbName, op.table.name
        primary = [
            ttypes.SQLPrimaryKey(schema, name, column, place, f"pk_{uuid.uuid4().hex[:12]}", False, False, True)
            for place, column in enumerate(op.primary_key, start=1)
        ]
        for each in primary:
            each.pk_name = primary[0].pk_name
        foreign = [each for key in op.foreign_keys for each in self._keys(op.table, key)]
        self.hive.create_table_with_constraints(made, primary, foreign, None, None, None, None)

    def _keys(self, table: ops.Table, key: ops.ForeignKey) -> list[Any]:
        own, target = self.source.name(table.schema), self.source.name(key.target.schema)
        parent = self.hive.get_primary_keys(ttypes.PrimaryKeysRequest(target, key.target.name)).primaryKeys
        primary = parent[0].pk_name if parent else None
        return [
            ttypes.SQLForeignKey(
                target,
                key.target.name,
                theirs,
                own,
                table.name,
                ours,
                place,
                0,
                0,
                key.name,
                primary,
                False,
                False,
                True,
            )
            for place, (ours, theirs) in enumerate(zip(key.columns, key.target_columns, strict=True), start=1)
        ]

    def _create_view(self, op: ops.CreateView) -> None:
        of = self.hive.get_table(self.source.name(op.of.schema), op.of.name)
        types = {each.name: each.type for each in of.sd.cols}
        columns = [ttypes.FieldSchema(name, types[name]) for name in op.columns]
        shown = ", ".join(f"`{name}`" for name in op.columns)
        if op.literal is not None:
            shown += f", '{op.literal}' AS `long_text`"
            columns.append(ttypes.FieldSchema("long_text", "string"))
        text = f"SELECT {shown} FROM `{of.dbName}`.`{of.tableName}`"
        view = self.table(op.view, columns, tableType="VIRTUAL_VIEW", viewOriginalText=text, viewExpandedText=text)
        self.hive.create_table(view)

    def _alter(self, op: Any) -> None:
        schema, name = self.source.name(op.table.schema), op.table.name
        told = self.hive.get_table(schema, name)
        columns = told.sd.cols
        match op:
            case ops.RenameTable():
                told.tableName = op.to
            case ops.MoveTable():
                told.dbName = self.source.name(op.to_schema)
            case ops.AddColumn():
                columns.append(ttypes.FieldSchema(op.column.name, TYPES[op.column.family]))
            case ops.DropColumn():
                told.sd.cols = [each for each in columns if each.name != op.column]
            case ops.RenameColumn():
                _named(columns, op.column).name = op.to
            case ops.Retype():
                _named(columns, op.column).type = TYPES[op.family]
            case ops.Comment(column=None):
                told.parameters["comment"] = op.text
            case ops.Comment():
                _named(columns, op.column).comment = op.text
            case _:
                raise NotImplementedError(f"Hive 2.3 has no {type(op).__name__}")
        with self._without_keys(schema, name, op):
            self.hive.alter_table(schema, name, told)

    @contextmanager
    def _without_keys(self, schema: str, name: str, op: Any) -> Iterator[None]:
        """Hive 2.3 cannot change the columns of a table that a key names: keys go before, and come back afterwards."""
        if isinstance(op, ops.RenameTable | ops.MoveTable) or (isinstance(op, ops.Comment) and op.column is None):
            yield
            return
        primary = self.hive.get_primary_keys(ttypes.PrimaryKeysRequest(schema, name)).primaryKeys
        pairs = {pair for other in self.hive.get_all_tables(schema) for pair in ((name, other), (other, name))}
        asked = (ttypes.ForeignKeysRequest(schema, parent, schema, child) for parent, child in sorted(pairs))
        foreign = [each for one in asked for each in self.hive.get_foreign_keys(one).foreignKeys]
        for table, key in {(each.fktable_name, each.fk_name) for each in foreign}:
            self.hive.drop_constraint(ttypes.DropConstraintRequest(schema, table, key))
        for key in {each.pk_name for each in primary}:
            self.hive.drop_constraint(ttypes.DropConstraintRequest(schema, name, key))
        yield
        if primary:
            self.hive.add_primary_key(ttypes.AddPrimaryKeyRequest(primary))
        for key in {each.fk_name for each in foreign}:
            parts = [each for each in foreign if each.fk_name == key]
            self.hive.add_foreign_key(ttypes.AddForeignKeyRequest(parts))


def _named(columns: Sequence[Any], name: str | None) -> Any:
    return next(each for each in columns if each.name == name)


@dataclass(frozen=True)
class LiveSubject:
    metastore: Metastore
    access: Access
    names: tuple[str, str] = field(default_factory=lambda: (f"mm_{uuid.uuid4().hex[:8]}", f"mm_{uuid.uuid4().hex[:8]}"))
    shown = TYPES
    widest = 1_000
    longest_name = 128
    most_statements = 15

    @property
    def engine(self) -> Engine:
        return narrowed(SERVICE, OPEN) if self.access is Access.THRIFT else narrowed(ENGINE, HIVE_2 | OPEN)

    @property
    def schemas(self) -> Mapping[str, str]:
        return {"main": self.names[0], "other": self.names[1]}

    def allows(self, name: str, kind: AssetKind) -> bool:
        """Hive takes ASCII letters, digits and _, and folds letters to lower case."""
        return name.isascii() and name.replace("_", "").isalnum() and name == name.lower()

    @contextmanager
    def fresh(self) -> Iterator[LiveSource]:
        with closing(Cutter(self.metastore.port)) as cutter:
            source = LiveSource(self.metastore, self.schemas, self.access, cutter.port, cutter)
            with client(self.metastore) as hive:
                Change(source, hive).database(self.names[0])
            try:
                yield source
            finally:
                with client(self.metastore) as hive:
                    for name in source.made:
                        hive.drop_database(name, True, True)

    @contextmanager
    def right_password(self) -> Iterator[EngineSettings]:
        raise NotImplementedError(OPEN[Ability.PASSWORDS].reason)

    @contextmanager
    def wrong_passwords(self) -> Iterator[Sequence[EngineSettings]]:
        raise NotImplementedError(OPEN[Ability.PASSWORDS].reason)
