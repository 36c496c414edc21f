"""A stand-in for an SSH host, in this process, that notes what a client tries before and after it has seen the host's key."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import asyncssh

from metamapper.connectors.tunnel.keys import Algorithm, KeyPair, make
from metamapper.connectors.tunnel.values import Hop, bare
from tests.support.servers import LOOPBACK


@dataclass
class Witness:
    """``tried`` holds a word for each step that a client took: ``connected``, then the methods of signing in."""

    pair: KeyPair
    port: int = 0
    tried: list[str] = field(default_factory=list)

    @property
    def hop(self) -> Hop:
        return Hop(LOOPBACK, self.port, "ana", (bare(self.pair.public),))


class _Server(asyncssh.SSHServer):
    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def connection_made(self, conn: Any) -> None:
        self._witness.tried.append("connected")

    def begin_auth(self, username: str) -> bool:
        self._witness.tried.append("began to sign in")
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._witness.tried.append("key")
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._witness.tried.append("password")
        return False


@contextmanager
def witness(host_key: KeyPair | None = None) -> Iterator[Witness]:
    """A host that lets every key in and nothing through; it has one host key."""
    seen, ready, over = Witness(host_key or make(Algorithm.ED25519, "host")), Event(), Event()

    async def live() -> None:
        key = asyncssh.import_private_key(seen.pair.private)
        server = await asyncssh.listen(LOOPBACK, 0, server_host_keys=[key], server_factory=lambda: _Server(seen))
        seen.port = server.get_port()
        ready.set()
        await asyncio.to_thread(over.wait)
        server.close()
        await server.wait_closed()

    thread = Thread(target=lambda: asyncio.run(live()), name="ssh-witness", daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield seen
    finally:
        over.set()
        thread.join(10)
