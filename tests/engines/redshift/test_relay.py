"""The relay carries what both sides say, and tells a server that owes an answer from a session that has no question."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from metamapper.connectors.engines.redshift.relay import Relay, relayed


@contextmanager
def between(patience: float) -> Iterator[tuple[Relay, socket.socket, socket.socket]]:
    """A relay, the driver's end and the server's."""
    wire, server = socket.socketpair()
    with server, wire, relayed(wire, patience=patience) as relay, socket.socket(socket.AF_UNIX) as driver:
        driver.connect(relay.path)
        driver.settimeout(5)
        server.settimeout(5)
        yield relay, driver, server


def test_what_one_says_the_other_hears() -> None:
    with between(5) as (_, driver, server):
        threading.Thread(target=driver.sendall, args=(b"q" * 200_000,), daemon=True).start()
        with server.makefile("rb") as heard:
            assert heard.read(200_000) == b"q" * 200_000
        server.sendall(b"answer")
        assert driver.recv(10) == b"answer"


def test_a_server_that_says_nothing_at_sign_in_is_given_up() -> None:
    with between(0.1) as (relay, driver, _):
        assert driver.recv(1) == b""
        assert relay.gave_up


def test_a_server_that_owes_an_answer_is_given_up() -> None:
    with between(5) as (relay, driver, server):
        relay.signed_in(0.1)
        driver.sendall(b"question")
        assert server.recv(10) == b"question"
        assert driver.recv(1) == b""
        assert relay.gave_up


def test_a_session_that_has_no_question_may_wait() -> None:
    with between(5) as (relay, driver, server):
        relay.signed_in(0.1)
        driver.sendall(b"question")
        server.recv(10)
        server.sendall(b"answer")
        assert driver.recv(10) == b"answer"
        driver.settimeout(0.4)
        with pytest.raises(TimeoutError):
            driver.recv(1)
        assert not relay.gave_up
