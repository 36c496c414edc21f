"""A stand-in for Redshift: a PostgreSQL with Redshift's catalog views, behind a proxy that minds what the driver says.

The proxy drops the start-up parameters that only Redshift knows, calls the server 8.0.2, sends what is asked of Redshift's
own catalog to the views of ``redshift.sql``, speaks TLS where it has a certificate, and asks for passwords where it knows
some, as Redshift does (MD5), for the PostgreSQL behind it trusts everybody.
"""

import re
import secrets
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from threading import Thread

import psycopg

from metamapper.connectors.engines.redshift.relay import carried

CATALOG = Path(__file__).with_suffix(".sql")
STANDS_IN_FOR = re.findall(
    r"^CREATE (?:VIEW|FUNCTION) redshift\.(\w+)", CATALOG.read_text(encoding="utf-8"), re.MULTILINE
)
_QUALIFIED = re.compile(rf"\bpg_catalog\.({'|'.join(STANDS_IN_FOR)})\b".encode())
# Not every use is qualified: these would be PostgreSQL's own.
_BARE = re.compile(rb"(?<![\w.])(pg_get_expr|format_type) ?\(")

SSL_REQUEST, CANCEL_REQUEST = 80877103, 80877102
KNOWN = {b"user", b"database", b"application_name"}
VERSION = b"8.0.2"


def install_catalog(url: str) -> None:
    """Make the database at this URL look like a Redshift's."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(CATALOG.read_bytes())


@dataclass
class Proxy:
    """Where it listens, and what was said to it."""

    port: int
    tls: ssl.SSLContext | None = None
    passwords: Mapping[str, str] | None = None
    """By user; None asks nobody."""
    startups: list[dict[bytes, bytes]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    cancels: int = 0


@contextmanager
def proxy(
    server_port: int, *, tls: tuple[Path, Path] | None = None, passwords: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """A proxy in front of a PostgreSQL on loopback; ``tls`` are the files of a certificate and its key."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Proxy(listener.getsockname()[1], context, passwords)
        accepting = Thread(target=_accept, args=(listener, server_port, running), daemon=True)
        accepting.start()
        try:
            yield running
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, server_port: int, running: Proxy) -> None:
    sessions: list[Thread] = []
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            break
        session = Thread(target=_serve, args=(client, server_port, running), daemon=True)
        session.start()
        sessions.append(session)
    for session in sessions:
        session.join(timeout=5)


def _serve(client: socket.socket, server_port: int, running: Proxy) -> None:
    with ExitStack() as stack, suppress(OSError, ValueError, struct.error):
        stack.enter_context(client)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = _started(client, running, stack)
        if started is None:
            return
        client, packet = started
        with socket.create_connection(("127.0.0.1", server_port)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sendall(packet)
            back = Thread(target=_answers, args=(server, client), daemon=True)
            back.start()
            _questions(client, server, running)
            back.join()


def _started(client: socket.socket, running: Proxy, stack: ExitStack) -> tuple[socket.socket, bytes] | None:
    """The start-up packet as a PostgreSQL takes it, after TLS where it was asked for and is to be had."""
    while True:
        packet = _packet(client)
        code = int.from_bytes(packet[:4])
        if code == SSL_REQUEST:
            client.sendall(b"S" if running.tls else b"N")
            client = stack.enter_context(_decrypted(client, running.tls)) if running.tls else client
        elif code == CANCEL_REQUEST:
            running.cancels += 1
            return client, (len(packet) + 4).to_bytes(4) + packet
        else:
            words = packet[4:].split(b"\0")
            parameters = dict(zip(words[::2], words[1::2], strict=False))
            running.startups.append(parameters)
            if running.passwords is not None and not _knows_password(client, parameters[b"user"], running.passwords):
                return None
            kept = b"".join(name + b"\0" + value + b"\0" for name, value in parameters.items() if name in KNOWN)
            return client, (len(kept) + 9).to_bytes(4) + packet[:4] + kept + b"\0"


def _decrypted(client: socket.socket, tls: ssl.SSLContext) -> socket.socket:
    """The other end of a pipe: TLS may not be read and written at once, which is what is done to a session here."""
    secured = tls.wrap_socket(client, server_side=True)
    inner, outer = socket.socketpair()

    def pump() -> None:
        with suppress(OSError), outer, secured:
            carried(outer, secured, lambda _: None)

    Thread(target=pump, daemon=True).start()
    return inner


def _knows_password(client: socket.socket, user: bytes, passwords: Mapping[str, str]) -> bool:
    """Ask for it, hashed with the user and salt; say what Redshift says where it is another one."""
    salt = secrets.token_bytes(4)
    client.sendall(b"R" + (12).to_bytes(4) + (5).to_bytes(4) + salt)
    kind, given = _exactly(client, 1), _packet(client).rstrip(b"\0")
    inner = md5(passwords.get(user.decode(), secrets.token_hex()).encode() + user).hexdigest()
    if kind == b"p" and given == b"md5" + md5(inner.encode() + salt).hexdigest().encode():
        return True
    said = b'password authentication failed for user "' + user + b'"'
    body = b"SFATAL\0" + b"C28000\0" + b"M" + said + b"\0\0"
    client.sendall(b"E" + (len(body) + 4).to_bytes(4) + body)
    return False


def _packet(connection: socket.socket) -> bytes:
    return _exactly(connection, int.from_bytes(_exactly(connection, 4)) - 4)


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        more = connection.recv(length - len(found))
        if not more:
            raise ConnectionResetError
        found += more
    return bytes(found)


def _questions(client: socket.socket, server: socket.socket, running: Proxy) -> None:
    """Message by message: the text of a statement is in P (Parse) and Q (Query)."""
    with suppress(OSError):
        while True:
            kind, body = _exactly(client, 1), _packet(client)
            if kind == b"P":
                name, statement, rest = body.split(b"\0", 2)
                running.statements.append(statement.decode())
                body = b"\0".join((name, _rewritten(statement), rest))
            server.sendall(kind + (len(body) + 4).to_bytes(4) + body)
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _rewritten(statement: bytes) -> bytes:
    return _BARE.sub(rb"redshift.\1(", _QUALIFIED.sub(rb"redshift.\1", statement))


def _answers(server: socket.socket, client: socket.socket) -> None:
    """As they come, but for the version, which the driver reads as a number."""
    with suppress(OSError):
        while True:
            kind, body = _exactly(server, 1), _packet(server)
            if kind == b"S" and body.startswith(b"server_version\0"):
                body = b"server_version\0" + VERSION + b"\0"
            client.sendall(kind + (len(body) + 4).to_bytes(4) + body)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
