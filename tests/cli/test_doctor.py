"""`metamapper doctor`: each step as it is taken, the first that fails explained, and an exit code for scripts."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from click.testing import CliRunner, Result

from metamapper.cli.commands import metamapper
from metamapper.connectors.registry import engine, from_url
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from tests.cast import Cast
from tests.engines.postgresql.subject import PostgresqlSubject
from tests.support.databases import run_sql, with_database

NOWHERE = "postgresql://ana:hunter2@127.0.0.1:1/shop"


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(metamapper, ["doctor", *arguments], input=given)


def steps(*arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    result = run(*arguments, "--format", "json")
    return result.exit_code, {step["name"]: step for step in json.loads(result.output)}


def test_the_first_step_that_fails_is_explained_and_the_rest_waits() -> None:
    result = run(NOWHERE)
    assert result.exit_code == 2
    lines = result.output.splitlines()
    assert lines[0].startswith("ok       Name lookup: ")
    assert lines[1] == "failed   Port 1: Nothing listens on this port"
    assert "Check host and port" in result.output
    assert "waiting  Sign-in: not tried" in lines
    assert "hunter2" not in result.output


def test_a_url_may_come_from_standard_input() -> None:
    assert run("-", given=f"{NOWHERE}\n").output == run(NOWHERE).output


def test_json_has_the_same_steps_with_the_error_in_full() -> None:
    code, found = steps(NOWHERE)
    assert code == 2
    assert found["Port 1"]["state"] == "failed"
    assert found["Port 1"]["error"]["code"] == "connection.refused"
    assert found["Rights to write"] == {
        "name": "Rights to write", "state": "waiting", "detail": "", "seconds": None, "error": None,
    }  # fmt: skip


def test_what_works_is_0(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()
    result = run(f"sqlite://{tmp_path}/empty.sqlite3")
    assert result.exit_code == 0, result.output
    assert {line.partition(" ")[0] for line in result.output.splitlines()} == {"ok"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((NOWHERE, "--workspace", "larkspur"), "--workspace goes with the NAME"),
        (("shop", "--ssh", "ana@bastion.invalid"), "--ssh goes with a URL"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_wrong_url_is_one_line() -> None:
    result = run("nosuch://host")
    assert result.exit_code == 2
    assert "nosuch" in result.output


@pytest.mark.live
def test_a_warning_is_1_with_what_is_not_seen_and_what_mends_it(postgresql_server: str) -> None:
    with PostgresqlSubject(postgresql_server).fresh() as source:
        source.run('CREATE SCHEMA "pay; roll"')
        at = urlsplit(source.url)
        url = f"postgresql://{quote(source.role, safe='')}@{at.hostname}:{at.port}{at.path}"
        code, found = steps(url)
        said = run(url).output
    step = found["Schemas visible"]
    assert (code, step["state"]) == (1, "warning")
    assert "pay; roll" in step["error"]["unseen"]
    assert step["error"]["remedy"].startswith('GRANT USAGE ON SCHEMA "pay; roll" TO ')
    assert "Not seen until then: what is in pay; roll" in said
    assert step["error"]["remedy"] in said


# --- A datastore by its name -----------------------------------------------------------------------------------------


def connected(cast: Cast, url: str) -> Datastore:
    kind, settings = from_url(url)
    return create_datastore(
        cast.larkspur, name="Shop", engine=kind.name, settings=settings, user=None, interval_seconds=3600, tested=False
    )


@pytest.mark.live
@pytest.mark.django_db
def test_a_datastore_is_tested_with_what_is_stored(cast: Cast, postgresql_url: str) -> None:
    run_sql(postgresql_url, "CREATE TABLE orders (id int)")
    connected(cast, postgresql_url)
    code, found = steps("shop", "--workspace", "larkspur")
    assert code in {0, 1}
    assert "1 tables and views" in found["Schemas visible"]["detail"]


@pytest.mark.live
@pytest.mark.django_db
def test_the_step_that_fails_is_the_datastores_own(cast: Cast, postgresql_url: str) -> None:
    connected(cast, with_database(postgresql_url, "mm_src_no_such_database"))
    code, found = steps("Shop", "--workspace", "larkspur")
    assert (code, found["Database"]["state"]) == (2, "failed")


@pytest.mark.django_db
def test_the_administrators_limits_hold_for_a_name_and_not_for_a_url(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "shop.sqlite3").touch()
    url = f"sqlite://{tmp_path}/shop.sqlite3"
    connected(cast, url)
    assert steps(url)[0] == 0
    code, found = steps("shop", "--workspace", "larkspur")
    assert code == 2
    assert found["File"]["error"]["code"] == "host.denied"


@pytest.mark.django_db
def test_secrets_that_cannot_be_opened_are_the_first_step(cast: Cast, settings: Any) -> None:
    connected(cast, NOWHERE)
    settings.METAMAPPER_FERNET_KEYS = ["4Zk0Hq1Ul9rRyk4oJQm4lqpyvYx0aN5n4Q3vI9y3m1U="]
    code, found = steps("shop", "--workspace", "larkspur")
    assert code == 2
    assert found["Settings"]["error"]["code"] == "settings.invalid"


@pytest.mark.django_db
def test_stored_settings_that_the_engine_has_no_more_are_told(cast: Cast) -> None:
    made = connected(cast, NOWHERE)
    Datastore.objects.filter(pk=made.pk).update(public_settings={**made.public_settings, "gone": 1})
    code, found = steps("shop", "--workspace", "larkspur")
    assert (code, found["Settings"]["state"]) == (2, "failed")
    assert "hunter2" not in str(found)


@pytest.mark.django_db
def test_a_name_of_another_workspace_is_none(cast: Cast) -> None:
    connected(cast, NOWHERE)
    result = run("shop", "--workspace", "elsewhere")
    assert result.exit_code == 2
    assert "There is no datastore “shop”." in result.output


def test_a_driver_that_is_not_installed_is_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "metamapper.connectors.engines.postgresql.connector", None)
    code, found = steps(NOWHERE)
    assert (code, found["Driver"]["state"]) == (2, "failed")
    assert engine("postgresql").name in found["Driver"]["error"]["hint"]
