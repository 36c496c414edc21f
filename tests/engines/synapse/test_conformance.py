import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.synapse.subject import SynapseSubject


class TestSynapseStandIn(ConformanceSuite):
    @pytest.fixture
    def subject(self) -> Subject:
        return SynapseSubject()
