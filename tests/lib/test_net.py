"""No spelling of an address gets past the check (SECURITY S4)."""

import ipaddress
import socket

import pytest

from metamapper.connectors.errors import AddressDenied
from metamapper.connectors.reach import Reach
from metamapper.lib.net import Policy, networks

STRICT = Policy()
OPEN = Policy(open_inside=True)

DENIED = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.0.1", "100.64.0.1", "224.0.0.1", "239.255.255.255", "255.255.255.255", "192.0.0.1",
    "198.18.0.1", "240.0.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::", "::127.0.0.1", "::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:80ff:fffe",
]  # fmt: skip
ALWAYS_DENIED = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::", "::a9fe:a9fe", "224.0.0.1", "0.0.0.0", "::", "255.255.255.255",
]  # fmt: skip
# What the system's own address parser makes of old spellings, so that none is a way round the check.
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "017700000001",
    "0",
]


def judged(address: str, policy: Policy) -> str | None:
    return policy.refusal(ipaddress.ip_address(address.partition("%")[0]))


@pytest.mark.parametrize("address", DENIED)
def test_what_is_inside_is_denied(address: str) -> None:
    assert judged(address, STRICT)


@pytest.mark.parametrize("address", ALWAYS_DENIED)
def test_metadata_and_no_machine_are_denied_even_in_development(address: str) -> None:
    assert judged(address, OPEN)


def as_the_system_reads_it(spelling: str) -> str:
    return socket.inet_ntoa(socket.inet_aton(spelling))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_this_machine_gets_through(spelling: str) -> None:
    assert judged(as_the_system_reads_it(spelling), STRICT)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_connector_asks_before_it_connects(name: str) -> None:
    with pytest.raises(AddressDenied):
        Reach(denies=STRICT.refusal).addresses(name, 5432)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_a_public_address_passes(address: str) -> None:
    assert judged(address, STRICT) is None


@pytest.mark.parametrize("address", ["10.20.4.31", "127.0.0.1", "fd12::1"])
def test_development_is_open_inside(address: str) -> None:
    assert judged(address, OPEN) is None


def test_an_administrators_network_passes_and_only_that() -> None:
    policy = Policy(allowed=networks(["10.20.0.0/16", "fd12::/64"]))
    assert judged("10.20.4.31", policy) is None
    assert judged("::ffff:10.20.4.31", policy) is None
    assert judged("10.21.4.31", policy)


def test_the_refusal_does_not_say_whether_anything_answers() -> None:
    assert judged("10.0.0.1", STRICT) == judged("10.0.0.2", STRICT)


def test_a_strange_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        networks(["10.0.0.0/99"])
    assert networks(["10.0.0.7/8"]) == (ipaddress.ip_network("10.0.0.0/8"),)
