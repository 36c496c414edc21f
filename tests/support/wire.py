"""A wire to a server that can be cut without a word: connections stay open and nothing comes through any more."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

LOOPBACK = "127.0.0.1"


class Wire:
    """Listens on ``port`` and passes everything on to ``target``, until it is cut; connections made later pass again."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._cut: list[threading.Event] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """All that are connected now are half-open from here on; how many."""
        cut, self._cut = self._cut, []
        for each in cut:
            each.set()
        return len(cut)

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                dead = threading.Event()
                self._cut.append(dead)
                threading.Thread(target=self._pass, args=(client, dead), daemon=True).start()

    def _pass(self, client: socket.socket, dead: threading.Event) -> None:
        with suppress(OSError), closing(client), socket.create_connection((LOOPBACK, self._target)) as server:
            _exchange(client, server, dead)


def _exchange(client: socket.socket, server: socket.socket, dead: threading.Event) -> None:
    """Until one of them hangs up; once the wire is dead, what comes is swallowed and nobody is told."""
    with selectors.DefaultSelector() as ready:
        ready.register(client, selectors.EVENT_READ, server)
        ready.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in ready.select():
                data = key.fileobj.recv(65536)  # type: ignore[union-attr] # registered as sockets
                if dead.is_set():
                    continue
                if not data:
                    return
                key.data.sendall(data)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
