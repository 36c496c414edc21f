"""Signing in, TLS and what can go wrong before the first statement, on real servers of both."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.reach import UNRESTRICTED, Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.sql.mysql.names import account
from metamapper.connectors.sql.mysql.settings import MysqlSettings, Tls
from tests.engines.mysql.subject import ENGINE, MysqlSource, MysqlSubject
from tests.support.certificates import AUTHORITY

pytestmark = pytest.mark.live


def failure(settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open():
        pass
    return caught.value


def steps(settings: EngineSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


def signs_in(settings: EngineSettings, reach: Reach = Reach()) -> str:  # noqa: B008 - it is frozen
    with ENGINE.connect(settings, reach).open() as session:
        return str(session.server.details["account"])


@pytest.fixture
def trusted(source: MysqlSource) -> MysqlSettings:
    return replace(source.reader, host="localhost", tls=Tls.VERIFY, ca_certificate=source.server.authority)


def test_verified_tls_needs_the_authority(source: MysqlSource, trusted: MysqlSettings) -> None:
    assert signs_in(trusted) == source.role
    stranger = failure(replace(trusted, ca_certificate=""))
    assert isinstance(stranger, errors.TlsFailed)
    assert "authority" in stranger.hint
    garbage = failure(replace(trusted, ca_certificate="no certificate"))
    assert isinstance(garbage, errors.SettingsInvalid)


def test_a_name_that_the_certificate_does_not_have_is_refused(trusted: MysqlSettings) -> None:
    error = failure(replace(trusted, host="other.localhost"))
    # Where this machine knows no such name, nobody signs in under it either.
    assert isinstance(error, (errors.TlsFailed, errors.HostUnknown))


def test_unverified_tls_signs_in_and_the_test_warns(source: MysqlSource) -> None:
    unverified = replace(source.reader, tls=Tls.UNVERIFIED)
    assert signs_in(unverified) == source.role
    assert steps(unverified)["TLS"].state is StepState.WARNING


def test_the_connection_test_tells_who_signed_the_certificate(trusted: MysqlSettings) -> None:
    found = steps(trusted)
    assert found["TLS"].state is StepState.OK
    assert AUTHORITY in found["TLS"].detail
    assert found["TLS"].detail.startswith("TLS 1.3")
    assert {step.state for step in found.values()} <= {StepState.OK, StepState.WARNING}


def test_a_self_signed_server_fails_the_step_of_tls(trusted: MysqlSettings) -> None:
    found = steps(replace(trusted, ca_certificate=""))
    assert found["TLS"].state is StepState.FAILED
    assert found["Sign-in"].state is StepState.WAITING


def test_a_wrong_password_over_tls_fails_the_step_of_the_sign_in(trusted: MysqlSettings) -> None:
    found = steps(replace(trusted, password="another one, wrong"))
    assert (found["TLS"].state, found["Sign-in"].state) == (StepState.OK, StepState.FAILED)


def test_an_account_that_demands_tls(source: MysqlSource) -> None:
    source.run(f"ALTER USER {account(source.role)} REQUIRE SSL")
    error = failure(source.reader)
    assert isinstance(error, errors.SignInFailed)
    assert "TLS" in error.hint
    assert signs_in(replace(source.reader, tls=Tls.UNVERIFIED)) == source.role


def test_a_server_that_demands_tls(source: MysqlSource, subject: MysqlSubject) -> None:
    """MariaDB says no more than that nobody may come in."""
    source.run("SET GLOBAL require_secure_transport = ON")
    try:
        error = failure(source.reader)
    finally:
        with source.server.connect(ssl_verify_cert=False) as admin, admin.cursor() as cursor:
            cursor.execute("SET GLOBAL require_secure_transport = OFF")
    assert isinstance(error, errors.SignInFailed if subject.mariadb else errors.TlsFailed)
    assert "TLS" in error.hint


def test_an_unknown_database(source: MysqlSource) -> None:
    wrong = replace(source.settings, database="no such; database")
    assert isinstance(failure(wrong), errors.DatabaseUnknown)
    found = steps(wrong)
    assert found["Sign-in"].state is StepState.OK
    assert found["Database"].state is StepState.FAILED


def test_a_locked_account(source: MysqlSource) -> None:
    source.run(f"ALTER USER {account(source.role)} ACCOUNT LOCK")
    error = failure(source.reader)
    assert isinstance(error, errors.SignInFailed)
    assert "locked" in error.server_said.lower()


def test_an_account_without_a_free_connection(source: MysqlSource) -> None:
    source.run(f"ALTER USER {account(source.role)} WITH MAX_USER_CONNECTIONS 1")
    with ENGINE.connect(source.reader).open():
        error = failure(source.reader)
    assert isinstance(error, errors.TooManyConnections)
    assert not error.permanent
    assert error.hint


def test_no_connection_test_breaks_off_before_it_signs_in(source: MysqlSource, trusted: MysqlSettings) -> None:
    """A server that counts too many of those lets nobody in from there any more."""
    for settings in (source.reader, trusted, replace(trusted, password="wrong, of course")):
        steps(settings)
    [(_, aborted)] = source.asked("SHOW GLOBAL STATUS LIKE 'Connection_errors_peer_address'")
    assert int(aborted) == 0
    if source.asked("SHOW TABLES FROM performance_schema LIKE 'host_cache'"):
        handshakes = source.asked("SELECT COALESCE(SUM(count_handshake_errors), 0) FROM performance_schema.host_cache")
        assert [int(count) for (count,) in handshakes] == [0]


def test_no_option_file_of_the_worker_has_a_say(
    source: MysqlSource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = "[client]\nuser=somebody\npassword=a password of the worker\nhost=192.0.2.1\nport=1\n[mysql]\nuser=x\n"
    (tmp_path / ".my.cnf").write_text(options)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MYSQL_HOME", str(tmp_path))
    monkeypatch.setenv("MYSQL_PWD", "a password of the worker")
    monkeypatch.setenv("MYSQL_HOST", "192.0.2.1")
    assert signs_in(source.reader) == source.role
    assert isinstance(failure(replace(source.reader, password="")), errors.SignInFailed)


def test_sockets_need_a_reach_that_allows_them(source: MysqlSource) -> None:
    [(_, path)] = source.asked("SHOW VARIABLES LIKE 'socket'")
    at_socket = replace(source.reader, host=path)
    assert isinstance(failure(at_socket), errors.SettingsInvalid)
    if not os.access(path, os.R_OK):
        pytest.skip(f"Not to be had: the socket {path} is closed to us")
    _, from_its_url = from_url(f"mysql://somebody@localhost/?socket={path}")
    assert isinstance(from_its_url, MysqlSettings)
    assert signs_in(replace(at_socket, host=from_its_url.host), UNRESTRICTED) == source.role


def test_another_users_password_plugin_signs_in(source: MysqlSource, subject: MysqlSubject) -> None:
    """MySQL's own hash over a connection without TLS, by the server's key; MariaDB's old one on either."""
    plugin = "mysql_native_password" if subject.mariadb else "sha256_password"
    secret = "USING PASSWORD('a longer password')" if subject.mariadb else "BY 'a longer password'"
    me = account(source.role)
    source.run(f"ALTER USER {me} IDENTIFIED {'VIA' if subject.mariadb else 'WITH'} {plugin} {secret}")
    assert signs_in(replace(source.reader, password="a longer password")) == source.role
