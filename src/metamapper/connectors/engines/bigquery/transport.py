"""HTTP as this engine speaks it: to checked addresses only, following nobody elsewhere, with nothing of the worker's own."""

import socket
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from metamapper.connectors import errors
from metamapper.connectors.reach import Reach
from metamapper.connectors.wire import connected

CHUNK = 1 << 16
LARGEST = 32 << 20
"""Bytes of one answer. A table of ten thousand columns has two million."""


class Wire(HTTPAdapter):
    """An adapter whose connections are made to addresses that the reach allows; ``cut`` ends them all."""

    def __init__(self, reach: Reach, *, seconds: float, size: int) -> None:
        self._reach = reach
        self._seconds = seconds
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        super().__init__(pool_connections=4, pool_maxsize=size, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = _pools(self)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """An answer in whole, unpacked, and bounded: a small one may unpack to more than there is memory."""
        response = super().send(*args, **kwargs | {"stream": True})
        content = bytearray()
        for piece in response.iter_content(CHUNK):
            content += piece
            if len(content) > LARGEST:
                response.close()
                raise errors.ServerForeign(hint=f"An answer of more than {LARGEST >> 20} MiB is none of BigQuery's.")
        response._content = bytes(content)  # noqa: SLF001 - what requests itself sets where nothing is streamed
        return response

    def connect(self, connection: HTTPConnection, port: int) -> socket.socket:
        self._connections.add(connection)
        options = connection.socket_options or ()
        return connected(connection.host, connection.port or port, self._reach, self._seconds, options)

    def cut(self) -> None:
        """End every connection, also one that somebody waits for."""
        for each in list(self._connections):
            sock = getattr(each, "sock", None)
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def _pools(wire: Wire) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of connections that are made by the wire; urllib3 takes classes, not ways to connect."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return wire.connect(self, 80)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return wire.connect(self, 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def wired(session: requests.Session, wire: Wire) -> None:
    """Make a session speak over this wire and no other: no proxy, no file and no redirect has a say."""
    session.trust_env = False
    session.max_redirects = 0
    session.adapters.clear()
    session.mount("https://", wire)
    session.mount("http://", wire)
