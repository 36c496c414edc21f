"""A MariaDB that speaks TLS, behind a real OpenSSH server: it is read, verified by its own name, and cancelled."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import StepState
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls
from metamapper.connectors.tunnel.connector import connect
from metamapper.connectors.tunnel.keys import KeyPair
from tests.engines.mysql.subject import ENGINE, MysqlSource, MysqlSubject
from tests.support.eventually import eventually
from tests.support.mysql import MysqlServer
from tests.tunnels.conftest import Starting, quick

pytestmark = pytest.mark.live
HELD = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(30)%'"


@pytest.fixture
def shop(mariadb: MysqlServer) -> Iterator[MysqlSource]:
    with MysqlSubject(mariadb, mariadb=True).fresh() as source:
        source.run(f"CREATE TABLE {source.main}.orders (id bigint PRIMARY KEY)")
        yield source


@pytest.fixture
def verified(shop: MysqlSource) -> MysqlSettings:
    return replace(shop.reader, host="localhost", tls=Tls.VERIFY, ca_certificate=shop.server.authority)


def test_it_is_read_with_tls_verified_by_its_own_name(
    bastion: Starting, pair: KeyPair, shop: MysqlSource, verified: MysqlSettings
) -> None:
    tunnel = quick(bastion(pair.public, permit=[shop.server.port]).hop, pair=pair)
    connector = connect(ENGINE, verified, Reach(), tunnel)
    with connector.open() as session:
        assert "orders" in {each.name for each in session.relations(ScopeFilter())}
    steps = {step.name: step for step in connector.test()}
    assert not [step for step in steps.values() if step.state is StepState.FAILED]
    assert steps["TLS"].detail.startswith("TLS 1.3")
    stranger = connect(ENGINE, replace(verified, ca_certificate=""), Reach(), tunnel)
    with pytest.raises(errors.TlsFailed), stranger.open():
        pass


def test_no_connection_is_counted_against_us(bastion: Starting, pair: KeyPair, shop: MysqlSource) -> None:
    """A server shuts out whoever breaks off too many of them before the sign-in."""
    tunnel = quick(bastion(pair.public, permit=[shop.server.port]).hop, pair=pair)
    before = aborted(shop)
    for _ in range(2):
        assert list(connect(ENGINE, shop.reader, Reach(), tunnel).test())
        with connect(ENGINE, shop.reader, Reach(), tunnel).open():
            pass
    assert aborted(shop) == before


def aborted(shop: MysqlSource) -> str:
    return str(shop.asked("SHOW GLOBAL STATUS LIKE 'Aborted_connects'")[0][1])


def test_a_cancel_goes_through_as_well(bastion: Starting, pair: KeyPair, shop: MysqlSource) -> None:
    """By another connection, which asks the server to end what runs."""
    tunnel = quick(bastion(pair.public, permit=[shop.server.port]).hop, pair=pair)
    with connect(ENGINE, shop.reader, Reach(), tunnel).open() as session:

        def sleep() -> None:
            with suppress(Exception):
                session._connection.query("SELECT SLEEP(30)")  # type: ignore[attr-defined]

        sleeping = threading.Thread(target=sleep)
        sleeping.start()
        eventually(lambda: shop.asked(HELD)[0][0] == 1)
        session.cancel()
        sleeping.join(10)
        assert not sleeping.is_alive()
    eventually(lambda: shop.asked(HELD)[0][0] == 0, within=5)
