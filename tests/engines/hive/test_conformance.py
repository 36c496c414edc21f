"""The suite, through each door: servers that are real keep a metastore made by hand; SQL Server is a stand-in."""

import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
from metamapper.connectors.conformance.changing import ChangingSuite
from metamapper.connectors.conformance.faults import FaultSuite
from metamapper.connectors.conformance.reading import ReadingSuite
from metamapper.connectors.engines.hive.settings import Access
from tests.engines.hive.live import LiveSubject
from tests.engines.hive.subject import ModelSubject
from tests.support.hive import Metastore


@pytest.mark.live
class TestLivePostgresql(ConformanceSuite):
    @pytest.fixture
    def subject(self, of_postgresql: ModelSubject) -> Subject:
        return of_postgresql


@pytest.mark.live
class TestLiveMariadb(ConformanceSuite):
    @pytest.fixture
    def subject(self, of_mariadb: ModelSubject) -> Subject:
        return of_mariadb


class TestStandInSqlserver(ConformanceSuite):
    @pytest.fixture
    def subject(self, of_sqlserver: ModelSubject) -> Subject:
        return of_sqlserver


class TestStandInService(ConformanceSuite):
    @pytest.fixture
    def subject(self, of_service: ModelSubject) -> Subject:
        return of_service


# A real metastore takes its time. What can go wrong on the way to its database is proved above, on the same server; each step
# of changing it makes the same bytes behind either door.


@pytest.mark.live
class TestLiveHiveDatabase(ReadingSuite, ChangingSuite):
    @pytest.fixture
    def subject(self, metastore: Metastore) -> Subject:
        return LiveSubject(metastore, Access.POSTGRESQL)


@pytest.mark.live
class TestLiveHiveService(ReadingSuite, FaultSuite):
    @pytest.fixture
    def subject(self, metastore: Metastore) -> Subject:
        return LiveSubject(metastore, Access.THRIFT)
