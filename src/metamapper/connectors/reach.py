"""How far a connector may reach: which addresses, sockets and files. The one who connects decides, never the settings."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from metamapper.connectors.errors import AddressDenied, HostUnknown

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _denies_nothing(_: Address) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a connector may touch on the network and on this machine.

    ``denies`` gives the reason why an address may not be connected to, or None. ``sockets`` allows unix sockets.
    ``folders`` are those below which files may be read; None allows every file. The default reads no file at all.
    ``own_account`` lets a datastore be signed in to as whom the worker itself is (the role of its machine, the files and
    variables of its account), which is more than the one who made the datastore may be.
    """

    folders: tuple[Path, ...] | None = ()
    sockets: bool = False
    own_account: bool = False
    denies: Callable[[Address], str | None] = _denies_nothing

    def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host, looked up once and every one of them checked: connect to these, not to the name.

        Raises ``HostUnknown`` or ``AddressDenied``.
        """
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
