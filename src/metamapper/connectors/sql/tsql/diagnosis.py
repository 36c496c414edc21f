"""The connection test: what stands between the workers and the catalog, found step by step."""

import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import NOTHING_READ, Finding, inside, run_checks
from metamapper.connectors.reach import Reach
from metamapper.connectors.reach import Route as Way
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import Blocks
from metamapper.connectors.sql.tsql.dial import open_channel, routed
from metamapper.connectors.sql.tsql.errors import advised, create_login, grant_view_definition
from metamapper.connectors.sql.tsql.names import quoted
from metamapper.connectors.sql.tsql.packets import Encryption, Route, prelogin
from metamapper.connectors.sql.tsql.session import TsqlSession
from metamapper.connectors.sql.tsql.settings import Tls, TsqlSettings
from metamapper.schema import Completeness

_AFTER_SIGN_IN = (errors.DatabaseUnknown, errors.PermissionMissing, errors.VersionUnsupported)
_VIEW = re.compile(r"\bsys\.([a-z_]+)\b")

Opener = Callable[[], AbstractContextManager[TsqlSession]]


def diagnose(settings: TsqlSettings, reach: Reach, queries: Blocks, opener: Opener) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, reach, queries, opener, stack)
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

    def __init__(self, settings: TsqlSettings, reach: Reach, queries: Blocks, opener: Opener, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._queries = queries
        self._opener = opener
        self._stack = stack
        self._way = Way((), 0, "")
        self._secured: ssl.SSLObject | None = None
        self._untrusted: errors.ConnectorError | None = None
        self._later: errors.ConnectorError | None = None
        self._session: TsqlSession | None = None

    def name_lookup(self) -> Finding:
        self._way = routed(self._settings, self._reach)
        return Finding(self._way.words)

    def port(self) -> Finding:
        """Say who we are and what we want of TLS, which every server answers before anybody has signed in."""
        failure: errors.ConnectorError = errors.HostUnknown()
        for address in self._way.addresses:
            try:
                self._knock((address, self._way.port))
            except (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout) as error:
                failure = error
                continue
            except errors.TlsFailed as error:
                self._untrusted = error
            except errors.ConnectorError as error:
                raise advised(error, self._settings) from None
            return Finding("Open, the server answers")
        raise advised(failure, self._settings)

    def _knock(self, where: tuple[str, int]) -> None:
        settings = self._settings
        route = Route(settings.host, settings.port)
        channel = open_channel(settings, where, route, monotonic() + settings.connect_timeout)
        self._stack.callback(channel.close)
        channel.introduce(prelogin(Encryption.OFF))
        self._secured = channel.secured

    def tls(self) -> Finding:
        if self._untrusted is not None:
            raise advised(self._untrusted, self._settings)
        if self._secured is None:
            local = self._settings.tls is Tls.AUTOMATIC
            return Finding("Not used on this machine" if local else "Off: the session is not encrypted", not local)
        return _secured(self._secured, verified=self._settings.tls_mode is Tls.VERIFY)

    def sign_in(self) -> Finding:
        """The server looks at the login before it looks at the database: an error of the latter is told there."""
        try:
            self._session = self._stack.enter_context(self._opener())
        except _AFTER_SIGN_IN as error:
            self._later = error
        return Finding(f"As {self._settings.user}")

    def database(self) -> Finding:
        if self._later is not None:
            raise self._later
        return Finding(f"{self._settings.database}, {self._open().server.version}")

    def catalog_rights(self) -> Finding:
        names = sorted(
            {name for block in self._queries for name in _VIEW.findall(self._open().spelled(block))} - {"system_views"}
        )
        found = self._open().rows("catalog_rights", {"names": "," + "".join(f"{name}," for name in names)})
        denied = [f"sys.{row['name']}" for row in found if not row["readable"]]
        if denied:
            user = quoted(self._settings.user)
            raise errors.PermissionMissing(
                f"Not readable: {', '.join(denied)}",
                hint="Paste this as an administrator.",
                remedy="\n".join(f"GRANT SELECT ON {view} TO {user};" for view in denied),
                unseen=NOTHING_READ,
            )
        return Finding(f"All {len(found)} can be read: {', '.join(sorted(str(row['name']) for row in found))}")

    def schemas(self) -> Finding:
        scopes, complete = self._open().scopes(ScopeFilter())
        closed = [scope for scope in scopes if scope.completeness is not Completeness.COMPLETE]
        count = f"{len(scopes) - len(closed)} of {len(scopes)}"
        if complete and not closed:
            return Finding(f"{count}, with {self._open().expected} tables and views")
        missing = errors.PermissionMissing(
            f"{count}; the server hides what the user has no right to see",
            hint="Grant it for the whole database, or for each schema that shall be seen; it lets nobody read a row.",
            remedy="\n".join((grant_view_definition(self._open().user), *(s.remedy for s in closed if s.remedy))),
            unseen=inside(scope.name for scope in closed) if closed else "schemas that the user has no right on",
        )
        if closed and len(closed) == len(scopes):
            raise missing
        return Finding(missing.detail, warning=True, error=missing)

    def write_rights(self) -> Finding:
        (rights,) = self._open().rows("write_rights")
        if not any(rights.values()):
            return Finding("None: the login can read only")
        why = "is an administrator" if rights["administrator"] else "may change rows or tables"
        return Finding(
            f"The login {why}. Nothing is written, yet a login without such rights is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="A login of its own needs no more than this.",
                remedy=create_login("metamapper", self._settings.database),
            ),
        )

    def _open(self) -> TsqlSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session


def _secured(connection: ssl.SSLObject, *, verified: bool) -> Finding:
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
