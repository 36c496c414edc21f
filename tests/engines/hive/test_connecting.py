"""What can go wrong on the way to a metastore's service, and to its database: told in time, in words, without a secret."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import StepState
from metamapper.connectors.conformance.secrets import everything_said
from metamapper.connectors.engines.hive import ENGINE
from metamapper.connectors.engines.hive import channel as channel_module
from metamapper.connectors.engines.hive.channel import Channel
from metamapper.connectors.engines.hive.settings import Access, HiveSettings, SignIn
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.server import Tls
from tests.engines.hive.subject import ModelSubject
from tests.engines.mysql.rogue import refusing
from tests.support.certificates import certified
from tests.support.hive_service import service


def failure(settings: HiveSettings) -> errors.ConnectorError:
    with pytest.raises(errors.ConnectorError) as raised, ENGINE.connect(settings).open() as session:
        session.scopes(ScopeFilter())
    return raised.value


def test_the_service_over_tls() -> None:
    certificate = certified()
    with service(certificate=certificate.server) as keeper:
        trusting = replace(keeper.settings, tls=Tls.VERIFY, ca_certificate=certificate.authority)
        with ENGINE.connect(trusting).open() as session:
            assert session.scopes(ScopeFilter())[0]
        steps = list(ENGINE.connect(trusting).test())
        assert [step.name for step in steps if step.state is not StepState.OK] == ["Rights to write"]
        assert (steps[-1].state, steps[-1].detail[:9]) == (StepState.WARNING, "Not known")
        untrusted = failure(replace(trusting, ca_certificate=""))
        assert type(untrusted) is errors.TlsFailed
        assert untrusted.hint
        states = {step.name: step.state for step in ENGINE.connect(replace(trusting, ca_certificate="")).test()}
        assert (states["TLS"], states["Sign-in"]) == (StepState.FAILED, StepState.WAITING)
        with ENGINE.connect(replace(trusting, ca_certificate="", tls=Tls.UNVERIFIED)).open():
            pass
        assert type(failure(replace(trusting, ca_certificate="no PEM"))) is errors.SettingsInvalid


def test_a_database_that_refuses_before_tls_is_not_said_to_be_encrypted() -> None:
    with refusing() as port:
        settings = HiveSettings(
            access=Access.MYSQL,
            host="127.0.0.1",
            port=port,
            database="metastore",
            user="u",
            password="p",
            tls=Tls.VERIFY,
        )
        steps = {step.name: step for step in ENGINE.connect(settings).test()}
    assert (steps["TLS"].state, steps["Sign-in"].state) == (StepState.FAILED, StepState.WAITING)
    assert isinstance(steps["TLS"].error, errors.SignInFailed)


def test_a_certificate_for_another_name_is_refused() -> None:
    certificate = certified("elsewhere.example.com")
    with service(certificate=certificate.server) as keeper:
        error = failure(replace(keeper.settings, tls=Tls.VERIFY, ca_certificate=certificate.authority))
    assert type(error) is errors.TlsFailed
    assert "name" in error.hint


def test_a_service_without_tls_says_what_to_do() -> None:
    with service(sasl=False) as keeper:
        error = failure(replace(keeper.settings, tls=Tls.VERIFY, connect_timeout=2))
    assert isinstance(error, errors.TlsFailed | errors.ConnectionTimeout)
    assert error.hint


def test_a_sign_in_where_none_is_wanted_and_none_where_one_is() -> None:
    with service(sasl=False) as keeper:
        settings = replace(
            keeper.settings, sign_in=SignIn.PASSWORD, user="u", password="planted secret", connect_timeout=2
        )
        error = failure(settings)
        assert error.hint
        assert not any("planted secret" in text for text in everything_said(ENGINE, settings).values())
    with service() as keeper:
        error = failure(replace(keeper.settings, sign_in=SignIn.NONE, connect_timeout=2))
        assert error.hint


def test_a_password_is_not_sent_in_clear() -> None:
    with pytest.raises(ValueError, match="in clear"):
        HiveSettings(host="metastore.example.com", user="u", password="p", tls=Tls.OFF)
    assert HiveSettings(host="localhost", user="u", password="p", tls=Tls.OFF)
    assert HiveSettings(host="metastore.example.com", sign_in=SignIn.NONE, tls=Tls.OFF)


@contextmanager
def rogue(answer: bytes) -> Iterator[HiveSettings]:
    """A service that answers the first call with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.recv(4096)
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(4096):
                            pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield HiveSettings(
                access=Access.THRIFT,
                host="127.0.0.1",
                port=listener.getsockname()[1],
                sign_in=SignIn.NONE,
                connect_timeout=2,
            )
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def reply(body: bytes) -> bytes:
    name = b"getVersion"
    return struct.pack(">II", 0x80010002, len(name)) + name + struct.pack(">I", 1) + body


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(b"\x0b\x00\x00\x7f\xff\xff\xff"), id="a text of two gigabytes"),
        pytest.param(reply(b"\x0f\x00\x09\x0b\x7f\xff\xff\xff"), id="a list of two thousand million"),
        pytest.param(reply(b"\x0c\x00\x09" * 100_000), id="structures within structures"),
        pytest.param(b"\x80\x01\x00\x02\x00\x00\x00\x03foo\x00\x00\x00\x01\x00", id="an answer to something else"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n" * 10, id="another protocol"),
    ],
)
def test_a_service_that_means_ill_is_foreign(answer: bytes) -> None:
    with rogue(answer) as settings:
        assert isinstance(failure(settings), errors.ServerForeign)


