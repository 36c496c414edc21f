"""The connection test: what stands between the workers and the metastore, found step by step."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

from metamapper.connectors import errors
from metamapper.connectors.base import Session, Step
from metamapper.connectors.diagnosis import Finding, inside, run_checks
from metamapper.connectors.engines.hive.database import DatabaseSession
from metamapper.connectors.engines.hive.rights import create_account
from metamapper.connectors.engines.hive.settings import HiveSettings, SignIn
from metamapper.connectors.engines.hive.statements import NEEDED
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.server import Tls
from metamapper.connectors.wire import connected
from metamapper.schema import Completeness

_OF_THE_SERVICE = "Whoever runs the service lets this user see what shall be seen; the rest can stay closed."
_OF_THE_DATABASE = (
    "The account reads the metastore's own tables, so that no right on a database is missing: test again."
)
Opener = Callable[[], AbstractContextManager[Session]]

_OF_METASTORE = (errors.PermissionMissing, errors.VersionUnsupported)
_OVER_TLS = (
    *_OF_METASTORE,
    errors.SignInFailed,
    errors.DatabaseUnknown,
    errors.TooManyConnections,
    errors.ServerUnavailable,
    errors.StatementTimeout,
)
"""What a server says only once the connection is encrypted, where it is to be; unless it is said to be ``in_clear``."""


def diagnose(settings: HiveSettings, reach: Reach, opener: Opener) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, reach, opener, stack)
        steps = [
            ("Name lookup", test.name_lookup),
            (f"Port {settings.real_port}", test.port),
            ("TLS", test.tls),
            ("Sign-in", test.sign_in),
        ]
        if settings.is_database:
            steps += [("Database", test.database), ("Tables of the metastore", test.metastore)]
        else:
            steps += [("Service", test.service)]
        steps += [("Databases", test.databases)]
        steps += [("Rights to write", test.write_rights)]
        yield from run_checks(steps)


class _Test:
    """What each step needs of those before it. One attempt to open a session serves all: it is told where it failed."""

    def __init__(self, settings: HiveSettings, reach: Reach, opener: Opener, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._opener = opener
        self._stack = stack
        self._session: Session | None = None
        self._failure: errors.ConnectorError | None = None

    def name_lookup(self) -> Finding:
        if self._settings.is_socket:
            return Finding("A unix socket of this machine")
        return Finding(self._reach.route(self._settings.host, self._settings.real_port).words)

    def port(self) -> Finding:
        if self._settings.is_socket:
            return Finding("Not used")
        settings = self._settings
        connected(settings.host, settings.real_port, self._reach, settings.connect_timeout).close()
        return Finding("Open")

    def tls(self) -> Finding:
        self._attempt()
        mode = self._settings.tls_mode
        if mode is Tls.OFF:
            local = self._settings.is_socket or self._settings.tls is Tls.AUTOMATIC
            return Finding("Not used on this machine" if local else "Off: the session is not encrypted", not local)
        if self._failure is not None and (self._failure.in_clear or not isinstance(self._failure, _OVER_TLS)):
            raise self._failure
        if mode is Tls.UNVERIFIED:
            return Finding("Encrypted, but the server is not verified", warning=True)
        return Finding("Encrypted, and the server has proved who it is" if self._failure is None else "Encrypted")

    def sign_in(self) -> Finding:
        if self._failure is not None and not isinstance(self._failure, (errors.DatabaseUnknown, *_OF_METASTORE)):
            raise self._failure
        if self._settings.sign_in is SignIn.NONE and not self._settings.is_database:
            taken = f"; it takes us for {self._settings.user}" if self._settings.user else ""
            return Finding(f"None: whoever reaches the service may use it{taken}", warning=True)
        return Finding(f"As {self._settings.user}")

    def database(self) -> Finding:
        if isinstance(self._failure, errors.DatabaseUnknown):
            raise self._failure
        if self._session is None:
            return Finding(self._settings.database)
        return Finding(f"{self._settings.database}, {self._session.server.details['database']}")

    def metastore(self) -> Finding:
        if self._failure is not None:
            raise self._failure
        return Finding(f"All {len(NEEDED)} can be read, version {self._open().server.version}")

    def service(self) -> Finding:
        if self._failure is not None:
            raise self._failure
        return Finding(f"Answers, version {self._open().server.version}")

    def databases(self) -> Finding:
        scopes, _ = self._open().scopes(ScopeFilter())
        closed = [scope for scope in scopes if scope.completeness is not Completeness.COMPLETE]
        count = f"{len(scopes) - len(closed)} of {len(scopes)}"
        expected = self._open().expected
        if not closed:
            return Finding(count if expected is None else f"{count}, with {expected} tables and views")
        reasons = "; ".join(f"{scope.name}: {scope.reason}" for scope in closed[:10])
        remedy = "\n".join(dict.fromkeys(scope.remedy for scope in closed if scope.remedy))
        hint = _OF_THE_DATABASE if self._settings.is_database else _OF_THE_SERVICE
        error = errors.PermissionMissing(
            reasons, hint=hint, remedy=remedy, unseen=inside(scope.name for scope in closed)
        )
        return Finding(f"{count} can be read whole. {reasons}", warning=True, error=error)

    def write_rights(self) -> Finding:
        session = self._open()
        if not self._settings.is_database:
            return Finding(
                "Not known: the service tells nobody. Nothing is called but what lists and gets.", warning=True
            )
        writable = session.writable_tables() if isinstance(session, DatabaseSession) else []
        if not writable:
            return Finding("None: the account can read only")
        return Finding(
            f"The account may change {', '.join(writable)}. Nothing is written, yet an account without is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="An account of its own needs no more than this.", remedy=create_account(self._settings)
            ),
        )

    def _attempt(self) -> None:
        try:
            self._session = self._stack.enter_context(self._opener())
        except errors.ConnectorError as error:
            self._failure = error

    def _open(self) -> Session:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session
