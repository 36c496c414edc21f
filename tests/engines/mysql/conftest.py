from collections.abc import Callable, Iterator

import pytest

from tests.engines.mysql.subject import MysqlSource, MysqlSubject
from tests.support.mysql import MysqlServer, Programs, mariadb_programs, mysql_programs, started
from tests.support.servers import Missing

KINDS: dict[str, Callable[[], Programs]] = {"mariadb": mariadb_programs, "mysql": mysql_programs}


def had(request: pytest.FixtureRequest, programs: Callable[[], Programs]) -> Iterator[MysqlServer]:
    """A server of our own; a loud skip where none can be started."""
    try:
        with started(programs()) as server:
            yield server
    except Missing as missing:
        if request.config.getoption("--require-live"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(f"Not to be had: {missing}")


@pytest.fixture(scope="session")
def mariadb(request: pytest.FixtureRequest) -> Iterator[MysqlServer]:
    yield from had(request, mariadb_programs)


@pytest.fixture(scope="session")
def mysql(request: pytest.FixtureRequest) -> Iterator[MysqlServer]:
    yield from had(request, mysql_programs)


@pytest.fixture(params=KINDS)
def subject(request: pytest.FixtureRequest) -> MysqlSubject:
    """Each of the two, for what must hold on both."""
    return MysqlSubject(request.getfixturevalue(request.param), mariadb=request.param == "mariadb")


@pytest.fixture
def source(subject: MysqlSubject) -> Iterator[MysqlSource]:
    """A new, empty database with an account that may read it."""
    with subject.fresh() as source:
        yield source
