"""A stand-in for a metastore's Thrift service, which tells of a model.

Messages are read and written by code that others generated from Hive's own interface (pymetastore, of Hive 3), so that what
the engine says by itself is understood by somebody else. TLS, SASL PLAIN, and faults on demand.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pymetastore.hive_metastore import ThriftHiveMetastore, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TMemoryBuffer, TTransportException

from metamapper.connectors.engines.hive.settings import Access, HiveSettings, Shows, SignIn
from tests.support.hive_model import LAZY, MADE, TEXT_INPUT, TEXT_OUTPUT, Model, ModelDatabase, ModelTable
from tests.support.hive_tables import Rows

LOOPBACK = "127.0.0.1"
USER, PASSWORD = "mm reader", "correct horse, battery %41 staple é"
START, OK, BAD, COMPLETE = 1, 2, 3, 5
MISSING = ttypes.NoSuchObjectException


@dataclass
class Handler:
    """What the service answers. ``before`` is called with each method's name and may raise what Hive would."""

    model: Model = field(default_factory=Model)
    before: Callable[[str], None] = lambda _: None
    asked: list[str] = field(default_factory=list)
    largest: int = 0
    """The most tables that were asked for at once."""
    users: list[str] = field(default_factory=list)

    def getVersion(self) -> str:  # noqa: N802 - Hive's name
        self._note("getVersion")
        return "3.1.0"

    def set_ugi(self, user_name: str, group_names: list[str]) -> list[str]:
        self._note("set_ugi")
        self.users.append(user_name)
        return [user_name, *group_names]

    def get_catalogs(self) -> Any:
        self._note("get_catalogs")
        return ttypes.GetCatalogsResponse(names=sorted({each.catalog for each in self.model.databases}))

    def get_databases(self, pattern: str) -> list[str]:
        self._note("get_databases")
        catalog, name = _parsed(pattern)
        assert name == "*"
        return [each.name for each in self.model.databases if each.catalog == catalog]

    def get_database(self, name: str) -> Any:
        self._note("get_database")
        found = self._found(name)
        return ttypes.Database(
            name=found.name,
            description=found.comment,
            locationUri=f"hdfs://lake/{found.name}.db",
            parameters=found.parameters,
            ownerName=found.owner,
            catalogName=found.catalog,
        )

    def get_all_tables(self, db_name: str) -> list[str]:
        self._note("get_all_tables")
        return [table.name for table in self._found(db_name).tables]

    def get_table_objects_by_name_req(self, req: Any) -> Any:
        self._note("get_table_objects_by_name_req")
        self.largest = max(self.largest, len(req.tblNames))
        database = self._found(f"@{req.catName or 'hive'}#{req.dbName}")
        found = [table for table in database.tables if table.name in set(req.tblNames)]
        assert req.capabilities.values == [ttypes.ClientCapability.INSERT_ONLY_TABLES]
        return ttypes.GetTablesResult(tables=[_table(each) for each in found])

    def _note(self, method: str) -> None:
        self.asked.append(method)
        self.before(method)

    def _found(self, name: str) -> ModelDatabase:
        place = _parsed(name)
        for each in self.model.databases:
            if (each.catalog, each.name) == place:
                return each
        raise MISSING(message=f"There is no database named {place[1]}")


def _parsed(name: str) -> tuple[str, str]:
    """``@catalog#database``, as Hive 3 has it."""
    if not name.startswith("@"):
        return "hive", name
    catalog, _, rest = name[1:].partition("#")
    return catalog, rest


