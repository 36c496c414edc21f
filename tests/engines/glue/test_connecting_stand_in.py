"""Signing in, and everything that can go wrong, with the real driver against moto's server with our extension."""

import json
import logging
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.aws.settings import SignIn
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.conformance.operations import CreateTable, NewColumn, Table
from metamapper.connectors.conformance.secrets import everything_said
from metamapper.connectors.engines.glue import ENGINE
from metamapper.connectors.engines.glue.settings import GlueSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from tests.engines.glue.subject import LEAST, LISTS_ONLY, LakeSource
from tests.support.aws import ACCOUNT, EXTERNAL_ID, READER, REGION, Aws, aws_stand_in
from tests.support.guarded import AUTHORITY, _certify

SCOPE = ScopeFilter()
OWN = Reach(own_account=True)


def failure(settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open() as session:
        list(session.relations(SCOPE))
    return caught.value


def steps(settings: EngineSettings, reach: Reach = Reach()) -> dict[str, Step]:  # noqa: B008 - it is frozen
    return {step.name: step for step in ENGINE.connect(settings, reach).test()}


def tables(settings: EngineSettings, reach: Reach = Reach()) -> list[str]:  # noqa: B008 - it is frozen
    with ENGINE.connect(settings, reach).open() as session:
        session.scopes(SCOPE)
        return [each.name for each in session.relations(SCOPE)]


@pytest.fixture
def settings(source: LakeSource) -> GlueSettings:
    source.perform(CreateTable(Table("orders"), (NewColumn("id"),)))
    found: GlueSettings = source.settings
    return found


# --- Signing in ------------------------------------------------------------------------------------------------------


@pytest.fixture
def role(source: LakeSource) -> str:
    """A role that may read, and a reader who may only assume it."""
    made: list[str] = []

    def make() -> None:
        made.append(source.people.make_role([LEAST]))
        source.people.let("least", [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": made[0]}])

    source.administer(make)
    return made[0]


def test_a_role_is_assumed_with_its_external_id(settings: GlueSettings, role: str) -> None:
    assert isinstance(failure(settings), errors.PermissionMissing)
    as_role = replace(settings, role_arn=role, external_id=EXTERNAL_ID)
    assert tables(as_role) == ["orders"]
    assert steps(as_role)["Sign-in"].detail == f"As arn:aws:sts::{ACCOUNT}:assumed-role/catalog-reader/metamapper"


@pytest.mark.parametrize("external_id", ["", "another external id"])
def test_a_role_is_refused_without_its_external_id(settings: GlueSettings, role: str, external_id: str) -> None:
    error = failure(replace(settings, role_arn=role, external_id=external_id))
    assert isinstance(error, errors.PermissionMissing)
    assert "external ID" in error.hint
    assert json.loads(error.remedy) == {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}


def test_temporary_keys_sign_in_with_their_token(source: LakeSource, settings: GlueSettings, role: str) -> None:
    found: list[dict[str, str]] = []
    client = source.aws.client("sts")
    source.administer(
        lambda: found.append(
            client.assume_role(RoleArn=role, RoleSessionName="tests", ExternalId=EXTERNAL_ID)["Credentials"]
        )
    )
    keys = {"access_key_id": found[0]["AccessKeyId"], "secret_access_key": found[0]["SecretAccessKey"]}
    assert tables(replace(settings, **keys, session_token=found[0]["SessionToken"])) == ["orders"]
    assert isinstance(failure(replace(settings, **keys)), errors.SignInFailed)


def test_the_workers_own_account_signs_in_only_where_it_may(
    settings: GlueSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", settings.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", settings.secret_access_key)
    own = replace(settings, sign_in=SignIn.OWN_ACCOUNT, access_key_id="", secret_access_key="")
    assert tables(own, OWN) == ["orders"]
    refused = failure(own)
    assert isinstance(refused, errors.SettingsInvalid)
    assert "METAMAPPER_ALLOW_OWN_ACCOUNT" in refused.hint
    first = next(iter(steps(own).values()))
    assert first.state is StepState.FAILED


def test_a_worker_without_an_account_says_so(
    settings: GlueSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    own = replace(settings, sign_in=SignIn.OWN_ACCOUNT, access_key_id="", secret_access_key="")
    error = failure(own, OWN)
    assert isinstance(error, errors.SignInFailed)
    assert "role" in error.hint


def test_nothing_of_the_workers_own_has_a_say(
    settings: GlueSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:1\nnonsense [[[\n")
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "config"),
        "AWS_PROFILE": "nobody",
        "AWS_ACCESS_KEY_ID": "AKIAOFTHEWORKER",
        "AWS_SECRET_ACCESS_KEY": "of the worker",
        "AWS_SESSION_TOKEN": "of the worker",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_GLUE": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nonexistent",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "0",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    assert tables(settings) == ["orders"]
    assert steps(settings)["Sign-in"].detail.endswith(f"user/{READER}")


@pytest.mark.parametrize("missing", [{"access_key_id": ""}, {"secret_access_key": ""}])
def test_half_a_key_is_no_key(settings: GlueSettings, missing: dict[str, str]) -> None:
    assert isinstance(failure(replace(settings, **missing)), errors.SettingsInvalid)


def test_no_temporary_credential_is_in_any_log(settings: GlueSettings, role: str) -> None:
    """At DEBUG the driver would write down what STS answers."""
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    said = everything_said(ENGINE, replace(settings, role_arn=role, external_id=EXTERNAL_ID))
    text = "\n".join(said.values())
    assert "As arn:aws:sts" in text
    for secret in ("SecretAccessKey", "SessionToken", "X-Amz-Security-Token", settings.secret_access_key, EXTERNAL_ID):
        assert secret not in text


# --- Rights ----------------------------------------------------------------------------------------------------------


def test_no_right_at_all_names_the_whole_statement(source: LakeSource, settings: GlueSettings) -> None:
    source.administer(lambda: source.people.forbid("least"))
    error = failure(settings)
    assert isinstance(error, errors.PermissionMissing)
    start = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    assert json.loads(error.remedy) == {
        "Effect": "Allow",
        "Action": ["glue:GetDatabases", "glue:GetTables"],
        "Resource": [f"{start}:catalog", f"{start}:database/*", f"{start}:table/*/*"],
    }
    found = steps(settings)
    assert found["Sign-in"].state is StepState.OK
    assert found["Databases"].error is not None
    assert json.loads(found["Databases"].error.remedy) == json.loads(error.remedy)
    source.paste(error.remedy)
    assert tables(settings) == ["orders"]


def test_the_connection_test_names_the_statement_for_tables(source: LakeSource, settings: GlueSettings) -> None:
    source.administer(lambda: source.people.let("least", [LISTS_ONLY]))
    step = steps(settings)["Rights on tables"]
    assert step.state is StepState.FAILED
    assert step.error is not None
    source.paste(step.error.remedy)
    assert steps(settings)["Rights on tables"].state is StepState.OK


def test_the_connection_test_warns_where_some_databases_are_closed(source: LakeSource, settings: GlueSettings) -> None:
    start = f"arn:aws:glue:{REGION}:{ACCOUNT}"
    some = {
        "Effect": "Allow",
        "Action": "glue:GetTables",
        "Resource": [f"{start}:catalog", f"{start}:database/sales", f"{start}:table/sales/*"],
    }
    source.aws.faults(fill={"closed": 1})
    source.administer(lambda: source.people.let("least", [LISTS_ONLY, some]))
    step = steps(settings)["Rights on tables"]
    assert step.state is StepState.WARNING
    assert "1 of 2 databases" in step.detail
    assert "Not closed." in step.detail
    assert tables(settings) == ["orders"]


def test_the_connection_test_warns_of_what_lake_formation_may_hide(source: LakeSource, settings: GlueSettings) -> None:
    assert steps(settings)["Lake Formation"].state is StepState.OK
    governed = {"Name": "it's governed", "CreateTableDefaultPermissions": []}
    source.administer(lambda: source.lake.client.create_database(DatabaseInput=governed))
    step = steps(settings)["Lake Formation"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    assert f"DataLakePrincipalIdentifier=arn:aws:iam::{ACCOUNT}:user/{READER}" in step.error.remedy
    assert r"""--resource '{"Table": {"DatabaseName": "it'\''s governed", "TableWildcard": {}}}'""" in step.error.remedy


def test_a_refusal_of_lake_formation_names_its_grant(source: LakeSource, settings: GlueSettings) -> None:
    said = "Insufficient Lake Formation permission(s): Required Describe on sales"
    source.aws.faults(GetTables={"times": 1, "code": "AccessDeniedException", "message": said})
    with ENGINE.connect(settings).open() as session:
        assert list(session.relations(SCOPE)) == []
        ((scope,), _) = session.scopes(SCOPE)
    assert said in (scope.reason or "")
    assert "lakeformation grant-permissions" in (scope.remedy or "")


def test_the_root_user_is_warned_of(settings: GlueSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    from metamapper.connectors.aws.dial import Account

    unknown = steps(settings)["Rights to write"]
    assert (unknown.state, unknown.detail[:9]) == (StepState.WARNING, "Not known")
    monkeypatch.setattr(Account, "identity", lambda self: f"arn:aws:iam::{ACCOUNT}:root")
    assert "root user" in steps(settings)["Rights to write"].detail


def test_where_no_database_is_listed_nothing_passes(source: LakeSource, settings: GlueSettings) -> None:
    def empty() -> None:
        for database in source.lake.client.get_databases()["DatabaseList"]:
            source.lake.client.delete_database(Name=database["Name"])

    source.administer(empty)
    step = steps(settings)["Rights on tables"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    assert step.error.unseen
    assert "lakeformation grant-permissions" in step.error.remedy


def test_sts_that_cannot_be_asked_is_no_failure(settings: GlueSettings) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{holder.getsockname()[1]}"
        found = steps(replace(settings, sts_endpoint_url=nobody))
    assert found["Sign-in"].state is StepState.WARNING
    assert found["Rights on tables"].state is StepState.OK


# --- The service and the way to it -----------------------------------------------------------------------------------


def test_throttling_is_waited_out(source: LakeSource, settings: GlueSettings) -> None:
    source.aws.faults(GetTables={"times": 2, "code": "ThrottlingException", "message": "Rate exceeded"})
    assert tables(replace(settings, attempts=4)) == ["orders"]
    assert source.aws.calls()["GetTables"] == 3


def test_throttling_without_end_ends(source: LakeSource, settings: GlueSettings) -> None:
    source.aws.faults(GetTables={"times": 99, "code": "ThrottlingException", "message": "Rate exceeded"})
    error = failure(settings)
    assert isinstance(error, errors.Throttled)
    assert not error.permanent
    assert source.aws.calls()["GetTables"] == settings.attempts


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"code": "InternalServiceException", "status": "500 Internal Server Error"}, errors.ServerUnavailable),
        ({"code": "ExpiredTokenException"}, errors.SignInFailed),
        ({"code": "InvalidInputException", "message": "Catalog id is not valid"}, errors.SettingsInvalid),
        ({"code": "OperationTimeoutException"}, errors.StatementTimeout),
        ({"body": "<html>A portal</html>", "type": "text/html", "status": "200 OK"}, errors.ServerForeign),
        ({"body": "<html>Go away</html>", "type": "text/html", "status": "404 Not Found"}, errors.ServerForeign),
        ({"body": "[1, 2]", "status": "200 OK"}, errors.ServerForeign),
        ({"body": "", "status": "302 Found"}, errors.ServerForeign),
        (
            {"body": "<html>Bad gateway</html>", "type": "text/html", "status": "502 Bad Gateway"},
            errors.ServerUnavailable,
        ),
    ],
)
def test_what_a_service_says_becomes_the_right_error(
    source: LakeSource, settings: GlueSettings, fault: dict[str, str], kind: type[errors.ConnectorError]
) -> None:
    source.aws.faults(GetDatabases={"times": 99, **fault})
    error = failure(settings)
    assert type(error) is kind
    assert error.hint
    assert "<html>" not in error.server_said


def test_an_empty_answer_of_a_stranger_in_mid_read_is_no_empty_database(
    source: LakeSource, settings: GlueSettings
) -> None:
    source.aws.faults(GetTables={"times": 1, "body": "{}", "status": "200 OK"})
    assert isinstance(failure(settings), errors.ServerForeign)


def test_an_answer_without_end_is_refused(
    source: LakeSource, settings: GlueSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from metamapper.connectors.aws import transport

    monkeypatch.setattr(transport, "LARGEST", 10_000)
    source.aws.faults(GetDatabases={"times": 1, "body": "x" * 20_000, "status": "200 OK"})
    assert isinstance(failure(settings), errors.ServerForeign)


def test_a_connection_that_is_cut_once_is_made_again(settings: GlueSettings) -> None:
    with Relay(settings.endpoint_url, cut_first=1) as port:
        assert tables(replace(settings, endpoint_url=f"http://127.0.0.1:{port}")) == ["orders"]


def test_a_secret_that_a_service_repeats_is_blanked(source: LakeSource, settings: GlueSettings) -> None:
    said = f"No such key {settings.access_key_id} {settings.secret_access_key}"
    source.aws.faults(GetDatabases={"times": 1, "code": "UnrecognizedClientException", "message": said})
    assert failure(settings).server_said == "No such key *** *** (UnrecognizedClientException)"


def test_every_address_is_checked_that_of_sts_too(settings: GlueSettings, role: str) -> None:
    error = failure(replace(settings, role_arn=role, external_id=EXTERNAL_ID), Reach(denies=lambda _: "It is ours."))
    assert isinstance(error, errors.AddressDenied)


def test_a_cancel_ends_a_call_that_is_under_way(settings: GlueSettings) -> None:
    with Relay(settings.endpoint_url, silent_after=1) as port, ThreadPoolExecutor(1) as other:
        patient = replace(settings, endpoint_url=f"http://127.0.0.1:{port}", call_timeout=60)
        with ENGINE.connect(patient).open() as session:
            session.scopes(SCOPE)
            reading = other.submit(lambda: list(session.relations(SCOPE)))
            _SILENT.wait(10)
            began = monotonic()
            session.cancel()
            assert isinstance(reading.exception(timeout=10), errors.Cancelled)
            assert monotonic() - began < 5


@pytest.fixture(scope="module")
def secured() -> Iterator[tuple[Aws, str]]:
    """A stand-in that speaks TLS, and the authority that signed its certificate."""
    with tempfile.TemporaryDirectory(prefix="mm-aws-tls-") as folder:
        authority = _certify(Path(folder), {})
        with aws_stand_in(Path(folder) / "server.crt", Path(folder) / "server.key") as aws:
            yield aws, authority


def test_tls_needs_an_authority_that_is_trusted(secured: tuple[Aws, str]) -> None:
    aws, authority = secured
    stranger = GlueSettings(
        region=REGION, access_key_id="any", secret_access_key="any", endpoint_url=aws.url, sts_endpoint_url=aws.url
    )
    began = monotonic()
    error = failure(stranger)
    assert isinstance(error, errors.TlsFailed)
    assert "authority" in error.hint
    assert monotonic() - began < 10
    found = steps(stranger)
    assert (found["TLS"].state, found["Sign-in"].state) == (StepState.FAILED, StepState.WAITING)
    trusting = replace(stranger, ca_certificate=authority)
    assert tables(trusting) == []
    assert AUTHORITY in steps(trusting)["TLS"].detail


def test_a_name_that_the_certificate_does_not_have_is_refused(secured: tuple[Aws, str]) -> None:
    aws, authority = secured
    other = aws.url.replace("localhost", "not-localhost.localhost")
    error = failure(
        GlueSettings(
            region=REGION, access_key_id="any", secret_access_key="any", endpoint_url=other, ca_certificate=authority
        )
    )
    # Where no resolver knows names below localhost, nobody is reached at all.
    assert isinstance(error, (errors.TlsFailed, errors.HostUnknown))


def test_what_is_no_certificate_is_said(settings: GlueSettings) -> None:
    error = failure(replace(settings, ca_certificate="-----BEGIN NONSENSE-----"))
    assert isinstance(error, errors.SettingsInvalid)


def test_tls_to_what_speaks_none_is_a_stranger(settings: GlueSettings) -> None:
    error = failure(replace(settings, endpoint_url=settings.endpoint_url.replace("http://", "https://")))
    assert isinstance(error, errors.ServerForeign)


# --- URLs ------------------------------------------------------------------------------------------------------------


def test_a_url_says_it_all() -> None:
    url = (
        f"glue://AKIA1:se%2Fcret%40@eu-west-1/{ACCOUNT}?role_arn=arn:aws:iam::{ACCOUNT}:role/r&external_id=x&attempts=3"
    )
    engine, settings = from_url(url)
    assert engine is ENGINE
    assert settings == GlueSettings(
        region="eu-west-1",
        access_key_id="AKIA1",
        secret_access_key="se/cret@",
        catalog_id=ACCOUNT,
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/r",
        external_id="x",
        attempts=3,
    )
    _, own = from_url("glue://eu-west-1")
    assert own == GlueSettings(region="eu-west-1", sign_in=SignIn.OWN_ACCOUNT)


@pytest.mark.parametrize(
    "url",
    [
        "glue://AKIA1:planted-secret@evil.example/",
        "glue://AKIA1:planted-secret@eu-west-1.evil.example/",
        "glue://AKIA1:planted-secret@eu-west-1/?profile=x",
        "glue://AKIA1:planted-secret@eu-west-1/?secret_access_key=x",
        "glue://AKIA1:planted-secret@eu-west-1/?endpoint_url=http://10.0.0.1/",
        "glue://AKIA1:planted-secret@eu-west-1/?endpoint_url=file:///etc/passwd",
        "glue://AKIA1:planted-secret@eu-west-1/?endpoint_url=https://a@b/",
        "glue://AKIA1:planted-secret@eu-west-1/?role_arn=nonsense",
        "glue://AKIA1:planted-secret@eu-west-1/?attempts=99",
        "glue://AKIA1:planted-secret@/",
    ],
)
def test_a_wrong_url_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(errors.SettingsInvalid) as caught:
        from_url(url)
    assert "planted-secret" not in json.dumps(dict(caught.value.as_dict()))


# --- Between the driver and the stand-in -----------------------------------------------------------------------------

_SILENT = threading.Event()


class Relay:
    """A port that leads to the stand-in: it hangs up on the first ones, or swallows what comes after some."""

    def __init__(self, url: str, *, cut_first: int = 0, silent_after: int = 1_000_000) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._cut_first, self._silent_after = cut_first, silent_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        _SILENT.clear()
        self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *_: Any) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._held:
            connection.close()

    def _serve(self) -> None:
        """One request on each connection, as the stand-in closes them itself."""
        number = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            if number > self._silent_after:
                self._held.append(connection)
                _SILENT.set()
                continue
            with connection:
                if number > self._cut_first:
                    self._pass_on(connection)

    def _pass_on(self, connection: socket.socket) -> None:
        with socket.create_connection(self._target) as target:
            target.sendall(_request(connection))
            while answer := target.recv(65536):
                connection.sendall(answer)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = (
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
