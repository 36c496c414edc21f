"""The connection test: what stands between the workers and the project's tables, found step by step."""

from collections.abc import Iterator
from contextlib import ExitStack

import certifi

from metamapper.connectors import errors
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, inside, run_checks
from metamapper.connectors.engines.bigquery.dial import Line, dialled
from metamapper.connectors.engines.bigquery.errors import ROLE, grant_on_dataset, grant_on_project
from metamapper.connectors.engines.bigquery.session import BigquerySession
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.wire import Knocking
from metamapper.schema import Completeness

WRITING = ("bigquery.tables.updateData", "bigquery.tables.update", "bigquery.tables.delete")
CHANGING = ("WRITER", "OWNER", "roles/bigquery.dataEditor", "roles/bigquery.dataOwner", "roles/bigquery.admin")
"""Roles by which a dataset may be changed."""
SAID = 5
"""Places that a sentence names; the rest are counted."""
MANY = 100
"""Datasets whose tables the test looks at; a read looks at all."""

_ON_THE_PROJECT = "Grant it on the project; a dataset that is deleted is then known to be gone, not only out of sight."


def diagnose(settings: BigquerySettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, reach, stack)
        yield from run_checks(
            (
                ("Name lookup", test.knocking.name_lookup),
                ("Port", test.knocking.port),
                ("TLS", test.knocking.tls),
                ("Sign-in", test.sign_in),
                ("Project", test.project),
                ("Datasets visible", test.datasets),
                ("Tables visible", test.tables),
                ("Rights to write", test.write_rights),
            )
        )


class _Test:
    """What each step needs of those before it."""

    def __init__(self, settings: BigquerySettings, reach: Reach, stack: ExitStack) -> None:
        self._settings = settings
        self._reach = reach
        self._stack = stack
        self.knocking = Knocking(settings.endpoint, reach, settings.connect_timeout, certifi.where())
        self._line: Line | None = None
        self._datasets: list[str] = []
        self._tables: dict[str, str] = {}
        """One of each dataset that has one that may be looked at."""

    def sign_in(self) -> Finding:
        self._line = self._stack.enter_context(dialled(self._settings, self._reach))
        return Finding(f"As {self._line.account.name or 'the account of the workers'}")

    def project(self) -> Finding:
        try:
            self._open().calls.project()
        except errors.PermissionMissing as error:
            raise errors.PermissionMissing(
                error.detail,
                server_said=error.server_said,
                hint=error.hint,
                remedy=error.remedy or grant_on_project(self._settings.project, self._open().account.member),
                unseen="anything of the project",
            ) from None
        return Finding(self._settings.project)

    def datasets(self) -> Finding:
        line = self._open()
        scopes, whole = BigquerySession(line.calls, self._settings, line.account).scopes(ScopeFilter())
        closed = [scope for scope in scopes if scope.completeness is Completeness.UNREADABLE]
        self._datasets = [scope.name for scope in scopes if scope.completeness is Completeness.COMPLETE]
        if not whole:
            return self._short(
                f"{len(self._datasets)}, perhaps not all: the account has no {ROLE} on the project",
                "datasets that were not granted one by one; and no dataset is taken for deleted",
            )
        if closed:
            names = ", ".join(scope.name for scope in closed)
            return self._short(
                f"{len(self._datasets)} of {len(scopes)}: tables may not be listed in {names}",
                inside(scope.name for scope in closed),
                "\n".join(scope.remedy or "" for scope in closed),
            )
        return Finding(f"{len(scopes)}, and the account sees every one of the project")

    def _short(self, detail: str, unseen: str, remedy: str = "") -> Finding:
        """Not everything can be seen: a warning, or a failure where nothing can."""
        missing = errors.PermissionMissing(
            detail,
            hint="Grant what shall be seen; the rest can stay closed." if remedy else _ON_THE_PROJECT,
            remedy=remedy or grant_on_project(self._settings.project, self._open().account.member),
            unseen=unseen,
        )
        if not self._datasets:
            raise missing
        return Finding(detail, warning=True, error=missing)

    def tables(self) -> Finding:
        """Look at one table of each dataset: the right to list them is not the right to look at them."""
        line = self._open()
        found = dict(zip(self._datasets, line.calls.each(self._look, self._datasets[:MANY]), strict=False))
        closed = [name for name, sight in found.items() if isinstance(sight, errors.PermissionMissing)]
        self._tables = {name: sight for name, sight in found.items() if isinstance(sight, str)}
        if not closed:
            return Finding(f"Looked at one in each of {len(found)} datasets")
        member = line.account.member
        missing = errors.PermissionMissing(
            f"No table of {', '.join(closed)} may be looked at: bigquery.tables.get is missing",
            hint=f"The role {ROLE} has it; roles/bigquery.user and roles/bigquery.jobUser do not.",
            remedy="\n".join(grant_on_dataset(self._settings.project, name, member) for name in closed),
            unseen=inside(closed),
        )
        if not self._tables:
            raise missing
        return Finding(missing.detail, warning=True, error=missing)

    def _look(self, dataset: str) -> str | errors.PermissionMissing | None:
        """The name of a table that can be looked at; None in an empty dataset."""
        calls = self._open().calls
        _, name = calls.first_table(dataset)
        try:
            return name if name is None or calls.table(dataset, name) else None
        except errors.PermissionMissing as error:
            return error

    def write_rights(self) -> Finding:
        """Ask about one table of each dataset, and look who is named in the datasets' own lists."""
        calls, asked = self._open().calls, self._datasets[:MANY]
        with calls.recorded("rights"):
            rights = calls.each(lambda at: calls.rights(*at, WRITING), self._tables.items())
            held = dict(zip(self._tables, rights, strict=True))
        named = dict(zip(asked, calls.each(self._named, asked), strict=True))
        found = [f"{name}.{self._tables[name]} ({', '.join(each)})" for name, each in held.items() if each]
        found += [f"{name} (as {role})" for name, role in named.items() if role and not held.get(name)]
        if not found:
            return self._none_found(len(asked))
        return Finding(
            f"The account may change {_some(found)}. Our tokens can read only, yet an account without such rights is safer.",
            warning=True,
            error=errors.PermissionMissing(
                hint=f"An account of its own needs no more than {ROLE}.",
                remedy=grant_on_project(self._settings.project, "serviceAccount:<an account of its own>"),
            ),
        )

    def _none_found(self, asked: int) -> Finding:
        if not self._tables:
            return Finding("Not known: there is no table yet to ask about", warning=True)
        tail = f"; of {len(self._datasets)}, the first {asked} were asked" if len(self._datasets) > asked else ""
        return Finding(f"None on one table in each of {len(self._tables)} datasets{tail}")

    def _named(self, dataset: str) -> str:
        """The role by which a dataset's own list lets this very account change it; groups cannot be looked into."""
        account = self._open().account
        try:
            listed = self._open().calls.dataset(dataset).access
        except errors.PermissionMissing:
            return ""
        mine = (each.role for each in listed if account.name in {each.user_by_email, each.iam_member.partition(":")[2]})
        return next((role for role in mine if account.name and role in CHANGING), "")

    def _open(self) -> Line:
        if self._line is None:
            raise errors.ConnectionLost
        return self._line


def _some(names: list[str]) -> str:
    rest = len(names) - SAID
    return ", ".join(names[:SAID]) + (f" and {rest} more" if rest > 0 else "")
