"""Signing in, TLS, IAM and everything that can go wrong before the first statement."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.conformance.secrets import everything_said
from metamapper.connectors.engines.redshift.iam import Account, account
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, SignIn, Tls
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from tests.engines.redshift.subject import ENGINE, PASSWORD, RedshiftSource, RedshiftSubject
from tests.support.eventually import eventually
from tests.support.guarded import AUTHORITY, _certify
from tests.support.redshift import proxy

pytestmark = pytest.mark.live

REACH = Reach()


def failure(settings: EngineSettings) -> errors.ConnectorError:
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, REACH).open():
        pass
    return caught.value


def steps(settings: EngineSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


def signs_in(settings: EngineSettings) -> str:
    with ENGINE.connect(settings).open() as session:
        return str(session.server.details["role"])


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secured(source: RedshiftSource, tmp_path: Path) -> Iterator[RedshiftSettings]:
    """Settings of a server that speaks TLS, with the authority that signed its certificate."""
    authority = _certify(tmp_path, {})
    files = (tmp_path / "server.crt", tmp_path / "server.key")
    with proxy(urlsplit(source.url).port or 5432, tls=files, passwords={"postgres": PASSWORD}) as front:
        yield replace(
            source.settings,
            host="localhost",
            port=front.port,
            user="postgres",
            password=PASSWORD,
            tls=Tls.VERIFY,
            ca_certificate=authority,
        )


def test_verified_tls_is_the_default_and_needs_the_authority(secured: RedshiftSettings) -> None:
    assert RedshiftSettings(host="h", database="d").tls is Tls.VERIFY
    assert signs_in(secured) == "postgres"
    stranger = failure(replace(secured, ca_certificate=""))
    assert isinstance(stranger, errors.TlsFailed)
    assert "authority" in stranger.hint


def test_a_certificate_is_for_its_own_name(secured: RedshiftSettings) -> None:
    error = failure(replace(secured, host="elsewhere.localhost"))
    # Where no such name is known nobody signs in either.
    assert isinstance(error, (errors.TlsFailed, errors.HostUnknown))


def test_no_password_is_sent_to_a_server_that_is_not_trusted(source: RedshiftSource, tmp_path: Path) -> None:
    _certify(tmp_path, {})
    with proxy(urlsplit(source.url).port or 5432, tls=(tmp_path / "server.crt", tmp_path / "server.key")) as front:
        failure(replace(source.settings, host="localhost", port=front.port, tls=Tls.VERIFY))
        assert front.startups == []


def test_unverified_tls_signs_in_and_the_test_warns(secured: RedshiftSettings) -> None:
    unverified = replace(secured, tls=Tls.UNVERIFIED, ca_certificate="")
    assert signs_in(unverified) == "postgres"
    assert steps(unverified)["TLS"].state is StepState.WARNING


def test_the_connection_test_tells_who_signed_the_certificate(secured: RedshiftSettings) -> None:
    found = steps(secured)
    assert AUTHORITY in found["TLS"].detail
    assert found["TLS"].detail.startswith("TLS 1.3")
    assert {step.state for step in found.values()} <= {StepState.OK, StepState.WARNING}


def test_a_server_without_tls_is_refused_where_tls_is_wanted(source: RedshiftSource) -> None:
    error = failure(replace(source.settings, tls=Tls.VERIFY))
    assert isinstance(error, errors.TlsFailed)
    assert "no TLS" in error.server_said
    assert steps(source.settings)["TLS"].state is StepState.WARNING


def test_a_certificate_authority_is_pem_text(secured: RedshiftSettings) -> None:
    assert isinstance(failure(replace(secured, ca_certificate="not PEM")), errors.SettingsInvalid)


def test_a_read_over_tls_is_a_read(secured: RedshiftSettings, source: RedshiftSource) -> None:
    """More than one record of TLS, which the relay must pass on whole."""
    source.run(*(f"CREATE TABLE t{n} ({', '.join(f'column_{c} int' for c in range(300))})" for n in range(40)))
    with ENGINE.connect(secured).open() as session:
        found = [session.decode(each.payload) for each in session.relations(ScopeFilter())]
    assert [len(each.columns) for each in found] == [300] * 40


# --- What the server says --------------------------------------------------------------------------------------------


def test_an_unknown_database(source: RedshiftSource) -> None:
    wrong = replace(source.settings, database="no such; database")
    assert isinstance(failure(wrong), errors.DatabaseUnknown)
    found = steps(wrong)
    assert (found["Sign-in"].state, found["Database"].state) == (StepState.OK, StepState.FAILED)


def test_a_server_without_a_free_connection(source: RedshiftSource) -> None:
    source.run(f"""ALTER ROLE "{source.role.replace('"', '""')}" CONNECTION LIMIT 1""")
    with ENGINE.connect(source.reader).open():
        error = failure(source.reader)
    assert isinstance(error, errors.TooManyConnections)
    assert not error.permanent


