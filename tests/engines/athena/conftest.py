from collections.abc import Iterator

import pytest

from tests.engines.athena.subject import AthenaSubject
from tests.engines.glue.subject import LakeSource
from tests.support.aws import Aws


@pytest.fixture
def source(aws: Aws) -> Iterator[LakeSource]:
    """A new, empty database in a Data Catalog of its own."""
    with AthenaSubject(aws).fresh() as source:
        yield source
