"""How far a connector may reach: which addresses, sockets and files. The one who connects decides, never the settings."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from metamapper.connectors.errors import AddressDenied, HostUnknown, SettingsInvalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _denies_nothing(_: Address) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Route:
    """Where to connect to for a host and port, and how that was found, in words."""

    addresses: tuple[str, ...]
    port: int
    words: str


class Way(Protocol):
    """A way other than straight there: what is connected to is not the host, but leads to it."""

    def route(self, host: str, port: int) -> Route:
        """Raises a ``ConnectorError``."""
        ...

    def leads_through(self, address: str, port: int) -> bool:
        """Whether this is one of the way's own beginnings, and no other place."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """What a connector may touch on the network and on this machine.

    ``denies`` gives the reason why an address may not be connected to, or None. ``sockets`` allows unix sockets.
    ``folders`` are those below which files may be read; None allows every file. The default reads no file at all.
    ``own_account`` lets a datastore be signed in to as whom the worker itself is (the role of its machine, the files and
    variables of its account), which is more than the one who made the datastore may be. ``way`` is the tunnel that
    everything goes through; then ``denies`` has its say about where the tunnel begins, which is all that this machine
    connects to.
    """

    folders: tuple[Path, ...] | None = ()
    sockets: bool = False
    own_account: bool = False
    denies: Callable[[Address], str | None] = _denies_nothing
    way: Way | None = None

    def route(self, host: str, port: int) -> Route:
        """Where to connect to for this host: its own addresses, checked, or where a tunnel to it begins.

        TLS still asks for the host's own name. Raises a ``ConnectorError``.
        """
        if self.way is not None:
            return self.way.route(host, port)
        found = self.addresses(host, port)
        words = "An address needs none" if found == (host,) else f"{host} is {', '.join(found)}"
        return Route(found, port, words)

    def refuses(self, address: str, port: int) -> str | None:
        """Why a driver that goes where its server sends it may not go there, or None."""
        if self.way is not None:
            leads = self.way.leads_through(address, port)
            return None if leads else "That is not through the tunnel, which is the only way it may take."
        return self.denies(ipaddress.ip_address(address.partition("%")[0]))

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host, looked up once and every one of them checked: connect to these, not to the name.

        Never past a tunnel. Raises ``HostUnknown`` or ``AddressDenied``.
        """
        if self.way is not None:
            raise SettingsInvalid("What reads this datastore does not know how to go through a tunnel.")
        found = tuple(dict.fromkeys(_lookup(host, port)))
        for address in found:
            reason = self.denies(ipaddress.ip_address(address.partition("%")[0]))
            if reason:
                raise AddressDenied(f"{host} is {address}. {reason}", hint="Ask the administrator to allow it.")
        return found

    def file(self, path: str) -> Path:
        """The real path of a file, links followed; raises ``AddressDenied`` outside the allowed folders."""
        real = Path(path).expanduser().resolve()
        if self.folders is None or any(real.is_relative_to(folder.resolve()) for folder in self.folders):
            return real
        allowed = ", ".join(str(folder) for folder in self.folders) or "none"
        raise AddressDenied(
            f"{path} is not in a folder from which datastores may be read.",
            hint=f"Folders that are allowed: {allowed}.",
        )


UNRESTRICTED = Reach(folders=None, sockets=True, own_account=True)
"""For a person at the command line, who may read what their own account may read."""


def is_loopback(host: str) -> bool:
    """Whether a host's own spelling says that it is this machine; no name is looked up."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lookup(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "not a host name"
        raise HostUnknown(
            f"No address is known for {host}.",
            server_said=said,
            hint="Check the spelling, and that the name is known where the workers run.",
        ) from None
    return [str(entry[4][0]) for entry in found]