def test_a_statement_that_takes_too_long(source: RedshiftSource) -> None:
    source.run(
        "CREATE OR REPLACE FUNCTION redshift.failing(said text) RETURNS int LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(30); RETURN 1; END $$",
        "CREATE SCHEMA lake; INSERT INTO redshift.external_schemas VALUES ('lake', 'x')",
        "INSERT INTO redshift.external_tables VALUES ('lake', 'slow')",
    )
    with ENGINE.connect(replace(source.settings, statement_timeout=1)).open() as session:
        assert list(session.relations(ScopeFilter())) == []
        scopes, _ = session.scopes(ScopeFilter())
    [lake] = [scope for scope in scopes if scope.name == "lake"]
    assert "statement timeout" in (lake.reason or "")


def test_a_cancel_reaches_the_server(source: RedshiftSource) -> None:
    source.run(
        "CREATE OR REPLACE FUNCTION redshift.failing(said text) RETURNS int LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_lock(4711); RETURN 1; END $$",
        "CREATE SCHEMA lake; INSERT INTO redshift.external_schemas VALUES ('lake', 'x')",
        "INSERT INTO redshift.external_tables VALUES ('lake', 'slow')",
    )
    with psycopg.connect(source.url) as blocking, ENGINE.connect(source.settings).open() as session:
        blocking.execute("SELECT pg_advisory_lock(4711)")

        def cancel() -> None:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            eventually(lambda: blocking.execute(waiting).fetchone() == (1,))
            session.cancel()

        other = Thread(target=cancel)
        other.start()
        with pytest.raises(errors.Cancelled):
            list(session.relations(ScopeFilter()))
        other.join()
    assert source.proxy.cancels == 1


def test_a_user_that_may_write_earns_a_warning(source: RedshiftSource) -> None:
    source.run("CREATE TABLE t (id int)")
    assert steps(source.reader)["Rights to write"].state is StepState.OK
    source.run(f"""GRANT INSERT ON t TO "{source.role.replace('"', '""')}" """)
    warned = steps(source.reader)["Rights to write"]
    assert warned.state is StepState.WARNING
    assert warned.error is not None
    assert "CREATE USER" in warned.error.remedy


def test_a_right_to_make_tables_is_a_right_to_write(source: RedshiftSource) -> None:
    source.run(f"""GRANT CREATE ON SCHEMA public TO "{source.role.replace('"', '""')}" """)
    assert "may make tables in schemas (1)" in steps(source.reader)["Rights to write"].detail


def test_a_catalog_view_that_was_closed_is_named(source: RedshiftSource) -> None:
    step_of = "Rights on each catalog view"
    assert steps(source.reader)[step_of].state is StepState.OK
    source.run("REVOKE SELECT ON redshift.svv_table_info FROM PUBLIC")
    sizes = steps(source.reader)[step_of]
    assert sizes.state is StepState.WARNING
    assert sizes.error is not None
    assert sizes.error.remedy.startswith("GRANT SELECT ON pg_catalog.svv_table_info TO ")
    source.run("REVOKE SELECT ON redshift.pg_description FROM PUBLIC")
    closed = steps(source.reader)[step_of]
    assert closed.state is StepState.FAILED
    assert "pg_catalog.pg_description" in closed.detail


