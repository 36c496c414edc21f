"""A private local socket through which the driver speaks over a connection that was made and verified here.

The driver would look the host up again, know no authority but its own, and reach IPv4 only. So it is given a unix socket
in a folder that only this account can enter, and one thread carries what both sides say.
"""

import selectors
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

CHUNK = 65536


class Relay:
    """``patience`` are the seconds that the server may say nothing; None is for ever."""

    def __init__(self, wire: socket.socket, path: Path, patience: float | None) -> None:
        self.path = str(path)
        self.patience = patience
        self.gave_up = False
        """Whether it was ended because the server said nothing for too long."""
        self._wire = wire
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._thread = Thread(target=self._run, name="redshift-relay", daemon=True)
        self._thread.start()

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
            self._carry(driver)

    def _carry(self, driver: socket.socket) -> None:
        """Until one side hangs up."""
        self._wire.settimeout(None)
        with selectors.DefaultSelector() as waiting:
            waiting.register(driver, selectors.EVENT_READ, (driver, self._wire))
            waiting.register(self._wire, selectors.EVENT_READ, (self._wire, driver))
            while True:
                ready = waiting.select(self.patience)
                self.gave_up = not ready
                if not ready or not all(_passed_on(*key.data) for key, _ in ready):
                    return


def _passed_on(source: socket.socket, target: socket.socket) -> bool:
    """Whether there was something to pass on; what TLS has already decrypted is waited for by nobody, so it goes too."""
    said = source.recv(CHUNK)
    while said:
        target.sendall(said)
        if not isinstance(source, ssl.SSLSocket) or not source.pending():
            return True
        said = source.recv(CHUNK)
    return False


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
