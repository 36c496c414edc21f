import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.snowflake.subject import SnowflakeSubject
from tests.support.certificates import Certificate


class TestSnowflakeStandIn(ConformanceSuite):
    """Snowflake's own driver against a stand-in for the service."""

    @pytest.fixture
    def subject(self, trusted: Certificate) -> Subject:
        return SnowflakeSubject(trusted)
