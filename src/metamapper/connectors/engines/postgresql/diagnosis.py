"""The connection test: what stands between the workers and the catalog, found step by step."""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, run_checks
from metamapper.connectors.engines.postgresql.dial import addresses, authority_file, dialled
from metamapper.connectors.engines.postgresql.errors import connection_failed, create_role, tls_failed
from metamapper.connectors.engines.postgresql.names import quoted
from metamapper.connectors.engines.postgresql.session import QUERIES, PostgresqlSession
from metamapper.connectors.engines.postgresql.settings import PostgresqlSettings, Tls
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Completeness

SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
"""The first packet of a client that wants TLS; the server answers S or N. See "SSLRequest" in the protocol's pages."""

_AFTER_SIGN_IN = (errors.DatabaseUnknown, errors.PermissionMissing, errors.VersionUnsupported)


def diagnose(settings: PostgresqlSettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, reach, stack)
        yield from run_checks(
            (
                ("Name lookup", test.name_lookup),
                (f"Port {settings.port}", test.port),
                ("TLS", test.tls),
                ("Sign-in", test.sign_in),
                ("Database", test.database),
                ("Rights on each catalog view", test.catalog_rights),
                ("Schemas visible", test.schemas),
                ("Rights to write", test.write_rights),
            )
        )


class _Test:
    """What each step needs of those before it."""

    def __init__(self, settings: PostgresqlSettings, reach: Reach, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self._addresses: tuple[str, ...] = ()
        self._answering = ""
        self._speaks_tls = False
        self._later: errors.ConnectorError | None = None
        self._session: PostgresqlSession | None = None

    def name_lookup(self) -> Finding:
        host = self._settings.host
        self._addresses = addresses(self._settings, self._reach)
        if self._settings.is_socket:
            return Finding("A unix socket of this machine")
        is_address = self._addresses == (host,)
        return Finding("An address needs none" if is_address else f"{host} is {', '.join(self._addresses)}")

    def port(self) -> Finding:
        """Ask for TLS, which every PostgreSQL answers with one letter before anybody has signed in."""
        if self._settings.is_socket:
            return Finding("Not used")
        failure: errors.ConnectorError = errors.HostUnknown()
        for address in self._addresses:
            try:
                with _knock(address, self._settings) as (_, answer):
                    self._answering, self._speaks_tls = address, answer == b"S"
                    return Finding("Open, PostgreSQL answers")
            except (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout) as error:
                failure = error
        raise failure

    def tls(self) -> Finding:
        mode = self._settings.tls_mode
        if mode is Tls.OFF:
            local = self._settings.is_socket or self._settings.tls is Tls.AUTOMATIC
            return Finding("Not used on this machine" if local else "Off: the session is not encrypted", not local)
        if not self._speaks_tls:
            raise tls_failed("server does not support SSL", self._settings)
        with authority_file(self._settings) as authority, _knock(self._answering, self._settings) as (raw, _):
            context = _context(authority if mode is Tls.VERIFY else None)
            try:
                with context.wrap_socket(raw, server_hostname=self._settings.host) as secured:
                    return _secured(secured, verified=mode is Tls.VERIFY)
            except ssl.SSLCertVerificationError as error:
                raise tls_failed(error.verify_message, self._settings) from None
            except OSError as error:
                raise tls_failed(str(error), self._settings) from None

    def sign_in(self) -> Finding:
        """The server looks at the user before it looks at the database: an error of the latter is told there."""
        try:
            connection = self._stack.enter_context(dialled(self._settings, self._reach))
            self._session = PostgresqlSession(connection, self._settings)
        except _AFTER_SIGN_IN as error:
            self._later = error
        return Finding(f"As {self._settings.user}")

    def database(self) -> Finding:
        if self._later is not None:
            raise self._later
        return Finding(f"{self._settings.database}, PostgreSQL {self._open().server.version}")

    def catalog_rights(self) -> Finding:
        names = sorted(
            {name for block in QUERIES for name in re.findall(r"pg_catalog\.(pg_\w+)(?!')\b", QUERIES[block])}
        )
        denied = [row["name"] for row in self._open().rows("catalog_rights", {"names": names}) if not row["readable"]]
        if denied:
            views = ", ".join(f"pg_catalog.{name}" for name in denied)
            raise errors.PermissionMissing(
                f"Not readable: {views}", remedy=f"GRANT SELECT ON {views} TO {quoted(self._settings.user)};"
            )
        return Finding(f"All {len(names)} can be read")

    def schemas(self) -> Finding:
        scopes, _ = self._open().scopes(ScopeFilter())
        closed = [scope for scope in scopes if scope.completeness is Completeness.UNREADABLE]
        count = f"{len(scopes) - len(closed)} of {len(scopes)}"
        if not closed:
            return Finding(f"{count}, with {self._open().expected} tables and views")
        missing = errors.PermissionMissing(
            f"{count}: no USAGE on {', '.join(scope.name for scope in closed)}",
            hint="Grant what shall be seen; the rest can stay closed.",
            remedy="\n".join(scope.remedy or "" for scope in closed),
        )
        if len(closed) == len(scopes):
            raise missing
        return Finding(missing.detail, warning=True, error=missing)

    def write_rights(self) -> Finding:
        rights = self._open().rows("write_rights")[0]
        if not rights["superuser"] and not rights["writes"]:
            return Finding("None: the role can read only")
        why = "is a superuser" if rights["superuser"] else "may change rows of tables"
        return Finding(
            f"The role {why}. Sessions are read-only, yet a role without such rights is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="A role of its own needs no more than this.",
                remedy=create_role(replace(self._settings, user="metamapper")),
            ),
        )

    def _open(self) -> PostgresqlSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session


@contextmanager
def _knock(address: str, settings: PostgresqlSettings) -> Iterator[tuple[socket.socket, bytes]]:
    """A new connection on which TLS was asked for, and the server's letter."""
    try:
        connection = socket.create_connection((address, settings.port), timeout=settings.connect_timeout)
    except OSError as error:
        raise connection_failed(error, settings) from None
    with connection as raw:
        yield raw, _asked_for_tls(raw, settings)


def _asked_for_tls(raw: socket.socket, settings: PostgresqlSettings) -> bytes:
    try:
        raw.sendall(SSL_REQUEST)
        answer = raw.recv(1)
    except TimeoutError:
        detail = f"Port {settings.port} is open, but what listens there says nothing."
        raise errors.ConnectionTimeout(detail, hint="Check the port: it may be another program's.") from None
    except OSError as error:
        raise connection_failed(error, settings) from None
    if answer not in {b"S", b"N"}:
        raise errors.ServerForeign(hint="What answers on this port does not speak PostgreSQL: check the port.")
    return answer


def _context(authority: str | None) -> ssl.SSLContext:
    """Trust these authorities, or (None) anybody: the mode "unverified" says so."""
    if authority is None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=None if authority == "system" else authority)


def _secured(connection: ssl.SSLSocket, *, verified: bool) -> Finding:
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
