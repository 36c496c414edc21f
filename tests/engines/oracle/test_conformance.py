import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.oracle.subject import OracleSubject


class TestOracleRecorded(ConformanceSuite):
    """Recorded only: no Oracle was asked. The driver is real where a network fails, else it is the model's."""

    @pytest.fixture
    def subject(self) -> Subject:
        return OracleSubject()
