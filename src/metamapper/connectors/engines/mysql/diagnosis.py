"""The connection test: what stands between the workers and the catalog, found step by step.

One connection serves all steps: a server counts connections that break off before the sign-in, and in the end lets
nobody in from there (max_connect_errors).
"""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, inside, run_checks
from metamapper.connectors.engines.mysql.session import MysqlSession
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.mysql.dial import Wire, connected, dialled, routed, signed_in
from metamapper.connectors.sql.mysql.errors import create_account, from_connecting
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls
from metamapper.schema import Completeness

HEADER = 4
GREETING, REFUSAL = 10, 255
"""The first byte of what a server says first: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html"""

_VIEW = re.compile(r"\binformation_schema\.([a-z_]+)")
_AFTER_SIGN_IN = (errors.DatabaseUnknown, errors.PermissionMissing)


def diagnose(settings: MysqlSettings, reach: Reach) -> Iterator[Step]:
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
                ("Catalog views", test.catalog_views),
                ("Databases visible", test.schemas),
                ("Queries of views", test.queries_of_views),
                ("Rights to write", test.write_rights),
            )
        )


class _Test:
    """What each step needs of those before it."""

    def __init__(self, settings: MysqlSettings, reach: Reach, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self._made: socket.socket | None = None
        self._wire: Wire | None = None
        self._later: errors.ConnectorError | None = None
        self._session: MysqlSession | None = None

    def name_lookup(self) -> Finding:
        return Finding(routed(self._settings, self._reach).words)

    def port(self) -> Finding:
        """A server speaks first: what it says is looked at, and left for the driver to read."""
        self._made = self._stack.enter_context(connected(self._settings, self._reach))
        try:
            said = self._made.recv(HEADER + 1, socket.MSG_PEEK)
        except TimeoutError:
            detail = f"Port {self._settings.port} is open, but what listens there says nothing."
            raise errors.ConnectionTimeout(detail, hint="Check the port: it may be another program's.") from None
        except OSError as error:
            raise from_connecting(error, self._settings) from None
        if not said:
            raise errors.ConnectionLost(hint="What listens on this port hung up at once: it may be another program's.")
        if len(said) > HEADER and said[HEADER] not in {GREETING, REFUSAL}:
            raise errors.ServerForeign(hint="What answers on this port does not speak MySQL: check the port.")
        return Finding("Open, a server answers")

    def tls(self) -> Finding:
        """The driver encrypts and signs in at one go; what fails after TLS is told by the next step."""
        mode = self._settings.tls_mode
        if mode is Tls.OFF:
            local = self._settings.is_socket or self._settings.tls is Tls.AUTOMATIC
            return Finding("Not used on this machine" if local else "Off: the session is not encrypted", not local)
        try:
            secured = self._signed_in().secured
        except (errors.TlsFailed, errors.SettingsInvalid):
            raise
        except errors.ConnectorError as error:
            if error.in_clear:
                raise
            self._later = error
            return Finding("Encrypted" if mode is Tls.VERIFY else _UNVERIFIED, warning=mode is not Tls.VERIFY)
        return _certified(secured, verified=mode is Tls.VERIFY)

    def sign_in(self) -> Finding:
        """The server looks at the account before it looks at the database: an error of the latter is told there."""
        if self._later is None and self._wire is None:
            try:
                self._signed_in()
            except errors.ConnectorError as error:
                self._later = error
        if self._later is not None and not isinstance(self._later, _AFTER_SIGN_IN):
            raise self._later
        return Finding(f"As {self._settings.user}")

    def database(self) -> Finding:
        if self._later is not None:
            raise self._later
        dial = partial(dialled, self._settings, self._reach)
        self._session = MysqlSession(self._signed_in(), self._settings, dial)
        name = self._settings.database or "Every database"
        return Finding(f"{name}, {self._session.server.details['product']} {self._session.server.version}")

    def catalog_views(self) -> Finding:
        session = self._open()
        names = sorted({name for _, sql in session.asked_for_parts() for name in _VIEW.findall(sql)})
        session.scopes(ScopeFilter())
        said = f"All {len(names)} can be read: {', '.join(names)}"
        if session.rights.sees_processes:
            return Finding(f"{said}; and InnoDB's ids of tables")
        return Finding(
            f"{said}. InnoDB's ids of tables, which need PROCESS, are done without: renames are told by what tables look like."
        )

    def schemas(self) -> Finding:
        scopes, complete = self._open().scopes(ScopeFilter())
        closed = [scope for scope in scopes if scope.completeness is not Completeness.COMPLETE]
        if not scopes:
            raise errors.PermissionMissing("The account sees no database.", remedy=create_account(self._settings))
        unseen = "" if complete else "; others may exist, for the account may not list them (SHOW DATABASES)"
        count = f"{len(scopes) - len(closed)} of {len(scopes)}"
        if not closed:
            return Finding(f"{count}, with {self._open().expected} tables and views{unseen}")
        missing = errors.PermissionMissing(
            f"{count} can be read whole, not {', '.join(scope.name for scope in closed)}{unseen}",
            hint="Grant what shall be seen; the rest can stay closed.",
            remedy="\n".join(scope.remedy or "" for scope in closed),
            unseen=inside(scope.name for scope in closed),
        )
        if all(scope.completeness is Completeness.UNREADABLE for scope in scopes):
            raise missing
        return Finding(missing.detail, warning=True, error=missing)

    def queries_of_views(self) -> Finding:
        """A view is listed to whoever has any right on it; its query takes two."""
        session = self._open()
        scopes, _ = session.scopes(ScopeFilter())
        seen = [scope.name for scope in scopes if scope.completeness is not Completeness.UNREADABLE]
        hidden = {str(row["name"]): int(row["views"]) for row in session.rows("hidden_queries", {"schemas": seen})}
        if not hidden:
            return Finding("All of them are shown")
        names = ", ".join(f"{count} in {name}" for name, count in hidden.items())
        missing = errors.PermissionMissing(
            f"The queries of views are hidden: {names}.",
            hint="It takes SELECT and SHOW VIEW.",
            remedy="\n".join(session.grant(name) for name in hidden),
            unseen="these views; what was known of them stays as it was",
        )
        return Finding(missing.detail, warning=True, error=missing)

    def write_rights(self) -> Finding:
        writing = sorted(self._open().rights.writing)
        if not writing:
            return Finding("None: the account can read only")
        return Finding(
            f"The account has {', '.join(writing)}. Sessions are read-only, yet an account without is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="An account of its own needs no more than this.",
                remedy=create_account(replace(self._settings, user="metamapper")),
            ),
        )

    def _signed_in(self) -> Wire:
        if self._wire is None:
            if self._made is None:
                raise errors.ConnectionLost
            self._wire = signed_in(self._made, self._settings)
            self._stack.callback(self._wire.close)
        return self._wire

    def _open(self) -> MysqlSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session


_UNVERIFIED = "Encrypted, but the server is not verified"


def _certified(secured: ssl.SSLSocket | None, *, verified: bool) -> Finding:
    if secured is None or not verified:
        return Finding(_UNVERIFIED, warning=True)
    version = (secured.version() or "TLS").replace("TLSv", "TLS ")
    certificate = secured.getpeercert() or {}
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    return Finding(f"{version}, {_issuer(certificate)}, until {until:%-d %b %Y}")


def _issuer(certificate: Mapping[str, Any]) -> str:
    """Who signed it, by the most telling of the names it has."""
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    return next((names[key] for key in ("commonName", "organizationName") if key in names), "unnamed authority")
