"""Signing in and what can go wrong before: the real driver against listeners that answer as Oracle Net does.

Past the listener there is no server to be had: what it says is recorded.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import oracledb
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec.structs import replace
from oracledb.errors import _Error

from metamapper.connectors import errors
from metamapper.connectors.base import Step, StepState
from metamapper.connectors.engines.oracle.errors import from_driver
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from tests.engines.oracle.subject import ENGINE, OracleSource
from tests.support.guarded import AUTHORITY, _certify
from tests.support.oracle_driver import ora

REFUSE, REDIRECT, DATA = 4, 5, 6
TLS_HELLO = b"\x16\x03"


def packet(kind: int, body: bytes) -> bytes:
    """Of Oracle Net: length, checksum, kind, flags, checksum of the header."""
    return (len(body) + 8).to_bytes(2) + b"\0\0" + bytes([kind, 0]) + b"\0\0" + body


def refusing(code: int) -> bytes:
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))".encode()
    return packet(REFUSE, b"\x01\x00" + len(text).to_bytes(2) + text)


def redirecting(host: str, port: int) -> bytes:
    text = f"(ADDRESS=(PROTOCOL=tcp)(HOST={host})(PORT={port}))\0(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=x)))".encode()
    return packet(REDIRECT, len(text).to_bytes(2)) + packet(DATA, b"\0\0" + text)


@contextmanager
def listening(answer: bytes, tls: ssl.SSLContext | None = None) -> Iterator[tuple[OracleSettings, list[bytes]]]:
    """Settings of a listener that answers everybody so, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_answer, args=(listener, answer, tls, heard), daemon=True)
        thread.start()
        try:
            yield settings_of(listener.getsockname()[1]), heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(listener: socket.socket, answer: bytes, tls: ssl.SSLContext | None, heard: list[bytes]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), client:
            connection = tls.wrap_socket(client, server_side=True) if tls else client
            with connection:
                said = _connect_data(connection)
                heard.append(said)
                if said.startswith(TLS_HELLO):
                    continue
                connection.sendall(answer if said else b"")
                while connection.recv(4096):
                    pass


def _connect_data(connection: socket.socket) -> bytes:
    """What a client says first, which may be two packets; it ends in a bracket."""
    said = more = connection.recv(4096)
    while more and not said.startswith(TLS_HELLO) and not said.endswith(b")"):
        more = connection.recv(4096)
        said += more
    return said


def settings_of(port: int) -> OracleSettings:
    return OracleSettings(
        host="127.0.0.1",
        port=port,
        service="ORCLPDB1",
        user="metamapper",
        password="a planted secret",
        tls=Tls.OFF,
        connect_timeout=2,
    )


def failure(settings: OracleSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open():
        pass
    assert "a planted secret" not in str(caught.value.as_dict())
    return caught.value


def steps(settings: OracleSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


# --- What a listener says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (12514, errors.DatabaseUnknown),
        (12505, errors.DatabaseUnknown),
        (12519, errors.TooManyConnections),
        (12528, errors.ServerUnavailable),
    ],
)
def test_a_listener_refuses(code: int, kind: type[errors.ConnectorError]) -> None:
    with listening(refusing(code)) as (settings, heard):
        mine = replace(settings, service="", sid="ORCL") if code == 12505 else settings
        error = failure(mine)
        assert type(error) is kind
        assert error.hint
        found = steps(mine)
    assert found["Service"].state is StepState.FAILED
    assert found["Sign-in"].state is StepState.WAITING
    assert b"(SID=ORCL)" in heard[0] if code == 12505 else b"(SERVICE_NAME=ORCLPDB1)" in heard[0]


def test_a_redirect_leads_only_where_the_reach_does() -> None:
    """A listener says where to go next; the driver would go anywhere."""
    with listening(refusing(12514)) as (inner, heard):
        with listening(redirecting("127.0.0.2", inner.port)) as (settings, _):
            reach = Reach(denies=lambda address: "It is ours." if str(address) == "127.0.0.2" else None)
            error = failure(settings, reach)
            assert isinstance(error, errors.AddressDenied)
            assert heard == []
        with listening(redirecting("127.0.0.1", inner.port)) as (settings, _):
            assert isinstance(failure(settings, reach), errors.DatabaseUnknown)
            assert len(heard) == 1


def test_a_listener_that_never_answers_is_given_up_in_time() -> None:
    with listening(b"") as (settings, _):
        assert isinstance(failure(settings), errors.ConnectionTimeout)


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """A listener's context, and the authority that signed its certificate."""
    authority = _certify(tmp_path, {})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    return context, authority


