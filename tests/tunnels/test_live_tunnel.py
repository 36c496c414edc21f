"""Through real OpenSSH servers that let through to the database's port and nowhere else."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from metamapper.connectors import errors
from metamapper.connectors.base import Connector, StepState
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.tunnel.connector import connect
from metamapper.connectors.tunnel.errors import ForwardRefused, HopSignInFailed, HostKeyChanged, TunnelLost
from metamapper.connectors.tunnel.keys import Algorithm, KeyPair, make
from metamapper.connectors.tunnel.line import opened
from metamapper.connectors.tunnel.values import Hop, Keys, Tunnel, authorized, fingerprint
from tests.support.databases import run_sql
from tests.support.eventually import eventually
from tests.support.servers import LOOPBACK, free_port
from tests.tunnels.conftest import Starting, port_of, quick

pytestmark = pytest.mark.live

TABLES = 3


@pytest.fixture
def shop(postgresql_url: str) -> str:
    run_sql(postgresql_url, *(f"CREATE TABLE t{number} (id bigint)" for number in range(TABLES)))
    return postgresql_url


def through(tunnel: Tunnel, url: str, reach: Reach = Reach()) -> Connector:  # noqa: B008 - it is frozen
    engine, settings = from_url(url)
    return connect(engine, settings, reach, tunnel)


def names(connector: Connector) -> set[str]:
    with connector.open() as session:
        return {found.name for found in session.relations(ScopeFilter())}


def listening() -> set[tuple[str, int]]:
    """Every port that this process listens on, with the address (proc(5), /proc/net/tcp: state 0A)."""
    mine = {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in mine:
                address, port = local.split(":")
                found.add((address, int(port, 16)))
    return found


@contextmanager
def quickly(seconds: float = 5) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def leaves_nothing() -> Iterator[None]:
    """No thread and no port of the block is left after it."""
    threads, ports = set(threading.enumerate()), listening()
    yield
    assert set(threading.enumerate()) == threads
    assert listening() == ports


def lost(connector: Connector, happening: Callable[[], None]) -> TunnelLost:
    """The error of a read in the midst of which something happens to the tunnel, told quickly, nothing left behind."""

    def read() -> None:
        with connector.open() as session:
            happening()
            session.scopes(ScopeFilter())

    running = set(threading.enumerate())
    with quickly(), pytest.raises(TunnelLost) as caught:
        read()
    assert {each for each in threading.enumerate() if each.name == "tunnel"} <= running
    return caught.value


def test_one_hop(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(pair.public, permit=[port_of(shop)])
    with leaves_nothing():
        assert len(names(through(quick(host.hop, pair=pair), shop))) == TABLES


def test_a_chain_of_two(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """The first lets through to the second alone, the second to the database alone."""
    inner = bastion(pair.public, permit=[port_of(shop)])
    outer = bastion(pair.public, permit=[inner.port])
    with leaves_nothing():
        steps = list(through(quick(outer.hop, inner.hop, pair=pair), shop).test())
        assert not [step for step in steps if step.state is StepState.FAILED]
        assert [step.name for step in steps[:3]] == [
            f"SSH host {outer.hop}",
            f"SSH host {inner.hop}",
            f"Way from there to 127.0.0.1, port {port_of(shop)}",
        ]
        assert len(names(through(quick(outer.hop, inner.hop, pair=pair), shop))) == TABLES
    assert "Accepted publickey" in inner.log()
    with pytest.raises(ForwardRefused):
        names(through(quick(outer.hop, pair=pair), shop))


def test_the_tunnel_stands_until_the_last_row_is_read(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """The original Metamapper closed its tunnel before the rows were read."""
    host = bastion(pair.public, permit=[port_of(shop)])
    with through(quick(host.hop, pair=pair), shop).open() as session:
        rows = session.relations(ScopeFilter())
        first = next(rows)
        assert host.sessions()
        assert len([first, *rows]) == TABLES
        assert host.sessions()
        assert session.scopes(ScopeFilter())
    assert eventually(lambda: not host.sessions())


def test_it_listens_on_loopback_only_and_only_while_it_is_used(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(pair.public, permit=[port_of(shop)])
    before = listening()
    with opened(quick(host.hop, pair=pair), Reach()) as line:
        assert listening() == before
        route = line.route(LOOPBACK, port_of(shop))
        assert route.addresses == (LOOPBACK,)
        assert listening() - before == {("0100007F", route.port)}
        assert line.leads_through(LOOPBACK, route.port)
        assert not line.leads_through(LOOPBACK, port_of(shop))
    assert listening() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, route.port), timeout=5)


def test_another_account_of_this_machine_does_not_get_in(
    request: pytest.FixtureRequest, bastion: Starting, pair: KeyPair
) -> None:
    if os.geteuid() != 0:
        why = "Not to be had: another account to connect as, which takes root"
        pytest.fail(why) if request.config.getoption("--require-live") else pytest.skip(why)
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        host = bastion(pair.public, permit=[port])
        with opened(quick(host.hop, pair=pair), Reach()) as line:
            route = line.route(LOOPBACK, port)
            knocking = f"exec 3<>/dev/tcp/{LOOPBACK}/{route.port}; echo x >&3; read -t 10 -u 3"
            refused = subprocess.run(["bash", "-c", knocking], user="nobody", capture_output=True, check=False)
            assert refused.returncode == 1
            accepted, _ = server.accept()
            accepted.settimeout(0.2)
            with accepted, pytest.raises(TimeoutError):
                accepted.recv(1)


def test_a_server_sees_no_connection_for_nothing(bastion: Starting, pair: KeyPair) -> None:
    """What is opened to see that the way is free is what the driver then speaks over."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        host = bastion(pair.public, permit=[port])
        with opened(quick(host.hop, pair=pair), Reach()) as line:
            for _ in range(3):
                route = line.route(LOOPBACK, port)
            with socket.create_connection((LOOPBACK, route.port)) as driver:
                accepted, _ = server.accept()
                driver.sendall(b"hello")
                assert accepted.recv(5) == b"hello"
                accepted.close()
                assert driver.recv(1) == b""
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_host_that_shows_another_key_is_refused(bastion: Starting, pair: KeyPair, shop: str) -> None:
    first = bastion(pair.public, permit=[port_of(shop)])
    second = bastion(pair.public, permit=[port_of(shop)])
    moved = replace(second.hop, host_keys=first.hop.host_keys)
    with leaves_nothing(), pytest.raises(HostKeyChanged):
        names(through(quick(moved, pair=pair), shop))
    assert "Accepted" not in second.log()
    assert "publickey" not in second.log()


