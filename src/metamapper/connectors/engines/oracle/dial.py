"""Making a connection in the driver's thin mode, with everything given: no variable and no file of the worker's has a say."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any

import oracledb

from metamapper.connectors import errors
from metamapper.connectors.engines.oracle.errors import from_driver
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.engines.oracle.watch import watching
from metamapper.connectors.reach import Reach

NOWHERE = "/nonexistent/metamapper"
"""A path that is no folder: no tnsnames.ora or sqlnet.ora is looked at."""
KEEPALIVE_MINUTES = 1


class Line:
    """An open connection, and a way to end it from another thread."""

    def __init__(self, connection: oracledb.Connection, hang_up: Any) -> None:
        self.connection = connection
        self._hang_up = hang_up

    def cancel(self) -> None:
        """Ask the server to stop what runs; where it cannot be asked, hang up. Raises nothing."""
        try:
            self.connection.cancel()
        except (oracledb.Error, OSError):
            self._hang_up()


@contextmanager
def dialled(settings: OracleSettings, reach: Reach) -> Iterator[Line]:
    """An open connection, closed at the end; raises a ``ConnectorError``."""
    route = reach.route(settings.host, settings.port)
    host = route.addresses[0] if reach.way else settings.host
    with watching(reach) as watch:
        limit = Timer(settings.connect_timeout, watch.hang_up)
        limit.start()
        try:
            connection = oracledb.connect(**parameters(settings, (host, route.port)))
        except (oracledb.Error, OSError, errors.AddressDenied) as error:
            watch.abandon()
            if watch.denied:
                raise watch.denied from None
            raise from_driver(error, settings, connecting=True, gave_up=watch.gave_up) from None
        finally:
            limit.cancel()
    try:
        connection.call_timeout = settings.statement_timeout * 1000
        connection.module = "metamapper"
        yield Line(connection, watch.hang_up)
    finally:
        with suppress(oracledb.Error, OSError):
            connection.close()
        watch.close()


def parameters(settings: OracleSettings, where: tuple[str, int]) -> dict[str, Any]:
    """Every parameter that decides where the driver goes and as whom. Raises ``SettingsInvalid``."""
    if bool(settings.service) == bool(settings.sid):
        raise errors.SettingsInvalid("A service name or a SID is needed, one of them.")
    encrypted = settings.tls is not Tls.OFF
    behind = "" if where[0] == settings.host else settings.host
    return {
        "host": where[0],
        "port": where[1],
        "service_name": settings.service or None,
        "sid": settings.sid or None,
        "user": settings.user,
        "password": settings.password or " ",  # a blank one would be no sign-in by password at all
        "protocol": "tcps" if encrypted else "tcp",
        "ssl_context": trusting(settings, behind=behind) if encrypted else None,
        "ssl_server_dn_match": settings.tls is Tls.VERIFY and not behind,
        "tcp_connect_timeout": settings.connect_timeout,
        "retry_count": 0,
        "expire_time": KEEPALIVE_MINUTES,
        "disable_oob": True,  # an urgent byte does not pass through a tunnel
        "config_dir": NOWHERE,
        "program": "metamapper",
        "osuser": "metamapper",
    }


class _Named(ssl.SSLContext):
    """Asks for the name of the server behind a tunnel, whatever the driver connects to; a blank one leaves it to the driver.

    The driver, which compares names itself, turns this language's own comparison off before each handshake.
    """

    name = ""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        if not self.name:
            return super().wrap_socket(*args, **options)
        self.check_hostname = self.verify_mode is ssl.CERT_REQUIRED
        return super().wrap_socket(*args, **options | {"server_hostname": self.name})


def trusting(settings: OracleSettings, *, behind: str = "") -> ssl.SSLContext:
    """Whom to trust and as whom to appear; the server's name is compared by the driver, as Oracle compares it.

    ``behind`` is the name of a server behind a tunnel, of which the driver knows nothing: that one is compared here.
    """
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.name = behind
    context.check_hostname = False
    authority = settings.ca_certificate.strip()
    try:
        if settings.tls is Tls.UNVERIFIED:
            context.verify_mode = ssl.CERT_NONE
        if authority:
            context.load_verify_locations(cadata=authority)
        else:
            context.load_default_certs()
        if settings.wallet.strip():
            _open_wallet(context, settings)
    except (ssl.SSLError, ValueError, TypeError):
        raise errors.SettingsInvalid(
            "The certificate authority or the wallet is not PEM text, or the wallet's password is another one.",
            hint="A wallet is pasted as the text of its ewallet.pem.",
        ) from None
    return context


def _open_wallet(context: ssl.SSLContext, settings: OracleSettings) -> None:
    """Python takes certificates from a file only; the key in it stays encrypted with the wallet's password."""
    with tempfile.TemporaryDirectory(prefix="metamapper-") as folder:
        path = Path(folder) / "ewallet.pem"
        path.write_text(settings.wallet, encoding="ascii", errors="replace")
        context.load_verify_locations(path)
        context.load_cert_chain(path, password=settings.wallet_password)
