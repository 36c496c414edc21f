"""Hosts to jump through: real OpenSSH servers, a server of ours that notes what is tried, and databases behind them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from metamapper.connectors.tunnel.keys import Algorithm, KeyPair, make
from metamapper.connectors.tunnel.values import Hop, Keys, Tunnel
from tests.engines.conftest import stood_in
from tests.engines.mysql.conftest import had
from tests.support import sshd
from tests.support.aws import Aws
from tests.support.mysql import MysqlServer, mariadb_programs
from tests.support.sshd import Sshd

Starting = Callable[..., Sshd]


def quick(*hops: Hop, pair: KeyPair, seconds: float = 10.0, keepalive: float = 10.0) -> Tunnel:
    """A tunnel that one key signs in to."""
    return Tunnel(hops, Keys(private=(pair.private,), public=(pair.public,)), seconds=seconds, keepalive=keepalive)


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


@pytest.fixture(scope="session")
def pair() -> KeyPair:
    return make(Algorithm.ED25519, "metamapper larkspur")


@pytest.fixture(scope="session")
def rsa_pair() -> KeyPair:
    """Once: it takes seconds to make."""
    return make(Algorithm.RSA, "metamapper larkspur")


@pytest.fixture(scope="session")
def mariadb(request: pytest.FixtureRequest) -> Iterator[MysqlServer]:
    yield from had(request, mariadb_programs)


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest) -> Iterator[Aws]:
    yield from stood_in(request)


@pytest.fixture
def bastion(openssh: str) -> Iterator[Starting]:
    """Starts OpenSSH servers, as many as are wanted."""
    with ExitStack() as stack:
        yield lambda *authorized, **options: stack.enter_context(sshd.started(*authorized, **options))
