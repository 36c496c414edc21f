import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.redshift.subject import RedshiftSubject


@pytest.mark.live
class TestRedshiftStandIn(ConformanceSuite):
    """The driver is real, the server a PostgreSQL with Redshift's catalog views: see ``tests/support/redshift.py``."""

    @pytest.fixture
    def subject(self, postgresql_server: str) -> Subject:
        return RedshiftSubject(postgresql_server)
