import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from tests.engines.mysql.subject import MysqlSubject
from tests.support.mysql import MysqlServer


@pytest.mark.live
class TestLiveMariadb(ConformanceSuite):
    @pytest.fixture
    def subject(self, mariadb: MysqlServer) -> Subject:
        return MysqlSubject(mariadb, mariadb=True)


@pytest.mark.live
class TestLiveMysql(ConformanceSuite):
    @pytest.fixture
    def subject(self, mysql: MysqlServer) -> Subject:
        return MysqlSubject(mysql, mariadb=False)
