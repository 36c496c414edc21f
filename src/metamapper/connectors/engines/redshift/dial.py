"""Making a connection: to an address that was checked, TLS verified here, then the driver's own sign-in over it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import redshift_connector
from redshift_connector.core import Connection as DriverConnection

from metamapper.connectors import authorities, errors
from metamapper.connectors.engines.redshift.errors import DRIVER_ERRORS, connection_failed, from_driver, tls_failed
from metamapper.connectors.engines.redshift.iam import Account, account
from metamapper.connectors.engines.redshift.relay import Relay, relayed
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, Tls
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.greeting import OFFERED, knock, unverifying

CANCEL_CODE = 80877102
"""What stands for a protocol version in a request to cancel. See "CancelRequest" in PostgreSQL's protocol pages."""
TEXT_PROTOCOL = 0
"""The driver's number for a server that sends text, as every Redshift can."""
AMAZON_AUTHORITIES = Path(redshift_connector.__file__).parent / "files" / "redshift-ca-bundle.crt"

GRACE_SECONDS = 30
"""The server ends a statement at its time-out: one that has not said so by then is gone."""

_NEXT_ADDRESS_MAY_HELP = (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout)
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class Connection(DriverConnection):
    """The driver's connection, which leaves nothing open where signing in fails."""

    def __init__(self, **parameters: Any) -> None:
        try:
            super().__init__(**parameters)
        except BaseException:
            self.release()
            raise

    @property
    def key(self) -> bytes:
        """What proves to the server that a request to cancel comes from whoever has this session."""
        return self._backend_key_data or b""

    def release(self) -> None:
        """Close without another word to the server, which may be gone."""
        for part in (getattr(self, "_sock", None), getattr(self, "_usock", None)):
            with suppress(OSError, ValueError):
                if part is not None:
                    part.close()


class Line:
    """An open session with what it takes to cancel it: another connection to the same address."""

    def __init__(
        self, connection: Connection, where: tuple[str, int], relay: Relay, settings: RedshiftSettings
    ) -> None:
        self.connection = connection
        self._key = connection.key
        self._where = where
        self._relay = relay
        self._settings = settings

    def cancel(self) -> None:
        """Ask the server to stop what runs; where it cannot be asked, hang up. Raises nothing."""
        try:
            with wire_to(self._where, self._settings) as wire:
                wire.sendall((8 + len(self._key)).to_bytes(4) + CANCEL_CODE.to_bytes(4) + self._key)
        except (errors.ConnectorError, OSError):
            self._relay.end()


@contextmanager
def dialled(settings: RedshiftSettings, reach: Reach, who: Account | None = None) -> Iterator[Line]:
    """An open connection in autocommit mode, closed at the end; raises a ``ConnectorError``."""
    who = who or account(settings, reach)
    with (
        _first_that_answers(settings, reach) as (wire, where),
        relayed(wire, patience=settings.connect_timeout) as relay,
    ):
        connection = _signed_in(settings, who, relay)
        relay.signed_in(settings.statement_timeout + GRACE_SECONDS)
        connection.autocommit = True
        try:
            yield Line(connection, where, relay, settings)
        finally:
            with suppress(*DRIVER_ERRORS):
                connection.close()
            connection.release()


def _signed_in(settings: RedshiftSettings, who: Account, relay: Relay) -> Connection:
    try:
        return Connection(
            user=who.user,
            password=who.password,
            database=settings.database,
            unix_sock=relay.path,
            ssl=False,
            tcp_keepalive=False,
            application_name="metamapper",
            client_protocol_version=TEXT_PROTOCOL,
        )
    except DRIVER_ERRORS as error:
        if relay.gave_up:
            raise errors.ConnectionTimeout(
                hint="Check that the port is Redshift's: what listens says nothing."
            ) from None
        raise from_driver(error, settings, who.secrets, connecting=True) from None


@contextmanager
def _first_that_answers(settings: RedshiftSettings, reach: Reach) -> Iterator[tuple[socket.socket, tuple[str, int]]]:
    """Try the addresses of the host in turn, all of them within one connect time-out."""
    deadline = monotonic() + settings.connect_timeout
    failure: errors.ConnectorError = errors.ConnectionTimeout()
    route = reach.route(settings.host, settings.port)
    for address in route.addresses:
        where = (address, route.port)
        opening = wire_to(where, settings, seconds=max(1, deadline - monotonic()))
        try:
            wire = opening.__enter__()
        except _NEXT_ADDRESS_MAY_HELP as error:
            failure = error
            if monotonic() >= deadline:
                break
            continue
        try:
            yield wire, where
        finally:
            opening.__exit__(None, None, None)
        return
    raise failure from None


@contextmanager
def wire_to(
    where: tuple[str, int], settings: RedshiftSettings, *, seconds: float | None = None
) -> Iterator[socket.socket]:
    """A connection to this address and port, encrypted and verified as the settings say; raises a ``ConnectorError``."""
    seconds = seconds or settings.connect_timeout
    if settings.tls is Tls.OFF:
        with _plain(where, settings, seconds) as raw:
            yield _kept_alive(raw)
        return
    context, failed = trusting(settings), partial(connection_failed, settings=settings)
    with knock(where, seconds, failed, language="PostgreSQL") as (raw, answer):
        if answer != OFFERED:
            raise tls_failed("the server offers no TLS", settings)
        with _encrypted(_kept_alive(raw), settings, context) as wire:
            yield wire


def _plain(where: tuple[str, int], settings: RedshiftSettings, seconds: float) -> socket.socket:
    try:
        return socket.create_connection(where, timeout=seconds)
    except OSError as error:
        raise connection_failed(error, settings) from None


def _encrypted(raw: socket.socket, settings: RedshiftSettings, context: ssl.SSLContext) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(raw, server_hostname=settings.host)
    except ssl.SSLCertVerificationError as error:
        raise tls_failed(error.verify_message, settings) from None
    except TimeoutError as error:
        raise connection_failed(error, settings) from None
    except OSError as error:
        raise tls_failed(str(error), settings) from None


def trusting(settings: RedshiftSettings) -> ssl.SSLContext:
    """Whom to trust: the authority that the settings name, else Amazon's own and this machine's; or anybody."""
    if settings.tls is Tls.UNVERIFIED:
        return unverifying()
    context = authorities.trusting(settings.ca_certificate)
    if not settings.ca_certificate.strip() and AMAZON_AUTHORITIES.is_file():
        context.load_verify_locations(AMAZON_AUTHORITIES)
    return context


def _kept_alive(wire: socket.socket) -> socket.socket:
    """So that a host that vanished is noticed within a minute, and no firewall forgets a session that waits."""
    # A question goes out in pieces, each of which would wait until the one before it is acknowledged.
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return wire
