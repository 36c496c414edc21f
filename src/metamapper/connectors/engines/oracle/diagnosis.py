"""The connection test: what stands between the workers and the dictionary, found step by step."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, inside, run_checks
from metamapper.connectors.engines.oracle.dial import dialled, trusting
from metamapper.connectors.engines.oracle.errors import connection_failed, from_driver
from metamapper.connectors.engines.oracle.names import create_user, grant_dictionary
from metamapper.connectors.engines.oracle.session import QUERIES, OracleSession
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.reach import Reach, Route
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.greeting import secured
from metamapper.schema import Completeness

_VIEW = re.compile(r"\bsys\.(dba_\w+)")
_AFTER_THE_LISTENER = (errors.SignInFailed, errors.PermissionMissing)


def diagnose(settings: OracleSettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, reach, stack)
        yield from run_checks(
            (
                ("Name lookup", test.name_lookup),
                (f"Port {settings.port}", test.port),
                ("TLS", test.tls),
                ("Service", test.service),
                ("Sign-in", test.sign_in),
                ("Rights on the dictionary", test.dictionary),
                ("Schemas visible", test.schemas),
                ("Rights to write", test.write_rights),
            )
        )


class _Test:
    """What each step needs of those before it."""

    def __init__(self, settings: OracleSettings, reach: Reach, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self._route = Route((), 0, "")
        self._answering = ""
        self._later: errors.ConnectorError | None = None
        self._session: OracleSession | None = None

    def name_lookup(self) -> Finding:
        self._route = self._reach.route(self._settings.host, self._settings.port)
        return Finding(self._route.words)

    def port(self) -> Finding:
        """A listener says nothing by itself: that it is one is seen when a service is asked for."""
        failure: errors.ConnectorError = errors.HostUnknown()
        for address in self._route.addresses:
            try:
                with self._connected(address):
                    self._answering = address
                    return Finding("Open")
            except OSError as error:
                failure = connection_failed(error, self._settings)
        raise failure

    def tls(self) -> Finding:
        """The name is compared when the driver signs in, as Oracle compares it."""
        if self._settings.tls is Tls.OFF:
            return Finding("Off: the session is not encrypted", warning=True)
        context = trusting(self._settings)
        try:
            with self._connected(self._answering) as raw, context.wrap_socket(raw) as wrapped:
                return secured(wrapped, verified=self._settings.tls is Tls.VERIFY)
        except ssl.SSLError as error:
            raise from_driver(error, self._settings, connecting=True) from None
        except OSError as error:
            raise connection_failed(error, self._settings) from None

    def service(self) -> Finding:
        """The listener knows services, and the server behind it users: an error of the latter is told there."""
        name = self._settings.service or f"SID {self._settings.sid}"
        try:
            line = self._stack.enter_context(dialled(self._settings, self._reach))
            self._session = OracleSession(line, self._settings)
        except _AFTER_THE_LISTENER as error:
            self._later = error
            return Finding(f"{name} is known to the listener")
        return Finding(f"{name}, Oracle {self._session.server.version}")

    def sign_in(self) -> Finding:
        if self._later is not None:
            raise self._later
        return Finding(f"As {self._open().server.details['user']}")

    def dictionary(self) -> Finding:
        if self._open().sees_dictionary:
            views = sorted(_VIEW.findall(QUERIES["dictionary"]))
            return Finding(f"All {len(views)} views can be read: {', '.join(views).upper()}")
        user = str(self._open().server.details["user"])
        return Finding(
            "Only what was granted to the user can be seen",
            warning=True,
            error=errors.PermissionMissing(
                "The DBA views cannot be read; of other users' schemas only tables with a right are seen.",
                hint="Paste this as an administrator: it shows definitions and no row.",
                remedy=grant_dictionary(user),
                unseen="tables of others on which the user has no right; and no table of others is taken for dropped",
            ),
        )

    def schemas(self) -> Finding:
        scopes, _ = self._open().scopes(ScopeFilter())
        closed = [scope.name for scope in scopes if scope.completeness is Completeness.UNREADABLE]
        count = f"{len(scopes) - len(closed)} of {len(scopes)}"
        if closed:
            missing = errors.PermissionMissing(
                f"{count}: nothing can be seen of {', '.join(closed)}",
                hint="Grant the dictionary, or rights on what shall be seen; the rest can stay closed.",
                remedy=grant_dictionary(str(self._open().server.details["user"])),
                unseen=inside(closed),
            )
            return Finding(missing.detail, warning=True, error=missing)
        return Finding(f"{count}, with {self._open().expected} tables and views")

    def write_rights(self) -> Finding:
        any_table, granted, owned = self._open().rows("write_rights")[0]
        if not any_table and not granted and not owned:
            return Finding("None: the user can read only")
        why = (
            "may change any table"
            if any_table
            else "may change rows or definitions of tables"
            if granted
            else "owns tables or may make them"
        )
        return Finding(
            f"The user {why}. Sessions are read-only, yet a user without such rights is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="A user of its own needs no more than this.", remedy=create_user("METAMAPPER")
            ),
        )

    def _connected(self, address: str) -> socket.socket:
        return socket.create_connection((address, self._route.port), timeout=self._settings.connect_timeout)

    def _open(self) -> OracleSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session
