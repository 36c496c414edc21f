"""A server that speaks the protocol just well enough to be trusted, and then asks for what no server may have.

See https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CLIENT_SSL = 0x800
CAPABILITIES = 0x81FFF7DF & ~CLIENT_SSL
"""What a MySQL 8 offers, LOAD DATA LOCAL among it, but for TLS."""
STATUS_AUTOCOMMIT = 2
OK = b"\x00\x00\x00" + struct.pack("<HH", STATUS_AUTOCOMMIT, 0)
SALT = b"0123456789abcdefghij"
TAKES_LOCAL_FILES = 0x80


@dataclass
class Rogue:
    """``wants`` is a packet that it sends in place of an answer: to the sign-in, or to the first statement."""

    port: int
    received: list[bytes] = field(default_factory=list)
    """Every packet of the clients, in order; the first of each is the sign-in."""

    @property
    def flags(self) -> int:
        flags: int = struct.unpack("<I", self.received[0][:4])[0]
        return flags


def local_file(path: str) -> bytes:
    return b"\xfb" + path.encode()


def other_way_to_sign_in(plugin: str) -> bytes:
    return b"\xfe" + plugin.encode() + b"\0" + SALT + b"\0"


def text(value: str) -> tuple[bytes, ...]:
    """An answer of one row and one column: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html."""
    names = b"".join(bytes([len(name)]) + name for name in (b"def", b"", b"", b"", b"version", b"version"))
    column = names + b"\x0c" + struct.pack("<HIBHB", 45, 1024, 253, 0, 0) + bytes(2)
    end = b"\xfe\x00\x00" + struct.pack("<H", STATUS_AUTOCOMMIT)
    return b"\x01", column, end, bytes([len(value)]) + value.encode(), end


def greeting(version: str) -> bytes:
    low, high = CAPABILITIES & 0xFFFF, CAPABILITIES >> 16
    head = b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + SALT[:8] + b"\0"
    tail = struct.pack("<HBHHB", low, 45, STATUS_AUTOCOMMIT, high, len(SALT) + 1) + bytes(10)
    return head + tail + SALT[8:] + b"\0" + b"mysql_native_password\0"


@contextmanager
def refusing(
    said: bytes = b"\xff\x6a\x04Host '127.0.0.1' is not allowed to connect to this MySQL server",
) -> Iterator[int]:
    """The port of a server that refuses everybody in place of its greeting (error 1130), before anything is encrypted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        _send(client, 0, said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)


@contextmanager
def rogue(
    *, to_sign_in: bytes = OK, to_statement: bytes | tuple[bytes, ...] = OK, version: str = "8.0.36"
) -> Iterator[Rogue]:
    """It listens until the block ends, and takes one client after the other."""
    answers = (to_statement,) if isinstance(to_statement, bytes) else to_statement
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Rogue(listener.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listener, server, version, to_sign_in, answers))
        thread.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=10)


def _serve(listener: socket.socket, server: Rogue, version: str, to_sign_in: bytes, answers: tuple[bytes, ...]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, client.makefile("rb") as reader, suppress(OSError):
            client.settimeout(5)
            _send(client, 0, greeting(version))
            server.received.append(_packet(reader)[1])
            _send(client, 2, to_sign_in)
            while (said := _packet(reader))[1]:
                server.received.append(said[1])
                # The driver's own SET NAMES and SET AUTOCOMMIT are let pass, so that it believes itself connected.
                own = said[1].startswith((b"\x03SET NAMES", b"\x03SET AUTOCOMMIT"))
                for number, packet in enumerate((OK,) if own else answers, start=1):
                    _send(client, said[0] + number, packet)


def _packet(reader: object) -> tuple[int, bytes]:
    head = reader.read(4)  # type: ignore[attr-defined]
    if len(head) < 4:
        return 0, b""
    return head[3], reader.read(int.from_bytes(head[:3], "little"))  # type: ignore[attr-defined]


def _send(client: socket.socket, number: int, packet: bytes) -> None:
    client.sendall(len(packet).to_bytes(3, "little") + bytes([number % 256]) + packet)
