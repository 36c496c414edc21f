"""Signing in, TLS and everything that can go wrong before the first statement, against a server that minds."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import EngineSettings, Step, StepState
from metamapper.connectors.reach import UNRESTRICTED, Reach
from metamapper.connectors.registry import from_url
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings, Tls
from tests.engines.postgresql.subject import ENGINE, PostgresqlSource, settings_of
from tests.support.guarded import AUTHORITY, PASSWORD, Guarded

pytestmark = pytest.mark.live


@pytest.fixture
def settings(guarded: Guarded) -> PostgresqlSettings:
    return settings_of(guarded.url)


def failure(settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, reach).open():
        pass
    return caught.value


def steps(settings: EngineSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


def signs_in(settings: EngineSettings) -> str:
    with ENGINE.connect(settings).open() as session:
        return str(session.server.details["role"])


def test_a_password_with_every_awkward_character_signs_in(settings: PostgresqlSettings) -> None:
    assert settings.password == PASSWORD
    assert signs_in(settings) == "postgres"


def test_verified_tls_needs_the_authority_and_the_right_name(settings: PostgresqlSettings, guarded: Guarded) -> None:
    trusted = replace(settings, host="localhost", tls=Tls.VERIFY, ca_certificate=guarded.authority)
    assert signs_in(trusted) == "postgres"
    stranger = failure(replace(trusted, ca_certificate=""))
    assert isinstance(stranger, errors.TlsFailed)
    assert "authority" in stranger.hint


def test_a_name_that_the_certificate_does_not_have_is_refused(settings: PostgresqlSettings, guarded: Guarded) -> None:
    other = replace(settings, host="127.0.0.2", tls=Tls.VERIFY, ca_certificate=guarded.authority)
    error = failure(other)
    # A machine may listen on 127.0.0.1 only; either way nobody signs in under a name that is not the server's.
    assert isinstance(error, (errors.TlsFailed, errors.ConnectionRefused))


def test_unverified_tls_signs_in_and_the_test_warns(settings: PostgresqlSettings) -> None:
    unverified = replace(settings, tls=Tls.UNVERIFIED)
    assert signs_in(unverified) == "postgres"
    assert steps(unverified)["TLS"].state is StepState.WARNING


def test_the_connection_test_tells_who_signed_the_certificate(settings: PostgresqlSettings, guarded: Guarded) -> None:
    found = steps(replace(settings, host="localhost", tls=Tls.VERIFY, ca_certificate=guarded.authority))
    assert found["TLS"].state is StepState.OK
    assert AUTHORITY in found["TLS"].detail
    assert found["TLS"].detail.startswith("TLS 1.3")


def test_a_self_signed_server_fails_the_step_of_tls(settings: PostgresqlSettings) -> None:
    found = steps(replace(settings, tls=Tls.VERIFY))
    assert found["TLS"].state is StepState.FAILED
    assert found["Sign-in"].state is StepState.WAITING


def test_a_server_that_wants_tls_says_so(settings: PostgresqlSettings) -> None:
    error = failure(replace(settings, database="tls_only", tls=Tls.OFF))
    assert isinstance(error, errors.TlsFailed)
    assert "TLS" in error.hint


def test_a_server_without_tls_is_refused_where_tls_is_wanted(postgresql_server: str) -> None:
    error = failure(replace(settings_of(postgresql_server), tls=Tls.VERIFY))
    if isinstance(error, errors.TlsFailed) and "support" in error.server_said:
        assert "ssl = on" in error.hint
    else:
        pytest.skip("The server that is there offers TLS")


def test_an_unknown_database(settings: PostgresqlSettings) -> None:
    wrong = replace(settings, database="no such; database")
    assert isinstance(failure(wrong), errors.DatabaseUnknown)
    found = steps(wrong)
    assert found["Sign-in"].state is StepState.OK
    assert found["Database"].state is StepState.FAILED


def test_a_database_without_the_right_to_connect(source: PostgresqlSource) -> None:
    name = source.settings.database
    source.run(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
    error = failure(source.reader)
    assert isinstance(error, errors.PermissionMissing)
    assert error.remedy == f'GRANT CONNECT ON DATABASE {name} TO "{source.role.replace(chr(34), chr(34) * 2)}";'
    source.paste(error.remedy)
    assert signs_in(source.reader) == source.role


def test_a_server_without_a_free_connection(settings: PostgresqlSettings, guarded: Guarded) -> None:
    with psycopg.connect(guarded.url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS busy; ")
        admin.execute("CREATE ROLE busy LOGIN PASSWORD 'busy password' CONNECTION LIMIT 1")
        mine = replace(settings, user="busy", password="busy password")
        with ENGINE.connect(mine).open():
            error = failure(mine)
        assert isinstance(error, errors.TooManyConnections)
        assert not error.permanent
        assert error.hint


def test_a_role_that_may_write_earns_a_warning(source: PostgresqlSource) -> None:
    source.run("CREATE TABLE t (id int)")
    assert steps(source.reader)["Rights to write"].state is StepState.OK
    source.run(f"""GRANT INSERT ON t TO "{source.role.replace('"', '""')}" """)
    warned = steps(source.reader)["Rights to write"]
    assert warned.state is StepState.WARNING
    assert warned.error is not None
    assert "CREATE ROLE" in warned.error.remedy