def test_tls_verifies_the_authority_and_the_name(certified: tuple[ssl.SSLContext, str]) -> None:
    context, authority = certified
    with listening(refusing(12514), context) as (plain, heard):
        verified = replace(plain, host="localhost", tls=Tls.VERIFY, ca_certificate=authority)
        # Whoever gets as far as the listener's refusal has come through TLS.
        assert isinstance(failure(verified), errors.DatabaseUnknown)
        assert len(heard) == 1
        stranger = failure(replace(verified, ca_certificate=""))
        assert isinstance(stranger, errors.TlsFailed)
        assert "authority" in stranger.hint
        misnamed = failure(replace(verified, host="elsewhere.localhost"))
        assert isinstance(misnamed, (errors.TlsFailed, errors.HostUnknown))
        assert len(heard) <= 2
        assert isinstance(failure(replace(verified, ca_certificate="", tls=Tls.UNVERIFIED)), errors.DatabaseUnknown)


def test_the_connection_test_tells_who_signed(certified: tuple[ssl.SSLContext, str]) -> None:
    context, authority = certified
    with listening(refusing(12514), context) as (plain, _):
        found = steps(replace(plain, host="localhost", tls=Tls.VERIFY, ca_certificate=authority))
        assert AUTHORITY in found["TLS"].detail
        assert steps(replace(plain, tls=Tls.UNVERIFIED))["TLS"].state is StepState.WARNING
        assert steps(replace(plain, tls=Tls.VERIFY))["TLS"].state is StepState.FAILED


def test_a_plain_listener_where_tls_is_wanted() -> None:
    assert OracleSettings(host="h", user="u").tls is Tls.VERIFY
    with listening(refusing(12514)) as (plain, _):
        error = failure(replace(plain, tls=Tls.VERIFY))
        assert isinstance(error, errors.TlsFailed)
        assert "TCPS" in error.hint
        assert steps(plain)["TLS"].state is StepState.WARNING


def test_a_wallet_shows_who_the_client_is(tmp_path: Path) -> None:
    """Mutual TLS: the listener asks for a certificate that its own authority has signed."""
    authority = _certify(tmp_path, {})
    key = load_pem_private_key((tmp_path / "server.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of the wallet")).decode()
    wallet = locked + (tmp_path / "server.crt").read_text() + authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    context.load_verify_locations(cadata=authority)
    context.verify_mode = ssl.CERT_REQUIRED
    with listening(refusing(12514), context) as (plain, heard):
        mine = replace(plain, host="localhost", tls=Tls.VERIFY, wallet=wallet, wallet_password="of the wallet")
        assert isinstance(failure(mine), errors.DatabaseUnknown)
        assert len(heard) == 1
        wrong = failure(replace(mine, wallet_password="another"))
        assert isinstance(wrong, errors.SettingsInvalid)
        assert isinstance(failure(replace(mine, wallet="no PEM")), errors.SettingsInvalid)
        # Without one the listener hangs up.
        assert isinstance(failure(replace(mine, wallet="", ca_certificate=authority)), errors.ConnectorError)
    assert "of the wallet" not in repr(mine)
    assert locked not in repr(mine)


# --- What the server says --------------------------------------------------------------------------------------------

SAID: list[tuple[oracledb.Error, type[errors.ConnectorError], str]] = [
    (ora(1017, "invalid username/password; logon denied"), errors.SignInFailed, 'CREATE USER "METAMAPPER"'),
    (ora(28000, "The account is locked."), errors.SignInFailed, ""),
    (ora(28001, "The account has expired."), errors.SignInFailed, ""),
    (
        ora(1045, "user METAMAPPER lacks CREATE SESSION privilege"),
        errors.PermissionMissing,
        'GRANT CREATE SESSION TO "METAMAPPER"',
    ),
    (ora(942, "table or view does not exist"), errors.PermissionMissing, 'GRANT SELECT ANY DICTIONARY TO "METAMAPPER"'),
    (ora(1031, "insufficient privileges"), errors.PermissionMissing, "GRANT SELECT ANY DICTIONARY"),
    (ora(1033, "ORACLE initialization or shutdown in progress"), errors.ServerUnavailable, ""),
    (ora(2391, "exceeded simultaneous SESSIONS_PER_USER limit"), errors.TooManyConnections, ""),
    (ora(1555, "snapshot too old: rollback segment number 5"), errors.ReadDisturbed, ""),
    (ora(3113, "end-of-file on communication channel"), errors.ConnectionLost, ""),
    (ora(600, "internal error code, arguments: [x]"), errors.ConnectionLost, ""),
    (ora(904, "invalid identifier"), errors.ConnectorError, ""),
    (oracledb.DatabaseError(_Error(message="DPY-4024: call timeout of 300 ms exceeded")), errors.StatementTimeout, ""),
    (
        oracledb.DatabaseError(
            _Error(message="DPY-3010: connections to this database server version are not supported")
        ),
        errors.VersionUnsupported,
        "",
    ),
    (
        oracledb.DatabaseError(_Error(message="DPY-3015: password verifier type 0x939 is not supported")),
        errors.SignInFailed,
        "",
    ),
    (
        oracledb.DatabaseError(
            _Error(message="DPY-3001: Native Network Encryption and Data Integrity is only supported in thick mode")
        ),
        errors.TlsFailed,
        "",
    ),
]