def test_a_key_that_is_not_authorized(bastion: Starting, pair: KeyPair, shop: str) -> None:
    stranger = make(Algorithm.ED25519, "stranger")
    host = bastion(stranger.public, permit=[port_of(shop)])
    (step, *rest) = through(quick(host.hop, pair=pair), shop).test()
    assert isinstance(step.error, HopSignInFailed)
    assert step.error.remedy == authorized(pair.public, (LOOPBACK, port_of(shop)))
    assert {each.state for each in rest} == {StepState.WAITING}


def test_the_line_that_it_tells_to_add_is_what_mends_it(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(permit=[port_of(shop)])
    connector = through(quick(host.hop, pair=pair), shop)
    error = next(iter(connector.test())).error
    assert error
    host.authorize(error.remedy)
    assert len(names(connector)) == TABLES


def test_that_line_lets_to_nothing_else(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """Also on a host that itself would let through to everywhere."""
    host = bastion(authorized(pair.public, (LOOPBACK, port_of(shop))), permit=None)
    with socket.create_server((LOOPBACK, 0)) as other, opened(quick(host.hop, pair=pair), Reach()) as line:
        line.route(LOOPBACK, port_of(shop))
        with pytest.raises(ForwardRefused):
            line.route(LOOPBACK, other.getsockname()[1])


def test_rsa_for_old_hosts(bastion: Starting, rsa_pair: KeyPair, shop: str) -> None:
    """Its own key and the one that signs in are both of the old kind."""
    host = bastion(rsa_pair.public, permit=[port_of(shop)], host_key=rsa_pair)
    assert len(names(through(quick(host.hop, pair=rsa_pair), shop))) == TABLES


def test_both_keys_are_offered_and_the_one_that_was_taken_is_told(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """While keys are rotated: the host knows the old one still."""
    new = make(Algorithm.ED25519, "new")
    host = bastion(pair.public, permit=[port_of(shop)])
    told: list[tuple[Hop, str]] = []
    engine, settings = from_url(shop)
    tunnel = Tunnel((host.hop,), Keys(private=(new.private, pair.private)))
    with connect(engine, settings, Reach(), tunnel, on_sign_in=lambda hop, key: told.append((hop, key))).open():
        assert told == [(host.hop, fingerprint(pair.public))]


def test_a_host_that_lets_nothing_through(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(pair.public, permit=[])
    steps = list(through(quick(host.hop, pair=pair), shop).test())
    assert [step.state for step in steps] == [StepState.OK, StepState.FAILED]
    error = steps[1].error
    assert isinstance(error, ForwardRefused)
    assert f"PermitOpen {LOOPBACK}:{port_of(shop)}" in error.remedy
    assert authorized(pair.public, (LOOPBACK, port_of(shop))) in error.remedy


def test_nothing_listens_behind_the_host(bastion: Starting, pair: KeyPair) -> None:
    """The driver would only see its connection cut."""
    port = free_port()
    host = bastion(pair.public, permit=[port])
    with pytest.raises(errors.ConnectionRefused, match=f"nothing listens on port {port}"):
        names(through(quick(host.hop, pair=pair), f"postgresql://ana@{LOOPBACK}:{port}/shop"))


def test_a_name_is_looked_up_on_the_host(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """Of a name that only the host could know, nothing is asked here."""
    host = bastion(pair.public, permit=None)
    with opened(quick(host.hop, pair=pair), Reach()) as line, pytest.raises(errors.HostUnknown) as caught:
        line.route("db.behind.invalid", 5432)
    assert str(host.hop) in caught.value.detail


def test_a_host_that_goes_away_between_two_statements(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """It is told at once, as what it is; whoever tries again has a whole tunnel."""
    host = bastion(pair.public, permit=[port_of(shop)])
    connector = through(quick(host.hop, pair=pair), shop)
    error = lost(connector, host.cut)
    assert not error.permanent
    assert str(host.hop) in error.detail
    assert len(names(connector)) == TABLES


def test_a_host_that_goes_away_in_mid_read(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """While the server works on an answer: another session keeps the catalog to itself."""
    host = bastion(pair.public, permit=[port_of(shop)])
    connector = through(quick(host.hop, pair=pair), shop)
    cutting = threading.Timer(0.3, host.cut)
    with psycopg.connect(shop) as other:

        def busy() -> None:
            other.execute("LOCK TABLE pg_catalog.pg_namespace IN ACCESS EXCLUSIVE MODE")
            cutting.start()

        assert lost(connector, busy)
    cutting.join()
    assert len(names(connector)) == TABLES


def test_it_heals_within_the_work(bastion: Starting, pair: KeyPair, shop: str) -> None:
    """A connection that is made after the host was away goes through a chain that is made anew."""
    host = bastion(pair.public, permit=[port_of(shop)])
    engine, settings = from_url(shop)
    with opened(quick(host.hop, pair=pair), Reach()) as line:
        behind = engine.connect(settings, Reach(way=line))
        assert len(names(behind)) == TABLES
        host.cut()
        eventually(line.why_cut, within=5)
        assert len(names(behind)) == TABLES


def test_a_frozen_host_is_given_up_in_bounded_time(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(pair.public, permit=[port_of(shop)])
    connector = through(quick(host.hop, pair=pair, keepalive=0.3), shop)
    assert lost(connector, host.freeze)
    host.thaw()
    assert len(names(connector)) == TABLES


def test_a_frozen_host_is_not_waited_for_when_signing_in(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(pair.public, permit=[port_of(shop)])
    host.freeze()
    with leaves_nothing(), quickly(), pytest.raises(errors.ConnectionTimeout, match=r"within 0\.5 seconds"):
        names(through(quick(host.hop, pair=pair, seconds=0.5), shop))


def test_a_cancel_goes_through_as_well(bastion: Starting, pair: KeyPair, shop: str) -> None:
    host = bastion(pair.public, permit=[port_of(shop)])
    with through(quick(host.hop, pair=pair), shop).open() as session:
        sleeping = threading.Thread(target=lambda: _sleep(session))
        sleeping.start()
        eventually(lambda: _is_asleep(shop))
        with quickly():
            session.cancel()
            sleeping.join(10)
    assert not _is_asleep(shop)


def _sleep(session: object) -> None:
    with pytest.raises(Exception, match="cancel"):
        session._connection.execute("SELECT pg_sleep(30)")  # type: ignore[attr-defined]


def _is_asleep(url: str) -> bool:
    with psycopg.connect(url) as other:
        found = other.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'"
        ).fetchone()
    return bool(found and found[0])
