from collections.abc import Iterator

import pytest

from tests.engines.redshift.subject import RedshiftSource, RedshiftSubject


@pytest.fixture
def source(postgresql_server: str) -> Iterator[RedshiftSource]:
    """A new, empty database with a role that owns nothing."""
    with RedshiftSubject(postgresql_server).fresh() as source:
        yield source
