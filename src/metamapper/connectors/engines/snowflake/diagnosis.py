"""The connection test: what stands between the workers and the account's catalog, found step by step."""

from collections.abc import Iterator
from contextlib import ExitStack

import certifi

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, inside, run_checks
from metamapper.connectors.engines.snowflake.dial import dialled
from metamapper.connectors.engines.snowflake.errors import (
    create_role,
    grant_database,
    grant_object_viewer,
    grant_schema,
    grant_warehouse,
)
from metamapper.connectors.engines.snowflake.session import SnowflakeSession
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.wire import Knocking
from metamapper.schema import Completeness, Scope

DATABASES = 25
"""Databases that are asked for rights to write."""
MANY = 5
"""Schemas that a sentence names; the rest are counted."""


def diagnose(settings: SnowflakeSettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, reach, stack)
        yield from run_checks(
            (
                ("Name lookup", test.name_lookup),
                (f"Port {settings.port}", test.port),
                ("TLS", test.tls),
                ("Sign-in", test.sign_in),
                ("Warehouse", test.warehouse),
                ("Databases", test.databases),
                ("Schemas visible", test.schemas),
                ("Proof of what is gone", test.proof),
                ("Rights to write", test.write_rights),
            )
        )


class _Test:
    """What each step needs of those before it."""

    def __init__(self, settings: SnowflakeSettings, reach: Reach, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self._session: SnowflakeSession | None = None
        self._later: errors.ConnectorError | None = None
        self._scopes: list[Scope] = []

    def name_lookup(self) -> Finding:
        return self._knocking().name_lookup()

    def port(self) -> Finding:
        return self._knocking().port()

    def tls(self) -> Finding:
        return self._knocking().tls()

    def sign_in(self) -> Finding:
        line = self._stack.enter_context(dialled(self._settings, self._reach))
        try:
            self._session = SnowflakeSession(line, self._settings)
        except errors.PermissionMissing as error:
            self._later = error
            return Finding(f"As {self._settings.user}")
        details = self._session.server.details
        return Finding(f"As {details['user']}, role {details['role']}, Snowflake {self._session.server.version}")

    def warehouse(self) -> Finding:
        """The first statement that needs one tells whether it runs."""
        if self._later is not None:
            raise self._later
        name = self._open().server.details["warehouse"]
        if not name:
            raise errors.PermissionMissing(
                "There is none to run the catalog statements.",
                hint="Name a warehouse in the settings that the role may use, or give the user a default one.",
                remedy=grant_warehouse(self._settings, str(self._open().server.details["role"])),
            )
        return Finding(str(name))

    def databases(self) -> Finding:
        scopes, _ = self._open().scopes(ScopeFilter())
        self._scopes = list(scopes)
        return Finding(self._settings.database or f"{len(self._scopes)} schemas in all that the role can use")

    def schemas(self) -> Finding:
        if not self._scopes:
            return self._nothing()
        closed = [scope for scope in self._scopes if scope.completeness is Completeness.UNREADABLE]
        short = [scope for scope in self._scopes if scope.reason and "no right on" in scope.reason]
        count = f"{len(self._scopes) - len(closed)} of {len(self._scopes)}"
        if not closed and not short:
            return Finding(f"{count}, with {self._open().expected} tables and views")
        bad = [*closed, *short]
        missing = errors.PermissionMissing(
            f"{count}: not, or not all of, {_some([scope.name for scope in bad])}",
            hint="Grant what shall be seen; the rest can stay closed. REFERENCES lets see a table and read no row.",
            remedy="\n".join(scope.remedy or "" for scope in bad),
            unseen=inside(scope.name for scope in bad[:MANY]),
        )
        if len(closed) == len(self._scopes):
            raise missing
        return Finding(missing.detail, warning=True, error=missing)

    def _nothing(self) -> Finding:
        """What is not granted is not listed, so that it cannot be told from what is not there."""
        role = str(self._open().server.details["role"])
        missing = errors.PermissionMissing(
            "None: there is no schema, or the role may use none.",
            hint="Grant what shall be seen. REFERENCES lets see a table and read no row.",
            remedy=f"{grant_database('<database>', role)}\n{grant_schema('<database>', '<schema>', role)}",
            unseen="anything",
        )
        return Finding(missing.detail, warning=True, error=missing)

    def proof(self) -> Finding:
        """Whether a table that is not listed any more is known to be dropped."""
        session = self._open()
        if session.catalog.with_usage:
            return Finding("ACCOUNT_USAGE can be read: renames are followed by ids, drops are known")
        said = "ACCOUNT_USAGE cannot be read: renames are told by what tables look like"
        if self._settings.sees_all:
            return Finding(f"{said}; what is not listed is taken for dropped, as the settings say")
        return Finding(
            f"{said}, and no table is taken for dropped",
            warning=True,
            error=errors.PermissionMissing(
                hint="The database role shows which objects exist and no row of them.",
                remedy=grant_object_viewer(str(session.server.details["role"])),
                unseen="that a table was dropped, and for certain that one was renamed",
            ),
        )

    def write_rights(self) -> Finding:
        if not self._scopes:
            return Finding("Not known: there is nothing yet to ask about", warning=True)
        session = self._open()
        tried = [name for name in session.databases() if session.may_use(name)]
        held = {name: rights for name in tried[:DATABASES] if (rights := session.write_rights(name))}
        tail = f" The first {DATABASES} of {len(tried)} databases were asked." if len(tried) > DATABASES else ""
        if not held:
            return Finding(f"None: the role can read only.{tail}")
        found = ", ".join(f"{rights} in {name}" for name, rights in held.items())
        return Finding(
            f"The role may change rows, or owns or may make tables (rights: {found}).{tail}"
            " Snowflake has no session that can only read, so a role of its own is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint="Paste this as an administrator, and name the role in the settings: it sees and changes nothing.",
                remedy=create_role(self._settings, str(session.server.details["user"]), held),
            ),
        )

    def _knocking(self) -> Knocking:
        settings = self._settings
        url = f"https://{settings.address}:{settings.port}"
        return Knocking(url, self._reach, settings.connect_timeout, certifi.where(), settings.ca_certificate)

    def _open(self) -> SnowflakeSession:
        if self._session is None:
            raise errors.ConnectionLost
        return self._session


def _some(names: list[str]) -> str:
    rest = len(names) - MANY
    return ", ".join(names[:MANY]) + (f" and {rest} more" if rest > 0 else "")
