from collections.abc import Iterator

import pytest

from tests.engines.hive.subject import SERVICE, ModelSource, ModelSubject
from tests.support.guarded import Guarded, guarded_postgresql
from tests.support.hive import Metastore
from tests.support.hive import metastore as started_metastore
from tests.support.hive_service import service
from tests.support.hive_stores import on_mysql, on_postgresql, on_sqlserver
from tests.support.hive_tables import HIVE_2, HIVE_3, HIVE_4
from tests.support.mysql import MysqlServer, mariadb_programs, started
from tests.support.servers import Missing


def skip(request: pytest.FixtureRequest, missing: Missing) -> None:
    """A loud skip, or a failure where everything is required."""
    if request.config.getoption("--require-live"):
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(f"Not to be had: {missing}")


@pytest.fixture(scope="session")
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    """A PostgreSQL with passwords and TLS."""
    try:
        with guarded_postgresql() as server:
            yield server
    except Missing as missing:
        skip(request, missing)


@pytest.fixture(scope="session")
def mariadb(request: pytest.FixtureRequest) -> Iterator[MysqlServer]:
    try:
        with started(mariadb_programs()) as server:
            yield server
    except Missing as missing:
        skip(request, missing)


@pytest.fixture
def of_postgresql(guarded: Guarded) -> ModelSubject:
    return ModelSubject(lambda: on_postgresql(guarded.url, HIVE_4), HIVE_4)


@pytest.fixture
def of_hive_2(guarded: Guarded) -> ModelSubject:
    return ModelSubject(lambda: on_postgresql(guarded.url, HIVE_2), HIVE_2)


@pytest.fixture
def of_mariadb(mariadb: MysqlServer) -> ModelSubject:
    return ModelSubject(lambda: on_mysql(mariadb, HIVE_3), HIVE_3, is_latin=True)


@pytest.fixture
def of_sqlserver() -> ModelSubject:
    return ModelSubject(lambda: on_sqlserver(HIVE_3), HIVE_3)


@pytest.fixture
def of_service() -> ModelSubject:
    return ModelSubject(service, HIVE_3, engine=SERVICE)


@pytest.fixture(scope="session")
def metastore(request: pytest.FixtureRequest) -> Iterator[Metastore]:
    """A real one, started once: that takes a dozen seconds."""
    try:
        with started_metastore() as found:
            yield found
    except Missing as missing:
        skip(request, missing)


@pytest.fixture(
    params=[
        pytest.param("of_postgresql", marks=pytest.mark.live),
        pytest.param("of_mariadb", marks=pytest.mark.live),
        "of_sqlserver",
    ]
)
def source(request: pytest.FixtureRequest) -> Iterator[ModelSource]:
    """A metastore of Hive 3 or 4 made by hand, on each kind of server."""
    subject: ModelSubject = request.getfixturevalue(request.param)
    with subject.fresh() as source:
        yield source
