"""The suite, through each door: servers that are real keep a metastore made by hand; SQL Server is a stand-in."""

import pytest

from metamapper.connectors.conformance import ConformanceSuite, Subject
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


@pytest.mark.live
@pytest.mark.xdist_group("hive")
class TestLiveHiveDatabase(ConformanceSuite):
    @pytest.fixture
    def subject(self, metastore: Metastore) -> Subject:
        return LiveSubject(metastore, Access.POSTGRESQL)


@pytest.mark.live
@pytest.mark.xdist_group("hive")
class TestLiveHiveService(ConformanceSuite):
    @pytest.fixture
    def subject(self, metastore: Metastore) -> Subject:
        return LiveSubject(metastore, Access.THRIFT)
