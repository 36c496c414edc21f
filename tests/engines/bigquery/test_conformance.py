import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.bigquery.subject import BigquerySubject


class TestBigqueryStandIn(ConformanceSuite):
    """Google's own client against a stand-in for the interface."""

    @pytest.fixture
    def subject(self) -> Subject:
        return BigquerySubject()
