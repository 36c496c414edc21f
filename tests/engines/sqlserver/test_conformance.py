import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.sqlserver.subject import SqlserverSubject


class TestSqlserverStandIn(ConformanceSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return SqlserverSubject()
