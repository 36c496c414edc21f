import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.postgresql.subject import PostgresqlSubject


@pytest.mark.live
class TestPostgresql(ConformanceSuite):
    @pytest.fixture
    def subject(self, postgresql_server: str, request: pytest.FixtureRequest) -> Subject:
        asks_for_passwords = "password" in request.node.name or "secret" in request.node.name
        guarded = request.getfixturevalue("guarded") if asks_for_passwords else None
        return PostgresqlSubject(postgresql_server, guarded)
