from collections.abc import Iterator

import pytest

from tests.engines.oracle.subject import OracleSource, OracleSubject


@pytest.fixture
def source() -> Iterator[OracleSource]:
    """A new, empty database, recorded."""
    with OracleSubject().fresh() as source:
        yield source
