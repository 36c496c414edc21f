"""Making a connection with every parameter given: no option file of the worker's has a say, and no file of it is sent."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor, SSCursor

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.reach import Reach, Route
from metamapper.connectors.sql.mysql.errors import GARBLED, from_connecting
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls

GRACE = 30
"""Seconds beyond the server's own time-out until a server that says nothing is given up."""
_NEXT_ADDRESS_MAY_HELP = (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout)
_IN_CLEAR = ("mysql_clear_password", "dialog", "mysql_old_password")
"""Ways to sign in that would show the password, or a hash as good as it, to whoever listens."""


if TYPE_CHECKING:
    _Connection = Connection[Cursor]
else:
    _Connection = Connection  # generic only to those who check types


class Wire(_Connection):
    """The driver's connection, with an end that reads nothing more, whatever was left unread."""

    _sock: socket.socket | None
    _result: Any
    was_secured = False
    """Whether it was encrypted, also where it is closed by now."""

    def _force_close(self) -> None:
        self.was_secured = self.was_secured or self.secured is not None
        super()._force_close()  # type: ignore[misc]  # the driver's own, called wherever a connection breaks

    def trust_this_machine(self) -> None:
        """Over a unix socket a server takes the password as it is, as it does over TLS."""
        self._secure = True

    def wait_for(self, seconds: float) -> None:
        """How long to wait for each answer from now on."""
        self._read_timeout = seconds

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Rows as they arrive. Where the reader leaves early the connection ends: the rest would have to be read."""
        cursor = self.cursor(SSCursor)
        finished = False
        try:
            cursor.execute(sql)
            yield from cursor
            finished = True
        finally:
            if not finished:
                self.close()

    def close(self) -> None:
        """Once is enough, and twice does no harm."""
        if self._result is not None:
            self._result.unbuffered_active = False
        if self.open:
            super().close()

    def shut(self) -> None:
        """Wake up whoever waits for an answer; for other threads."""
        if self._sock is not None:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)

    @property
    def secured(self) -> ssl.SSLSocket | None:
        return self._sock if isinstance(self._sock, ssl.SSLSocket) else None


class _Refused:
    """Does not sign in: the server asks for the password in clear, and nothing encrypts it."""

    def __init__(self, connection: object) -> None:
        del connection

    def authenticate(self, packet: object) -> None:
        del packet
        raise pymysql.OperationalError(2059, "The server asks for the password in clear, without TLS: it was not sent.")


@contextmanager
def dialled(settings: MysqlSettings, reach: Reach) -> Iterator[Wire]:
    """An open connection in autocommit mode, closed at the end; raises a ``ConnectorError``."""
    with closing(signed_in(connected(settings, reach), settings)) as connection:
        yield connection


def connected(settings: MysqlSettings, reach: Reach) -> socket.socket:
    """A connection to the first address of the host that answers, all of them within one connect time-out."""
    deadline = monotonic() + settings.connect_timeout
    failure: errors.ConnectorError = errors.ConnectionTimeout()
    route = routed(settings, reach)
    for address in route.addresses:
        try:
            return _opened((address, route.port), settings, seconds=max(0.1, deadline - monotonic()))
        except OSError as error:
            failure = from_connecting(error, settings)
        if monotonic() >= deadline or not isinstance(failure, _NEXT_ADDRESS_MAY_HELP):
            break
    raise failure from None


def routed(settings: MysqlSettings, reach: Reach) -> Route:
    """Where to connect to, checked; a socket's path is its own. Raises a ``ConnectorError``."""
    if not settings.is_socket:
        return reach.route(settings.host, settings.port)
    if not reach.sockets:
        raise errors.SettingsInvalid("A unix socket is not allowed here.", hint="Give the name or address of a host.")
    return Route((settings.host,), settings.port, "A unix socket of this machine")


def _opened(where: tuple[str, int], settings: MysqlSettings, *, seconds: float) -> socket.socket:
    if settings.is_socket:
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(seconds)
        try:
            local.connect(where[0])
        except OSError:
            local.close()
            raise
        return local
    made = socket.create_connection(where, timeout=seconds)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return made


def signed_in(made: socket.socket, settings: MysqlSettings) -> Wire:
    """A session over a connection that was made; raises a ``ConnectorError``, and then that connection is closed."""
    connection = None
    try:
        connection = _wire(settings)
        if settings.is_socket:
            connection.trust_this_machine()
        connection.connect(made)
    except (pymysql.Error, OSError, *GARBLED) as error:
        made.close()
        failure = from_connecting(error, settings)
        failure.in_clear = connection is not None and not connection.was_secured
        raise failure from None
    except errors.ConnectorError:
        made.close()
        raise
    connection.wait_for(settings.statement_timeout + GRACE)
    return connection


def _wire(settings: MysqlSettings) -> Wire:
    """Every parameter that matters; ``host`` is only what the certificate must say."""
    mode = settings.tls_mode
    return Wire(
        host="localhost" if settings.is_socket else settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.encode(),
        database=settings.database or None,
        charset="utf8mb4",
        autocommit=True,
        program_name="metamapper",
        read_timeout=settings.connect_timeout,
        write_timeout=settings.connect_timeout,
        ssl=None if mode is Tls.OFF else context(settings),
        ssl_disabled=mode is Tls.OFF,
        auth_plugin_map=dict.fromkeys(_IN_CLEAR, _Refused) if mode is Tls.OFF and not settings.is_socket else {},
        local_infile=False,
        defer_connect=True,
    )


def context(settings: MysqlSettings) -> ssl.SSLContext:
    """Trust the authorities that were given, else this machine's; in the mode "unverified", which says so, anybody."""
    if settings.tls_mode is Tls.UNVERIFIED:
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        return anybody
    return trusting(settings.ca_certificate)
