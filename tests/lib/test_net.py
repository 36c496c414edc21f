"""No spelling of an address gets past the check (SECURITY S4). Answers of a resolver stand in for names."""

import ipaddress
import socket

import pytest

from metamapper.lib.net import HostDenied, HostUnresolved, Policy, Resolve, check_address, networks

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


def answering(*addresses: str) -> Resolve:
    return lambda host, port: list(addresses)


@pytest.mark.parametrize("address", DENIED)
def test_what_is_inside_is_denied(address: str) -> None:
    with pytest.raises(HostDenied):
        check_address("db.example", 5432, STRICT, resolve=answering(address))


@pytest.mark.parametrize("address", ALWAYS_DENIED)
def test_metadata_and_no_machine_are_denied_even_in_development(address: str) -> None:
    with pytest.raises(HostDenied):
        check_address("db.example", 5432, OPEN, resolve=answering(address))


def as_the_system_reads_it(host: str, port: int) -> list[str]:
    return [socket.inet_ntoa(socket.inet_aton(host))]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_this_machine_gets_through(spelling: str) -> None:
    with pytest.raises(HostDenied):
        check_address(spelling, 5432, STRICT, resolve=as_the_system_reads_it)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_no_name_of_this_machine_gets_through_the_real_resolver(name: str) -> None:
    with pytest.raises(HostDenied):
        check_address(name, 5432, STRICT)


@pytest.mark.parametrize("host", ["", "/var/run/postgresql", "user@10.0.0.1", "a\x00b", "x" * 300, "a..b", "\ud800"])
def test_what_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises((HostDenied, HostUnresolved)):
        check_address(host, 5432, OPEN)


def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(HostDenied):
        check_address("rebind.example", 5432, STRICT, resolve=answering("93.184.216.34", "127.0.0.1"))


def test_a_public_address_passes_and_is_what_to_connect_to() -> None:
    assert check_address("db.example", 5432, STRICT, resolve=answering("93.184.216.34")) == ["93.184.216.34"]


@pytest.mark.parametrize("address", ["10.20.4.31", "127.0.0.1", "fd12::1"])
def test_development_is_open_inside(address: str) -> None:
    assert check_address("db.lan", 5432, OPEN, resolve=answering(address)) == [address]


def test_an_administrators_network_passes_and_only_that() -> None:
    policy = Policy(allowed=networks(["10.20.0.0/16"]))
    assert check_address("db.lan", 5432, policy, resolve=answering("10.20.4.31"))
    with pytest.raises(HostDenied):
        check_address("db.lan", 5432, policy, resolve=answering("10.21.4.31"))


def test_the_refusal_does_not_say_whether_anything_answers() -> None:
    said = set()
    for address in ("10.0.0.1", "10.0.0.2"):
        with pytest.raises(HostDenied) as denied:
            check_address("db.lan", 5432, STRICT, resolve=answering(address))
        said.add(str(denied.value))
    assert len(said) == 1


def test_a_strange_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        networks(["10.0.0.0/99"])
    assert networks(["10.0.0.7/8"]) == (ipaddress.ip_network("10.0.0.0/8"),)
