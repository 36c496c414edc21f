"""The model of Oracle's dictionary behind a socket, so that what it holds is in another process than the reader.

There is no server that could be had: the reader's driver is a thin one that passes statements on and rows back, in batches of
the size that the reader asks for. What Oracle's own driver holds is therefore not measured.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from secrets import token_hex
from threading import Thread
from typing import Any
from unittest import mock


@contextmanager
def modelled() -> Iterator[tuple[Any, list[Any], str]]:
    """A source of the conformance suite, the address where it is asked, and the key that lets ask."""
    from tests.engines.oracle.subject import OracleSubject

    key = token_hex()
    with OracleSubject().fresh() as source, Listener(("127.0.0.1", 0), authkey=key.encode()) as listener:
        host, port = listener.address[0], listener.address[1]
        Thread(target=_accept, args=(listener, source.server), daemon=True).start()
        yield source, [host, port], key


def _accept(listener: Listener, server: Any) -> None:
    with suppress(OSError):
        while True:
            Thread(target=_answer, args=(listener.accept(), server), daemon=True).start()


def _answer(line: Connection, server: Any) -> None:
    """One connection of the driver's: statements come, and what is asked of their rows."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    with line, suppress(EOFError), closing(server.connect(**line.recv())) as connection:
        line.send(connection.version)
        cursors: dict[int, Any] = {}
        while True:
            number, what, *words = line.recv()
            if what == "execute":
                cursor = connection.cursor()
                cursor.execute(*words)
                cursors[number] = iter(cursor)
                line.send(None)
            else:
                rows = [row for _, row in zip(range(words[0]), cursors[number], strict=False)]
                line.send(rows)


class _Line:
    """As much of a connection as the engine uses."""

    def __init__(self, address: list[Any], key: str, given: Mapping[str, Any]) -> None:
        self._line = Client((address[0], address[1]), authkey=key.encode())
        self._line.send({name: given[name] for name in ("service_name", "user", "password")})
        self.version: str = self._line.recv()
        self.call_timeout, self.module, self.cursors = 0, "", 0

    def cursor(self) -> "_Cursor":
        self.cursors += 1
        return _Cursor(self, self.cursors)

    def asked(self, *words: Any) -> Any:
        self._line.send(words)
        return self._line.recv()

    def close(self) -> None:
        self._line.close()


class _Cursor:
    def __init__(self, line: _Line, number: int) -> None:
        self.arraysize = self.prefetchrows = 100
        self._line, self._number = line, number

    def __enter__(self) -> "_Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, sql: str, binds: Mapping[str, Any] | None = None) -> None:
        self._line.asked(self._number, "execute", sql, binds)

    def __iter__(self) -> Iterator[Any]:
        while rows := self._line.asked(self._number, "fetch", self.arraysize):
            yield from rows


def ask_the_model(address: list[Any], key: str) -> None:
    """From now on the driver of this process connects to the model and to nothing else."""
    import oracledb

    mock.patch.object(oracledb, "connect", lambda **given: _Line(address, key, given)).start()