def test_a_right_on_one_column_or_to_make_tables_is_a_right_to_write(source: PostgresqlSource) -> None:
    role = source.role.replace('"', '""')
    source.run("CREATE TABLE t (id int, note text)", f'GRANT UPDATE (note) ON t TO "{role}"')
    assert "may change rows" in steps(source.reader)["Rights to write"].detail
    source.run("DROP TABLE t", "GRANT CREATE ON SCHEMA public TO PUBLIC")
    step = steps(source.reader)["Rights to write"]
    assert "may make tables in public" in step.detail
    assert step.error is not None
    source.paste(step.error.remedy)
    assert steps(source.reader)["Rights to write"].state is StepState.OK


def test_a_right_to_make_schemas_is_a_right_to_write(source: PostgresqlSource) -> None:
    role, database = source.role.replace('"', '""'), urlsplit(source.url).path.removeprefix("/")
    source.run(f'GRANT CREATE ON DATABASE "{database}" TO "{role}"')
    step = steps(source.reader)["Rights to write"]
    assert step.state is StepState.WARNING
    assert "may make schemas" in step.detail


def test_schemas_that_cannot_be_seen_are_told_with_the_grant(source: PostgresqlSource) -> None:
    source.run('CREATE SCHEMA "closed; one"')
    step = steps(source.reader)["Schemas visible"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    assert step.error.remedy.startswith('GRANT USAGE ON SCHEMA "closed; one" TO ')
    source.paste(step.error.remedy)
    assert steps(source.reader)["Schemas visible"].state is StepState.OK


def test_a_catalog_view_that_was_closed_is_named(source: PostgresqlSource) -> None:
    source.run("REVOKE SELECT ON pg_catalog.pg_description FROM PUBLIC")
    step = steps(source.reader)["Rights on each catalog view"]
    assert step.state is StepState.FAILED
    assert step.error is not None
    assert "pg_catalog.pg_description" in step.error.detail
    source.paste(step.error.remedy)
    assert steps(source.reader)["Rights on each catalog view"].state is StepState.OK


LIES = {
    "PGHOST": "192.0.2.1",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGUSER": "somebody",
    "PGPASSWORD": "an environment secret",
    "PGDATABASE": "elsewhere",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nowhere",
    "PGSSLCERT": "/nowhere",
    "PGSSLKEY": "/nowhere",
    "PGCHANNELBINDING": "require",
    "PGOPTIONS": "-c statement_timeout=1",
    "PGAPPNAME": "not us",
    "PGCONNECT_TIMEOUT": "1",
    "PGREQUIREAUTH": "none",
    "PGTARGETSESSIONATTRS": "standby",
    "PGCLIENTENCODING": "LATIN1",
    "PGREQUIREPEER": "nobody",
    "PGGSSENCMODE": "require",
    "PGSSLCERTMODE": "require",
    "PGMINPROTOCOLVERSION": "3.2",
}


def test_no_variable_of_the_environment_has_a_say(
    settings: PostgresqlSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in LIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".pgpass").write_text("*:*:*:*:a password of the worker\n")
    (tmp_path / ".pgpass").chmod(0o600)
    with ENGINE.connect(settings).open() as session:
        assert session.server.details == {"role": "postgres", "database": "postgres"}
    assert isinstance(failure(replace(settings, password="")), errors.SignInFailed)


def test_a_password_file_of_the_worker_is_not_read(
    settings: PostgresqlSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text(f"*:*:*:*:{PASSWORD}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert isinstance(failure(replace(settings, password="")), errors.SignInFailed)


def test_a_service_of_the_environment_cannot_lead_astray(
    settings: PostgresqlSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = tmp_path / "services.conf"
    services.write_text("[elsewhere]\nhost=192.0.2.1\nuser=somebody\noptions=-c statement_timeout=1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    assert signs_in(settings) == "postgres"
    monkeypatch.setenv("PGSERVICE", "not there")
    error = failure(settings)
    assert isinstance(error, errors.SettingsInvalid)
    assert "PGSERVICE" in error.hint


def test_sockets_need_a_reach_that_allows_them(postgresql_server: str) -> None:
    at_socket = replace(settings_of(postgresql_server), host="/var/run/postgresql")
    assert isinstance(failure(at_socket), errors.SettingsInvalid)
    assert next(iter(ENGINE.connect(at_socket).test())).state is not StepState.OK
    folder = Path("/var/run/postgresql")
    if not (folder / f".s.PGSQL.{urlsplit(postgresql_server).port or 5432}").exists():
        pytest.skip("Not to be had: the server has no socket in /var/run/postgresql")
    url = f"{postgresql_server}?host={folder}"
    _, settings = from_url(url)
    with ENGINE.connect(settings, UNRESTRICTED).open() as session:
        assert session.server.version
