"""Opening and testing a Data Catalog."""

from collections.abc import Iterator
from contextlib import contextmanager

from metamapper.connectors import errors
from metamapper.connectors.aws.calls import Caller
from metamapper.connectors.aws.dial import signed_in
from metamapper.connectors.aws.session import ListedSession
from metamapper.connectors.base import Step
from metamapper.connectors.engines.glue import calls
from metamapper.connectors.engines.glue.diagnosis import diagnose
from metamapper.connectors.engines.glue.session import opened
from metamapper.connectors.engines.glue.settings import GlueSettings
from metamapper.connectors.reach import Reach


class GlueConnector:
    def __init__(self, settings: GlueSettings, reach: Reach) -> None:
        self._settings = settings
        self._reach = reach

    @contextmanager
    def open(self) -> Iterator[ListedSession]:
        """A session that has listed the databases; raises a ``ConnectorError``."""
        with signed_in(self._settings, self._reach) as account:
            account.assume_role()
            yield self._listed(Caller(account, "glue", self._settings))

    def test(self) -> Iterator[Step]:
        """The connection test, step by step; raises nothing."""
        return diagnose(self._settings, self._reach)

    def _listed(self, caller: Caller) -> ListedSession:
        try:
            return opened(caller, self._settings)[0]
        except errors.PermissionMissing as error:
            raise calls.unlistable(self._settings, error) from None
