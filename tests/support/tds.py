"""A stand-in for a server that speaks TDS 7.4: enough of [MS-TDS] for the real driver to sign in, ask and be answered.

It knows nothing of SQL: whoever starts it says who may sign in, and gives the rows that a statement answers with. PRELOGIN with
and without TLS, LOGIN7 with a password or a token, SQLBatch, sp_executesql, typed rows, errors, attention, routing.
"""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.tds_tokens import (
    ALL_FEATURES,
    CANCELLED,
    COLLATION,
    COUNT,
    ERROR,
    FEDAUTH,
    Refused,
    changed,
    columns,
    done,
    errors,
    login_ack,
    routing,
    row,
    token_taken,
)

__all__ = ["Answer", "Hello", "Refused", "Session", "TdsServer"]

BATCH, RPC, REPLY, ATTENTION, LOGIN, PRELOGIN = 0x01, 0x03, 0x04, 0x06, 0x10, 0x12
ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED, ENCRYPT_REQUIRED = range(4)
EXECUTESQL = 10
BODY = 4088


@dataclass(frozen=True)
class Hello:
    """What a client says of itself."""

    user: str
    password: str
    database: str
    application: str
    token: str
    read_only: bool
    encrypted: bool


@dataclass
class Answer:
    """Columns by name and type (int, bool or str), and their rows."""

    columns: Sequence[tuple[str, type]] = ()
    rows: Iterable[Sequence[Any]] = ()


class Session(Protocol):
    def answer(self, sql: str, parameters: dict[str, Any]) -> Answer:
        """What this statement answers; raises ``Refused``."""
        ...


@dataclass
class TdsServer:
    """``sign_in`` gives a session, or raises ``Refused``, or gives a host and port to go to."""

    sign_in: Callable[[Hello], Session | tuple[str, int]]
    certificate: ssl.SSLContext | None = None
    demands_tls: bool = False
    in_two_messages: bool = False
    """Whether it leads elsewhere only in a second message, as no server does."""
    port: int = 0
    attentions: threading.Event = field(default_factory=threading.Event)
    hellos: list[Hello] = field(default_factory=list)
    connections: set[socket.socket] = field(default_factory=set)

    def cut(self) -> None:
        """End every connection without a word."""
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def running(self) -> Iterator["TdsServer"]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                self.cut()
                thread.join(10)

    def _accept(self, listener: socket.socket) -> None:
        threads = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(10)

    def _serve(self, connection: socket.socket) -> None:
        self.connections.add(connection)
        with closing(connection), suppress(OSError, EOFError, ssl.SSLError):
            try:
                _Conversation(self, connection).hold()
            finally:
                self.connections.discard(connection)


class _Conversation:
    def __init__(self, server: TdsServer, raw: socket.socket) -> None:
        self._server = server
        self._raw = raw
        self._tls: ssl.SSLObject | None = None
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()

    def hold(self) -> None:
        kind, body = self._message()
        if kind != PRELOGIN:
            return
        self._introduce(body)
        _, login = self._message()
        hello = _hello(login, encrypted=self._tls is not None)
        self._server.hellos.append(hello)
        try:
            session = self._server.sign_in(hello)
        except Refused as refusal:
            self._send(errors(refusal) + done(ERROR))
            return
        if isinstance(session, tuple):
            if self._server.in_two_messages:
                self._send(changed(1, hello.database))
            self._send(login_ack() + routing(*session) + done(0))
            return
        self._send(changed(1, hello.database) + login_ack() + (token_taken() if hello.token else b"") + done(0))
        while True:
            kind, body = self._message()
            if kind == ATTENTION:
                self._server.attentions.set()
                self._send(done(CANCELLED))
            else:
                self._reply(session, *_statement(kind, body))

    def _introduce(self, body: bytes) -> None:
        wanted = _options(body).get(1, b"\x02")[0]
        offered = ENCRYPT_NOT_SUPPORTED
        if self._server.certificate:
            offered = ENCRYPT_ON if wanted in {ENCRYPT_ON, ENCRYPT_OFF} else ENCRYPT_NOT_SUPPORTED
            if self._server.demands_tls:
                offered = ENCRYPT_REQUIRED
        version, token = bytes((16, 0, 16, 0, 0, 0)), bytes((1,))
        options = {0: version, 1: bytes((offered,)), 4: b"\x00", **({6: token} if 6 in _options(body) else {})}
        self._send(_with_options(options))
        if self._server.certificate and wanted == ENCRYPT_ON:
            self._secure(self._server.certificate)

    def _secure(self, certificate: ssl.SSLContext) -> None:
        secured = certificate.wrap_bio(self._coming, self._going, server_side=True)
        while True:
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                if left := self._going.read():
                    self._send(left, PRELOGIN)
                self._coming.write(self._message()[1])
        if left := self._going.read():
            self._send(left, PRELOGIN)
        self._tls = secured

    def _reply(self, session: Session, sql: str, parameters: dict[str, Any]) -> None:
        try:
            answer = session.answer(sql, parameters)
        except Refused as refusal:
            self._send(errors(refusal) + done(ERROR))
            return
        buffer = bytearray(columns(answer.columns) if answer.columns else b"")
        count = 0
        for values in answer.rows:
            buffer += row(answer.columns, values)
            count += 1
            while len(buffer) > BODY:
                if self._is_called_off():
                    # What was begun must be readable to its end: the row in the buffer goes, and the rest does not.
                    self._send(bytes(buffer) + done(CANCELLED))
                    return
                self._write(_header(REPLY, 0, BODY) + bytes(buffer[:BODY]))
                del buffer[:BODY]
        self._send(bytes(buffer) + done(COUNT, count))

    def _is_called_off(self) -> bool:
        """Whether the client said so meanwhile."""
        if not self._coming.pending and not select.select([self._raw], [], [], 0)[0]:
            return False
        if self._message()[0] == ATTENTION:
            self._server.attentions.set()
            return True
        return False

    # Packets

    def _message(self) -> tuple[int, bytes]:
        found, kind, last = bytearray(), 0, False
        while not last:
            header = self._exactly(8)
            kind, last = header[0], bool(header[1] & 1)
            found += self._exactly(int.from_bytes(header[2:4]) - 8)
        return kind, bytes(found)

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self._read(size - len(found))
            if not part:
                raise EOFError
            found += part
        return found

    def _read(self, size: int) -> bytes:
        if self._tls is None:
            return self._raw.recv(size)
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                received = self._raw.recv(65536)
                if not received:
                    return b""
                self._coming.write(received)

    def _send(self, body: bytes, kind: int = REPLY) -> None:
        """A message, or the last part of one, in as many packets as it needs."""
        parts = [body[start : start + BODY] for start in range(0, len(body), BODY)] or [b""]
        last = len(parts) - 1
        self._write(b"".join(_header(kind, int(n == last), len(part)) + part for n, part in enumerate(parts)))

    def _write(self, content: bytes) -> None:
        if self._tls is not None:
            self._tls.write(content)
            content = self._going.read()
        self._raw.sendall(content)


