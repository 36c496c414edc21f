"""Signing in, and everything that can go wrong before the first schema."""

import base64
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import sqlglot
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.conformance.secrets import everything_said
from metamapper.connectors.engines.snowflake.settings import SignIn, SnowflakeSettings, settings_from_url
from metamapper.connectors.reach import Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from tests.engines.snowflake.subject import ENGINE, SnowflakeSource
from tests.support.snowflake import PASSWORD, TOKEN, Refused, Session


def failure(settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open():
        pass
    return caught.value


def steps(settings: EngineSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


def signs_in(settings: EngineSettings) -> Mapping[str, Any]:
    with ENGINE.connect(settings).open() as session:
        return session.server.details


def leaks(settings: SnowflakeSettings) -> list[str]:
    said = everything_said(ENGINE, settings)
    return [place for place, text in said.items() if any(secret in text for secret in settings.secrets())]


# --- Kinds of sign-in ------------------------------------------------------------------------------------------------


def test_a_password_signs_in(source: SnowflakeSource) -> None:
    assert signs_in(source.settings)["role"] == "OWNER"


@pytest.mark.parametrize("passphrase", ["", "a passphrase with é and spaces"])
def test_a_key_pair_signs_in(source: SnowflakeSource, passphrase: str) -> None:
    key = source.server.key_pair("OWNER", passphrase)
    settings = replace(source.settings, sign_in=SignIn.KEY_PAIR, password="", private_key=key, passphrase=passphrase)
    assert signs_in(settings)["user"] == "OWNER"
    assert not leaks(settings)


@pytest.mark.parametrize("kind", [SignIn.OAUTH, SignIn.ACCESS_TOKEN])
def test_a_token_signs_in(source: SnowflakeSource, kind: SignIn) -> None:
    settings = replace(source.settings, sign_in=kind, password="", token=TOKEN)
    assert signs_in(settings)["user"] == "OWNER"
    assert not leaks(settings)


def test_a_key_that_is_none_or_locked_is_said_without_showing_it(source: SnowflakeSource) -> None:
    locked, plain = source.server.key_pair("OWNER", "the passphrase"), source.server.key_pair("OWNER")
    with_key = replace(source.settings, sign_in=SignIn.KEY_PAIR, password="")
    for key, passphrase in (
        ("", ""),
        ("not a key at all", ""),
        (plain[:300] + "damaged" + plain[340:], ""),
        (locked, ""),
        (locked, "planted-phrase-2"),
        (plain, "planted-phrase-3"),
    ):
        settings = replace(with_key, private_key=key, passphrase=passphrase)
        assert isinstance(failure(settings), errors.SettingsInvalid)
        assert not leaks(settings)


@pytest.mark.parametrize("kind", [SignIn.PASSWORD, SignIn.OAUTH, SignIn.ACCESS_TOKEN, SignIn.KEY_PAIR])
def test_what_a_kind_of_sign_in_needs_must_be_there(source: SnowflakeSource, kind: SignIn) -> None:
    assert isinstance(failure(replace(source.settings, sign_in=kind, password="")), errors.SettingsInvalid)


@pytest.mark.parametrize(
    ("number", "said", "helps"),
    [
        ("390197", "Multi-factor authentication is required for this account.", "key pair"),
        ("390422", "Incoming request with IP/Token 10.0.0.1 is not allowed to access Snowflake.", "network policy"),
        ("390102", "Your user account has been temporarily locked.", "unlock"),
        ("390101", "User access disabled. Contact your local system administrator.", "unlock"),
    ],
)
def test_a_refusal_says_what_helps(source: SnowflakeSource, number: str, said: str, helps: str) -> None:
    def refuse(user: str, data: Any) -> None:
        raise Refused(number, "08001", said)

    source.server._authenticate = refuse  # type: ignore[method-assign]
    error = failure(source.settings)
    assert isinstance(error, errors.SignInFailed)
    assert said.rstrip(".") in error.server_said
    assert helps in error.hint


# --- Role, warehouse, database ---------------------------------------------------------------------------------------


def test_a_role_that_the_user_does_not_have(source: SnowflakeSource) -> None:
    settings = replace(source.settings, role="analyst")
    error = failure(settings)
    assert isinstance(error, errors.PermissionMissing)
    assert error.remedy == "GRANT ROLE ANALYST TO USER OWNER;"
    assert steps(settings)["Sign-in"].state is StepState.FAILED


def test_no_other_role_lends_its_rights(source: SnowflakeSource) -> None:
    """Secondary roles would show what the role itself must be granted."""
    signs_in(source.settings)
    assert source.server.logins[-1]["SECONDARY_ROLES"] == "NONE"


def test_a_session_without_a_warehouse(source: SnowflakeSource) -> None:
    def no_warehouse(statement: str, session: Session) -> None:
        session.warehouse = None
        if "information_schema" in statement:
            raise Refused("000606", "57P03", "No active warehouse selected in the current session.")

    source.server.before = no_warehouse
    step = steps(source.settings)["Warehouse"]
    assert step.state is StepState.FAILED
    assert step.error
    assert step.error.remedy == "GRANT USAGE ON WAREHOUSE <warehouse> TO ROLE OWNER;"
    with ENGINE.connect(source.settings).open() as session, pytest.raises(errors.PermissionMissing) as caught:
        session.scopes(ScopeFilter())
    assert "warehouse" in caught.value.hint


def test_a_database_that_is_not_there(source: SnowflakeSource) -> None:
    settings = replace(source.settings, database='"Nowhere"')
    with ENGINE.connect(settings).open() as session, pytest.raises(errors.DatabaseUnknown) as caught:
        session.scopes(ScopeFilter())
    assert caught.value.remedy == 'GRANT USAGE ON DATABASE "Nowhere" TO ROLE "OWNER";'
    found = steps(settings)
    assert (found["Sign-in"].state, found["Databases"].state) == (StepState.OK, StepState.FAILED)


def test_a_warehouse_that_a_monitor_has_stopped(source: SnowflakeSource) -> None:
    def stopped(statement: str, session: Session) -> None:
        if "information_schema" in statement:
            raise Refused(
                "090073",
                "22000",
                "Warehouse 'WH' cannot be resumed because resource monitor 'M' has exceeded its quota.",
            )

    source.server.before = stopped
    with ENGINE.connect(source.settings).open() as session, pytest.raises(errors.ServerUnavailable) as caught:
        session.scopes(ScopeFilter())
    assert not caught.value.permanent


# --- The session -----------------------------------------------------------------------------------------------------


def test_a_session_has_time_outs_and_a_name(source: SnowflakeSource) -> None:
    signs_in(replace(source.settings, statement_timeout=77))
    [login] = source.server.logins
    sent = login["SESSION_PARAMETERS"]
    assert (str(sent["STATEMENT_TIMEOUT_IN_SECONDS"]), sent["QUERY_TAG"]) == ("77", "metamapper")
    assert str(sent["CLIENT_TELEMETRY_ENABLED"]).lower() == "false"
    assert login["CLIENT_ENVIRONMENT"]["APPLICATION"] == "metamapper"


def test_a_statement_that_takes_too_long_is_a_time_out(source: SnowflakeSource) -> None:
    def slow(statement: str, session: Session) -> None:
        if "information_schema" in statement:
            raise Refused(
                "000630",
                "57014",
                "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled.",
            )

    source.server.before = slow
    with ENGINE.connect(source.settings).open() as session, pytest.raises(errors.StatementTimeout):
        session.scopes(ScopeFilter())


def test_a_cancel_reaches_the_server(source: SnowflakeSource) -> None:
    source.perform(ops.CreateTable(ops.Table("T"), (ops.NewColumn("X"),)))
    asked = threading.Event()

    def waits(statement: str, session: Session) -> None:
        if "information_schema.columns" in statement:
            asked.set()
            assert session.cancelled.wait(20)

    source.server.before = waits
    with ENGINE.connect(source.settings).open() as session, ThreadPoolExecutor(1) as other:
        session.scopes(ScopeFilter())
        reading = other.submit(lambda: list(session.relations(ScopeFilter())))
        assert asked.wait(10)
        session.cancel()
        with pytest.raises(errors.Cancelled):
            reading.result(15)
    assert any("SYSTEM$CANCEL_ALL_QUERIES" in statement for _, statement in source.server.statements)


def test_a_session_that_the_server_forgot_is_lost_for_now(source: SnowflakeSource) -> None:
    with ENGINE.connect(source.settings).open() as session:
        source.server.sessions.clear()
        with pytest.raises(errors.ConnectionLost) as caught:
            session.scopes(ScopeFilter())
    assert not caught.value.permanent


# --- The environment and the network ---------------------------------------------------------------------------------

LIES = {
    "SNOWFLAKE_HOST": "192.0.2.1",
    "SNOWFLAKE_ACCOUNT": "elsewhere",
    "SNOWFLAKE_PASSWORD": "an environment secret",
    "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "elsewhere",
    "HTTP_PROXY": "http://192.0.2.1:1",
    "HTTPS_PROXY": "http://192.0.2.1:1",
    "ALL_PROXY": "http://192.0.2.1:1",
    "NO_PROXY": "*",
    "SSL_CERT_FILE": "/nowhere",
    "REQUESTS_CA_BUNDLE": "/nowhere",
}


def test_no_variable_and_no_file_of_the_worker_has_a_say(
    source: SnowflakeSource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in LIES.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    monkeypatch.setenv("SNOWFLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, section in (("connections.toml", "default"), ("config.toml", "connections.default")):
        file = tmp_path / name
        file.write_text(f'[{section}]\naccount = "elsewhere"\nhost = "192.0.2.1"\nuser = "somebody"\nrole = "OTHER"\n')
        file.chmod(0o600)
    assert signs_in(source.settings) == {"account": "ACME", "user": "OWNER", "role": "OWNER", "warehouse": "WH"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config.toml", "connections.toml"]


def test_a_server_that_nobody_vouches_for_is_refused(source: SnowflakeSource) -> None:
    settings = replace(source.settings, ca_certificate="")
    error = failure(settings)
    assert isinstance(error, errors.TlsFailed)
    assert error.hint
    found = steps(settings)
    assert (found[f"Port {settings.port}"].state, found["TLS"].state) == (StepState.OK, StepState.FAILED)
    assert not source.server.logins


def test_a_name_that_the_certificate_does_not_have_is_refused(source: SnowflakeSource) -> None:
    settings = replace(source.settings, host="another.localhost")
    error = failure(settings)
    # Whether the name is known depends on the machine; either way nobody signs in under it.
    assert isinstance(error, errors.TlsFailed | errors.HostUnknown)
    assert not source.server.logins


def test_large_results_come_in_parts(source: SnowflakeSource, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    columns = tuple(ops.NewColumn(f"C{number}") for number in range(20))
    source.perform(*(ops.CreateTable(ops.Table(f"T{number}"), columns) for number in range(5)))
    source.server.chunk = 7
    with ENGINE.connect(source.settings).open() as session:
        found = [session.decode(each.payload) for each in session.relations(ScopeFilter())]
    assert [len(relation.columns) for relation in found] == [20] * 5
    assert not source.server.chunks
    assert "/chunk/" not in caplog.text


def test_a_part_that_cannot_be_fetched_ends_the_read(source: SnowflakeSource) -> None:
    """It is fetched through the gate like everything else, which knows why it was not reached."""
    source.perform(ops.CreateTable(ops.Table("T"), tuple(ops.NewColumn(f"C{number}") for number in range(20))))
    source.server.chunk, source.server.chunk_port = 7, 1
    with ENGINE.connect(source.settings).open() as session, pytest.raises(errors.ConnectionRefused):
        list(session.relations(ScopeFilter()))


def test_nothing_is_reached_past_the_gate(source: SnowflakeSource) -> None:
    """A driver of compiled code could connect where no test sees it; with the gate shut it reaches nothing."""
    error = failure(source.settings, Reach(denies=lambda _: "It is ours."))
    assert isinstance(error, errors.AddressDenied)
    assert not source.server.logins


@pytest.mark.parametrize("account", ["acme/../x", "a b", "acme?x", "", "ac#me", "acme@evil.example"])
def test_an_account_is_a_name(account: str) -> None:
    with pytest.raises(errors.SettingsInvalid):
        _ = SnowflakeSettings(account=account or "-", user="u").address


@pytest.mark.parametrize(
    ("account", "address"),
    [
        ("acme-Warehouse", "acme-warehouse.snowflakecomputing.com"),
        ("ACME_X", "acme-x.snowflakecomputing.com"),
        ("xy12345.eu-west-1", "xy12345.eu-west-1.snowflakecomputing.com"),
        ("acme-w.snowflakecomputing.com", "acme-w.snowflakecomputing.com"),
    ],
)
def test_the_address_follows_from_the_account(account: str, address: str) -> None:
    assert SnowflakeSettings(account=account, user="u").address == address


# --- The connection test ---------------------------------------------------------------------------------------------


def test_the_connection_test_says_who_and_what(source: SnowflakeSource) -> None:
    source.perform(ops.CreateTable(ops.Table("T"), (ops.NewColumn("X"),)))
    found = steps(source.reader)
    assert {step.state for step in found.values()} == {StepState.OK}
    assert found["Sign-in"].detail == "As READER, role READER, Snowflake 9.36.2"
    assert found["Schemas visible"].detail == "1 of 1, with 1 tables and views"


def test_schemas_that_cannot_be_seen_are_told_with_the_grant(source: SnowflakeSource) -> None:
    source.perform(ops.CreateSchema("other"))
    source.revoke("other")
    step = steps(source.reader)["Schemas visible"]
    assert step.state is StepState.WARNING
    assert step.error
    assert step.error.remedy.startswith('GRANT USAGE ON SCHEMA "SHOP"."archive" TO ROLE "READER";')
    source.paste(step.error.remedy)
    assert steps(source.reader)["Schemas visible"].state is StepState.OK


def test_nothing_that_can_be_seen_fails_the_step(source: SnowflakeSource) -> None:
    source.revoke("main")
    assert steps(source.reader)["Schemas visible"].state is StepState.FAILED


def test_what_cannot_be_proved_is_told_with_the_grant(source: SnowflakeSource) -> None:
    source.server.blind.add("READER")
    step = steps(source.reader)["Proof of what is gone"]
    assert step.state is StepState.WARNING
    assert step.error
    source.paste(step.error.remedy)
    assert steps(source.reader)["Proof of what is gone"].state is StepState.OK
    source.server.blind.add("READER")
    assert steps(replace(source.reader, sees_all=True))["Proof of what is gone"].state is StepState.OK


def test_a_role_that_may_write_earns_a_warning(source: SnowflakeSource) -> None:
    source.perform(ops.CreateTable(ops.Table("T"), (ops.NewColumn("X"),)))
    at = {"table_catalog": "SHOP", "table_schema": "PUBLIC", "table_name": "T"}
    source.server.insert("info_table_privileges", grantee="OWNER", privilege_type="INSERT", **at)
    step = steps(source.settings)["Rights to write"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    assert [type(each) for each in sqlglot.parse(step.error.remedy, read="snowflake")], "it can be pasted"
    assert 'GRANT USAGE ON DATABASE "SHOP" TO ROLE "METAMAPPER";' in step.error.remedy
    assert 'GRANT ROLE "METAMAPPER" TO USER "OWNER";' in step.error.remedy
    assert steps(source.reader)["Rights to write"].state is StepState.OK


@pytest.mark.parametrize("right", ["CREATE TABLE", "CREATE SCHEMA"])
def test_a_right_to_make_tables_or_schemas_is_a_right_to_write(source: SnowflakeSource, right: str) -> None:
    at = {"object_catalog": "SHOP", "object_schema": "PUBLIC", "object_name": "PUBLIC", "object_type": "SCHEMA"}
    source.server.insert("info_object_privileges", grantee="OWNER", privilege_type=right, **at)
    step = steps(source.settings)["Rights to write"]
    assert step.state is StepState.WARNING
    assert "may make tables" in step.detail
    assert steps(source.reader)["Rights to write"].state is StepState.OK


def test_where_no_schema_is_seen_the_grant_is_offered(source: SnowflakeSource) -> None:
    source.server.uses["READER"].clear()
    found = steps(replace(source.reader, database=""))
    assert found["Schemas visible"].state is StepState.WARNING
    error = found["Schemas visible"].error
    assert error is not None
    assert error.unseen
    assert 'GRANT USAGE ON DATABASE "<database>" TO ROLE "READER";' in error.remedy
    assert found["Rights to write"].state is StepState.WARNING
    assert found["Rights to write"].detail.startswith("Not known")


def test_a_right_to_write_in_any_database_earns_the_warning(source: SnowflakeSource) -> None:
    source.perform(ops.CreateTable(ops.Table("T"), (ops.NewColumn("X"),)))
    at = {"table_catalog": "SHOP", "table_schema": "PUBLIC", "table_name": "T"}
    source.server.insert("info_table_privileges", grantee="OWNER", privilege_type="INSERT", **at)
    source.server.databases["ZOO"] = "STANDARD"
    source.server.uses["OWNER"].add("ZOO")
    step = steps(replace(source.settings, database=""))["Rights to write"]
    assert step.state is StepState.WARNING
    assert "1 in SHOP" in step.detail
    assert "ZOO" not in step.detail


# --- URLs ------------------------------------------------------------------------------------------------------------


def test_a_url_carries_account_database_and_role() -> None:
    engine, settings = from_url("snowflake://ana:p%40ss@acme-w/SHOP?role=R&warehouse=W&sees_all=true")
    assert engine is ENGINE
    assert settings == SnowflakeSettings(
        account="acme-w",
        user="ana",
        password="p@ss",
        sign_in=SignIn.PASSWORD,
        database="SHOP",
        role="R",
        warehouse="W",
        sees_all=True,
    )


def test_a_url_carries_a_key_or_a_token() -> None:
    carried = quote(base64.b64encode(b"-----BEGIN PRIVATE KEY-----\n>>>?").decode())
    settings = settings_from_url(urlsplit(f"snowflake://ana@acme?private_key_base64={carried}&passphrase=p"))
    assert (settings.sign_in, settings.passphrase) == (SignIn.KEY_PAIR, "p")
    assert settings.private_key.endswith(">>>?")
    token = settings_from_url(urlsplit("snowflake://ana@acme?sign_in=oauth&token=t"))
    assert (token.sign_in, token.token, token.database) == (SignIn.OAUTH, "t", "")


@pytest.mark.parametrize(
    "rest",
    [
        "?private_key_base64=%%%",
        "?private_key_file=/etc/passwd",
        "?authenticator=externalbrowser",
        "?sign_in=browser",
        "?statement_timeout=0",
    ],
)
def test_a_url_carries_what_is_known_and_nothing_else(rest: str) -> None:
    with pytest.raises(errors.SettingsInvalid) as caught:
        settings_from_url(urlsplit(f"snowflake://ana:planted-secret@acme{rest}"))
    assert "planted-secret" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.2", "127.0.0.3"])
def test_a_host_that_is_not_snowflakes_is_not_obeyed(source: SnowflakeSource, host: str) -> None:
    """The driver would send and store files as its server says."""
    error = failure(replace(source.settings, host=host, connect_timeout=2))
    assert isinstance(error, errors.AddressDenied)
    assert "no host of Snowflake" in str(error)
