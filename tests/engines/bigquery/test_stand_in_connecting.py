"""Signing in, and everything that can go wrong before the first table."""

import base64
import gzip
import json
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.conformance.secrets import everything_said
from metamapper.connectors.engines.bigquery.settings import BigquerySettings, SignIn, settings_from_url
from metamapper.connectors.engines.bigquery.transport import CHUNK, LARGEST, Wire, wired
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from tests.engines.bigquery.subject import ENGINE, BigquerySource, settings_of, told
from tests.support.bigquery import PROJECT, VIEWER, Refused, bigquery


def failure(settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open():
        pass
    return caught.value


def steps(settings: EngineSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


def but(settings: BigquerySettings, **changed: Any) -> BigquerySettings:
    """The same settings with another key."""
    return replace(settings, key=json.dumps({**json.loads(settings.key), **changed}))


# --- Keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "",
        "no JSON",
        "[]",
        '{"type": "service_account"}',
        '{"type": "service_account", "client_email": 1, "private_key": ""}',
    ],
)
def test_what_is_no_key_is_said_without_showing_it(source: BigquerySource, key: str) -> None:
    error = failure(replace(source.settings, key=key))
    assert isinstance(error, errors.SettingsInvalid)
    assert error.hint


@pytest.mark.parametrize(
    "kind", ["authorized_user", "external_account", "impersonated_service_account", "gdch_service_account"]
)
def test_other_kinds_of_credentials_are_refused(source: BigquerySource, kind: str) -> None:
    """They may name commands to run, files to read and addresses to ask."""
    assert isinstance(failure(but(source.settings, type=kind)), errors.SettingsInvalid)


