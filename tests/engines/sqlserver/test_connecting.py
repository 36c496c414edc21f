"""Signing in, TLS and everything that can go wrong before the first statement: the real driver against a stand-in."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.reach import Address, Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.tsql import entra, packets
from metamapper.connectors.sql.tsql.errors import from_server
from metamapper.connectors.sql.tsql.settings import Intent, SignIn, Tls
from tests.engines.sqlserver.subject import ENGINE, PASSWORD, READER, SqlserverSource, SqlserverSubject, started
from tests.support.certificates import AUTHORITY, Certified, certified
from tests.support.tds import Answer, Hello, Refused, TdsServer


@pytest.fixture
def source() -> Iterator[SqlserverSource]:
    with SqlserverSubject().fresh() as source:
        yield source


@pytest.fixture(scope="module")
def certificate() -> Certified:
    return certified()


@pytest.fixture
def guarded(certificate: Certified) -> Iterator[SqlserverSource]:
    source = SqlserverSource()
    source.server.certificate = certificate.server
    with started(source):
        yield source


def failure(settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open():
        pass
    return caught.value


def steps(settings: EngineSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


def signs_in(settings: EngineSettings) -> str:
    with ENGINE.connect(settings).open() as session:
        return str(session.server.details["user"])


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_verified_tls_needs_the_authority(guarded: SqlserverSource, certificate: Certified) -> None:
    trusted = replace(guarded.settings, host="localhost", tls=Tls.VERIFY, ca_certificate=certificate.authority)
    assert signs_in(trusted) == "sa"
    assert guarded.server.hellos[-1].encrypted
    stranger = failure(replace(trusted, ca_certificate=""))
    assert isinstance(stranger, errors.TlsFailed)
    assert "authority" in stranger.hint
    assert len(guarded.server.hellos) == 1, "nobody said a password to a server that is not trusted"


def test_a_name_that_the_certificate_does_not_have_is_refused() -> None:
    other = certified("db.example.com")
    source = SqlserverSource()
    source.server.certificate = other.server
    with started(source):
        error = failure(replace(source.settings, host="localhost", tls=Tls.VERIFY, ca_certificate=other.authority))
    assert isinstance(error, errors.TlsFailed)
    assert "name that stands in the server's certificate" in error.hint
    assert source.server.hellos == []


def test_unverified_tls_encrypts_and_the_test_warns(guarded: SqlserverSource) -> None:
    unverified = replace(guarded.settings, tls=Tls.UNVERIFIED)
    assert signs_in(unverified) == "sa"
    assert guarded.server.hellos[-1].encrypted
    assert steps(unverified)["TLS"].state is StepState.WARNING


def test_a_whole_read_goes_through_tls(guarded: SqlserverSource, certificate: Certified) -> None:
    from metamapper.connectors.conformance.reads import read
    from metamapper.connectors.conformance.seed import seed

    guarded.perform(*seed(ENGINE))
    trusted = replace(guarded.settings, host="localhost", tls=Tls.VERIFY, ca_certificate=certificate.authority)
    subject = SqlserverSubject()
    assert read(subject, guarded, settings=trusted) == read(subject, guarded)


def test_the_connection_test_tells_who_signed_the_certificate(guarded: SqlserverSource, certificate: Certified) -> None:
    trusted = replace(guarded.settings, host="localhost", tls=Tls.VERIFY, ca_certificate=certificate.authority)
    found = steps(trusted)
    assert found["TLS"].state is StepState.OK
    assert AUTHORITY in found["TLS"].detail
    assert found["TLS"].detail.startswith("TLS 1.2")
    refused = steps(replace(trusted, ca_certificate=""))
    assert (refused["TLS"].state, refused["Sign-in"].state) == (StepState.FAILED, StepState.WAITING)


def test_a_server_without_tls_is_refused_where_tls_is_wanted(source: SqlserverSource) -> None:
    for mode in (Tls.VERIFY, Tls.UNVERIFIED):
        error = failure(replace(source.settings, tls=mode))
        assert isinstance(error, errors.TlsFailed)
        assert "certificate" in error.hint
    assert source.server.hellos == []


def test_a_server_that_wants_tls_says_so(guarded: SqlserverSource) -> None:
    guarded.server.demands_tls = True
    error = failure(replace(guarded.settings, tls=Tls.OFF))
    assert isinstance(error, errors.TlsFailed)
    assert "Verify" in error.hint
    assert signs_in(replace(guarded.settings, tls=Tls.UNVERIFIED)) == "sa"


def test_an_authority_that_is_none_is_said_to_be(source: SqlserverSource) -> None:
    assert isinstance(
        failure(replace(source.settings, tls=Tls.VERIFY, ca_certificate="not PEM")), errors.SettingsInvalid
    )


# --- Signing in ------------------------------------------------------------------------------------------------------


def test_a_password_with_every_awkward_character_signs_in(source: SqlserverSource) -> None:
    assert signs_in(source.settings) == "sa"
    assert source.server.hellos[-1] == Hello("sa", PASSWORD, "shop", "metamapper", "", True, False)


def test_the_intent_can_be_the_primary(source: SqlserverSource) -> None:
    signs_in(replace(source.settings, intent=Intent.READ_WRITE))
    assert not source.server.hellos[-1].read_only


def test_an_unknown_database(source: SqlserverSource) -> None:
    wrong = replace(source.settings, database="no such; database")
    error = failure(wrong)
    assert isinstance(error, errors.DatabaseUnknown)
    assert error.remedy.startswith("CREATE USER [sa] FOR LOGIN [sa];")
    found = steps(wrong)
    assert found["Sign-in"].state is StepState.OK
    assert found["Database"].state is StepState.FAILED


REFUSALS = (
    (18470, "Login failed for user 'x'. Reason: The account is disabled.", errors.SignInFailed),
    (18487, "Login failed for user 'x'.  Reason: The password of the account has expired.", errors.SignInFailed),
    (916, "The server principal \"x\" is not able to access the database \"shop\".", errors.PermissionMissing),
    (
        40615,
        "Client with IP address '192.0.2.1' is not allowed to access the server.",
        errors.PermissionMissing,
    ),
    (40613, "Database 'shop' on server 'y' is not currently available.", errors.ServerUnavailable),
    (42108, "Can not connect to the SQL pool since it is paused.", errors.ServerUnavailable),
    (10928, "Resource ID: 1. The session limit for the database is 30 and has been reached.", errors.TooManyConnections),
    (17809, "Could not connect because the maximum number of '1' user connections has already been reached.", errors.TooManyConnections),
    (99999, "Something that nobody knows.", errors.ConnectorError),
)  # fmt: skip


@pytest.mark.parametrize(("number", "text", "kind"), REFUSALS)
def test_what_a_server_says_has_a_meaning(number: int, text: str, kind: type[errors.ConnectorError]) -> None:
    def refuse(_: Hello) -> Any:
        raise Refused(number, text)

    source = SqlserverSource()
    source.server.sign_in = refuse
    with started(source):
        error = failure(source.settings)
    assert type(error) is kind
    assert error.server_said == f"{' '.join(text.split())} ({number})"


def test_an_instance_is_asked_for_by_its_port(source: SqlserverSource) -> None:
    error = failure(replace(source.settings, host="db\\EXPRESS"))
    assert isinstance(error, errors.SettingsInvalid)
    assert "port" in error.hint


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"ProductVersion": "12.0.6024.0"}, "13 (2016)"),
        ({"ProductVersion": "10.0.16003.0", "EngineEdition": 6}, "Azure Synapse"),
        ({"ProductVersion": "12.0.2000.8", "EngineEdition": 11}, "Azure Synapse"),
    ],
)
def test_other_servers_are_refused(facts: dict[str, Any], said: str, source: SqlserverSource) -> None:
    source.catalog.facts.update(facts)
    error = failure(source.settings)
    assert isinstance(error, errors.VersionUnsupported)
    assert said in error.detail
    assert steps(source.settings)["Database"].state is StepState.FAILED


def test_azure_is_the_newest(source: SqlserverSource) -> None:
    source.catalog.facts.update({"ProductVersion": "12.0.2000.8", "EngineEdition": 5, "Edition": "SQL Azure"})
    with ENGINE.connect(source.settings).open() as session:
        assert session.server.version == "SQL Azure 12.0.2000.8"


# --- Going elsewhere -------------------------------------------------------------------------------------------------


def sent_on(host: str, port: int) -> SqlserverSource:
    source = SqlserverSource()
    source.server.sign_in = lambda _: (host, port)
    return source


def test_a_server_may_send_its_clients_to_a_replica(source: SqlserverSource) -> None:
    with started(sent_on("localhost", source.server.port)) as gateway:
        assert signs_in(gateway.settings) == "sa"
    assert len(source.server.hellos) == 1


def test_an_address_that_a_server_names_is_checked_as_any_other(source: SqlserverSource) -> None:
    """Else a server could have the workers say their password to whomever it likes."""

    def only_the_gateway(address: Address) -> str | None:
        return None if str(address) == "127.0.0.1" else "It is ours."

    with started(sent_on("127.0.0.9", source.server.port)) as gateway:
        error = failure(gateway.settings, Reach(denies=only_the_gateway))
    assert isinstance(error, errors.AddressDenied)
    assert source.server.hellos == []


def test_a_replica_must_prove_who_it_is_as_well(certificate: Certified, guarded: SqlserverSource) -> None:
    with started(SqlserverSource()) as plain:
        guarded.server.sign_in = lambda _: ("localhost", plain.server.port)
        trusted = replace(guarded.settings, host="localhost", tls=Tls.VERIFY, ca_certificate=certificate.authority)
        error = failure(trusted)
    assert isinstance(error, errors.TlsFailed)
    assert plain.server.hellos == []


def test_being_sent_round_in_a_circle_ends() -> None:
    source = sent_on("127.0.0.1", 1)
    with started(source):
        source.server.sign_in = lambda _: ("127.0.0.1", source.server.port)
        assert isinstance(failure(source.settings), errors.ServerUnavailable)


# --- Others that listen ----------------------------------------------------------------------------------------------


@contextmanager
def listener(*answers: bytes) -> Iterator[int]:
    """Who answers each message with the next of these, whatever it says, and then hangs up."""

    def serve() -> None:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


HELLO = packets.packet(packets.REPLY, packets.prelogin(packets.Encryption.NOT_SUPPORTED)[8:])


@pytest.mark.parametrize(
    "answers",
    [
        (b"\x04\x01\x00\x02\x00\x00\x00\x00",),
        (packets.packet(packets.REPLY, b"\xff"),),
        (packets.packet(packets.REPLY, b"\x01\xff\xff\xff\xff\xff"),),
        (HELLO, packets.packet(packets.REPLY, b"\x42" * 40)),
        (HELLO, packets.packet(packets.REPLY, b"\xad\x02\x00\x01")),
        (HELLO, b"HTTP/1.1 200 OK\r\n\r\n"),
        (HELLO, b""),
        (b"",),
    ],
)
def test_bytes_that_are_no_answer_are_no_crash(source: SqlserverSource, answers: Sequence[bytes]) -> None:
    with listener(*answers) as port:
        error = failure(source.aimed_at("127.0.0.1", port))
    assert isinstance(error, (errors.ServerForeign, errors.ConnectionLost, errors.ConnectorError))
    assert "planted" not in json.dumps(dict(error.as_dict()))
    assert error.hint


def test_an_answer_without_an_end_is_given_up(source: SqlserverSource) -> None:
    endless = b"\x04\x00\x7f\xff\x00\x00\x00\x00" + bytes(32_759)
    with listener(endless * 40) as port:
        assert isinstance(failure(source.aimed_at("127.0.0.1", port)), errors.ServerForeign)


# --- While statements run --------------------------------------------------------------------------------------------


@dataclass
class Endless:
    """A session that answers the first statements and then rows without an end, or nothing until it is told to."""

    source: SqlserverSource
    waits: bool
    go_on: threading.Event = field(default_factory=threading.Event)

    def answer(self, sql: str, parameters: dict[str, Any]) -> Answer:
        session = self.source.sign_in(Hello("sa", PASSWORD, "shop", "", "", True, False))
        answer = session.answer(sql, parameters)
        if "number5" not in sql:
            return answer
        return Answer(answer.columns, self._rows(list(answer.rows)))

    def _rows(self, rows: list[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        number = 0
        while not self.go_on.is_set():
            number += 1
            for row in rows:
                yield (number, *row[1:])
            if self.waits:
                self.go_on.wait(20)


@contextmanager
def endless(*, waits: bool) -> Iterator[tuple[SqlserverSource, TdsServer]]:
    from metamapper.connectors.conformance.seed import PURCHASE, seed

    assert PURCHASE
    with SqlserverSubject().fresh() as source:
        source.perform(*list(seed(ENGINE))[:1])
        session = Endless(source, waits)
        server = TdsServer(lambda _: session)
        with server.running():
            try:
                yield source, server
            finally:
                session.go_on.set()


def test_a_cancel_reaches_the_server() -> None:
    with endless(waits=False) as (source, server):
        settings = replace(source.settings, port=server.port)
        with ENGINE.connect(settings).open() as session:
            session.scopes(ScopeFilter())
            rest = session.relations(ScopeFilter())
            next(rest)
            threading.Thread(target=session.cancel).start()
            with pytest.raises(errors.Cancelled):
                list(rest)
            assert server.attentions.wait(10)


def test_a_statement_that_falls_silent_is_given_up() -> None:
    with endless(waits=True) as (source, server):
        settings = replace(source.settings, port=server.port, statement_timeout=1)
        with ENGINE.connect(settings).open() as session:
            session.scopes(ScopeFilter())
            rest = session.relations(ScopeFilter())
            with pytest.raises(errors.StatementTimeout) as caught:
                list(rest)
    assert not caught.value.permanent
    assert caught.value.hint


# --- Rights ----------------------------------------------------------------------------------------------------------


def test_a_login_that_may_write_earns_a_warning(source: SqlserverSource) -> None:
    assert steps(source.reader)["Rights to write"].state is StepState.OK
    warned = steps(source.settings)["Rights to write"]
    assert warned.state is StepState.WARNING
    assert warned.error is not None
    assert "GRANT VIEW DEFINITION TO [metamapper];" in warned.error.remedy


def test_a_right_on_one_table_is_a_right_to_write(source: SqlserverSource) -> None:
    source.catalog.put("database_permissions", 1, "G", "UPDATE", 9)
    assert steps(source.reader)["Rights to write"].state is StepState.WARNING


def test_a_catalog_view_that_was_closed_is_named(source: SqlserverSource) -> None:
    source.catalog.grant(READER, "DENY", "sys.extended_properties")
    step = steps(source.reader)["Rights on each catalog view"]
    assert step.state is StepState.FAILED
    assert step.error is not None
    assert step.error.remedy == f"GRANT SELECT ON sys.extended_properties TO [{READER}];"
    source.paste(step.error.remedy)
    assert steps(source.reader)["Rights on each catalog view"].state is StepState.OK


def test_schemas_that_cannot_be_seen_are_told_with_the_grant(source: SqlserverSource) -> None:
    step = steps(source.reader)["Schemas visible"]
    assert step.state is StepState.WARNING, "the reader sees dbo only, and cannot know what else there is"
    assert step.error is not None
    assert step.error.remedy == f"GRANT VIEW DEFINITION TO [{READER}];"
    source.revoke("main")
    closed = steps(source.reader)["Schemas visible"]
    assert closed.state is StepState.FAILED
    source.paste(step.error.remedy)
    assert steps(source.reader)["Schemas visible"].state is StepState.OK


# --- Microsoft Entra -------------------------------------------------------------------------------------------------


@dataclass
class Entra:
    port: int
    asked: list[tuple[str, dict[str, list[str]]]]
    answer: tuple[int, Any]


@pytest.fixture
def microsoft(certificate: Certified, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Entra]:
    """A stand-in for the place that gives tokens, trusted by its certificate as the real one would be."""
    found = Entra(0, [], (200, {"access_token": "a token of three hours"}))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            found.asked.append((self.path, form))
            body = json.dumps(found.answer[1]).encode()
            self.send_response(found.answer[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = certificate.server.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        (tmp_path / "authority.pem").write_text(certificate.authority)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        monkeypatch.setattr(entra, "AUTHORITY", "localhost")
        monkeypatch.setattr(entra, "PORT", server.server_port)
        try:
            yield found
        finally:
            server.shutdown()
            thread.join(5)


def as_application(source: SqlserverSource) -> EngineSettings:
    return replace(
        source.settings,
        sign_in=SignIn.SERVICE_PRINCIPAL,
        user="00000000-0000-0000-0000-000000000001",
        password="a planted secret",
        tenant="example.onmicrosoft.com",
    )


def test_an_application_signs_in_with_a_token(source: SqlserverSource, microsoft: Entra) -> None:
    source.catalog.grant("a token of three hours", "VIEW DEFINITION")
    with ENGINE.connect(as_application(source)).open() as session:
        list(session.relations(ScopeFilter()))
    hello = source.server.hellos[-1]
    assert (hello.token, hello.user, hello.password) == ("a token of three hours", "", "")
    ((path, form),) = microsoft.asked
    assert path == "/example.onmicrosoft.com/oauth2/v2.0/token"
    assert form["scope"] == ["https://database.windows.net/.default"]
    assert form["client_secret"] == ["a planted secret"]


def test_an_application_that_is_refused(source: SqlserverSource, microsoft: Entra) -> None:
    said = "AADSTS7000215: Invalid client secret provided: 'a planted secret'."
    microsoft.answer = (401, {"error": "invalid_client", "error_description": said})
    error = failure(as_application(source))
    assert isinstance(error, errors.SignInFailed)
    assert error.server_said == "AADSTS7000215: Invalid client secret provided: '***'."
    assert source.server.hellos == []


def test_who_gives_tokens_must_be_trusted(
    source: SqlserverSource, microsoft: Entra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    error = failure(as_application(source))
    assert isinstance(error, errors.TlsFailed)
    assert microsoft.asked == []


def test_an_application_needs_a_tenant(source: SqlserverSource) -> None:
    assert isinstance(failure(replace(as_application(source), tenant="")), errors.SettingsInvalid)
    with pytest.raises(errors.SettingsInvalid):
        from_url("sqlserver://app@h/d?sign_in=service_principal&tenant=evil.example/x")


# --- URLs ------------------------------------------------------------------------------------------------------------


def test_urls() -> None:
    url = "sqlserver://me:p%40ss%3A@db.example.com:1434/my%20shop?tls=unverified&intent=read_write&connect_timeout=3"
    _, settings = from_url(url)
    assert settings.__class__.__name__ == "SqlserverSettings"
    shown = repr(settings)
    assert "host='db.example.com', port=1434, database='my shop'" in shown
    assert "p@ss" not in shown
    assert settings.secrets() == ("p@ss:",)
    for wrong in (
        "sqlserver://me@h:notaport/d",
        "sqlserver://me@h/",
        "sqlserver://h/d",
        "sqlserver://me@h/d?TrustServerCertificate=yes",
        "sqlserver://me@h/d?tls=maybe",
        "sqlserver://me@h:99999/d",
    ):
        with pytest.raises(errors.SettingsInvalid):
            from_url(wrong)


def test_what_the_driver_stumbles_over_is_no_secret(source: SqlserverSource) -> None:
    error = from_server(ValueError(f"could not parse {PASSWORD}"), source.settings)
    assert PASSWORD not in str(error.as_dict())
    assert isinstance(error, errors.ServerForeign)


def test_a_route_in_a_second_message_is_not_followed(source: SqlserverSource) -> None:
    """The driver would follow it by itself, past every check and in the clear."""
    with TdsServer(lambda _: pytest.fail("Nobody was to come here")).running() as elsewhere:
        rogue = TdsServer(lambda _: ("127.0.0.1", elsewhere.port), in_two_messages=True)
        with rogue.running():
            error = failure(replace(source.settings, port=rogue.port))
    assert rogue.hellos
    assert not elsewhere.hellos
    assert isinstance(error, errors.ServerForeign)
