"""The connection test of Athena: how far we get, and which statements of which policy are missing."""

from collections.abc import Iterator
from contextlib import ExitStack

from metamapper.connectors import errors
from metamapper.connectors.aws.calls import Caller
from metamapper.connectors.aws.diagnosis import Approach, rights_on_tables
from metamapper.connectors.aws.dial import Account
from metamapper.connectors.aws.session import ListedSession
from metamapper.connectors.base import Step
from metamapper.connectors.diagnosis import Finding, inside, run_checks
from metamapper.connectors.engines.athena import calls
from metamapper.connectors.engines.athena.session import AthenaListing, opened
from metamapper.connectors.engines.athena.settings import AthenaSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter


def diagnose(settings: AthenaSettings, reach: Reach) -> Iterator[Step]:
    """The steps of the test as they are taken; raises nothing."""
    with ExitStack() as stack:
        test = _Test(settings, Approach("athena", settings, reach, stack))
        yield from run_checks(
            (
                *test.approach.steps(test.first_call),
                ("Databases", test.databases),
                ("Rights on tables", test.tables),
                ("Rights to write", test.approach.rights_to_write),
            )
        )


class _Test:
    def __init__(self, settings: AthenaSettings, approach: Approach) -> None:
        self.approach = approach
        self._settings = settings
        self._opened: tuple[ListedSession, AthenaListing] | None = None

    def first_call(self, account: Account) -> None:
        self._opened = opened(Caller(account, "athena", self._settings), self._settings)

    def databases(self) -> Finding:
        """Catalogs that cannot be listed are told; the others are read."""
        if self.approach.refused is not None:
            raise calls.unlistable(self._settings, self.approach.refused, self.approach.arn)
        session, listing = self._session()
        said = f"{len(session.databases(ScopeFilter()))} are listed in {self._settings.region}"
        if not listing.unlisted:
            return Finding(said)
        catalog, error = next(iter(listing.unlisted.items()))
        missing = errors.PermissionMissing(
            f"{said}. Catalogs that cannot be listed: {', '.join(listing.unlisted)}.",
            server_said=error.server_said,
            hint="What was known of them stays as it is until they can be listed.",
            remedy=calls.permissions(self._settings, f"{error.server_said} {self.approach.arn}", catalog),
            unseen=inside(listing.unlisted),
        )
        return Finding(missing.detail, warning=True, error=missing)

    def tables(self) -> Finding:
        return rights_on_tables(self._session()[0], self.approach.arn)

    def _session(self) -> tuple[ListedSession, AthenaListing]:
        if self._opened is None:
            raise errors.ConnectionLost
        return self._opened