@pytest.mark.live
@pytest.mark.parametrize("name", ["of_postgresql", "of_mariadb"])
def test_a_database_that_is_not_trusted_is_refused(name: str, request: pytest.FixtureRequest) -> None:
    subject: ModelSubject = request.getfixturevalue(name)
    with subject.fresh() as source:
        verifying = replace(source.settings, tls=Tls.VERIFY)
        assert type(failure(verifying)) is errors.TlsFailed
        server = request.getfixturevalue("guarded" if name == "of_postgresql" else "mariadb")
        with ENGINE.connect(replace(verifying, ca_certificate=server.authority)).open() as session:
            assert session.scopes(ScopeFilter())[0]


@pytest.mark.live
@pytest.mark.parametrize("name", ["of_postgresql", "of_mariadb"])
def test_an_unknown_database_is_said(name: str, request: pytest.FixtureRequest) -> None:
    subject: ModelSubject = request.getfixturevalue(name)
    with subject.fresh() as source:
        error = failure(replace(source.settings, database="no_such_database"))
    # MariaDB does not tell an account without rights whether a database exists.
    assert isinstance(error, errors.DatabaseUnknown | errors.PermissionMissing)


def test_a_wrong_password_offers_the_rights_that_a_read_takes(of_sqlserver: ModelSubject) -> None:
    with of_sqlserver.fresh() as source:
        error = failure(replace(source.settings, password="not the right one"))
    assert type(error) is errors.SignInFailed
    assert "GRANT SELECT ON [TBLS] TO [mm reader];" in error.remedy


def read_on(channel: Channel, times: int) -> None:
    for _ in range(times):
        channel.read(100)


def test_a_service_that_drips_is_given_up() -> None:
    """A byte now and then is no silence, and no answer either: a call has its time."""
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            while not over.wait(0.02):
                theirs.sendall(b"x")

    thread = threading.Thread(target=drip, daemon=True)
    with ours, theirs:
        channel = Channel(ours, 5)
        channel.ready(0.3)
        channel.write(b"?")
        channel.flush()
        thread.start()
        with pytest.raises(errors.StatementTimeout):
            read_on(channel, 500)
        channel.flush()  # the next call has its own time
        assert channel.read(1) == b"x"
        over.set()
        thread.join(5)


def test_an_answer_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "LARGEST_ANSWER", 1000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x" * 2000)
        channel = Channel(ours, 5)
        with pytest.raises(errors.ServerForeign) as raised:
            read_on(channel, 20)
        assert "does not stop" in raised.value.hint
