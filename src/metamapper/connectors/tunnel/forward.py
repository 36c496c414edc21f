"""One port of the loopback address that leads to one place behind the SSH hosts. Everything here runs in one event loop."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from metamapper.connectors import errors

LOOPBACK = "127.0.0.1"
CHUNK = 65_536
CONNECTIONS = Path("/proc/net/tcp")
"""Every connection of this machine with the account that made it, where the system is Linux: see proc(5)."""
LINGER_SECONDS = 10.0
"""How long the far side may still speak after a driver has hung up."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A connection that an SSH host made for us."""

    reader: asyncssh.SSHReader[bytes]
    writer: asyncssh.SSHWriter[bytes]

    @property
    def is_open(self) -> bool:
        return not self.writer.is_closing() and not self.reader.at_eof()


class Forward:
    """Listens from ``listen`` to ``close``.

    A stream is opened before the first driver comes, so that what is wrong behind the hosts is known in words, which a
    driver would never see; the first driver is given that very stream, so that a server sees no connection for nothing.
    """

    def __init__(self, opening: Callable[[], Awaitable[Stream]]) -> None:
        self._opening = opening
        self._server: asyncio.Server | None = None
        self._spare: Stream | None = None
        self._preparing = asyncio.Lock()
        self._carrying: set[asyncio.Task[None]] = set()
        self.port = 0

    async def listen(self) -> None:
        listener = socket.create_server((LOOPBACK, 0))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.start_server(self._come, sock=listener)

    async def prepare(self) -> None:
        """Have a stream at hand; raises a ``ConnectorError``."""
        async with self._preparing:
            if self._spare is None or not self._spare.is_open:
                self._spare = await self._opening()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        carrying = list(self._carrying)
        for each in carrying:
            each.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        if self._spare is not None:
            self._spare.writer.close()

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is one
        self._carrying.add(task)
        try:
            if _is_ours(writer.get_extra_info("peername")[1], self.port):
                await self._carry(reader, writer)
        except asyncio.CancelledError:
            pass  # the tunnel is closed
        finally:
            self._carrying.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on both ways until both have ended, or one has broken off."""
        try:
            stream = await self._taken()
        except errors.ConnectorError:
            return  # The driver finds its connection cut; who asks for a route next is told why.
        try:
            out = asyncio.create_task(_pump(reader, stream.writer))
            back = asyncio.create_task(_pump(stream.reader, writer))
            try:
                await asyncio.wait((out, back), return_when=asyncio.FIRST_COMPLETED)
                if out.done() and not back.done():
                    await asyncio.wait((back,), timeout=LINGER_SECONDS)
            finally:
                out.cancel()
                back.cancel()
                await asyncio.gather(out, back, return_exceptions=True)
        finally:
            stream.writer.close()

    async def _taken(self) -> Stream:
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.is_open else await self._opening()


def _is_ours(theirs: int, ours: int, table: Path = CONNECTIONS) -> bool:
    """Whether a connection to our port was made by our own account, as far as the system tells."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return True
    ends = [f"0100007F:{port:04X}" for port in (theirs, ours)]
    owners = {int(row[7]) for row in rows if row[1:3] == ends}
    return owners <= {os.geteuid()}


async def _pump(
    source: asyncio.StreamReader | asyncssh.SSHReader[bytes], sink: asyncio.StreamWriter | asyncssh.SSHWriter[bytes]
) -> None:
    """What one side says to the other, and then its end; nothing more where either broke off."""
    with suppress(OSError, asyncssh.Error):
        while said := await source.read(CHUNK):
            sink.write(said)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
