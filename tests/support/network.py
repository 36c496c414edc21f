"""Nothing in a test leaves this machine: every connection that Python makes elsewhere fails at once, saying so."""

import ipaddress
import socket
import sys
from typing import Any

INTERNET = {socket.AF_INET, socket.AF_INET6}


class LeavesTheMachine(RuntimeError):
    """A test tried to reach another machine."""


def close_to_loopback() -> None:
    """From now on, for this whole process. An audit hook sees every socket, whatever library opens it."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        opened, address = arguments
        if opened.family in INTERNET and not _is_loopback(address[0]):
            raise LeavesTheMachine(f"A test tried to reach {address[0]}; tests talk to loopback only.")
    elif event == "socket.getaddrinfo" and not _is_local_name(arguments[0]):
        raise LeavesTheMachine(f"A test asked for the address of {arguments[0]}; use a name that ends in .invalid.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return _is_local_name(host)


def _is_local_name(host: object) -> bool:
    """Names that no resolver is asked for, and addresses, which need no resolver."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in {"", "localhost", socket.gethostname()}:
        return True
    if name.rstrip(".").endswith((".invalid", ".localhost")):
        return True
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
