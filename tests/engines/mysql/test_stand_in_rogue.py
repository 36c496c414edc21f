"""The real driver against a server that means ill (a stand-in): it reads no file, and learns no password."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import StepState
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls
from tests.engines.mysql.rogue import TAKES_LOCAL_FILES, Rogue, local_file, other_way_to_sign_in, refusing, rogue, text
from tests.engines.mysql.subject import ENGINE

SECRET = "a planted secret"
IN_FILE = b"what only this machine knows"


@pytest.fixture
def planted(tmp_path: Path) -> str:
    path = tmp_path / "planted.txt"
    path.write_bytes(IN_FILE)
    return str(path)


def settings_of(server: Rogue) -> MysqlSettings:
    return MysqlSettings(host="127.0.0.1", port=server.port, user="metamapper", password=SECRET, connect_timeout=3)


def failure(settings: MysqlSettings) -> errors.ConnectorError:
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings).open():
        pass
    return caught.value


def test_a_file_asked_for_in_place_of_an_answer_is_not_sent(planted: str) -> None:
    with rogue(to_statement=local_file(planted)) as server:
        error = failure(settings_of(server))
        steps = {step.name: step for step in ENGINE.connect(settings_of(server)).test()}
    assert isinstance(error, errors.ServerForeign)
    assert error.permanent
    assert steps["Database"].state is StepState.FAILED
    assert any(b"VERSION()" in packet for packet in server.received), "it was asked for something"
    assert not any(IN_FILE in packet for packet in server.received)
    assert not server.flags & TAKES_LOCAL_FILES, "the client says from the start that it sends no files"


def test_a_file_asked_for_at_the_sign_in_is_not_sent(planted: str) -> None:
    with rogue(to_sign_in=local_file(planted)) as server:
        assert isinstance(failure(settings_of(server)), errors.ServerForeign)
    assert len(server.received) == 1
    assert not any(IN_FILE in packet for packet in server.received)


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "dialog", "mysql_old_password"])
def test_a_password_asked_for_in_clear_is_not_sent_without_tls(plugin: str) -> None:
    with rogue(to_sign_in=other_way_to_sign_in(plugin)) as server:
        error = failure(replace(settings_of(server), tls=Tls.OFF))
    assert isinstance(error, errors.SignInFailed)
    assert len(server.received) == 1, "nothing was said after the other way was asked for"
    assert not any(SECRET.encode() in packet for packet in server.received)


def test_a_server_without_tls_learns_nothing_where_tls_is_wanted() -> None:
    with rogue() as server:
        settings = replace(settings_of(server), tls=Tls.VERIFY)
        error = failure(settings)
        steps = {step.name: step.state for step in ENGINE.connect(settings).test()}
    assert isinstance(error, errors.TlsFailed)
    assert "ssl_cert" in error.hint
    assert (steps["TLS"], steps["Sign-in"]) == (StepState.FAILED, StepState.WAITING)
    assert not server.received or server.received == [b""] * len(server.received), "not even who it is"


@pytest.mark.parametrize("mode", [Tls.VERIFY, Tls.UNVERIFIED])
def test_what_is_said_in_place_of_a_greeting_was_not_encrypted(mode: Tls) -> None:
    with refusing() as port:
        settings = MysqlSettings(host="127.0.0.1", port=port, user="metamapper", password=SECRET, tls=mode)
        steps = {step.name: step for step in ENGINE.connect(settings).test()}
    assert (steps["TLS"].state, steps["Sign-in"].state) == (StepState.FAILED, StepState.WAITING)
    assert isinstance(steps["TLS"].error, errors.SignInFailed)
    assert "not allowed" in steps["TLS"].error.server_said


@pytest.mark.parametrize("version", ["5.6.51", "10.4.34-MariaDB", "not a version"])
def test_versions_that_are_not_read_are_told(version: str) -> None:
    """What counts is what the server answers: a proxy greets with a version of its own."""
    with rogue(to_statement=text(version), version="8.0.36") as server:
        error = failure(settings_of(server))
        steps = {step.name: step for step in ENGINE.connect(settings_of(server)).test()}
    assert isinstance(error, errors.VersionUnsupported)
    assert version in error.detail
    assert steps["Database"].state is StepState.FAILED


@pytest.mark.parametrize("answer", [b"", b"\xff\x15\x04#28000Access denied", b"\x01\x03", b"\xfe", b"\x05abc" * 9])
def test_answers_that_make_no_sense_are_errors_of_ours(answer: bytes) -> None:
    for where in ("to_sign_in", "to_statement"):
        with rogue(**{where: answer}) as server:
            assert isinstance(failure(settings_of(server)), errors.ConnectorError)
