import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.glue.subject import GlueSubject
from tests.support.aws import Aws


class TestGlueStandIn(ConformanceSuite):
    """The real driver against moto's server with our extension: a stand-in, not AWS."""

    @pytest.fixture
    def subject(self, aws: Aws) -> Subject:
        return GlueSubject(aws)
