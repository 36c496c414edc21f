"""Which addresses may be connected to on behalf of a person: resolve once, check every answer, connect to what was checked."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::254/128"))


class HostUnresolved(Exception):
    """No address is known for this name."""


class HostDenied(Exception):
    """A name has an address that may not be connected to. Says what kind it is, never whether anything answers there."""

    def __init__(self, host: str, kind: str) -> None:
        super().__init__(f"“{host}” is {kind}, which may not be connected to from here.")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Policy:
    """``allowed`` networks pass whatever they are. ``open_inside`` lets private networks and this machine pass too."""

    allowed: tuple[Network, ...] = ()
    open_inside: bool = False

    def refusal(self, address: Address) -> str | None:
        """What is wrong with an address, or None. A metadata service is refused even where all else is open."""
        plain = unmapped(address)
        if any(plain.version == network.version and plain in network for network in self.allowed):
            return None
        if plain.is_link_local or any(plain in network for network in _METADATA if network.version == plain.version):
            return "a link-local address"
        if plain.is_multicast or plain.is_unspecified or _is_broadcast(plain):
            return "no address of one machine"
        if self.open_inside:
            return None
        if plain.is_loopback:
            return "this machine itself"
        return None if plain.is_global else "an address in a private network"


def unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps (mapped, 6to4, Teredo, NAT64), else itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or _compatible(address)


def _compatible(address: IPv6Address) -> Address:
    number = int(address)
    return IPv4Address(number) if 1 < number <= 0xFFFFFFFF else address  # noqa: PLR2004 - ::1 is IPv6's own


def _is_broadcast(address: Address) -> bool:
    return isinstance(address, IPv4Address) and int(address) == 0xFFFFFFFF  # noqa: PLR2004 - 255.255.255.255


def _resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_address(host: str, port: int, policy: Policy, *, resolve: Resolve = _resolve) -> Sequence[str]:
    """The addresses of a host, all of which may be connected to; connect to one of these, not to the name again.

    Raises ``HostUnresolved``, or ``HostDenied`` if any of them is refused: a name with one good and one bad address is bad.
    Every spelling (decimal, octal, mapped, with a trailing dot) passes, for the resolver's answer is what is checked.
    """
    if not host or "/" in host or "\x00" in host or "@" in host:
        raise HostDenied(host, "no host name")
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise HostUnresolved(host) from error
    if not found:
        raise HostUnresolved(host)
    for text in found:
        refusal = policy.refusal(ipaddress.ip_address(text.partition("%")[0]))
        if refusal:
            raise HostDenied(host, refusal)
    return found


def networks(words: Sequence[str]) -> tuple[Network, ...]:
    """Networks in CIDR notation; raises ``ValueError`` naming the one that is none."""
    return tuple(ipaddress.ip_network(word, strict=False) for word in words)
