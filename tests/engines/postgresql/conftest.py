from collections.abc import Iterator

import pytest

from tests.engines.postgresql.subject import PostgresqlSource, PostgresqlSubject
from tests.support.guarded import Guarded, guarded_postgresql
from tests.support.servers import Missing


@pytest.fixture(scope="session")
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    """A server with passwords and TLS; a loud skip where none can be started."""
    try:
        with guarded_postgresql() as server:
            yield server
    except Missing as missing:
        if request.config.getoption("--require-live"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(f"Not to be had: {missing}")


@pytest.fixture
def source(postgresql_server: str) -> Iterator[PostgresqlSource]:
    """A new, empty database with a role that owns nothing."""
    with PostgresqlSubject(postgresql_server).fresh() as source:
        yield source
