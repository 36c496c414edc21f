"""The port of this machine where a tunnel begins: whose connections it takes, and what becomes of their ends."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from metamapper.connectors.reach import Reach
from metamapper.connectors.tunnel import forward as forward_module
from metamapper.connectors.tunnel import line as line_module
from metamapper.connectors.tunnel.errors import TunnelLost
from metamapper.connectors.tunnel.forward import Forward, Stream
from metamapper.connectors.tunnel.line import Line
from metamapper.connectors.tunnel.values import Hop, Keys, Tunnel

ANSWER = b"x" * 40_000
"""More than the small buffers of the system hold, and less than a writer waits for."""
NOBODY = 65534
ASKER = """
import os, socket, sys
family, host, source, uid, port = sys.argv[1:]
if int(uid): os.setuid(int(uid))
with socket.socket(getattr(socket, family)) as asking:
    asking.settimeout(10)
    if source: asking.bind((source, 0))
    try:
        asking.connect((host, int(port)))
        asking.sendall(b"?")
        print(asking.recv(1).decode() or "nothing")
    except OSError:
        print("nothing")
"""
Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"!")
    await writer.drain()
    writer.close()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(ANSWER)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def forwarded(serve: Server, stands: Callable[[], bool] = lambda: True) -> AsyncIterator[Forward]:
    """A forward whose far side is a server of ours, without SSH between."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def opening() -> Stream:
        pair: Any = await asyncio.open_connection("127.0.0.1", port)
        return Stream(*pair, stands)

    forward = Forward(opening)
    await forward.listen()
    assert forward._server
    forward._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # which what it accepts inherits
    try:
        yield forward
    finally:
        await forward.close()
        server.close()


async def asked(forward: Forward, family: str, host: str, source: str = "", uid: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASKER, family, host, source, str(uid), str(forward.port), stdout=subprocess.PIPE
    )
    told, _ = await process.communicate()
    return told.decode().strip()


@pytest.mark.parametrize(
    ("family", "host", "source", "ours"),
    [
        ("AF_INET", "127.0.0.1", "", "!"),
        ("AF_INET6", "::ffff:127.0.0.1", "", "!"),
        ("AF_INET", "127.0.0.1", "127.0.0.2", "nothing"),
    ],
)
def test_only_our_own_account_is_let_in(
    request: pytest.FixtureRequest, family: str, host: str, source: str, ours: str
) -> None:
    needed = {
        "a system that tells who connects": sys.platform == "linux",
        "another account to connect as, which takes root": os.geteuid() == 0,
        "IPv6": family != "AF_INET6" or _has_ipv6(),
    }
    if missing := [what for what, is_there in needed.items() if not is_there]:
        why = f"Not to be had: {', '.join(missing)}"
        pytest.fail(why) if request.config.getoption("--require-live") else pytest.skip(why)

    async def ask() -> tuple[str, str]:
        async with forwarded(greet) as forward:
            return await asked(forward, family, host, source), await asked(forward, family, host, source, NOBODY)

    assert asyncio.run(ask()) == (ours, "nothing")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6):
            return Path("/proc/net/tcp6").exists()
    except OSError:
        return False


def test_a_connection_that_no_table_knows_is_not_ours(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    table.write_text("  sl  local_address rem_address   st\n")
    assert not forward_module._is_ours(("127.0.0.1", 40_000), 40_001, (table,))
    assert forward_module._is_ours(("127.0.0.1", 40_000), 40_001, (tmp_path / "none",))


def received(port: int, *, slowly: bool) -> bytes:
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asking.settimeout(20)
        asking.connect(("127.0.0.1", port))
        asking.sendall(b"?")
        if slowly:
            threading.Event().wait(0.3)  # so that the far side has ended long before the last byte was read
        found = bytearray()
        while part := asking.recv(8192):
            found += part
        return bytes(found)


def test_an_answer_comes_to_its_end_although_the_far_side_has_hung_up() -> None:
    async def ask() -> bytes:
        async with forwarded(answer) as forward:
            return await asyncio.to_thread(received, forward.port, slowly=True)

    assert asyncio.run(ask()) == ANSWER


def test_an_answer_that_was_cut_with_the_tunnel_shows_no_end() -> None:
    async def ask() -> bytes:
        async with forwarded(answer, stands=lambda: False) as forward:
            return await asyncio.to_thread(received, forward.port, slowly=False)

    with pytest.raises(ConnectionResetError):
        asyncio.run(ask())


def a_line() -> Line:
    return Line(Tunnel((Hop("bastion.lan", 22, "mm"),), Keys(), seconds=0.2), Reach())


def test_a_tunnel_for_which_nothing_is_left_says_so_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(work: Any) -> None:
        work.close()
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(line_module.asyncio, "run", exhausted)
    line = a_line()
    with pytest.raises(TunnelLost, match="nothing left") as raised:
        line.open()
    assert "Too many open files" in raised.value.server_said
    line.close()


def test_a_tunnel_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "SPARE_SECONDS", 0.2)
    line = a_line()
    line.open()
    with pytest.raises(TunnelLost, match="does not answer"):
        line._call(asyncio.sleep(60))
    line.close()
    with pytest.raises(TunnelLost, match="closed"):
        line._call(asyncio.sleep(60))
