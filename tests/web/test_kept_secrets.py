"""What is stored of a connection stays while it leads where it led; else it is asked for again, never dropped in silence."""

from typing import Any

import pytest
from django.utils.html import escape

from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.registry import engine, from_url, registry
from metamapper.connectors.tunnel.values import Hop
from metamapper.datastores.fields import fields_of, fitting
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore, settings_of
from metamapper.runs.models import Schedule
from metamapper.web.datastores.forms import AGAIN, DatastoreForm, form_of, stored
from tests.cast import Cast
from tests.web.clients import as_user

URLS = {
    "redshift://u:planted@h/d": (),
    "redshift://u:planted@h/d?region=eu-west-1": ("region",),
    "hive://u:planted@h/d?access=mysql_database&schema=hive": ("schema",),
    "hive://u:planted@h/d?access=mysql_database&sign_in=none": ("sign_in",),
    "hive://u:planted@h:9083": (),
    "sqlserver://u:planted@h/d?tenant=contoso": ("tenant",),
    "snowflake://u:planted@acme/d": (),
    "postgresql://u:planted@h/d": (),
    "mysql://u:planted@h/d": (),
    "glue://KEY:planted@eu-west-1": (),
    "oracle://u:planted@h/s?tls=off": (),
}
"""With the settings that do not fit the sign-in, so that no browser sends them."""


def sent(kind: Engine, present: EngineSettings, **changes: str) -> dict[str, str]:
    """What a browser sends of the form as it is shown: what fits, and no secret."""
    fit = fitting(
        fields_of(kind.settings), {name.removeprefix("set_"): value for name, value in stored(present).items()}
    )
    shown = {name: value for name, value in stored(present).items() if name.removeprefix("set_") in fit}
    plain = {name: str(value) for name, value in shown.items() if value is not None and value is not False}
    return {"name": "x", "interval": "3600", **plain, **changes}


def form(kind: Engine, present: EngineSettings, hops: tuple[Hop, ...] = (), **changes: str) -> DatastoreForm:
    return form_of(kind)(sent(kind, present, **changes), present=present, hops=hops)


@pytest.mark.parametrize(("url", "unfit"), URLS.items())
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(url: str, unfit: tuple[str, ...]) -> None:
    kind, present = from_url(url)
    same = form(kind, present)
    assert same.is_valid(), same.errors
    assert not {f"set_{name}" for name in unfit} & sent(kind, present).keys()
    assert same.settings is not None
    assert same.settings.secrets() == present.secrets()
    assert same.is_unchanged


@pytest.mark.parametrize("url", [url for url in URLS if not url.startswith("glue")])
def test_a_time_out_is_nobodys_address(url: str) -> None:
    kind, present = from_url(url)
    slower = form(kind, present, set_statement_timeout="77", set_connect_timeout="7")
    assert slower.is_valid(), slower.errors
    assert slower.settings is not None
    assert slower.settings.secrets() == present.secrets()
    assert not slower.is_unchanged


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        ("postgresql://u:planted@h/d", {"set_host": "elsewhere"}),
        ("postgresql://u:planted@h/d", {"set_port": "5433"}),
        ("postgresql://u:planted@h/d", {"set_user": "v"}),
        ("postgresql://u:planted@h/d", {"set_database": "e"}),
        ("postgresql://u:planted@h/d", {"set_tls": "unverified"}),
        ("postgresql://u:planted@h/d", {"set_ca_certificate": "-----BEGIN CERTIFICATE-----"}),
        ("sqlserver://u:planted@h/d", {"set_sign_in": "service_principal", "set_tenant": "contoso"}),
        ("sqlserver://u:planted@h/d?sign_in=service_principal&tenant=a", {"set_tenant": "b"}),
        ("oracle://u:planted@h/s?tls=verify", {"set_tls": "off"}),
        ("glue://KEY:planted@eu-west-1", {"set_endpoint_url": "https://elsewhere.example"}),
        ("glue://KEY:planted@eu-west-1", {"set_sts_endpoint_url": "https://elsewhere.example"}),
        ("snowflake://u:planted@acme/d", {"set_host": "other.snowflakecomputing.com"}),
        ("hive://u:planted@h/d?access=mysql_database", {"set_access": "postgresql_database"}),
    ],
)
def test_a_secret_that_may_not_go_there_is_asked_for_at_its_field(url: str, changes: dict[str, str]) -> None:
    kind, present = from_url(url)
    moved = form(kind, present, **changes)
    (secret,) = (each.name for each in fields_of(kind.settings) if each.secret and getattr(present, each.name))
    assert moved.errors == {f"set_{secret}": [AGAIN]}
    assert moved.settings is not None
    assert moved.settings.secrets() == ()
    again = form(kind, present, **changes, **{f"set_{secret}": "typed"})
    assert again.is_valid(), again.errors


