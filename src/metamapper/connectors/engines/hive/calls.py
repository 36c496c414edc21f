"""Every call that a read makes of the Thrift service. None of them writes; no other is made.

A service of Hive 3 and later takes the catalog within the name of a database, ``@catalog#database``, and by itself where a
request has a field for it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.protocol.TProtocol import TProtocolException
from thrift.Thrift import TApplicationException, TException, TMessageType
from thrift.transport.TTransport import TBufferedTransport

from metamapper.connectors import errors
from metamapper.connectors.base import Statement
from metamapper.connectors.engines.hive import structs
from metamapper.connectors.engines.hive.channel import Channel
from metamapper.connectors.engines.hive.settings import HiveSettings, SignIn
from metamapper.connectors.sql.statements import StatementLog

LONGEST_TEXT = 64 << 20
MOST_ITEMS = 2_000_000
_FAILED = (structs.Raised, TApplicationException)
"""What a service answers in place of an answer."""
_GARBLED = (TProtocolException, TException, UnicodeError, OverflowError, MemoryError, ValueError, TypeError, EOFError)
"""What the library trips over where the other side does not speak the protocol."""


class Unknown(errors.VersionUnsupported):
    """The service has no such call: it is older, or built without it."""


class Service:
    """The calls of one session. One thread calls; ``cancel`` may come from another."""

    def __init__(self, channel: Channel, settings: HiveSettings) -> None:
        self._channel = channel
        self._cancelled = Event()
        self._number = 0
        self._protocol = TBinaryProtocolAccelerated(
            TBufferedTransport(channel, 1 << 16),
            fallback=False,
            string_length_limit=LONGEST_TEXT,
            container_length_limit=MOST_ITEMS,
        )
        self.log = StatementLog()
        with self.recorded("getVersion()") as statement:
            if settings.sign_in is SignIn.NONE and settings.user:
                self._call("set_ugi", statement, user_name=settings.user, group_names=[])
            self.version = self._version(statement)
        channel.ready(settings.statement_timeout)

    def _version(self, statement: Statement) -> str:
        try:
            return str(self._call("getVersion", statement) or "unknown")
        except Unknown:
            return "unknown"

    def catalogs(self) -> list[str]:
        """The names of the catalogs; none where there are none yet, before Hive 3."""
        with self.recorded("get_catalogs()") as statement:
            try:
                answer = self._call("get_catalogs", statement)
            except Unknown:
                return []
            names = list(answer.names or ())
            statement.rows = len(names)
            return names

    def databases(self, catalog: str | None) -> list[str]:
        with self.recorded(f"get_databases({_within(catalog, '*')!r})") as statement:
            names = list(self._call("get_databases", statement, pattern=_within(catalog, "*")) or ())
            statement.rows = len(names)
            return names

    def database(self, catalog: str | None, name: str, statement: Statement) -> Any:
        """Raises ``DatabaseUnknown`` where it is gone."""
        return self._call("get_database", statement, name=_within(catalog, name))

    def table_names(self, catalog: str | None, database: str, statement: Statement) -> list[str]:
        return list(self._call("get_all_tables", statement, db_name=_within(catalog, database)) or ())

    def tables(self, catalog: str | None, database: str, names: Sequence[str], statement: Statement) -> list[Any]:
        """Those of the tables that are still there."""
        request = structs.GetTablesRequest(
            dbName=database,
            tblNames=list(names),
            capabilities=structs.Capabilities(values=[structs.INSERT_ONLY_TABLES]),
            catName=catalog,
        )
        answer = self._call("get_table_objects_by_name_req", statement, req=request)
        return [each for each in answer.tables or () if each is not None]

    @contextmanager
    def recorded(self, text: str) -> Iterator[Statement]:
        """A statement that may take several calls, each of which adds to its rows."""
        with self.log.sent(text.partition("(")[0], text) as statement:
            statement.rows = 0
            yield statement

    def pause(self, seconds: float) -> None:
        """Wait, or raise ``Cancelled`` as soon as somebody cancels."""
        self._cancelled.wait(seconds)
        self.check()

    def check(self) -> None:
        if self._cancelled.is_set():
            raise errors.Cancelled

    def cancel(self) -> None:
        """End what is under way, and let nothing else begin; the service notices when it answers. Never raises."""
        self._cancelled.set()
        self._channel.shut()

    def _call(self, method: str, statement: Statement, /, **arguments: Any) -> Any:
        """What a call gives; raises a ``ConnectorError``, or ``Unknown``."""
        self.check()
        try:
            return self._answered(method, arguments)
        except errors.ConnectorError:
            self.check()
            raise
        except (*_FAILED, *_GARBLED) as error:
            self.check()
            raise _of(error, statement) from None

    def _answered(self, name: str, arguments: dict[str, Any]) -> Any:
        method, protocol = structs.METHODS[name], self._protocol
        self._number += 1
        protocol.writeMessageBegin(name, TMessageType.CALL, self._number)
        method.takes(**arguments).write(protocol)
        protocol.writeMessageEnd()
        protocol.trans.flush()
        said, kind, number = protocol.readMessageBegin()
        if kind == TMessageType.EXCEPTION:
            failure = TApplicationException()
            failure.read(protocol)
            protocol.readMessageEnd()
            if failure.type == TApplicationException.UNKNOWN_METHOD:
                raise Unknown(f"The service does not know {name}.", hint="Hive 2.3 and later are read.")
            raise failure
        if said != name or number != self._number:
            raise errors.ServerForeign(hint="It answers something that was not asked: check the port.")
        result = method.gives()
        result.read(protocol)
        protocol.readMessageEnd()
        for field in result.__slots__[1:]:
            raised = getattr(result, field)
            if raised is not None:
                raise raised
        return result.success


def _within(catalog: str | None, name: str) -> str:
    return name if catalog is None else f"@{catalog}#{name}"


def _of(error: Exception, statement: Statement) -> errors.ConnectorError:
    """The error of a call that failed, or that was answered with a failure."""
    said = " ".join(str(getattr(error, "message", None) or error).split())[:500]
    if isinstance(error, (structs.NoSuchObjectException, structs.UnknownDBException)):
        return errors.DatabaseUnknown(server_said=said)
    if isinstance(error, structs.Raised) and _is_refusal(said):
        return errors.PermissionMissing(
            server_said=said, hint="Let the service's authorizer (Ranger, storage rights …) show it to this user."
        )
    if isinstance(error, _FAILED):
        return errors.ServerUnavailable(
            f"{statement.label}: the service failed.",
            server_said=said,
            hint="Its log says why; the next attempt may succeed.",
        )
    return errors.ServerForeign(
        hint="What answers on this port does not speak Thrift as a metastore does: check the port."
    )


_REFUSALS = ("permission denied", "not authorized", "not have privileges", "accesscontrolexception", "authorization")


def _is_refusal(said: str) -> bool:
    return any(word in said.lower() for word in _REFUSALS)
