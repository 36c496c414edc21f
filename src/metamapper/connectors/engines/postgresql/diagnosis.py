"""The connection test: what stands between the workers and the catalog, found step by step."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import NOTHING_READ, Finding, inside, run_checks
from metamapper.connectors.engines.postgresql.session import QUERIES, PostgresqlSession
from metamapper.connectors.reach import Reach, Route
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.greeting import OFFERED, knock, secured, unverifying
from metamapper.connectors.sql.postgresql.dial import authority_file, dialled, routed
from metamapper.connectors.sql.postgresql.errors import connection_failed, create_role, tls_failed
from metamapper.connectors.sql.postgresql.names import quoted
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings, Tls
from metamapper.schema import Completeness

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
        self._route = Route((), 0, "")
        self._answering = ("", 0)
        self._speaks_tls = False
        self._later: errors.ConnectorError | None = None
        self._session: PostgresqlSession | None = None

    def name_lookup(self) -> Finding:
        self._route = routed(self._settings, self._reach)
        return Finding(self._route.words)

    def port(self) -> Finding:
        """Ask for TLS, which every PostgreSQL answers with one letter before anybody has signed in."""
        if self._settings.is_socket:
            return Finding("Not used")
        failure: errors.ConnectorError = errors.HostUnknown()
        for address in self._route.addresses:
            where = (address, self._route.port)
            try:
                with _knock(where, self._settings) as (_, answer):
                    self._answering, self._speaks_tls = where, answer == OFFERED
                    return Finding("Open, PostgreSQL answers")
            except (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout) as error:
                failure = error
        raise failure

    def tls(self) -> Finding:
        mode = self._settings.tls_mode
        if mode is Tls.OFF:
            local = self._settings.is_socket or self._settings.tls is Tls.AUTOMATIC
            return Finding("Not used on this machine" if local else "Off: the session is not encrypted", not local)
        context = _context(self._settings)
        if not self._speaks_tls:
            raise tls_failed("server does not support SSL", self._settings)
        with _knock(self._answering, self._settings) as (raw, _):
            try:
                with context.wrap_socket(raw, server_hostname=self._settings.host) as wrapped:
                    return secured(wrapped, verified=mode is Tls.VERIFY)
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
                f"Not readable: {views}",
                remedy=f"GRANT SELECT ON {views} TO {quoted(self._settings.user)};",
                unseen=NOTHING_READ,
            )
        return Finding(f"All {len(names)} can be read: {', '.join(names)}")

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
            unseen=inside(scope.name for scope in closed),
        )
        if len(closed) == len(scopes):
            raise missing
        return Finding(missing.detail, warning=True, error=missing)

    def write_rights(self) -> Finding:
        rights = self._open().rows("write_rights")[0]
        creates = list(rights["creates"] or ())
        if not rights["superuser"] and not rights["writes"] and not creates and not rights["makes_schemas"]:
            return Finding("None: the role can read only")
        hint, remedy = (
            "A role of its own needs no more than this.",
            create_role(replace(self._settings, user="metamapper")),
        )
        if rights["superuser"]:
            why = "is a superuser"
        elif rights["writes"]:
            why = "may change rows"
        elif rights["makes_schemas"]:
            why = "may make schemas in the database"
        else:
            # Up to PostgreSQL 14 everybody may make tables in "public", also a role of its own.
            why = f"may make tables in {', '.join(creates)}"
            hint = "Where nobody relies on it, take the right from everybody; else from this role."
            remedy = "\n".join(f"REVOKE CREATE ON SCHEMA {quoted(name)} FROM PUBLIC;" for name in creates)
        return Finding(
            f"The role {why}. Sessions are read-only, yet a role without such rights is safer.",
            warning=True,
            error=errors.PermissionMissing(hint=hint, remedy=remedy),
        )

    def _open(self) -> PostgresqlSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session


@contextmanager
def _knock(where: tuple[str, int], settings: PostgresqlSettings) -> Iterator[tuple[socket.socket, bytes]]:
    """A new connection on which TLS was asked for, and the server's letter."""
    seconds = settings.connect_timeout
    failed = partial(connection_failed, settings=settings)
    with knock(where, seconds, failed, language="PostgreSQL") as greeted:
        yield greeted


def _context(settings: PostgresqlSettings) -> ssl.SSLContext:
    """Trust whom the session will trust; in the mode "unverified", which says so, anybody. Raises ``SettingsInvalid``."""
    if settings.tls_mode is not Tls.VERIFY:
        return unverifying()
    with authority_file(replace(settings, ca_certificate="")) as usual:
        return trusting(settings.ca_certificate, otherwise=None if usual == "system" else usual)
