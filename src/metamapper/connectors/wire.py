"""Reaching a server that speaks HTTPS: a connection to an address that was checked, and what a test can say of it.

A library that looks names up by itself may reach another address than the one that was checked; so an engine that
speaks HTTP gives its library connections that were made here.
"""

import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.diagnosis import Finding
from metamapper.connectors.reach import Reach, is_loopback

HINTS: Mapping[type[errors.ConnectorError], str] = {
    errors.ConnectionRefused: "Check the address, and that the service listens there.",
    errors.ConnectionTimeout: "Check the address, and that no firewall drops what the workers send.",
    errors.HostUnreachable: "Check the address, and the network between it and the workers.",
    errors.ConnectionLost: "The service, or something between, ended the connection; the next attempt may succeed.",
    errors.ServerForeign: "What answers at this address is not the service: check the address.",
    errors.TlsFailed: "The service must show a certificate that this machine trusts, for the name in the address.",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a service is: plain HTTP only on this machine."""

    host: str
    port: int
    secure: bool

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of ``https://host[:port]``, with nothing else in it; raises ``SettingsInvalid``."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            raise errors.SettingsInvalid(f"“{url}” is no address of a service.", hint=_FORM) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.path.strip("/"):
            raise errors.SettingsInvalid(f"“{url}” is no address of a service.", hint=_FORM)
        secure = parts.scheme == "https"
        if not secure and not is_loopback(parts.hostname):
            raise errors.SettingsInvalid(f"{url} would be spoken to without TLS.", hint=_FORM)
        return cls(parts.hostname, port or (443 if secure else 80), secure)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


_FORM = "Write https://host or https://host:port; http:// is taken for this machine only."


def connected(host: str, port: int, reach: Reach, seconds: float, options: Sequence[Any] = ()) -> socket.socket:
    """A connection to the first address of the host that answers, all of them within ``seconds``.

    Raises a ``ConnectorError``: ``HostUnknown``, ``AddressDenied``, or what was wrong with the last address.
    """
    deadline = monotonic() + seconds
    failure: errors.ConnectorError = errors.ConnectionTimeout(hint=HINTS[errors.ConnectionTimeout])
    route = reach.route(host, port)
    for address in route.addresses:
        left = deadline - monotonic()
        if left <= 0:
            break
        try:
            made = socket.create_connection((address, route.port), timeout=left)
        except OSError as error:
            failure = refused(error)
            continue
        for option in options:
            made.setsockopt(*option)
        return made
    raise failure


def refused(error: OSError) -> errors.ConnectorError:
    """The error of a connection that could not be made, or that broke."""
    kind: type[errors.ConnectorError] = errors.HostUnreachable
    if isinstance(error, TimeoutError):
        kind = errors.ConnectionTimeout
    elif isinstance(error, ConnectionRefusedError):
        kind = errors.ConnectionRefused
    elif isinstance(error, ConnectionError):
        kind = errors.ConnectionLost
    return kind(server_said=error.strerror or str(error), hint=HINTS[kind])


class Knocking:
    """The first steps of a connection test: the name, the port, TLS."""

    def __init__(self, url: str, reach: Reach, seconds: float, authorities: str | None = None, own: str = "") -> None:
        self._url = url
        self._reach = reach
        self._seconds = seconds
        self._authorities = authorities
        """A file of certificate authorities to trust; None trusts those of this machine."""
        self._own = own
        """PEM text of the authority to trust instead, where it is not blank."""

    @cached_property
    def _origin(self) -> Origin:
        return Origin.of(self._url)

    def name_lookup(self) -> Finding:
        return Finding(self._reach.route(self._origin.host, self._origin.port).words)

    def port(self) -> Finding:
        with self._connected():
            return Finding(f"{self._origin.port} is open")

    def tls(self) -> Finding:
        if not self._origin.secure:
            return Finding("Not used on this machine")
        context = trusting(self._own, otherwise=self._authorities)
        with self._connected() as raw:
            try:
                with context.wrap_socket(raw, server_hostname=self._origin.host) as secured:
                    return _secured(secured)
            except ssl.SSLCertVerificationError as error:
                raise errors.TlsFailed(server_said=error.verify_message, hint=HINTS[errors.TlsFailed]) from None
            except TimeoutError as error:
                raise refused(error) from None
            except OSError as error:
                raise errors.TlsFailed(server_said=str(error), hint=HINTS[errors.TlsFailed]) from None

    def _connected(self) -> socket.socket:
        return connected(self._origin.host, self._origin.port, self._reach, self._seconds)


def _secured(connection: ssl.SSLSocket) -> Finding:
    version = (connection.version() or "TLS").replace("TLSv", "TLS ")
    certificate = connection.getpeercert() or {}
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    return Finding(f"{version}, {_issuer(certificate)}, until {until:%-d %b %Y}")


def _issuer(certificate: Mapping[str, Any]) -> str:
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    return next((names[key] for key in ("commonName", "organizationName") if key in names), "unnamed authority")
