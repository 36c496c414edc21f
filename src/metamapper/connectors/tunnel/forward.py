"""One port of the loopback address that leads to one place behind the SSH hosts. Everything here runs in one event loop."""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from metamapper.connectors import errors

LOOPBACK = "127.0.0.1"
CHUNK = 65_536
CONNECTIONS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
"""Every connection of this machine with the account that made it, where the system is Linux: see proc(5).

A socket of IPv6 can reach an address of IPv4, and stands in the second then.
"""
_RESET = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: whoever is at the other end is told that the connection broke, not that it ended."""
LINGER_SECONDS = 10.0
"""How long the far side may still speak after a driver has hung up."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A connection that an SSH host made for us."""

    reader: asyncssh.SSHReader[bytes]
    writer: asyncssh.SSHWriter[bytes]
    stands: Callable[[], bool]
    """Whether the SSH connection that carries it is still up: an end that comes with its own is none."""

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
        has_ended = False
        try:
            if _is_ours(writer.get_extra_info("peername"), self.port):
                has_ended = await self._carry(reader, writer)
            if has_ended:
                await _said_to_the_end(writer)
        except asyncio.CancelledError:
            pass  # the tunnel is closed
        finally:
            self._carrying.discard(task)
            if not has_ended:
                with suppress(OSError):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass bytes on both ways until both have ended, or one has broken off. Whether the far side said its last word."""
        try:
            stream = await self._taken()
        except errors.ConnectorError:
            return False  # The driver finds its connection cut; who asks for a route next is told why.
        try:
            out = asyncio.create_task(_pump(reader, stream.writer))
            back = asyncio.create_task(_pump(stream.reader, writer, stands=stream.stands))
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
        return not back.cancelled() and back.result()

    async def _taken(self) -> Stream:
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.is_open else await self._opening()


def _is_ours(peer: tuple[str, int], port: int, tables: Sequence[Path] = CONNECTIONS) -> bool:
    """Whether a connection to our port was made by our own account; where the system tells nothing, it is taken for ours."""
    host, theirs = peer[:2]
    if host != LOOPBACK:
        return False
    told = [rows for rows in map(_rows, tables) if rows is not None]
    if not told:
        return True
    places = (_written(socket.AF_INET, LOOPBACK), _written(socket.AF_INET6, f"::ffff:{LOOPBACK}"))
    ends = [[f"{each}:{theirs:04X}", f"{each}:{port:04X}"] for each in places]
    return {int(row[7]) for rows in told for row in rows if row[1:3] in ends} == {os.geteuid()}


def _written(family: socket.AddressFamily, address: str) -> str:
    """As the tables have it: words of four bytes, each in this machine's own order."""
    packed = socket.inet_pton(family, address)
    return "".join(f"{int.from_bytes(packed[at : at + 4], sys.byteorder):08X}" for at in range(0, len(packed), 4))


def _rows(table: Path) -> list[list[str]] | None:
    try:
        return [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return None


async def _said_to_the_end(writer: asyncio.StreamWriter) -> None:
    """Close it when all that was said has gone, if whoever listens takes it in time."""
    writer.close()
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.wait_closed()


async def _pump(
    source: asyncio.StreamReader | asyncssh.SSHReader[bytes],
    sink: asyncio.StreamWriter | asyncssh.SSHWriter[bytes],
    *,
    stands: Callable[[], bool] = lambda: True,
) -> bool:
    """What one side says to the other, and then its end; nothing more where either broke off. Whether it was an end."""
    with suppress(OSError, asyncssh.Error):
        while said := await source.read(CHUNK):
            sink.write(said)
            await sink.drain()
        if not stands():
            return False
        if sink.can_write_eof():
            sink.write_eof()
        return True
    return False
