"""The connection test: what stands between the workers and the catalog, found step by step."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import NOTHING_READ, Check, Finding, inside, run_checks
from metamapper.connectors.engines.redshift.dial import dialled, wire_to
from metamapper.connectors.engines.redshift.errors import create_user
from metamapper.connectors.engines.redshift.iam import Account, account
from metamapper.connectors.engines.redshift.names import quoted
from metamapper.connectors.engines.redshift.session import QUERIES, RedshiftSession
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, SignIn, Tls
from metamapper.connectors.reach import Reach, Route
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.greeting import secured
from metamapper.schema import Completeness

SIZES = "svv_table_info"
"""What is wanted for sizes only: without it everything else is read."""

_AFTER_SIGN_IN = (errors.DatabaseUnknown, errors.PermissionMissing, errors.VersionUnsupported)


def diagnose(settings: RedshiftSettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        yield from run_checks(_Test(settings, reach, stack).steps())


class _Test:
    """What each step needs of those before it."""

    def __init__(self, settings: RedshiftSettings, reach: Reach, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self._route = Route((), 0, "")
        self._answering = ("", 0)
        self._account: Account | None = None
        self._later: errors.ConnectorError | None = None
        self._session: RedshiftSession | None = None

    def steps(self) -> Sequence[tuple[str, Check]]:
        password = (("Temporary password", self.temporary_password),)
        return (
            ("Name lookup", self.name_lookup),
            (f"Port {self._settings.port}", self.port),
            ("TLS", self.tls),
            *(password if self._settings.sign_in is SignIn.IAM else ()),
            ("Sign-in", self.sign_in),
            ("Database", self.database),
            ("Rights on each catalog view", self.catalog_rights),
            ("Schemas visible", self.schemas),
            ("Rights to write", self.write_rights),
        )

    def name_lookup(self) -> Finding:
        self._route = self._reach.route(self._settings.host, self._settings.port)
        return Finding(self._route.words)

    def port(self) -> Finding:
        """A bare connection: what is behind it is the next step's question."""
        failure: errors.ConnectorError = errors.HostUnknown()
        for address in self._route.addresses:
            where = (address, self._route.port)
            try:
                with wire_to(where, replace(self._settings, tls=Tls.OFF)):
                    self._answering = where
                    return Finding("Open")
            except (errors.ConnectionRefused, errors.HostUnreachable, errors.ConnectionTimeout) as error:
                failure = error
        raise failure

    def tls(self) -> Finding:
        if self._settings.tls is Tls.OFF:
            return Finding("Off: the session is not encrypted", warning=True)
        with wire_to(self._answering, self._settings) as wire:
            return secured(wire, verified=self._settings.tls is Tls.VERIFY)  # type: ignore[arg-type]  # TLS is on

    def temporary_password(self) -> Finding:
        self._account = account(self._settings, self._reach)
        return Finding(f"AWS gave one for {self._account.user}")

    def sign_in(self) -> Finding:
        """The server looks at the user before it looks at the database: an error of the latter is told there."""
        who = self._account or account(self._settings, self._reach)
        try:
            line = self._stack.enter_context(dialled(self._settings, self._reach, who))
            self._session = RedshiftSession(line, self._settings)
        except _AFTER_SIGN_IN as error:
            self._later = error
        return Finding(f"As {who.user}")

    def database(self) -> Finding:
        if self._later is not None:
            raise self._later
        return Finding(f"{self._settings.database}, Redshift {self._open().server.version}")

    def catalog_rights(self) -> Finding:
        names = sorted(
            {
                name
                for block in QUERIES
                for name in re.findall(r"pg_catalog\.((?:pg|svv)_\w+)\b(?! ?\()", QUERIES[block])
            }
        )
        found = {row["name"]: row["readable"] for row in self._open().rows("catalog_rights", names, (names,))}
        denied = [name for name in names if not found.get(name)]
        if denied and denied != [SIZES]:
            raise self._denied(denied)
        if denied:
            return Finding("Sizes cannot be read, all else can", warning=True, error=self._denied(denied))
        return Finding(f"All {len(names)} can be read: {', '.join(names)}")

    def _denied(self, names: Sequence[str]) -> errors.PermissionMissing:
        views = ", ".join(f"pg_catalog.{name}" for name in names)
        return errors.PermissionMissing(
            f"Not readable: {views}",
            remedy=f"GRANT SELECT ON {views} TO {quoted(self._role())};",
            unseen="rows and sizes of tables" if list(names) == [SIZES] else NOTHING_READ,
        )

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
        if not any(rights[each] for each in ("superuser", "writable", "creates")):
            return Finding("None: the user can read only")
        changes = (
            "may change rows of tables" if rights["writable"] else f"may make tables in schemas ({rights['creates']})"
        )
        why = "is a superuser" if rights["superuser"] else changes
        return Finding(
            f"The user {why}. Sessions are read-only, yet a user without such rights is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="A user of its own needs no more than this.",
                remedy=create_user("metamapper", self._settings.database),
            ),
        )

    def _role(self) -> str:
        return str(self._open().server.details["role"])

    def _open(self) -> RedshiftSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session
