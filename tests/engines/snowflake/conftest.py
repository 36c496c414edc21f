from collections.abc import Iterator

import pytest

from tests.engines.snowflake.subject import SnowflakeSource, SnowflakeSubject
from tests.support.certificates import Certificate, certificate


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1, and the authority that signed it."""
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def source(trusted: Certificate) -> Iterator[SnowflakeSource]:
    """An account of the stand-in with one database, SHOP, and one empty schema, PUBLIC."""
    with SnowflakeSubject(trusted).fresh() as source:
        yield source
