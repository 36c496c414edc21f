"""An open tunnel: one thread that keeps the chain of SSH hosts and carries every connection through it.

What a driver connects to is a port of this machine's loopback address that exists while the tunnel does. A chain that
was cut is made anew for whoever connects next; connections that were open end, and their drivers say so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AsyncExitStack, contextmanager, suppress
from threading import Event, Thread
from typing import Any, TypeVar

import asyncssh

from metamapper.connectors import errors
from metamapper.connectors.reach import Reach, Route
from metamapper.connectors.tunnel.dial import Landing, land, said
from metamapper.connectors.tunnel.errors import TunnelLost
from metamapper.connectors.tunnel.forward import LOOPBACK, Forward, Stream
from metamapper.connectors.tunnel.forwarding import meaning, silent
from metamapper.connectors.tunnel.own import key_pairs
from metamapper.connectors.tunnel.values import Tunnel

FAREWELL_SECONDS = 1.0
"""How long a host may take to hear that we go."""
SPARE_SECONDS = 10.0
"""What a thread, an agent or a busy machine may take besides what is waited for."""

T = TypeVar("T")


class Line:
    """The way through the hops of a tunnel, see ``reach.Way``. Its calls may come from any thread."""

    def __init__(self, tunnel: Tunnel, reach: Reach) -> None:
        self._tunnel = tunnel
        self._reach = reach
        self._chain: list[Landing] = []
        self._forwards: dict[tuple[str, int], Forward] = {}
        self._addresses: tuple[str, ...] = ()
        self._keys: Sequence[asyncssh.SSHKeyPair] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = Event()
        self._failure: Exception | None = None
        self._thread = Thread(target=self._run, name="tunnel", daemon=True)

    # --- For those who use it ----------------------------------------------------------------------------------------

    def land_on(self, number: int) -> Landing:
        """Sign in to the hop of this number, and to those before it; raises a ``ConnectorError``."""
        self._look_up()
        return self._call(self._landed(number))

    def route(self, host: str, port: int) -> Route:
        """Where a connection to this host begins: it was opened through the last hop once already, for its first user.

        Raises a ``ConnectorError``, be it of a hop or of the host behind them.
        """
        self._look_up()
        begins = self._call(self._begun(host, port))
        return Route((LOOPBACK,), begins, f"Left to {self._tunnel.hops[-1]}, through which it is reached")

    def leads_through(self, address: str, port: int) -> bool:
        return address == LOOPBACK and port in {each.port for each in list(self._forwards.values())}

    def why_cut(self) -> TunnelLost | None:
        """Why what went through it has ended, or None where the tunnel still stands."""
        return self._call(self._fallen())

    def landings(self) -> Sequence[Landing]:
        return tuple(self._chain)

    def open(self) -> None:
        """Raises ``TunnelLost`` where this machine has nothing left to open it with."""
        try:
            self._thread.start()
        except RuntimeError as error:
            raise _not_begun(error) from None
        if not self._started.wait(SPARE_SECONDS) or self._loop is None:
            raise _not_begun(self._failure)

    def close(self) -> None:
        """End everything; afterwards nothing listens and no thread runs."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._over.set)
        if self._thread.ident is not None:
            self._thread.join(SPARE_SECONDS + FAREWELL_SECONDS * len(self._tunnel.hops))

    def _look_up(self) -> None:
        """Once, and every address checked: only where the first hop is does this machine itself connect to."""
        if not self._addresses:
            first = self._tunnel.hops[0]
            self._addresses = self._reach.addresses(first.host, first.port)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None  # noqa: S101 - it is open
        try:
            waiting: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise TunnelLost("The tunnel was closed.") from None
        # Everything it does has an end of its own; this one is for a thread that has died, or a machine that stands still.
        longest = self._tunnel.seconds * (len(self._tunnel.hops) + 1) + SPARE_SECONDS
        try:
            return waiting.result(longest)
        except CancelledError:
            raise TunnelLost("The tunnel was closed.") from None
        except TimeoutError:
            if waiting.done():
                raise
            waiting.cancel()
            raise TunnelLost("The tunnel does not answer.", hint="The next attempt makes it anew.") from None

    # --- In its thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except Exception as error:  # noqa: BLE001 - told by whoever waits for it
            self._failure = error
        finally:
            self._started.set()

    async def _live(self) -> None:
        self._over = asyncio.Event()
        self._dialling = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as self._stack:
            self._started.set()
            await self._over.wait()
            for forward in self._forwards.values():
                await forward.close()
            await self._leave()

    async def _leave(self) -> None:
        """Say farewell from the far end to the near one, and hang up on those who do not answer."""
        for landing in reversed(self._chain):
            landing.connection.close()
            with suppress(TimeoutError, OSError, asyncssh.Error):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await landing.connection.wait_closed()
            landing.connection.abort()
        self._chain.clear()

    async def _landed(self, number: int) -> Landing:
        """The hop of this number, signed in to; a chain that was cut is made anew from its beginning."""
        async with self._dialling:
            if not all(each.is_up for each in self._chain):
                await self._leave()
            self._keys = self._keys or await key_pairs(self._tunnel.keys, self._stack)
            while len(self._chain) <= number:
                through = self._chain[-1].connection if self._chain else None
                made = await land(
                    self._tunnel, len(self._chain), self._keys, addresses=self._addresses, through=through
                )
                self._chain.append(made)
            return self._chain[number]

    async def _fallen(self) -> TunnelLost | None:
        fallen = next((each for each in list(self._chain) if not each.is_up), None)
        if fallen is None:
            return None
        return TunnelLost(
            f"The connection to {fallen.hop} broke off.",
            server_said=fallen.judge.why_lost,
            hint="The next attempt makes it anew. If it happens again, look at the host's own log.",
        )

    async def _begun(self, host: str, port: int) -> int:
        forward = self._forwards.get((host, port))
        if forward is None:
            forward = Forward(lambda: self._opened(host, port))
            await forward.listen()
            self._forwards[host, port] = forward
        await forward.prepare()
        return forward.port

    async def _opened(self, host: str, port: int) -> Stream:
        """A connection from the last hop to this host; raises a ``ConnectorError``."""
        last = await self._landed(len(self._tunnel.hops) - 1)
        seconds = self._tunnel.seconds
        try:
            async with asyncio.timeout(seconds):
                return await _awaited(last.connection.open_connection(host, port), lambda: last.is_up)
        except TimeoutError:
            raise silent(host, port, seconds, by=last.hop) from None
        except asyncssh.ChannelOpenError as error:
            if not last.is_up:
                raise TunnelLost(f"The connection to {last.hop} broke off.", server_said=said(error)) from None
            raise meaning(error.code, said(error), host, port, by=last.hop) from None
        except (OSError, asyncssh.Error) as error:
            raise TunnelLost(f"The connection to {last.hop} broke off.", server_said=said(error)) from None


async def _awaited(opening: Awaitable[Any], stands: Callable[[], bool]) -> Stream:
    reader, writer = await opening
    return Stream(reader, writer, stands)


def _not_begun(error: Exception | None) -> TunnelLost:
    return TunnelLost(
        "The tunnel could not be opened: this machine has nothing left for it.",
        server_said=said(error) if error else "its thread does not start",
        hint="It may be out of open files, memory or threads; the next attempt may succeed.",
    )


@contextmanager
def opened(tunnel: Tunnel, reach: Reach) -> Iterator[Line]:
    """A tunnel that stands while the block lasts. ``reach`` says where it may begin. Raises a ``ConnectorError``.

    What breaks within the block because the tunnel was cut is told as that.
    """
    line = Line(tunnel, reach)
    line.open()
    try:
        yield line
    except (errors.ConnectionLost, errors.ConnectionTimeout) as error:
        cut = line.why_cut()
        if cut is None:
            raise
        raise cut from error
    finally:
        line.close()