@pytest.mark.parametrize(("said", "kind", "remedy"), SAID, ids=lambda each: str(each)[:30])
def test_what_the_server_says_has_a_next_step(
    said: oracledb.Error, kind: type[errors.ConnectorError], remedy: str
) -> None:
    error = from_driver(said, settings_of(1))
    assert type(error) is kind
    assert remedy in error.remedy
    assert error.hint or kind is errors.ConnectorError
    assert "Help:" not in error.server_said


def test_an_unknown_service_is_another_step_than_a_wrong_password(source: OracleSource) -> None:
    unknown = steps(replace(source.settings, service="ELSEWHERE"))
    assert (unknown["Service"].state, unknown["Sign-in"].state) == (StepState.FAILED, StepState.WAITING)
    wrong = steps(replace(source.settings, password="another"))
    assert (wrong["Service"].state, wrong["Sign-in"].state) == (StepState.OK, StepState.FAILED)


def test_the_connection_test_says_what_would_not_be_seen(source: OracleSource) -> None:
    assert steps(source.reader)["Rights on the dictionary"].state is StepState.OK
    source.dictionary.see_dictionary.discard("READER")
    step = steps(source.reader)["Rights on the dictionary"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    source.paste(step.error.remedy)
    assert steps(source.reader)["Rights on the dictionary"].state is StepState.OK


def test_a_user_that_may_write_earns_a_warning(source: OracleSource) -> None:
    assert steps(source.reader)["Rights to write"].state is StepState.OK
    source.dictionary.privileges["READER"] = {"CREATE SESSION", "DELETE ANY TABLE"}
    warned = steps(source.reader)["Rights to write"]
    assert warned.state is StepState.WARNING
    assert warned.error is not None
    assert "CREATE USER" in warned.error.remedy


def test_a_right_to_make_tables_is_a_right_to_write(source: OracleSource) -> None:
    source.dictionary.privileges["READER"] = {"CREATE SESSION", "CREATE TABLE"}
    assert "may make them" in steps(source.reader)["Rights to write"].detail


def test_a_right_that_a_role_brings_is_a_right_to_write(source: OracleSource) -> None:
    source.dictionary.granted_to_roles["READER"] = {"UPDATE"}
    assert "may change rows" in steps(source.reader)["Rights to write"].detail


@pytest.mark.parametrize(
    ("view", "right"), [("user_tab_privs", "ALTER"), ("user_tab_privs", "DELETE"), ("user_col_privs", "UPDATE")]
)
def test_a_right_on_one_table_or_column_is_a_right_to_write(source: OracleSource, view: str, right: str) -> None:
    source.dictionary.granted[view, "READER"] = {"SELECT", right}
    assert steps(source.reader)["Rights to write"].state is StepState.WARNING
    source.dictionary.granted[view, "READER"] = {"SELECT"}
    assert steps(source.reader)["Rights to write"].state is StepState.OK


@pytest.mark.parametrize("version", ["11.2.0.4.0", "9.2.0.1.0"])
def test_an_old_server_is_not_read(source: OracleSource, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.oracle_driver.Connection.version", version)
    assert isinstance(failure(source.settings), errors.VersionUnsupported)


# --- Settings --------------------------------------------------------------------------------------------------------


def test_nothing_of_the_workers_environment_has_a_say(
    source: OracleSource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tnsnames.ora").write_text("MODEL = (DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=192.0.2.1)(PORT=1)))\n")
    monkeypatch.setenv("TNS_ADMIN", str(tmp_path))
    with ENGINE.connect(source.settings).open() as session:
        assert session.server.details["user"] == "SYSTEM"
    [given] = source.server.given
    assert (given["config_dir"], given["host"], given["program"]) == (
        "/nonexistent/metamapper",
        "127.0.0.1",
        "metamapper",
    )
    assert "dsn" not in given


def test_a_service_or_a_sid_is_needed(source: OracleSource) -> None:
    for wrong in ({"service": ""}, {"sid": "ORCL"}):
        assert isinstance(failure(replace(source.settings, **wrong)), errors.SettingsInvalid)


def test_a_url_carries_what_signs_in() -> None:
    _, settings = from_url("oracle://me:p%40ss@db.example.com/ORCLPDB1?tls=off&connect_timeout=5")
    assert settings == OracleSettings(
        host="db.example.com", service="ORCLPDB1", user="me", password="p@ss", tls=Tls.OFF, connect_timeout=5
    )
    _, settings = from_url("oracle://me@db.example.com:2484/?sid=ORCL")
    assert settings == OracleSettings(host="db.example.com", port=2484, sid="ORCL", user="me")


@pytest.mark.parametrize(
    "url",
    [
        "oracle://me@h/s?wallet_location=/etc",
        "oracle://me@h/s?wallet=x",
        "oracle://me@h/s?tls=perhaps",
        "oracle://me@h:99999/s",
        "oracle://h/s",
        "oracle:///s",
    ],
)
def test_a_url_carries_nothing_else(url: str) -> None:
    with pytest.raises(errors.SettingsInvalid):
        from_url(url)
