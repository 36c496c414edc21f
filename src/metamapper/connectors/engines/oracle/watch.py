"""Seeing where the driver really connects to: wherever a listener redirects it, only within the reach.

A listener of a cluster answers "ask that host", and the driver goes there by itself. Python tells of every connection
before it is made (audit event ``socket.connect``), which is where an address that is denied is refused.
"""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any

from metamapper.connectors.errors import AddressDenied
from metamapper.connectors.reach import Reach


class Watch:
    """The connections that are made while it is on; a copy of each is kept, so that it can be ended from outside."""

    def __init__(self, reach: Reach) -> None:
        self.denied: AddressDenied | None = None
        self.gave_up = False
        """Whether it was ended from here."""
        self._reach = reach
        self._made: list[socket.socket] = []
        self._copies: list[socket.socket] = []

    def connecting(self, connection: socket.socket, host: str, port: int) -> None:
        """Raises ``AddressDenied``, and ``TimeoutError`` where it was ended: another address gets no time of its own."""
        self._made.append(connection)
        if self.gave_up:
            raise TimeoutError
        reason = self._reach.refuses(host, port)
        if reason:
            self.denied = AddressDenied(
                f"The listener leads to {host}. {reason}", hint="Ask the administrator to allow it."
            )
            raise self.denied
        self._copies.append(socket.socket(fileno=os.dup(connection.fileno())))

    def hang_up(self) -> None:
        """End every connection: whoever waits for an answer finds the end."""
        self.gave_up = True
        for copy in self._copies:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Close what a driver that failed to connect has left open."""
        for connection in self._made:
            connection.close()
        self.close()

    def close(self) -> None:
        for copy in self._copies:
            copy.close()


_on: ContextVar[Watch | None] = ContextVar("oracle_watch", default=None)


@contextmanager
def watching(reach: Reach) -> Iterator[Watch]:
    """Watch what this thread connects to within the block."""
    _install()
    watch = Watch(reach)
    token = _on.set(watch)
    try:
        yield watch
    finally:
        _on.reset(token)


@cache
def _install() -> None:
    """Once a process: an audit hook cannot be taken away."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and (watch := _on.get()):
        connection, address = arguments
        if connection.family in {socket.AF_INET, socket.AF_INET6}:
            watch.connecting(connection, str(address[0]), int(address[1]))
