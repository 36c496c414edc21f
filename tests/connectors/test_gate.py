"""The gate for drivers that connect by themselves: whom it lets through, where to, and what it says of a failure."""

import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from metamapper.connectors import errors
from metamapper.connectors.gate import LOOPBACK, USER, Gate, gate
from metamapper.connectors.reach import Reach
from metamapper.connectors.wire import Origin, connected

REFUSED = "HTTP/1.1 {}\r\n\r\n"


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says back what it hears, in capitals."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=_echo, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _echo(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_say_back, args=(connection,), daemon=True).start()


def _say_back(connection: socket.socket) -> None:
    with connection:
        while heard := connection.recv(100):
            connection.sendall(heard.upper())


@contextmanager
def asked(through: Gate, request: str, *, password: str | None = None) -> Iterator[tuple[socket.socket, str]]:
    """A connection to the gate on which this was asked, and the first line of the answer."""
    known = b64encode(f"{USER}:{through.password if password is None else password}".encode()).decode()
    with socket.create_connection((LOOPBACK, through.port), timeout=10) as connection:
        connection.sendall(f"{request} HTTP/1.1\r\nproxy-authorization: Basic {known}\r\n\r\n".encode())
        yield connection, connection.recv(1000).decode()


def test_bytes_go_through_in_both_directions(echo: int) -> None:
    with gate(Reach(), 5) as through, asked(through, f"CONNECT 127.0.0.1:{echo}") as (connection, answer):
        assert answer.startswith("HTTP/1.1 200")
        for words in (b"hello", b"again"):
            connection.sendall(words)
            assert connection.recv(100) == words.upper()


def test_two_go_through_side_by_side(echo: int) -> None:
    with gate(Reach(), 5) as through, asked(through, f"CONNECT localhost:{echo}") as (one, _):
        with asked(through, f"CONNECT 127.0.0.1:{echo}") as (other, _):
            other.sendall(b"b")
            assert other.recv(10) == b"B"
        one.sendall(b"a")
        assert one.recv(10) == b"A"


@pytest.mark.parametrize("password", ["", "wrong", "é"])
def test_nobody_passes_without_the_password(echo: int, password: str) -> None:
    with gate(Reach(), 5) as through, asked(through, f"CONNECT 127.0.0.1:{echo}", password=password) as (_, answer):
        assert answer.startswith("HTTP/1.1 407")


@pytest.mark.parametrize(
    "request_line", ["GET http://127.0.0.1:1/", "CONNECT 127.0.0.1", "CONNECT x:y", "\x16\x03\x01"]
)
def test_it_connects_and_does_nothing_else(request_line: str) -> None:
    with gate(Reach(), 5) as through, asked(through, request_line) as (_, answer):
        assert answer.startswith("HTTP/1.1 405")


def test_a_denied_address_is_not_connected_to(echo: int) -> None:
    with gate(Reach(denies=lambda _: "It is ours."), 5) as through:
        with asked(through, f"CONNECT localhost:{echo}") as (_, answer):
            assert answer.startswith("HTTP/1.1 502")
        assert isinstance(through.failure, errors.AddressDenied)


def test_what_stood_in_the_way_is_known_until_a_connection_is_made(echo: int) -> None:
    with gate(Reach(), 5) as through:
        with asked(through, "CONNECT no-such-host.invalid:443"):
            assert isinstance(through.failure, errors.HostUnknown)
        with asked(through, f"CONNECT 127.0.0.1:{echo}"):
            assert through.failure is None


def test_a_cut_ends_what_is_open(echo: int) -> None:
    with gate(Reach(), 5) as through, asked(through, f"CONNECT 127.0.0.1:{echo}") as (connection, _):
        through.cut()
        assert connection.recv(10) == b""


def test_nothing_goes_through_a_gate_that_is_closed(echo: int) -> None:
    with gate(Reach(), 5) as through:
        port = through.port
        with asked(through, f"CONNECT 127.0.0.1:{echo}") as (connection, _):
            through.close()
            assert connection.recv(10) == b""
        with pytest.raises(OSError, match=r"refused|reset"):
            socket.create_connection((LOOPBACK, port), timeout=5)


def test_one_who_comes_as_the_gate_closes_is_turned_away() -> None:
    """Between the acceptance of a connection and the thread that serves it, the gate may close."""
    made = Gate(Reach(), 5)
    inside, outside = socket.socketpair()
    made.close()
    with outside:
        made._pass(inside)
        assert outside.recv(100) == b""


def test_each_gate_has_a_password_of_its_own() -> None:
    with gate(Reach(), 5) as one, gate(Reach(), 5) as other:
        assert one.password != other.password


# --- Connections that are made here ----------------------------------------------------------------------------------


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch, echo: int) -> None:
    monkeypatch.setattr(Reach, "addresses", lambda self, host, port: ("127.0.0.2", "127.0.0.1"))
    with connected("anywhere.invalid", echo, Reach(), 5) as connection:
        assert connection.getpeername()[0] in {"127.0.0.1", "127.0.0.2"}


def test_the_reason_of_the_last_address_is_told() -> None:
    with pytest.raises(errors.ConnectionRefused) as caught:
        connected("127.0.0.1", 1, Reach(), 5)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://bigquery.googleapis.com", Origin("bigquery.googleapis.com", 443, secure=True)),
        ("https://example.com:8443/", Origin("example.com", 8443, secure=True)),
        ("http://localhost:9050", Origin("localhost", 9050, secure=False)),
        ("http://[::1]:80", Origin("::1", 80, secure=False)),
    ],
)
def test_an_origin_is_a_place(url: str, origin: Origin) -> None:
    assert Origin.of(url) == origin
    assert Origin.of(origin.url) == origin


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://127.0.0.1.example.com", "https://", "https://a@b", "gopher://x"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(errors.SettingsInvalid):
        Origin.of(url)