@pytest.mark.parametrize(
    "address",
    [
        "https://oauth2.googleapis.com.example.com/token",
        "https://example.com/token",
        "http://oauth2.googleapis.com/token",
        "http://127.0.0.1:1/token",
        "http://169.254.169.254/token",
        "https://somebody@example.com/token",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_key_cannot_send_the_workers_elsewhere(source: BigquerySource, address: str) -> None:
    source.server.calls.clear()
    error = failure(but(source.settings, token_uri=address))
    assert isinstance(error, errors.SettingsInvalid)
    assert not source.server.calls


def test_a_damaged_private_key_is_not_shown(source: BigquerySource) -> None:
    pem = json.loads(source.settings.key)["private_key"]
    damaged = but(source.settings, private_key=pem[:200] + "damaged" + pem[240:])
    assert isinstance(failure(damaged), errors.SettingsInvalid)
    said = everything_said(ENGINE, damaged)
    assert not [place for place, text in said.items() if any(secret in text for secret in damaged.secrets())]


def test_secrets_are_the_key_and_each_line_of_it(source: BigquerySource) -> None:
    lines = json.loads(source.settings.key)["private_key"].strip().splitlines()
    assert set(lines[1:-1]) <= set(source.settings.secrets())
    assert "BEGIN" not in repr(source.settings)


def test_neither_token_nor_assertion_is_logged(source: BigquerySource, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for name in ("google.auth", "google.auth.transport.requests", "google.cloud.bigquery", "urllib3"):
        caplog.set_level("DEBUG", name)
    assert all(step.state is not StepState.FAILED for step in steps(source.settings).values())
    assert "POST /token" in caplog.text
    assert "planted-token" not in caplog.text
    assert "assertion" not in caplog.text


def test_the_worker_has_no_account_of_its_own(
    source: BigquerySource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "not there"))
    error = failure(replace(source.settings, sign_in=SignIn.DEFAULT, key=""), Reach(own_account=True))
    assert isinstance(error, errors.SignInFailed)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in error.hint


def test_the_worker_signs_in_by_its_own_account(
    source: BigquerySource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    file.write_text(source.owner.key)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    settings = replace(source.settings, sign_in=SignIn.DEFAULT, key="")
    assert isinstance(failure(settings), errors.SettingsInvalid)
    with ENGINE.connect(settings, Reach(own_account=True)).open() as session:
        assert session.server.details["account"] == source.owner.email


# --- The environment -------------------------------------------------------------------------------------------------

LIES = {
    "BIGQUERY_EMULATOR_HOST": "http://192.0.2.1",
    "GOOGLE_CLOUD_PROJECT": "elsewhere",
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN": "example.invalid",
    "GOOGLE_API_USE_CLIENT_CERTIFICATE": "true",
    "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere",
    "HTTP_PROXY": "http://192.0.2.1:1",
    "HTTPS_PROXY": "http://192.0.2.1:1",
    "ALL_PROXY": "http://192.0.2.1:1",
    "REQUESTS_CA_BUNDLE": "/nowhere",
    "CURL_CA_BUNDLE": "/nowhere",
    "NETRC": "/nowhere",
}


def test_no_variable_of_the_environment_has_a_say(source: BigquerySource, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LIES.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    with ENGINE.connect(source.settings).open() as session:
        assert session.server.details == {"account": source.owner.email, "project": PROJECT}


# --- The network -----------------------------------------------------------------------------------------------------


def test_no_redirect_is_followed(source: BigquerySource) -> None:
    """Another service in front of BigQuery's name could send a token to anybody."""
    with bigquery() as other:
        source.server.redirect = f"{other.url}/token"
        error = failure(source.settings)
        assert isinstance(error, errors.ConnectorError)
        assert not other.calls


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key, as files."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody's authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    text = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key").write_bytes(key.private_bytes(*text))
    return folder / "crt", folder / "key"


def test_a_server_that_nobody_vouches_for_is_refused(certificate: tuple[Path, Path]) -> None:
    with bigquery(certificate) as server:
        settings = settings_of(server, server.account())
        error = failure(settings)
        assert isinstance(error, errors.TlsFailed)
        assert error.hint
        found = steps(settings)
        assert found["Port"].state is StepState.OK
        assert found["TLS"].state is StepState.FAILED
        assert found["Sign-in"].state is StepState.WAITING
        assert not server.calls


@pytest.mark.parametrize(
    "endpoint",
    [
        "bigquery.googleapis.com",
        "ftp://example.com",
        "http://example.com",
        "https://a@example.com",
        "https://example.com/x",
        "https://x:y",
        "https://",
    ],
)
def test_an_endpoint_is_an_address_and_nothing_else(source: BigquerySource, endpoint: str) -> None:
    settings = replace(source.settings, endpoint=endpoint)
    error = failure(settings)
    assert isinstance(error, errors.SettingsInvalid)
    assert error.hint
    assert steps(settings)["Name lookup"].state is StepState.FAILED


@pytest.mark.parametrize("project", ["Acme Warehouse", "../../x", "a?b", "a/b", "acme#", "1234"])
def test_a_project_is_an_id(source: BigquerySource, project: str) -> None:
    assert isinstance(failure(replace(source.settings, project=project)), errors.SettingsInvalid)


@pytest.mark.parametrize("project", ["not-there", "example.com:old"])
def test_a_project_that_is_not_there(source: BigquerySource, project: str) -> None:
    settings = replace(source.settings, project=project)
    error = failure(settings)
    assert isinstance(error, errors.DatabaseUnknown)
    assert error.hint
    found = steps(settings)
    assert (found["Sign-in"].state, found["Project"].state) == (StepState.OK, StepState.FAILED)


# --- The connection test ---------------------------------------------------------------------------------------------


def test_the_connection_test_says_who_and_what(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    found = steps(source.reader)
    assert {step.state for step in found.values()} == {StepState.OK}
    assert found["Sign-in"].detail == f"As {source.metadata_viewer.email}"
    assert found["Datasets visible"].detail.startswith("1,")
    assert found["Rights to write"].detail.startswith("None")


def test_an_account_that_may_write_earns_a_warning(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    step = steps(source.settings)["Rights to write"]
    assert step.state is StepState.WARNING
    assert "bigquery.tables.update" in step.detail
    assert step.error
    assert "roles/bigquery.metadataViewer" in step.error.remedy


def test_a_right_to_write_in_any_dataset_earns_the_warning(source: BigquerySource) -> None:
    """The first dataset's table is none of those that may be changed."""
    for name in ("a", "b"):
        source.server.add_dataset(name)
        source.server.add_table(name, "t", told(id="INTEGER"))
    source.metadata_viewer.datasets["b"] = {*VIEWER, "bigquery.tables.updateData"}
    step = steps(source.reader)["Rights to write"]
    assert step.state is StepState.WARNING
    assert "b.t (bigquery.tables.updateData)" in step.detail
    assert "a.t" not in step.detail


def test_whom_a_dataset_names_as_writer_earns_the_warning(source: BigquerySource) -> None:
    """Also where it has no table yet."""
    mine = source.metadata_viewer.email
    source.server.add_table("shop", "t", told(id="INTEGER"))
    others = [{"role": "OWNER", "userByEmail": "ana@example.com"}, {"view": {"tableId": "v"}}]
    source.server.add_dataset("empty", access=[*others, {"role": "READER", "userByEmail": mine}])
    assert steps(source.reader)["Rights to write"].state is StepState.OK
    source.server.add_dataset("empty", access=[*others, {"role": "WRITER", "userByEmail": mine}])
    step = steps(source.reader)["Rights to write"]
    assert (step.state, "empty (as WRITER)" in step.detail) == (StepState.WARNING, True)


def test_without_a_table_rights_to_write_are_not_known(source: BigquerySource) -> None:
    step = steps(source.reader)["Rights to write"]
    assert step.state is StepState.WARNING
    assert step.detail.startswith("Not known")


def test_the_missing_role_is_named_where_no_dataset_is_seen(source: BigquerySource) -> None:
    source.owner.project = set()
    step = steps(source.settings)["Datasets visible"]
    assert step.state is StepState.FAILED
    assert step.error
    assert step.error.remedy == (
        f"gcloud projects add-iam-policy-binding {PROJECT} \\\n"
        f"  --member=serviceAccount:{source.owner.email} --role=roles/bigquery.metadataViewer"
    )


def test_rights_on_some_datasets_are_a_warning(source: BigquerySource) -> None:
    source.owner.datasets["shop"] = set(source.owner.project)
    source.owner.project = set()
    step = steps(source.settings)["Datasets visible"]
    assert step.state is StepState.WARNING
    assert "perhaps not all" in step.detail


def test_tables_that_may_be_listed_and_not_looked_at(source: BigquerySource) -> None:
    source.server.add_table("shop", "t", told(id="INTEGER"))
    source.owner.project -= {"bigquery.tables.get"}
    step = steps(source.settings)["Tables visible"]
    assert step.state is StepState.FAILED
    assert step.error
    assert "bigquery.tables.get" in step.error.detail
    assert step.error.remedy.startswith("GRANT `roles/bigquery.metadataViewer` ON SCHEMA")


def test_a_dataset_whose_tables_may_not_be_listed(source: BigquerySource) -> None:
    source.server.add_dataset("open")
    source.owner.datasets["shop"] = {"bigquery.datasets.get"}
    step = steps(source.settings)["Datasets visible"]
    assert step.state is StepState.WARNING
    assert "1 of 2" in step.detail


@pytest.mark.parametrize(
    ("reason", "message", "helps"),
    [
        ("accessNotConfigured", "BigQuery API has not been used in project 1 before", "gcloud services enable"),
        (
            "forbidden",
            "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x",
            "perimeter",
        ),
        ("accessDenied", "Access Denied: Project acme: User does not have it", "roles/bigquery.metadataViewer"),
    ],
)
def test_a_project_that_lets_nobody_in_says_why(source: BigquerySource, reason: str, message: str, helps: str) -> None:
    def refuse(path: str) -> None:
        if path.endswith("/datasets"):
            raise Refused(403, message, reason)

    source.server.before = refuse
    step = steps(source.settings)["Project"]
    assert step.state is StepState.FAILED
    assert isinstance(step.error, errors.PermissionMissing)
    assert helps in step.error.hint + step.error.remedy
    assert isinstance(failure(source.settings), errors.PermissionMissing)


# --- URLs ------------------------------------------------------------------------------------------------------------


def test_a_url_signs_in_as_the_caller_or_by_a_key() -> None:
    engine, settings = from_url("bigquery://acme-warehouse?parallel=3")
    assert engine is ENGINE
    assert settings == BigquerySettings(project="acme-warehouse", sign_in=SignIn.DEFAULT, parallel=3)
    key = '{"type": "service_account", "é": ">>>?"}'
    carried = quote(base64.b64encode(key.encode()).decode())
    _, with_key = from_url(f"bigquery://example.com:acme?credentials_base64={carried}")
    assert with_key == BigquerySettings(project="example.com:acme", key=key)


@pytest.mark.parametrize(
    "rest", ["/shop", "?credentials_base64=%%%", "?credentials_path=/etc/passwd", "?parallel=0", "?key=secret"]
)
def test_a_url_carries_what_is_known_and_nothing_else(rest: str) -> None:
    with pytest.raises(errors.SettingsInvalid) as caught:
        settings_from_url(urlsplit(f"bigquery://acme{rest}"))
    assert "secret" not in str(caught.value)


# --- Whom the worker obeys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    ["https://attacker.invalid", "https://bigquery.googleapis.com.attacker.invalid", "http://bigquery.googleapis.com"],
)
def test_the_workers_own_token_goes_to_google_alone(source: BigquerySource, endpoint: str) -> None:
    settings = replace(source.settings, sign_in=SignIn.DEFAULT, key="", endpoint=endpoint)
    assert isinstance(failure(settings, Reach(own_account=True)), errors.SettingsInvalid)


class _Bomb(BaseHTTPRequestHandler):
    body = gzip.compress(bytes(LARGEST + CHUNK))

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_an_answer_that_unpacks_to_more_than_memory_is_given_up() -> None:
    with HTTPServer(("127.0.0.1", 0), _Bomb) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with requests.Session() as session:
            wired(session, Wire(Reach(), seconds=5, size=1))
            with pytest.raises(errors.ServerForeign) as given_up:
                session.get(f"http://127.0.0.1:{server.server_port}/", timeout=10)
    assert "MiB" in given_up.value.hint
