"""Making a connection with the real driver, python-tds, over a channel of ours: only to addresses that were checked."""

import logging
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytds

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.reach import Reach
from metamapper.connectors.reach import Route as Way
from metamapper.connectors.sql.tsql.channel import Channel, Rerouted
from metamapper.connectors.sql.tsql.entra import access_token
from metamapper.connectors.sql.tsql.errors import advised, from_server
from metamapper.connectors.sql.tsql.packets import Route
from metamapper.connectors.sql.tsql.settings import Intent, SignIn, Tls, TsqlSettings

BLOCK = 16_384
MOST_ROUTES = 3
AT_ONCE = 0.001
"""The driver tries again what a server refuses, for so many seconds: once is enough."""

# It tells every attempt and every statement, and warns that attempts take longer than a millisecond.
logging.getLogger("pytds").setLevel(logging.ERROR)

DRIVER_ERRORS = (pytds.Error, struct.error, UnicodeError, ValueError, TypeError, LookupError, AssertionError)
"""What the driver raises: its own errors, and what it stumbles over where bytes are not what they should be."""

_NEXT_ADDRESS_MAY_HELP = (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout)


@contextmanager
def dialled(settings: TsqlSettings, reach: Reach) -> Iterator[tuple[Any, Channel]]:
    """A connection in autocommit mode with what carries it, closed at the end; raises a ``ConnectorError``."""
    token = _token(settings, reach)
    deadline = monotonic() + settings.connect_timeout
    route = Route(settings.host, settings.port)
    for _ in range(MOST_ROUTES):
        try:
            connection, channel = _first_that_answers(settings, reach, route, deadline, token)
        except Rerouted as other:
            route = other.route
            continue
        break
    else:
        raise errors.ServerUnavailable("The server sends its clients round in a circle.")
    try:
        channel.signed_in(settings.statement_timeout)
        yield connection, channel
    finally:
        channel.close()


def _first_that_answers(
    settings: TsqlSettings, reach: Reach, route: Route, deadline: float, token: Callable[[], str] | None
) -> tuple[Any, Channel]:
    """Try the addresses of the host in turn, all of them within one connect time-out."""
    failure: errors.ConnectorError = errors.ConnectionTimeout()
    way = routed(settings, reach, route)
    for address in way.addresses:
        try:
            channel = open_channel(settings, (address, way.port), route, deadline)
            return _signed_in(settings, channel, route, token), channel
        except errors.ConnectorError as error:
            failure = advised(error, settings)
        if monotonic() >= deadline or not isinstance(failure, _NEXT_ADDRESS_MAY_HELP):
            break
    raise failure from None


def routed(settings: TsqlSettings, reach: Reach, route: Route | None = None) -> Way:
    """Where to connect to, checked; raises a ``ConnectorError``."""
    host, port = route or Route(settings.host, settings.port)
    if "\\" in settings.host:
        raise errors.SettingsInvalid(
            "The host is given with the name of an instance.",
            hint="Give the host alone, and the port of the instance: SQL Server Configuration Manager shows it.",
        )
    return reach.route(host, port)


def open_channel(settings: TsqlSettings, where: tuple[str, int], route: Route, deadline: float) -> Channel:
    return Channel(*where, name=route.host, trust=_trust(settings), seconds=max(deadline - monotonic(), AT_ONCE))


def _trust(settings: TsqlSettings) -> ssl.SSLContext | None:
    """Whom to trust; None where nothing is encrypted."""
    if settings.tls_mode is Tls.OFF:
        return None
    if settings.tls_mode is Tls.UNVERIFIED:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = trusting(settings.ca_certificate)
    # A handshake within packets is of TLS 1.2 at the most: 1.3 goes with TDS 8 only.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _token(settings: TsqlSettings, reach: Reach) -> Callable[[], str] | None:
    """Asked for once: the driver may need it for every server that it is sent to."""
    if settings.sign_in is not SignIn.SERVICE_PRINCIPAL:
        return None
    token = access_token(settings, reach)
    return lambda: token


def _signed_in(settings: TsqlSettings, channel: Channel, route: Route, token: Callable[[], str] | None) -> Any:
    who = {"access_token_callable": token} if token else {"user": settings.user, "password": settings.password}
    try:
        return pytds.connect(
            dsn=route.host,
            port=route.port,
            database=settings.database,
            appname="metamapper",
            autocommit=True,
            blocksize=BLOCK,
            readonly=settings.intent is Intent.READ_ONLY,
            login_timeout=AT_ONCE,
            disable_connect_retry=True,
            sock=channel,
            **who,
        )
    except TimeoutError as error:
        channel.close()
        raise from_server(error.__cause__ or error, settings) from None
    except DRIVER_ERRORS as error:
        channel.close()
        raise from_server(error, settings) from None
    except BaseException:
        channel.close()
        raise
