"""Which addresses may be connected to on behalf of a person."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::254/128"))
ALLOW = "METAMAPPER_ALLOWED_NETWORKS can allow it."


@dataclass(frozen=True, slots=True)
class Policy:
    """``allowed`` networks pass whatever they are. ``open_inside`` lets private networks and this machine pass too."""

    allowed: tuple[Network, ...] = ()
    open_inside: bool = False

    def refusal(self, address: Address) -> str | None:
        """Why an address may not be connected to, or None. A metadata service is refused even where all else is open.

        An address that only wraps another (mapped, 6to4, Teredo, NAT64) is judged by what it wraps.
        """
        plain = unwrapped(address)
        if any(plain in network for network in self.allowed):
            return None
        if plain.is_link_local or any(plain in network for network in _METADATA):
            return f"A link-local address, where machines keep their secrets. {ALLOW}"
        if plain.is_multicast or plain.is_unspecified or _is_broadcast(plain):
            return "This is no address of one machine."
        if self.open_inside:
            return None
        if plain.is_loopback:
            return f"This is the machine that Metamapper runs on. {ALLOW}"
        return None if plain.is_global else f"This is an address in a private network. {ALLOW}"


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, else itself."""
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


def networks(words: Sequence[str]) -> tuple[Network, ...]:
    """Networks in CIDR notation; raises ``ValueError`` naming the one that is none."""
    return tuple(ipaddress.ip_network(word, strict=False) for word in words)
