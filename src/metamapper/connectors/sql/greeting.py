"""Greeting a server that speaks PostgreSQL's protocol: whether one listens, whether it offers TLS, who vouches for it."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.diagnosis import Finding

SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
"""The first packet of a client that wants TLS; the server answers S or N. See "SSLRequest" in the protocol's pages."""
OFFERED = b"S"

Failed = Callable[[OSError], errors.ConnectorError]
"""The engine's own error for a bare connection that failed."""


@contextmanager
def knock(
    where: tuple[str, int], seconds: float, failed: Failed, *, language: str
) -> Iterator[tuple[socket.socket, bytes]]:
    """A new connection on which TLS was asked for, and the server's letter; raises a ``ConnectorError``."""
    try:
        connection = socket.create_connection(where, timeout=seconds)
    except OSError as error:
        raise failed(error) from None
    with connection as raw:
        yield raw, _asked_for_tls(raw, failed, language)


def _asked_for_tls(raw: socket.socket, failed: Failed, language: str) -> bytes:
    try:
        raw.sendall(SSL_REQUEST)
        answer = raw.recv(1)
    except TimeoutError:
        detail = "The port is open, but what listens there says nothing."
        raise errors.ConnectionTimeout(detail, hint="Check the port: it may be another program's.") from None
    except OSError as error:
        raise failed(error) from None
    if answer not in {OFFERED, b"N"}:
        raise errors.ServerForeign(hint=f"What answers on this port does not speak {language}: check the port.")
    return answer


def unverifying() -> ssl.SSLContext:
    """Trust anybody: the mode "unverified" says so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def secured(connection: ssl.SSLSocket, *, verified: bool) -> Finding:
    """What to say of an encrypted connection: its version, and who vouches for the server until when."""
    version = (connection.version() or "TLS").replace("TLSv", "TLS ")
    if not verified:
        return Finding(f"{version}, but the server is not verified", warning=True)
    certificate = connection.getpeercert() or {}
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    return Finding(f"{version}, {_issuer(certificate)}, until {until:%-d %b %Y}")


def _issuer(certificate: Mapping[str, Any]) -> str:
    """Who signed it, by the most telling of the names it has."""
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    return next((names[key] for key in ("commonName", "organizationName") if key in names), "unnamed authority")
