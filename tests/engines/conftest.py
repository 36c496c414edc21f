from collections.abc import Iterator

import pytest

from tests.support.aws import Aws, aws_stand_in
from tests.support.servers import Missing


def stood_in(request: pytest.FixtureRequest) -> Iterator[Aws]:
    """A stand-in for AWS; a loud skip where it does not start."""
    try:
        with aws_stand_in() as found:
            yield found
    except Missing as missing:
        if request.config.getoption("--require-live"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(f"Not to be had: {missing}")


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest) -> Iterator[Aws]:
    yield from stood_in(request)
