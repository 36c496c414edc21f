"""A gate for drivers that make their connections by themselves, where nobody could check an address.

Such a driver is given a proxy on this machine. The gate looks each name up once, checks every address, connects to what
was checked, and passes bytes on without reading them: TLS goes from the driver to the server. It lets nobody through who
does not know its password, and ends with the session. What stood in the way of a connection is known here, in our own
words; a driver often hides it.
"""

import secrets
import selectors
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import cast

from metamapper.connectors import errors
from metamapper.connectors.reach import Reach
from metamapper.connectors.wire import connected

LOOPBACK = "127.0.0.1"
USER = "metamapper"
LONGEST_HEAD = 16_384
CHUNK = 65_536
HEAD_SECONDS = 10.0


class Gate:
    """An HTTP proxy that knows CONNECT (RFC 9110, 9.3.6) and nothing else."""

    def __init__(self, reach: Reach, seconds: float) -> None:
        self._reach = reach
        self._seconds = seconds
        self._listener = socket.create_server((LOOPBACK, 0))
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._closed = False
        self.password = secrets.token_urlsafe(24)
        self.failure: errors.ConnectorError | None = None
        """Why the latest connection could not be made; None where it could."""

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def cut(self) -> None:
        """End every connection."""
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def serve(self) -> None:
        """Let connections through until the gate is closed, each in a thread of its own."""
        while not self._closed:
            try:
                inside, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._pass, args=(inside,), name="gate", daemon=True).start()

    def _pass(self, inside: socket.socket) -> None:
        with self._kept(inside):
            target = self._asked_for(inside)
            if target is None:
                return
            try:
                outside = connected(*target, self._reach, self._seconds)
            except errors.ConnectorError as error:
                self.failure = error
                _say(inside, "502 Bad Gateway")
                return
            self.failure = None
            with self._kept(outside):
                _say(inside, "200 Connection established")
                _relay(inside, outside)

    @contextmanager
    def _kept(self, connection: socket.socket) -> Iterator[None]:
        """Known to ``cut`` while it lasts, closed at the end."""
        with self._lock:
            self._open.add(connection)
        try:
            if self._closed:  # while it was made: nobody else will end it
                self.cut()
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _asked_for(self, inside: socket.socket) -> tuple[str, int] | None:
        """The host and port that a driver wants; None where it may not ask, or asks for something else."""
        head = _head(inside)
        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if method != "CONNECT" or not port.isdigit():
            _say(inside, "405 Method Not Allowed")
        elif not self._knows_the_password(lines):
            _say(inside, "407 Proxy Authentication Required")
        else:
            return host.strip("[]"), int(port)
        return None

    def _knows_the_password(self, lines: list[str]) -> bool:
        wanted = f"Basic {b64encode(f'{USER}:{self.password}'.encode()).decode()}"
        given = [value.strip() for name, _, value in (line.partition(":") for line in lines) if _names_a_password(name)]
        return any(secrets.compare_digest(each.encode(), wanted.encode()) for each in given)


@contextmanager
def gate(reach: Reach, seconds: float) -> Iterator[Gate]:
    """A gate that stands while the block lasts. ``seconds`` is how long one connection may take to be made."""
    made = Gate(reach, seconds)
    thread = Thread(target=made.serve, name="gate", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join()


def _names_a_password(name: str) -> bool:
    return name.strip().lower() == "proxy-authorization"


def _head(connection: socket.socket) -> str:
    """What comes before the first blank line; blank where it does not come in time or is no end of it."""
    connection.settimeout(HEAD_SECONDS)
    head = b""
    with suppress(OSError):
        while b"\r\n\r\n" not in head and len(head) < LONGEST_HEAD:
            more = connection.recv(CHUNK)
            if not more:
                return ""
            head += more
    return head.decode("latin-1")


def _say(connection: socket.socket, status: str) -> None:
    with suppress(OSError):
        connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on in both directions until one side has ended."""
    partner = {one: other, other: one}
    with suppress(OSError, ValueError):
        for each in partner:
            each.settimeout(None)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with selectors.DefaultSelector() as waiting:
            for each in partner:
                waiting.register(each, selectors.EVENT_READ)
            while True:
                for ready, _ in waiting.select():
                    speaker = cast("socket.socket", ready.fileobj)
                    chunk = speaker.recv(CHUNK)
                    if not chunk:
                        return
                    partner[speaker].sendall(chunk)
