"""A private local socket through which the driver speaks over a connection that was made and verified here.

The driver would look the host up again, know no authority but its own, and reach IPv4 only. So it is given a unix socket
in a folder that only this account can enter, and one thread carries what both sides say.
"""

import selectors
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

CHUNK = 65536


class Relay:
    """Until somebody has signed in, nobody may be silent for more than ``patience`` seconds; afterwards the server may not
    be while a question is open, and a session that waits for its next question may wait for ever.
    """

    def __init__(self, wire: socket.socket, path: Path, patience: float) -> None:
        self.path = str(path)
        self._patience = patience
        self._signed_in = False
        self.gave_up = False
        """Whether it was ended because the server said nothing for too long."""
        self._wire = wire
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._thread = Thread(target=self._run, name="redshift-relay", daemon=True)
        self._thread.start()

    def signed_in(self, patience: float) -> None:
        """From now on, ``patience`` are the seconds within which the server begins to answer."""
        self._patience, self._signed_in = patience, True

    def end(self) -> None:
        """Hang up on both sides; whoever reads then finds the end."""
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._listener:
                driver, _ = self._listener.accept()
        except OSError:
            return  # ended before the driver came
        with driver, suppress(OSError):
            self.gave_up = not carried(driver, self._wire, self._allowed)

    def _allowed(self, asked: bool) -> float | None:  # noqa: FBT001 - the one thing it depends on
        return self._patience if asked or not self._signed_in else None


def carried(one: socket.socket, other: socket.socket, patience: Callable[[bool], float | None]) -> bool:
    """Carry what both sides say until one hangs up; False where nobody said anything for longer than there is patience,
    which may depend on whether ``one`` spoke last.

    One thread for both directions: a TLS connection may not be read and written at once.
    """
    with selectors.DefaultSelector() as waiting:
        waiting.register(one, selectors.EVENT_READ, (one, other))
        waiting.register(other, selectors.EVENT_READ, (other, one))
        asked = False
        while True:
            ready = waiting.select(patience(asked))
            if not ready:
                return False
            if not all(_passed_on(*key.data) for key, _ in ready):
                return True
            asked = all(key.fileobj is one for key, _ in ready)


def _passed_on(source: socket.socket, target: socket.socket) -> bool:
    """False at the end. What TLS has decrypted already is waited for by nobody, so it is passed on as well.

    A TLS connection is ready to be read where nothing can be: after a part of a record, or a word of the server's own.
    """
    while True:
        source.settimeout(0)
        try:
            said = source.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        if not said:
            return False
        target.settimeout(None)
        target.sendall(said)
        if not isinstance(source, ssl.SSLSocket) or not source.pending():
            return True


@contextmanager
def relayed(wire: socket.socket, *, patience: float) -> Iterator[Relay]:
    """A relay to the other end of ``wire``; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="metamapper-") as folder:
        relay = Relay(wire, Path(folder) / "redshift", patience)
        try:
            yield relay
        finally:
            relay.end()
            relay.join()