def test_other_hosts_on_the_way_are_another_connection() -> None:
    kind, present = from_url("postgresql://u:planted@h/d")
    way = {"hop_0_host": "bastion", "hop_0_port": "22", "hop_0_user": "m", "hop_0_key": "", "hop_0_shown": ""}
    assert form(kind, present, **way).errors == {"set_password": [AGAIN]}
    assert form(kind, present, (Hop("bastion", 22, "m", ()),), **way).is_valid()


def test_a_certificate_that_a_browser_sends_back_is_the_same() -> None:
    kind = engine("postgresql")
    present = kind.settings(host="h", database="d", user="u", password="planted", ca_certificate="A\nB\n")  # type: ignore[call-arg]
    same = form(kind, present, set_ca_certificate="A\r\nB\r\n")
    assert same.is_valid(), same.errors
    assert same.settings is not None
    assert same.settings.secrets() == ("planted",)


def test_what_is_stored_is_forgotten_for_whoever_says_so() -> None:
    kind, present = from_url("postgresql://u:planted@h/d")
    without = form(kind, present, forget_password="1")
    assert without.is_valid(), without.errors
    assert without.settings is not None
    assert without.settings.secrets() == ()
    needed = form(*from_url("snowflake://u:planted@acme/d"), forget_password="1")
    assert needed.errors == {"set_password": ["It is needed."]}


def test_every_setting_that_is_called_tuning_is_a_number_and_no_port() -> None:
    """Whatever decides who gets a secret must not be among them."""
    tuning = {field.name for kind in registry().engines.values() for field in fields_of(kind.settings) if field.tuning}
    assert tuning == {"connect_timeout", "statement_timeout", "call_timeout", "attempts", "parallel"}


def test_the_page_saves_a_form_that_nobody_changed_and_says_what_is_asked_for_again(cast: Cast) -> None:
    kind, present = from_url("redshift://u:planted@h/d?region=eu-west-1")
    made = create_datastore(
        cast.larkspur, name="rs", engine=kind.name, settings=present, user=None, interval_seconds=3600, tested=True
    )
    Schedule.objects.create(datastore=made, next_due_at=made.created_at, last_number=0)
    address, client = "/larkspur/datastores/rs/settings/", as_user(cast.ana)
    given: dict[str, Any] = sent(kind, present, name="rs")
    assert client.post(address, given).status_code == 302
    assert settings_of(Datastore.objects.get(pk=made.pk)).secrets() == ("planted",)
    page = client.post(address, given | {"set_host": "elsewhere", "untested": "1"})
    assert page.status_code == 422
    assert escape(AGAIN) in page.content.decode()
    assert 'name="forget_password"' in page.content.decode()
    assert settings_of(Datastore.objects.get(pk=made.pk)).secrets() == ("planted",)


def test_a_service_that_signs_nobody_in_gets_no_password() -> None:
    kind, present = from_url("hive://u:planted@h:9083")
    given = sent(kind, present, set_sign_in="none", set_password="typed and hidden")
    form = form_of(kind)(given, present=present)
    assert form.is_valid(), form.errors
    assert form.settings is not None
    assert form.settings.secrets() == ()
