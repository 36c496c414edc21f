"""The bytes beneath Thrift: a socket to a checked address, TLS, and a sign-in; bounded in time and in size."""

import socket
import ssl
import struct
from contextlib import suppress
from time import monotonic

from thrift.transport.TTransport import TTransportBase

from metamapper.connectors import errors
from metamapper.connectors.authorities import trusting
from metamapper.connectors.engines.hive.settings import HiveSettings, SignIn
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.sql.server import Tls
from metamapper.connectors.wire import connected, refused

LARGEST_ANSWER = 64 << 20
"""Bytes that one answer may have: a service that does not stop is none."""

START, OK, BAD, ERROR, COMPLETE = 1, 2, 3, 4, 5
"""The words of a sign-in within Thrift (TSaslTransport): one byte, the length of what follows in four, and that."""
LONGEST_WORD = 1 << 16

_FOREIGN = "What answers on this port does not speak Thrift as a metastore does: check the port, and the sign-in."


class Channel(TTransportBase):  # type: ignore[misc]  # the library has no types
    """What the Thrift library needs of a connection. ``seconds`` are all there are until ``ready``, then for each call."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._deadline = monotonic() + seconds
        self._of_a_call: float | None = None
        self._answered = 0
        self._signed_in = False
        self._outgoing = bytearray()
        self._left_of_frame = 0

    def ready(self, seconds: float) -> None:
        """From now on each call has so many seconds: one that drips an answer must not keep us for ever."""
        self._of_a_call = seconds

    def shut(self) -> None:
        """Wake up whoever waits for an answer; for other threads."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def sign_in(self, user: str, password: str) -> None:
        """SASL PLAIN (RFC 4616); raises ``SignInFailed`` with what the service says. From then on messages are framed."""
        self._say(START, b"PLAIN")
        self._say(OK, b"\0" + user.encode() + b"\0" + password.encode())
        word, length = struct.unpack(">BI", self._exactly(5))
        if word not in {OK, BAD, ERROR, COMPLETE} or length > LONGEST_WORD:
            raise errors.ServerForeign(hint=_FOREIGN)
        said = self._exactly(length).decode("utf-8", "replace")
        if word != COMPLETE:
            raise errors.SignInFailed(server_said=" ".join(redact(said, (password,)).split()))
        self._signed_in = True

    # What the library calls

    def isOpen(self) -> bool:  # noqa: N802 - the library's name
        return True

    def read(self, size: int) -> bytes:
        if not self._signed_in:
            return self._received(size)
        while self._left_of_frame == 0:
            (self._left_of_frame,) = struct.unpack(">I", self._exactly(4))
        part = self._received(min(size, self._left_of_frame))
        self._left_of_frame -= len(part)
        return part

    def write(self, content: bytes) -> None:
        self._outgoing += content

    def flush(self) -> None:
        content, self._outgoing, self._answered = bytes(self._outgoing), bytearray(), 0
        if self._of_a_call is not None:
            self._deadline = monotonic() + self._of_a_call
        self._send(struct.pack(">I", len(content)) + content if self._signed_in else content)

    def close(self) -> None:
        with suppress(OSError):
            self._connection.close()

    # Beneath

    def _say(self, word: int, content: bytes) -> None:
        self._send(struct.pack(">BI", word, len(content)) + content)

    def _exactly(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            found += self._received(size - len(found))
        return bytes(found)

    def _received(self, size: int) -> bytes:
        try:
            self._connection.settimeout(self._left())
            part = self._connection.recv(size)
        except OSError as error:
            raise self._failed(error) from None
        if not part:
            raise errors.ConnectionLost(server_said="the service hung up", hint=_HUNG_UP)
        self._answered += len(part)
        if self._answered > LARGEST_ANSWER:
            raise errors.ServerForeign(hint="An answer does not stop: check the port.")
        return part

    def _send(self, content: bytes) -> None:
        try:
            self._connection.settimeout(self._left())
            self._connection.sendall(content)
        except OSError as error:
            raise self._failed(error) from None

    def _left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _failed(self, error: OSError) -> errors.ConnectorError:
        if isinstance(error, TimeoutError) and self._of_a_call is not None:
            return errors.StatementTimeout(hint="Raise the time-out in the settings, or look why the service is slow.")
        if isinstance(error, TimeoutError):
            return errors.ConnectionTimeout("It takes the connection and says nothing.", hint=_SILENT)
        return errors.ConnectionLost(server_said=error.strerror or str(error), hint=_HUNG_UP)


_HUNG_UP = "The service, or something between, ended the connection. It may want another sign-in, or TLS."
_SILENT = (
    "Check the port; a service that signs nobody in waits for ever where somebody tries to (choose None), or wants TLS."
)


def opened(settings: HiveSettings, reach: Reach) -> Channel:
    """A channel to the first address that answers, signed in where that is wanted; raises a ``ConnectorError``."""
    deadline = monotonic() + settings.connect_timeout
    made = connected(settings.host, settings.real_port, reach, settings.connect_timeout, _OPTIONS)
    try:
        made = secured(made, settings)
    except BaseException:
        made.close()
        raise
    channel = Channel(made, max(deadline - monotonic(), 0.001))
    if settings.sign_in is SignIn.PASSWORD:
        try:
            channel.sign_in(settings.user, settings.password)
        except errors.ConnectorError as error:
            channel.close()
            if isinstance(error, errors.SignInFailed):
                error.hint = (
                    "The user does not exist, or the password is another one; or the service offers another sign-in."
                )
            raise
    return channel


_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
)


def secured(made: socket.socket, settings: HiveSettings) -> socket.socket:
    """The connection, encrypted where that is wanted; raises ``TlsFailed``."""
    if settings.tls_mode is Tls.OFF:
        return made
    try:
        return _context(settings).wrap_socket(made, server_hostname=settings.host)
    except ssl.SSLCertVerificationError as error:
        raise errors.TlsFailed(server_said=error.verify_message, hint=_tls_advice(error.verify_message)) from None
    except TimeoutError as error:
        raise refused(error) from None
    except OSError as error:
        raise errors.TlsFailed(server_said=error.strerror or str(error), hint=_NO_TLS) from None


def _context(settings: HiveSettings) -> ssl.SSLContext:
    if settings.tls_mode is Tls.UNVERIFIED:
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        return anybody
    return trusting(settings.ca_certificate)


_NO_TLS = "The service may offer no TLS (hive.metastore.use.SSL): then set TLS to “No TLS” knowingly."


def _tls_advice(said: str) -> str:
    if "mismatch" in said or "not valid for" in said:
        return "Use the name that stands in the service's certificate as the host."
    return "Add the certificate authority that signed the service's certificate to the settings."