def test_schemas_that_cannot_be_seen_are_told_with_the_grant(source: RedshiftSource) -> None:
    source.run('CREATE SCHEMA "closed; one"')
    step = steps(source.reader)["Schemas visible"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    source.paste(step.error.remedy)
    assert steps(source.reader)["Schemas visible"].state is StepState.OK


def test_nothing_of_the_workers_environment_has_a_say(source: RedshiftSource, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS", "PGSERVICE"):
        monkeypatch.setenv(name, "somewhere else")
    assert signs_in(source.settings) == source.settings.user
    [started, *_] = source.proxy.startups
    assert started[b"application_name"] == b"metamapper"


def test_a_user_is_needed(source: RedshiftSource) -> None:
    assert isinstance(failure(replace(source.settings, user="")), errors.SettingsInvalid)


# --- URLs ------------------------------------------------------------------------------------------------------------


def test_a_url_carries_what_signs_in() -> None:
    _, settings = from_url("redshift://me:p%40ss@shop.example.com/dev?sslmode=verify-full&connect_timeout=5")
    assert settings == RedshiftSettings(
        host="shop.example.com", database="dev", user="me", password="p@ss", connect_timeout=5
    )
    _, settings = from_url("redshift://shop.example.com:5555/dev?sign_in=iam&region=eu-west-1&workgroup=default")
    assert settings == RedshiftSettings(
        host="shop.example.com", port=5555, database="dev", sign_in=SignIn.IAM, region="eu-west-1", workgroup="default"
    )


@pytest.mark.parametrize(
    "url",
    [
        "redshift://me@h/d?sslmode=prefer",
        "redshift://me@h/d?secret_access_key=x",
        "redshift://me@h/d?options=-c",
        "redshift://me@h:99999/d",
        "redshift://me@h",
        "redshift:///d",
        "redshift://me@h/d?sign_in=browser",
        "redshift://h/d?sign_in=iam&region=evil.example.com%23",
    ],
)
def test_a_url_carries_nothing_else(url: str) -> None:
    with pytest.raises(errors.SettingsInvalid):
        from_url(url)


# --- IAM -------------------------------------------------------------------------------------------------------------

KEY, SECRET, TEMPORARY = "AKIAPLANTEDKEYID0000", "planted/secret/access+key", "temporary-planted-password"


class Aws(HTTPServer):
    """The two calls of AWS that give temporary passwords, in the words of both protocols."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[dict[str, Any]] = []
        self.refuses: tuple[int, str] | None = None


class _Answering(BaseHTTPRequestHandler):
    server: Aws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        target = self.headers.get("X-Amz-Target", "")
        said = json.loads(body) if target else {name: value[0] for name, value in parse_qs(body).items()}
        self.server.asked.append({"target": target, "authorization": self.headers["Authorization"], **said})
        status, answer = self._answer(target, said)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer.encode())

    def _answer(self, target: str, said: dict[str, Any]) -> tuple[int, str]:
        if self.server.refuses:
            status, code = self.server.refuses
            if target:
                return status, json.dumps({"__type": code, "message": f"no, {SECRET}"})
            return (
                status,
                f"<ErrorResponse><Error><Code>{code}</Code><Message>no, {SECRET}</Message></Error></ErrorResponse>",
            )
        if target:
            return 200, json.dumps({"dbUser": "IAMR:worker", "dbPassword": TEMPORARY, "expiration": 1})
        action = said["Action"]
        user = f"IAM:{said.get('DbUser', 'worker')}"
        return 200, (
            f"<{action}Response><{action}Result><DbUser>{user}</DbUser><DbPassword>{TEMPORARY}</DbPassword>"
            f"</{action}Result></{action}Response>"
        )

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with Aws() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with _aws(monkeypatch) as server:
        yield server


OURS = Reach(own_account=True)


def account_of(settings: RedshiftSettings, reach: Reach = Reach()) -> Account:  # noqa: B008 - it is frozen
    return account(settings, reach)


IDENTITY = RedshiftSettings(
    host="127.0.0.1",
    database="dev",
    sign_in=SignIn.IAM,
    user="reader",
    region="eu-west-1",
    cluster="shop",
    access_key_id=KEY,
    secret_access_key=SECRET,
)


def test_a_cluster_gives_a_temporary_password_for_a_user(aws: Aws) -> None:
    who = account_of(IDENTITY)
    assert (who.user, who.password) == ("IAM:reader", TEMPORARY)
    assert TEMPORARY not in repr(who)
    [asked] = aws.asked
    assert {name: asked.get(name) for name in ("Action", "DbUser", "DbName", "ClusterIdentifier", "AutoCreate")} == {
        "Action": "GetClusterCredentials",
        "DbUser": "reader",
        "DbName": "dev",
        "ClusterIdentifier": "shop",
        "AutoCreate": "false",
    }
    assert KEY in asked["authorization"]
    assert "eu-west-1/redshift" in asked["authorization"]


def test_without_a_user_it_is_the_identitys_own(aws: Aws) -> None:
    assert account_of(replace(IDENTITY, user="")).user == "IAM:worker"
    assert aws.asked[0]["Action"] == "GetClusterCredentialsWithIAM"


def test_a_workgroup_gives_one_too(aws: Aws) -> None:
    who = account_of(replace(IDENTITY, cluster="", workgroup="default"))
    assert (who.user, who.password) == ("IAMR:worker", TEMPORARY)
    assert aws.asked[0]["target"].endswith("GetCredentials")
    assert (aws.asked[0]["workgroupName"], aws.asked[0]["dbName"]) == ("default", "dev")


HOST = "shop.abc123.eu-west-1.redshift.amazonaws.com"


def test_blank_keys_take_what_the_machine_has(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    blank = replace(IDENTITY, access_key_id="", secret_access_key="", host=HOST)
    with pytest.raises(errors.SignInFailed) as nothing:
        account_of(blank, OURS)
    assert "role" in nothing.value.hint
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEMACHINE0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret of the machine")
    assert account_of(blank, OURS).user == "IAM:reader"
    assert "AKIAOFTHEMACHINE0000" in aws.asked[-1]["authorization"]


@pytest.mark.parametrize(
    ("changes", "reach"),
    [
        ({}, Reach()),
        ({"host": "attacker.example"}, OURS),
        ({"host": "redshift.amazonaws.com.attacker.example"}, OURS),
        ({"tls": Tls.UNVERIFIED}, OURS),
        ({"ca_certificate": "-----BEGIN CERTIFICATE-----"}, OURS),
    ],
)
def test_the_workers_own_identity_is_lent_to_nobody(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], reach: Reach
) -> None:
    """A password that AWS made for it goes to AWS alone, and only where the administrator says so."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEMACHINE0000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret of the machine")
    blank = replace(IDENTITY, access_key_id="", secret_access_key="", host=HOST)
    with pytest.raises(errors.SettingsInvalid):
        account_of(replace(blank, **changes), reach)
    assert not aws.asked


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", errors.SignInFailed),
        (403, "AccessDeniedException", errors.SignInFailed),
        (404, "ClusterNotFound", errors.SettingsInvalid),
        (404, "ResourceNotFoundException", errors.SettingsInvalid),
        (400, "ThrottlingException", errors.ServerUnavailable),
    ],
)
@pytest.mark.parametrize("where", [{"cluster": "shop"}, {"cluster": "", "workgroup": "default"}])
def test_a_refusal_of_aws_says_what_to_do(
    aws: Aws, status: int, code: str, kind: type[errors.ConnectorError], where: dict[str, str]
) -> None:
    aws.refuses = (status, code)
    error = failure(replace(IDENTITY, **where))
    assert type(error) is kind
    assert error.hint
    assert SECRET not in json.dumps(dict(error.as_dict()))
    if kind is errors.SignInFailed:
        policy = json.loads(error.remedy)
        assert "Credentials" in policy["Statement"][0]["Action"]