def _table(table: ModelTable) -> Any:
    fields = [ttypes.FieldSchema(each.name, each.type, each.comment) for each in table.columns]
    storage = ttypes.StorageDescriptor(
        cols=fields,
        location=table.location,
        inputFormat=TEXT_INPUT,
        outputFormat=TEXT_OUTPUT,
        compressed=False,
        numBuckets=table.buckets,
        serdeInfo=ttypes.SerDeInfo(None, None if table.view is not None else LAZY, table.serde_parameters),
        bucketCols=table.bucketed_by,
        sortCols=[ttypes.Order(*each) for each in table.sorted_by],
        parameters={},
        skewedInfo=ttypes.SkewedInfo([], [], {}),
    )
    return ttypes.Table(
        tableName=table.name,
        dbName=table.database.name,
        owner=table.owner,
        createTime=MADE,
        sd=storage if table.has_storage else None,
        partitionKeys=[ttypes.FieldSchema(each.name, each.type, each.comment) for each in table.keys],
        parameters=table.parameters,
        viewOriginalText=table.view,
        viewExpandedText=table.view,
        tableType=table.type,
        catName=table.database.catalog,
    )


@dataclass
class ServiceKeeper:
    """The stand-in, where the suite's sources expect a store."""

    sasl: bool = True
    certificate: ssl.SSLContext | None = None
    is_old: bool = False
    """Whether it knows no catalogs, as before Hive 3."""
    handler: Handler = field(default_factory=Handler)
    port: int = 0
    connections: set[socket.socket] = field(default_factory=set)

    @property
    def settings(self) -> HiveSettings:
        sign_in = SignIn.PASSWORD if self.sasl else SignIn.NONE
        user, password = (USER, PASSWORD) if self.sasl else ("", "")
        return HiveSettings(
            access=Access.THRIFT, host=LOOPBACK, port=self.port, sign_in=sign_in, user=user, password=password,
            connect_timeout=5, statement_timeout=10, shows=Shows.EVERYTHING,
        )  # fmt: skip

    def put(self, rows: Rows) -> None:
        """Nothing to do: the handler tells of the model itself."""

    def cut(self) -> None:
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def running(self) -> Iterator["ServiceKeeper"]:
        with socket.create_server((LOOPBACK, 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                self.cut()
                thread.join(10)

    def _accept(self, listener: socket.socket) -> None:
        threads = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(10)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, EOFError), connection:
            if self.certificate is None:
                self._kept(connection)
                return
            with self.certificate.wrap_socket(connection, server_side=True) as secured:
                self._kept(secured)

    def _kept(self, connection: socket.socket) -> None:
        self.connections.add(connection)
        try:
            self._hold(connection)
        finally:
            self.connections.discard(connection)

    def _hold(self, connection: socket.socket) -> None:
        processor = ThriftHiveMetastore.Processor(self.handler)
        if self.is_old:
            del processor._processMap["get_catalogs"]
        if not self.sasl:
            raw = TSocket()
            raw.setHandle(connection)
            protocol = TBinaryProtocol(TBufferedTransport(raw))
            with suppress(TTransportException):
                while True:
                    processor.process(protocol, protocol)
            return
        with connection.makefile("rwb") as file:
            if _signed_in(file):
                self._answer_frames(file, processor)

    def _answer_frames(self, file: Any, processor: Any) -> None:
        while True:
            coming, going = TMemoryBuffer(_exactly(file, struct.unpack(">I", _exactly(file, 4))[0])), TMemoryBuffer()
            processor.process(TBinaryProtocol(coming), TBinaryProtocol(going))
            answer = going.getvalue()
            file.write(struct.pack(">I", len(answer)) + answer)
            file.flush()


def _signed_in(file: Any) -> bool:
    mechanism, answer = _word(file), _word(file)
    right = (START, b"PLAIN"), (OK, b"\0" + USER.encode() + b"\0" + PASSWORD.encode())
    fine = (mechanism, answer) == right
    said = b"" if fine else b"Error validating the login"
    file.write(struct.pack(">BI", COMPLETE if fine else BAD, len(said)) + said)
    file.flush()
    return fine


def _word(file: Any) -> tuple[int, bytes]:
    word, length = struct.unpack(">BI", _exactly(file, 5))
    return word, _exactly(file, length)


def _exactly(file: Any, size: int) -> bytes:
    found: bytes = file.read(size)
    if len(found) < size:
        raise EOFError
    return found


@contextmanager
def service(**facts: Any) -> Iterator[ServiceKeeper]:
    with ServiceKeeper(**facts).running() as keeper:
        yield keeper
