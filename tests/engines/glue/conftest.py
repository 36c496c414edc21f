from collections.abc import Iterator

import pytest

from tests.engines.glue.subject import GlueSubject, LakeSource
from tests.support.aws import Aws


@pytest.fixture
def source(aws: Aws) -> Iterator[LakeSource]:
    """A new, empty database in a Data Catalog of its own."""
    with GlueSubject(aws).fresh() as source:
        yield source