@pytest.mark.parametrize(
    "incomplete",
    [
        {"region": ""},
        {"cluster": ""},
        {"workgroup": "default"},
        {"secret_access_key": ""},
        {"access_key_id": ""},
        {"tls": Tls.OFF},
    ],
)
def test_incomplete_settings_are_refused_before_anybody_is_asked(aws: Aws, incomplete: dict[str, Any]) -> None:
    assert isinstance(failure(replace(IDENTITY, **incomplete)), errors.SettingsInvalid)
    assert aws.asked == []


def test_a_temporary_password_signs_in_and_is_never_shown(
    aws: Aws, source: RedshiftSource, secured: RedshiftSettings, tmp_path: Path
) -> None:
    source.run('CREATE ROLE "IAM:reader" LOGIN')
    try:
        files = (tmp_path / "server.crt", tmp_path / "server.key")
        with proxy(urlsplit(source.url).port or 5432, tls=files, passwords={"IAM:reader": TEMPORARY}) as front:
            mine = replace(
                IDENTITY,
                host="localhost",
                port=front.port,
                database=secured.database,
                ca_certificate=secured.ca_certificate,
            )
            assert signs_in(mine) == "IAM:reader"
            found = steps(mine)
            assert found["Temporary password"].detail == "AWS gave one for IAM:reader"
            assert found["Sign-in"].state is StepState.OK
            said = everything_said(ENGINE, replace(mine, database="another"))
    finally:
        source.run('DROP ROLE "IAM:reader"')
    assert not [place for place, text in said.items() if SECRET in text or TEMPORARY in text]


def test_an_api_that_cannot_be_reached(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    error = failure(replace(IDENTITY, connect_timeout=1))
    assert isinstance(error, errors.HostUnreachable)
    assert not error.permanent


def test_answers_of_aws_are_not_logged(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        account_of(IDENTITY)
    assert TEMPORARY not in caplog.text
    assert SECRET not in caplog.text


def test_the_reader_sees_what_the_owner_sees_however_it_signs_in(postgresql_server: str) -> None:
    with RedshiftSubject(postgresql_server).right_password() as settings:
        assert signs_in(settings)
