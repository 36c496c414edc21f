"""The connection beneath the driver: to a checked address, with TLS by this language's own library, always verified alike.

In TDS 7 the client's and the server's first messages go in clear, the handshake is wrapped in packets of the same kind, and
all else is within TLS. The driver knows nothing of it: to it this is a socket to a server without TLS. A sign-in that is
answered by "go elsewhere" is told to the caller, who looks at the address before anybody connects to it.
"""

import ssl
from contextlib import suppress
from enum import Enum, auto
from socket import IPPROTO_TCP, SHUT_RDWR, TCP_NODELAY, create_connection, socket
from threading import Lock
from time import monotonic

from metamapper.connectors import errors
from metamapper.connectors.sql.tsql import packets
from metamapper.connectors.sql.tsql.packets import HEADER, Encryption, Route

CHUNK = 65_536
LARGEST_ANSWER = 1 << 20
"""Bytes that a server may send before anybody has signed in."""


class Rerouted(Exception):
    """The server wants the client to go elsewhere."""

    def __init__(self, route: Route) -> None:
        super().__init__(f"{route.host}:{route.port}")
        self.route = route


class _Phase(Enum):
    INTRODUCTION = auto()
    SIGN_IN = auto()
    OPEN = auto()


class Channel:
    """A socket as far as the driver needs one. ``trust`` is None where nothing shall be encrypted."""

    def __init__(self, address: str, port: int, *, name: str, trust: ssl.SSLContext | None, seconds: float) -> None:
        """Connect; raises a ``ConnectorError``. ``seconds`` are all there are until somebody is signed in."""
        self._deadline: float | None = monotonic() + seconds
        self._silence = seconds
        self._name = name
        self._trust = trust
        self._phase = _Phase.INTRODUCTION
        self._answered = False
        self._ready = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._lock = Lock()
        self.offered: Encryption | None = None
        """What the server said of TLS."""
        try:
            self._raw: socket = create_connection((address, port), timeout=max(seconds, 0.001))
            self._raw.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        except OSError as error:
            raise self._failed(error) from None

    @property
    def secured(self) -> ssl.SSLObject | None:
        return self._tls

    def signed_in(self, silence: float) -> None:
        """From now on the other side may be silent for so many seconds at a time."""
        self._deadline, self._silence = None, silence

    def introduce(self, question: bytes) -> bytes:
        """Send the first message, secure the connection if so wished, and give the server's answer."""
        wanted = Encryption.ON if self._trust else Encryption.NOT_SUPPORTED
        self._write(question[:HEADER] + packets.with_encryption(question[HEADER:], wanted))
        answer = self._message()
        self.offered = packets.encryption_of(answer)
        if self.offered is None:
            raise errors.ServerForeign(hint="What answers on this port does not speak TDS: check the port.")
        if self._trust:
            if self.offered not in {Encryption.ON, Encryption.REQUIRED}:
                raise errors.TlsFailed(server_said="server offers no TLS")
            self._secure(self._trust)
        elif self.offered is Encryption.REQUIRED:
            raise errors.TlsFailed(server_said="server requires TLS")
        return packets.packet(packets.REPLY, packets.with_encryption(answer, Encryption.NOT_SUPPORTED))

    def attention(self) -> None:
        """Ask the server to stop what it does; from any thread. Raises nothing."""
        with suppress(errors.ConnectorError):
            self._write(packets.packet(packets.ATTENTION, b""))

    # What the driver calls

    def sendall(self, content: bytes, flags: int = 0) -> None:  # noqa: ARG002 - a socket's signature
        content = bytes(content)
        if self._phase is _Phase.INTRODUCTION:
            self._ready += self.introduce(content)
            self._phase = _Phase.SIGN_IN
            return
        self._answered = False
        self._write(content)
        if self._phase is _Phase.SIGN_IN and content[1] & packets.END_OF_MESSAGE:
            answer = self._message()
            if route := _route(answer):
                raise Rerouted(route)
            self._ready += _in_packets(answer)
            self._phase = _Phase.OPEN
            self._answered = True

    def recv(self, size: int, flags: int = 0) -> bytes:  # noqa: ARG002 - a socket's signature
        if not self._ready:
            if self._answered:
                # In a second answer the driver would follow a route by itself: unchecked, and in the clear.
                raise errors.ServerForeign(hint="It answers a sign-in in more than one message.")
            self._ready += self._read(CHUNK)
        content = bytes(self._ready[:size])
        del self._ready[:size]
        return content

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        content = self.recv(size or len(buffer), flags)
        buffer[: len(content)] = content
        return len(content)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self._raw.setsockopt(level, option, value)

    def settimeout(self, seconds: float | None) -> None:
        """Not the driver's to say."""

    def gettimeout(self) -> float | None:
        return self._silence

    def close(self) -> None:
        with suppress(OSError):
            self._raw.shutdown(SHUT_RDWR)  # wakes a thread that waits for an answer
        self._raw.close()

    # Beneath

    def _secure(self, trust: ssl.SSLContext) -> None:
        """The handshake, within packets of the first message's kind; raises ``TlsFailed``."""
        secured = trust.wrap_bio(self._coming, self._going, server_hostname=self._name)
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                self._send_raw(packets.packet(packets.PRELOGIN, self._going.read()))
                self._coming.write(self._message())
            except (ssl.SSLError, ssl.CertificateError) as error:
                raise errors.TlsFailed(server_said=getattr(error, "verify_message", "") or str(error)) from None
            else:
                break
        if left := self._going.read():
            self._send_raw(packets.packet(packets.PRELOGIN, left))
        self._tls = secured

    def _message(self) -> bytes:
        """A whole message of the server's, without the headers of its packets."""
        found = bytearray()
        last = False
        while not last:
            header = self._exactly(HEADER)
            size = int.from_bytes(header[2:4]) - HEADER
            if header[0] not in {packets.REPLY, packets.PRELOGIN} or size < 0:
                raise errors.ServerForeign(hint="What answers on this port does not speak TDS: check the port.")
            found += self._exactly(size)
            last = bool(header[1] & packets.END_OF_MESSAGE)
            if len(found) > LARGEST_ANSWER:
                raise errors.ServerForeign(hint="What answers on this port does not stop: check the port.")
        return bytes(found)

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            part = self._read(size - len(found))
            if not part:
                raise errors.ConnectionLost(server_said="the server hung up")
            found += part
        return bytes(found)

    def _read(self, size: int) -> bytes:
        if self._tls is None:
            return self._receive_raw(size)
        while True:
            try:
                with self._lock:
                    return self._tls.read(size)
            except ssl.SSLWantReadError:
                received = self._receive_raw(CHUNK)
                if not received:
                    return b""
                with self._lock:
                    self._coming.write(received)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise errors.ConnectionLost(server_said=str(error)) from None

    def _write(self, content: bytes) -> None:
        with self._lock:
            if self._tls is not None:
                self._tls.write(content)
                content = self._going.read()
            self._send_raw(content)

    def _send_raw(self, content: bytes) -> None:
        try:
            self._raw.settimeout(self._left())
            self._raw.sendall(content)
        except OSError as error:
            raise self._failed(error) from None

    def _receive_raw(self, size: int) -> bytes:
        try:
            self._raw.settimeout(self._left())
            return self._raw.recv(size)
        except OSError as error:
            raise self._failed(error) from None

    def _left(self) -> float:
        return self._silence if self._deadline is None else max(self._deadline - monotonic(), 0.001)

    def _failed(self, error: OSError) -> errors.ConnectorError:
        kind: type[errors.ConnectorError] = errors.HostUnreachable
        if isinstance(error, TimeoutError):
            kind = errors.StatementTimeout if self._deadline is None else errors.ConnectionTimeout
        elif isinstance(error, ConnectionRefusedError):
            kind = errors.ConnectionRefused
        elif isinstance(error, ConnectionError) or self._deadline is None:
            kind = errors.ConnectionLost
        return kind(server_said=error.strerror or str(error))


def _route(answer: bytes) -> Route | None:
    try:
        return packets.route_of(answer)
    except ValueError:
        raise errors.ServerForeign(hint="What answers on this port does not speak TDS: check the port.") from None


def _in_packets(content: bytes) -> bytes:
    """A message in packets that the driver's buffer holds before it knows of larger ones."""
    size = 4096 - HEADER
    parts = [content[start : start + size] for start in range(0, len(content), size)] or [b""]
    found = [packets.packet(packets.REPLY, part) for part in parts]
    open_ended = [bytes((part[0], 0)) + part[2:] for part in found[:-1]]
    return b"".join((*open_ended, found[-1]))