def _header(kind: int, status: int, size: int) -> bytes:
    return bytes((kind, status)) + (size + 8).to_bytes(2) + bytes((0, 0, 1, 0))


def _options(body: bytes) -> dict[int, bytes]:
    found, place = {}, 0
    while body[place] != 0xFF:
        offset, length = struct.unpack_from(">HH", body, place + 1)
        found[body[place]] = body[offset : offset + length]
        place += 5
    return found


def _with_options(options: dict[int, bytes]) -> bytes:
    start, table, values = 5 * len(options) + 1, b"", b""
    for name, value in options.items():
        table += bytes((name,)) + struct.pack(">HH", start + len(values), len(value))
        values += value
    return table + b"\xff" + values


def _hello(login: bytes, *, encrypted: bool) -> Hello:
    """LOGIN7, read as its page has it: offsets count from the start, lengths in characters."""

    def text(place: int) -> bytes:
        offset, length = struct.unpack_from("<HH", login, place)
        return login[offset : offset + 2 * length]

    password = bytes(((byte ^ 0xA5) >> 4 | (byte ^ 0xA5) << 4) & 0xFF for byte in text(44))
    token = ""
    if login[27] & 0x10:
        (pointer,) = struct.unpack_from("<H", login, 56)
        (place,) = struct.unpack_from("<I", login, pointer)
        token = _token(login, place)
    return Hello(
        user=text(40).decode("utf-16-le"),
        password=password.decode("utf-16-le"),
        application=text(48).decode("utf-16-le"),
        database=text(68).decode("utf-16-le"),
        token=token,
        read_only=bool(login[26] & 0x20),
        encrypted=encrypted,
    )


def _token(login: bytes, place: int) -> str:
    while login[place] != ALL_FEATURES:
        (length,) = struct.unpack_from("<I", login, place + 1)
        if login[place] == FEDAUTH:
            (size,) = struct.unpack_from("<I", login, place + 6)
            return login[place + 10 : place + 10 + size].decode("utf-16-le")
        place += 5 + length
    return ""


def _statement(kind: int, body: bytes) -> tuple[str, dict[str, Any]]:
    (headers,) = struct.unpack_from("<I", body)
    if kind == BATCH:
        return body[headers:].decode("utf-16-le"), {}
    assert kind == RPC, kind
    marker, procedure, _ = struct.unpack_from("<HHH", body, headers)
    assert (marker, procedure) == (0xFFFF, EXECUTESQL), "only sp_executesql is known"
    values = list(_parameters(body, headers + 6))
    return values[0][1], {name.removeprefix("@"): value for name, value in values[2:]}


def _parameters(body: bytes, place: int) -> Iterator[tuple[str, Any]]:
    """Names and values; only texts are known, short and long."""
    while place < len(body):
        size = body[place]
        name = body[place + 1 : place + 1 + 2 * size].decode("utf-16-le")
        place += 1 + 2 * size + 1
        assert body[place] == 0xE7, "only nvarchar is known"
        (longest,) = struct.unpack_from("<H", body, place + 1)
        place += 3 + len(COLLATION)
        if longest != 0xFFFF:
            (length,) = struct.unpack_from("<H", body, place)
            value, place = body[place + 2 : place + 2 + length], place + 2 + length
        else:
            value, place = _in_chunks(body, place + 8)
        yield name, value.decode("utf-16-le")


def _in_chunks(body: bytes, place: int) -> tuple[bytes, int]:
    found = b""
    while length := struct.unpack_from("<I", body, place)[0]:
        found += body[place + 4 : place + 4 + length]
        place += 4 + length
    return found, place + 4
