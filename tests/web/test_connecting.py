"""A datastore is connected through a form that its engine describes, after a test that proves the very same settings."""

import re
import sys
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from metamapper.connectors.errors import SignInFailed
from metamapper.connectors.registry import engine
from metamapper.datastores.fields import fields_of
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore, settings_of
from metamapper.runs.models import Run, Schedule, Trigger
from metamapper.web.datastores.forms import AGAIN, form_of
from metamapper.web.datastores.proof import is_proved, prove
from tests.cast import Cast
from tests.web.clients import as_user
from tests.web.scenery import PASSWORD, Scenery

CONNECT = "/larkspur/datastores/connect/"
HTMX = {"HX-Request": "true"}
WRONG = {"engine": "postgresql", "name": "x", "interval": "3600", "set_port": "5432", "set_tls": "off", "set_connect_timeout": "2", "set_statement_timeout": "5"}  # fmt: skip


@pytest.fixture
def form(postgresql_url: str) -> dict[str, str]:
    """What a person types to connect a real PostgreSQL with two schemas."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA billing; CREATE TABLE billing.invoices (id int); CREATE TABLE billing.payments (id int)"
        )
        connection.execute("CREATE SCHEMA tmp_x; CREATE TABLE tmp_x.scratch (id int)")
    parts = urlsplit(postgresql_url)
    return WRONG | {
        "name": "warehouse",
        "schemas": "*, -tmp_*",
        "set_host": str(parts.hostname),
        "set_port": str(parts.port),
        "set_database": parts.path.removeprefix("/"),
        "set_user": str(parts.username),
        "set_password": PASSWORD,
    }


def proof_in(page: str) -> str:
    return page.partition('name="proof" value="')[2].partition('"')[0]


def test_a_good_test_lets_the_form_be_saved_and_the_first_look_is_due(cast: Cast, form: dict[str, str]) -> None:
    client = as_user(cast.ana)
    tested = client.post(f"{CONNECT}test/", form, headers=HTMX).content.decode()
    assert 'data-step="failed"' not in tested
    proof = proof_in(tested)
    assert proof
    saved = client.post(CONNECT, form | {"proof": proof}, headers=HTMX)
    assert saved.headers["HX-Redirect"] == "/larkspur/datastores/warehouse/runs/1/"
    datastore = Datastore.objects.get()
    assert datastore.tested_at is not None
    assert datastore.include_schemas == "*, -tmp_*"
    assert (Run.objects.get().trigger, Run.objects.get().state) == (Trigger.INITIAL, "queued")
    assert "It waits for a worker" in client.get(saved.headers["HX-Redirect"]).content.decode()


def test_the_preview_counts_what_is_seen_and_hidden(cast: Cast, form: dict[str, str]) -> None:
    client = as_user(cast.ana)
    assert "once the sign-in works" in client.post(f"{CONNECT}preview/", form).content.decode()
    proof = proof_in(client.post(f"{CONNECT}test/", form, headers=HTMX).content.decode())
    preview = client.post(f"{CONNECT}preview/", form | {"proof": proof}).content.decode()
    assert "2 tables" in preview.partition("billing")[2].partition("</li>")[0]
    assert "hidden, 1 table" in preview.partition("tmp_x")[2].partition("</li>")[0]


def test_the_preview_lists_tables_and_says_why_others_are_not_seen(cast: Cast, form: dict[str, str]) -> None:
    client = as_user(cast.ana)
    proof = proof_in(client.post(f"{CONNECT}test/", form, headers=HTMX).content.decode())
    wanted = form | {"proof": proof, "tables": "-payments"}
    preview = client.post(f"{CONNECT}preview/", wanted).content.decode().replace("<wbr>", "")
    billing = preview.partition('data-keep="billing"')[2].partition("</details>")[0]
    seen, _, left_out = billing.partition("Left out by the patterns")
    assert '<li class="mm-mono">invoices</li>' in seen
    assert "payments" not in seen
    assert '<li class="mm-mono"><s>payments</s></li>' in left_out
    scratch = preview.partition('data-keep="tmp_x"')[2].partition("</details>")[0]
    assert "<s>scratch</s>" in scratch.partition("Left out by the patterns")[2]
    assert "1 table in scope, 2 left out by the patterns" in preview


def test_a_failed_test_says_which_step_and_marks_the_field(cast: Cast, form: dict[str, str]) -> None:
    page = as_user(cast.ana).post(f"{CONNECT}test/", form | {"set_database": "no_such_database"}, headers=HTMX)
    text = page.content.decode()
    assert page.status_code == 200
    assert 'data-step="failed"' in text
    assert "no such database" in text.partition('id="e-set_database"')[2].partition("</div>")[0]
    assert not proof_in(text)
    assert PASSWORD not in text


def test_a_failed_sign_in_marks_whatever_secret_was_given() -> None:
    kind = engine("snowflake")
    given = {
        "name": "x",
        "interval": "3600",
        "set_account": "a-b",
        "set_user": "u",
        "set_sign_in": "access_token",
        "set_token": "t",
    }
    form = form_of(kind)(given | {"set_port": "443", "set_connect_timeout": "5", "set_statement_timeout": "60"})
    assert form.is_valid(), form.errors
    form.blame(SignInFailed("No."))
    assert "set_token" in form.errors
    assert "set_private_key" not in form.errors


def test_a_failed_sign_in_marks_no_field_that_is_not_shown() -> None:
    """Among them a password that belongs to another kind of sign-in."""
    given = SNOWFLAKE | {"set_sign_in": "oauth", "set_token": "t", "set_password": "hidden"}
    form = form_of(engine("snowflake"))(given)
    assert form.is_valid(), form.errors
    form.blame(SignInFailed("No."))
    assert sorted(form.errors) == ["set_token", "set_user"]


def test_a_driver_that_is_not_installed_is_a_failed_step_with_what_installs_it(
    cast: Cast, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "metamapper.connectors.engines.postgresql.connector", None)
    page = as_user(cast.ana).post(f"{CONNECT}test/", form, headers=HTMX)
    assert page.status_code == 200
    assert 'data-step="failed"' in page.content.decode()
    assert "metamapper[postgresql]" in page.content.decode()


def test_without_a_test_nothing_is_saved_unless_somebody_says_so(cast: Cast, form: dict[str, str]) -> None:
    client = as_user(cast.ana)
    refused = client.post(CONNECT, form)
    assert refused.status_code == 422
    assert "Test the connection first" in refused.content.decode()
    assert PASSWORD not in refused.content.decode()
    assert not Datastore.objects.exists()
    client.post(CONNECT, form | {"untested": "1"})
    assert Datastore.objects.get().tested_at is None


def test_a_proof_is_of_these_settings_in_this_workspace_only(cast: Cast) -> None:
    kind = engine("postgresql")
    tested = kind.settings(host="db.lan", database="a", user="u", password=PASSWORD)
    proof = prove(cast.larkspur.pk, kind.name, tested)
    assert is_proved(proof, cast.larkspur.pk, kind.name, tested)
    other = kind.settings(host="db.lan", database="b", user="u", password=PASSWORD)
    assert not is_proved(proof, cast.larkspur.pk, kind.name, other)
    assert not is_proved(proof, cast.elsewhere.pk, kind.name, tested)
    assert not is_proved(proof[:-2] + "xx", cast.larkspur.pk, kind.name, tested)
    assert not is_proved("", cast.larkspur.pk, kind.name, tested)
    assert PASSWORD not in proof


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"set_port": "70000"}, "set_port", "65535"),
        ({"set_port": "abc"}, "set_port", "whole number"),
        ({"set_tls": "maybe"}, "set_tls", "not one of the available choices"),
        ({"set_host": ""}, "set_host", "required"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_the_engine_refuses_is_said_at_its_field(
    cast: Cast, changes: dict[str, str], field: str, said: str
) -> None:
    given = WRONG | {"set_host": "db.lan", "set_database": "a", "set_user": "u"} | changes
    page = as_user(cast.ana).post(f"{CONNECT}test/", given, headers=HTMX).content.decode()
    assert said in page.partition(f'id="e-{field}"')[2].partition("</div>")[0]


def test_a_setting_that_the_engine_does_not_have_goes_nowhere(cast: Cast) -> None:
    given = WRONG | {
        "set_host": "db.lan",
        "set_database": "a",
        "set_user": "u",
        "set_service": "evil",
        "set_passfile": "/etc/passwd",
    }
    form = form_of(engine("postgresql"))(given)
    assert form.is_valid()
    assert "evil" not in repr(form.settings)


def test_two_datastores_cannot_have_one_name(cast: Cast, scenery: Scenery) -> None:
    given = WRONG | {"name": "warehouse", "set_host": "db.lan", "set_database": "a", "set_user": "u", "untested": "1"}
    page = as_user(cast.ana).post(CONNECT, given)
    assert page.status_code == 422
    assert "Another datastore is called “warehouse” already." in page.content.decode()


def test_an_engine_that_is_not_installed_is_no_page(cast: Cast) -> None:
    assert as_user(cast.ana).get(f"{CONNECT}?engine=nosuch").status_code == 404


def settings_form(datastore: Datastore, **changes: Any) -> dict[str, str]:
    present = settings_of(datastore)
    given = {
        "name": datastore.name,
        "interval": "3600",
        "set_host": "db.lan",
        "set_port": "5432",
        "set_database": "crm",
    }
    given |= {
        "set_user": "metamapper",
        "set_tls": "automatic",
        "set_connect_timeout": "10",
        "set_statement_timeout": "300",
    }
    assert getattr(present, "host", "") == "db.lan"
    return {**given, **changes}


def test_a_blank_password_stays_what_it_was(cast: Cast, scenery: Scenery) -> None:
    address = "/larkspur/datastores/warehouse/settings/"
    shown = as_user(cast.ana).get(address).content.decode()
    assert PASSWORD not in shown
    saved = as_user(cast.ana).post(address, settings_form(scenery.warehouse, name="Warehouse EU", interval="900"))
    assert saved.status_code == 302
    datastore = Datastore.objects.get(pk=scenery.warehouse.pk)
    assert getattr(settings_of(datastore), "password", "") == PASSWORD
    assert (datastore.name, datastore.schedule.interval_seconds) == ("Warehouse EU", 900)
    assert datastore.tested_at is not None


def test_a_stored_password_is_never_sent_to_another_server(cast: Cast, scenery: Scenery) -> None:
    given = settings_form(scenery.warehouse, set_host="attacker.example")
    kind = form_of(engine("postgresql"))
    form = kind(given, present=settings_of(scenery.warehouse))
    assert form.errors == {"set_password": [AGAIN]}
    assert getattr(form.settings, "password", None) == ""
    address = "/larkspur/datastores/warehouse/settings/"
    refused = as_user(cast.ana).post(address, given | {"untested": "1"})
    assert refused.status_code == 422
    assert getattr(settings_of(Datastore.objects.get(pk=scenery.warehouse.pk)), "host", None) == "db.lan"
    as_user(cast.ana).post(address, given | {"untested": "1", "forget_password": "1"})
    moved = Datastore.objects.get(pk=scenery.warehouse.pk)
    assert getattr(settings_of(moved), "host", None) == "attacker.example"
    assert getattr(settings_of(moved), "password", None) == ""
    assert moved.tested_at is None


def test_pausing_resuming_and_inspecting(cast: Cast, scenery: Scenery) -> None:
    client = as_user(cast.ana)
    client.post("/larkspur/datastores/shop/pause/")
    assert "Paused by Ana Duarte" in client.get("/larkspur/datastores/").content.decode()
    client.post("/larkspur/datastores/shop/pause/", {"resume": "1"})
    assert "Paused by Ana Duarte" not in client.get("/larkspur/datastores/").content.decode()
    first = client.post("/larkspur/datastores/shop/inspect/").headers["Location"]
    assert client.post("/larkspur/datastores/shop/inspect/").headers["Location"] == first


def test_forgetting_takes_its_name(cast: Cast, scenery: Scenery) -> None:
    client, address = as_user(cast.ana), "/larkspur/datastores/warehouse/delete/"
    assert client.post(address, {"name": "Warehouse"}).status_code == 422
    assert Datastore.objects.filter(pk=scenery.warehouse.pk).exists()
    assert client.post(address, {"name": "warehouse"}).status_code == 302
    assert not Datastore.objects.filter(pk=scenery.warehouse.pk).exists()
    assert "is forgotten" in client.get("/larkspur/datastores/").content.decode()


# --- Fields that belong to one kind of sign-in -----------------------------------------------------------------------

SNOWFLAKE = {
    "engine": "snowflake", "name": "sf", "interval": "3600", "set_account": "a-b", "set_user": "u", "set_port": "443",
    "set_connect_timeout": "5", "set_statement_timeout": "60",
}  # fmt: skip


def rows_of(page: str) -> dict[str, bool]:
    """The rows of a form by the name of their first input, and whether they are shown."""
    rows = re.findall(r'<div class="mm-row"([^>]*)>\s*<label class="form-label" for="f-(set_\w+)">', page)
    return {name: "hidden" not in attributes for attributes, name in rows}


@pytest.mark.parametrize(
    ("kind", "choice", "shown"),
    [
        ("snowflake", {}, {"set_private_key", "set_passphrase"}),
        ("snowflake", {"set_sign_in": "password"}, {"set_password"}),
        ("snowflake", {"set_sign_in": "oauth"}, {"set_token"}),
        ("snowflake", {"set_sign_in": "access_token"}, {"set_token"}),
        ("bigquery", {}, {"set_key"}),
        ("bigquery", {"set_sign_in": "default"}, set()),
        ("redshift", {}, {"set_password"}),
        (
            "redshift",
            {"set_sign_in": "iam"},
            {"set_region", "set_cluster", "set_workgroup", "set_access_key_id", "set_secret_access_key"},
        ),
        ("glue", {}, {"set_access_key_id", "set_secret_access_key", "set_session_token"}),
        ("athena", {"set_sign_in": "own account"}, set()),
        ("sqlserver", {}, set()),
        ("synapse", {"set_sign_in": "service_principal"}, {"set_tenant"}),
        ("oracle", {"set_tls": "off"}, set()),
        ("oracle", {"set_tls": "verify"}, {"set_wallet", "set_wallet_password"}),
    ],
)
def test_only_fields_that_fit_the_choice_are_shown_without_any_script(
    cast: Cast, kind: str, choice: dict[str, str], shown: set[str]
) -> None:
    """Choose, press the button that only browsers without scripts show, and the server sends the right fields."""
    answer = as_user(cast.ana).post(CONNECT, {"engine": kind, "name": "kept", "choose": "1", **choice})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="choose"' in page
    assert 'value="kept"' in page
    assert "It is needed" not in page
    conditional = {f"set_{field.name}" for field in fields_of(engine(kind).settings) if field.when}
    assert {name for name, visible in rows_of(page).items() if visible} & conditional == shown


def test_typed_secrets_are_not_sent_back_by_another_choice(cast: Cast) -> None:
    given = SNOWFLAKE | {"set_sign_in": "password", "set_password": "typed-once", "choose": "1"}
    page = as_user(cast.ana).post(CONNECT, given).content.decode()
    assert "typed-once" not in page
    assert 'value="a-b"' in page


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        ("snowflake", {"set_sign_in": "key_pair", "set_password": "not asked for"}, ["set_private_key"]),
        ("snowflake", {"set_sign_in": "oauth"}, ["set_token"]),
        ("bigquery", {"set_project": "p", "set_sign_in": "key"}, ["set_key"]),
        ("bigquery", {"set_project": "p", "set_sign_in": "default"}, []),
        ("redshift", {"set_host": "h", "set_database": "d"}, ["set_user"]),
        ("redshift", {"set_host": "h", "set_database": "d", "set_sign_in": "iam"}, ["set_region"]),
        ("glue", {"set_region": "eu-west-1"}, ["set_access_key_id", "set_secret_access_key"]),
        (
            "synapse",
            {"set_host": "h", "set_database": "d", "set_user": "u", "set_sign_in": "service_principal"},
            ["set_tenant"],
        ),
    ],
)
def test_what_the_choice_needs_is_asked_for_at_its_field(kind: str, given: dict[str, str], missing: list[str]) -> None:
    usual = {f"set_{each.name}": str(each.default) for each in fields_of(engine(kind).settings) if each.default}
    form = form_of(engine(kind))(
        usual | (SNOWFLAKE if kind == "snowflake" else {}) | {"name": "x", "interval": "3600"} | given
    )
    assert [name for name in form.fields if name in form.errors] == missing
    assert all(form.errors[name] == ["It is needed."] for name in missing)


def test_another_choice_forgets_the_secrets_of_the_first(cast: Cast) -> None:
    kind = engine("snowflake")
    settings = kind.settings(account="a-b", user="u", sign_in="password", password=PASSWORD)  # type: ignore[call-arg]
    made = create_datastore(
        cast.larkspur, name="sf", engine="snowflake", settings=settings, user=None, interval_seconds=3600, tested=True
    )
    address = "/larkspur/datastores/sf/settings/"
    Schedule.objects.create(datastore=made, next_due_at=made.created_at, last_number=0)
    # The password is typed still, as by a browser that hid it; it belongs to nothing that is chosen.
    given = SNOWFLAKE | {
        "set_sign_in": "oauth",
        "set_token": "a token of mine",
        "set_password": PASSWORD,
        "untested": "1",
    }
    assert as_user(cast.ana).post(address, given).status_code == 302
    stored = settings_of(Datastore.objects.get(pk=made.pk))
    assert stored.secrets() == ("a token of mine",)
    # And back: what was forgotten is asked for again.
    back = as_user(cast.ana).post(address, SNOWFLAKE | {"set_sign_in": "password", "untested": "1"})
    assert back.status_code == 422
    assert "It is needed." in back.content.decode()


def test_a_secret_that_was_never_stored_is_not_said_to_be(cast: Cast) -> None:
    kind = engine("snowflake")
    settings = kind.settings(account="a-b", user="u", sign_in="key_pair", private_key="-----")  # type: ignore[call-arg]
    rows = {row.inputs[0].field.name: row.inputs[0] for row in form_of(kind)(present=settings).rows()}
    assert rows["private_key"].kept
    assert not rows["passphrase"].kept


def test_a_datastore_that_is_being_written_about_is_not_forgotten_by_halves(
    cast: Cast, scenery: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metamapper.inspection.connecting._forgotten", lambda _: False)
    monkeypatch.setattr("metamapper.inspection.connecting.disconnect.__kwdefaults__", {"patience": 0.2})
    address = f"/larkspur/datastores/{scenery.warehouse.slug}/delete/"
    response = as_user(cast.ana).post(address, {"name": scenery.warehouse.name})
    assert response.status_code == 409
    assert "Try again in a minute. Nothing was forgotten." in response.content.decode()
    assert Datastore.objects.filter(pk=scenery.warehouse.pk).exists()
