"""The connection test of a Data Catalog: how far we get, and which statement of which policy is missing."""

from collections.abc import Iterator
from contextlib import ExitStack

from metamapper.connectors import errors
from metamapper.connectors.aws import policy
from metamapper.connectors.aws.calls import Caller
from metamapper.connectors.aws.diagnosis import Approach, rights_on_tables
from metamapper.connectors.aws.dial import Account
from metamapper.connectors.aws.session import ListedSession
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, run_checks
from metamapper.connectors.engines.glue import calls
from metamapper.connectors.engines.glue.session import GlueListing, opened
from metamapper.connectors.engines.glue.settings import GlueSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter

OFFERED = 25
"""Grants that are spelled out."""


def diagnose(settings: GlueSettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, Approach("glue", settings, reach, stack))
        yield from run_checks(
            (
                *test.approach.steps(test.first_call),
                ("Databases", test.databases),
                ("Rights on tables", test.tables),
                ("Lake Formation", test.lake_formation),
                ("Rights to write", test.approach.rights_to_write),
            )
        )


class _Test:
    def __init__(self, settings: GlueSettings, approach: Approach) -> None:
        self.approach = approach
        self._settings = settings
        self._opened: tuple[ListedSession, GlueListing] | None = None

    def first_call(self, account: Account) -> None:
        self._opened = opened(Caller(account, "glue", self._settings), self._settings)

    def databases(self) -> Finding:
        if self.approach.refused is not None:
            raise calls.unlistable(self._settings, self.approach.refused, self.approach.arn)
        count = len(self._session()[0].databases(ScopeFilter()))
        return Finding(f"{count} are listed in {self._settings.region}")

    def tables(self) -> Finding:
        return rights_on_tables(self._session()[0], self.approach.arn)

    def lake_formation(self) -> Finding:
        """What Lake Formation hides is in no list, so that it cannot be told from what is not there."""
        governed = self._session()[1].governed
        if not governed:
            return Finding("It hides nothing of these databases")
        error = errors.PermissionMissing(
            hint="Whoever administers Lake Formation grants DESCRIBE on what shall be seen.",
            remedy="\n".join(policy.lake_formation_grant(name, self.approach.arn) for name in governed[:OFFERED]),
            unseen="tables of these databases that were not granted",
        )
        said = f"It decides who sees {len(governed)} of these databases: tables without a grant are not listed at all."
        return Finding(said, warning=True, error=error)

    def _session(self) -> tuple[ListedSession, GlueListing]:
        if self._opened is None:
            raise errors.ConnectionLost
        return self._opened
