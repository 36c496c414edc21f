"""Datastores are kept with their secrets sealed, reached only where allowed, and read as they are configured."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult

import msgspec
import pytest

from metamapper.connectors import registry as registry_module
from metamapper.connectors.base import Engine, EngineSettings
from metamapper.connectors.errors import AddressDenied, DriverMissing
from metamapper.connectors.registry import Registry, engine
from metamapper.datastores import services
from metamapper.datastores.fields import fields_of
from metamapper.datastores.models import Datastore
from metamapper.datastores.reach import reach
from tests.cast import Cast, assemble

SECRET = "hunter2-planted-secret"


class PostSettings(EngineSettings, frozen=True, kw_only=True):
    host: Annotated[str, msgspec.Meta(title="Host")]
    port: Annotated[int, msgspec.Meta(title="Port", ge=1, le=65535)] = 5432
    password: Annotated[str, msgspec.Meta(title="Password", extra={"secret": True})] = ""
    tls: Annotated[
        Literal["verify", "off"],
        msgspec.Meta(title="TLS", extra={"choices": {"verify": "Verify certificate and name"}}),
    ] = "verify"
    read_only: bool = True
    path: str | None = None


def _from_url(url: SplitResult) -> PostSettings:
    return PostSettings(host=url.hostname or "")


ENGINE = Engine(
    name="post",
    title="Post",
    mark="Po",
    blurb="A stand-in",
    settings=PostSettings,
    connector="nowhere:Nothing",
    url_schemes=("post",),
    settings_from_url=_from_url,
    capabilities={},
)


@pytest.fixture(autouse=True)
def _post(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Registry({**registry_module.registry().engines, "post": ENGINE}, {})
    monkeypatch.setattr(registry_module, "registry", lambda: found)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def make(cast: Cast, name: str = "warehouse", **changes: Any) -> Datastore:
    values: dict[str, Any] = {
        "name": name,
        "engine": "post",
        "settings": PostSettings(host="db.lan", password=SECRET),
        "user": cast.ana,
        "interval_seconds": 3600,
        "tested": True,
    }
    return services.create_datastore(cast.larkspur, **(values | changes))


def test_secrets_are_sealed_and_come_back(cast: Cast) -> None:
    datastore = make(cast)
    row = Datastore.objects.filter(pk=datastore.pk).values().get()
    assert SECRET not in str(
        {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
    )
    assert services.settings_of(Datastore.objects.get()) == PostSettings(host="db.lan", password=SECRET)


def test_names_are_unique_within_a_workspace_and_addresses_follow(cast: Cast) -> None:
    make(cast, "Ware house!")
    assert make(cast, "Ware-house").slug == "ware-house-2"
    with pytest.raises(services.NameTaken):
        make(cast, "Ware-house")


@pytest.mark.parametrize("name", ["connect", "☃", "-", "connect!"])
def test_a_name_never_takes_an_address_of_the_site(cast: Cast, name: str) -> None:
    assert make(cast, name).slug not in {*services.RESERVED, ""}


def test_only_the_intervals_of_the_product(cast: Cast) -> None:
    with pytest.raises(services.IntervalUnknown):
        make(cast, interval_seconds=61)


def test_an_engine_that_is_not_installed_is_said(cast: Cast) -> None:
    with pytest.raises(DriverMissing):
        make(cast, engine="nosuch")


def change(datastore: Datastore, **changes: Any) -> Datastore:
    values: dict[str, Any] = {
        "name": datastore.name,
        "settings": services.settings_of(datastore),
        "include_schemas": datastore.include_schemas,
        "include_tables": datastore.include_tables,
        "tested": False,
    }
    return services.update_datastore(datastore, **(values | changes))


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"name": "other"}, True),
        ({"include_schemas": "a*"}, False),
        ({"settings": PostSettings(host="other.lan", password=SECRET)}, False),
        ({"settings": PostSettings(host="db.lan", password="another")}, False),
    ],
)
def test_what_a_probe_proved_is_forgotten_when_it_looked_elsewhere(
    cast: Cast, changes: dict[str, Any], kept: bool
) -> None:
    datastore = make(cast)
    datastore.probe_token = "as of yesterday"
    assert bool(change(datastore, **changes).probe_token) is kept


def test_a_change_leaves_alone_what_a_run_noted_meanwhile(cast: Cast) -> None:
    datastore = make(cast)
    looked = datetime(2026, 11, 1, 12, tzinfo=UTC)
    noted = {"probe_token": "of now", "read_at": looked, "seen_at": looked, "server_version": "17.2"}
    Datastore.objects.filter(pk=datastore.pk).update(**noted)
    change(datastore, name="other")
    assert Datastore.objects.values("name", *noted).get(pk=datastore.pk) == {"name": "other", **noted}


def test_an_untested_change_of_the_connection_is_known_as_untested(cast: Cast) -> None:
    datastore = make(cast)
    assert change(datastore, name="other").tested_at is not None
    assert change(datastore, settings=PostSettings(host="other.lan")).tested_at is None


def test_address_stays_through_a_rename(cast: Cast) -> None:
    assert change(make(cast), name="Elsewhere entirely").slug == "warehouse"


def test_fields_are_derived_from_the_typed_settings() -> None:
    shown = {field.name: field for field in fields_of(PostSettings)}
    assert [field.input for field in shown.values()] == ["text", "number", "password", "select", "checkbox", "text"]
    assert shown["host"].required
    assert not shown["port"].required
    assert shown["tls"].choices == (("off", "Off"), ("verify", "Verify certificate and name"))
    assert shown["password"].secret


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    settings.METAMAPPER_ALLOWED_FOLDERS = [str(allowed)]
    return allowed


def test_files_only_within_allowed_folders(folder: Path) -> None:
    assert reach().file(f"{folder}/shop.sqlite3") == folder / "shop.sqlite3"
    (folder / "link").symlink_to("/etc")
    for bad in ("/etc/passwd", f"{folder}/../secret", f"{folder}/link/passwd", f"{folder}-next/x", "relative.db"):
        with pytest.raises(AddressDenied):
            reach().file(bad)


@pytest.mark.parametrize(
    ("environment", "open_inside"), [("development", True), ("staging", False), ("production", False)]
)
def test_private_networks_are_open_in_development_only(settings: Any, environment: str, open_inside: bool) -> None:
    settings.ENVIRONMENT = environment
    assert reach().sockets is open_inside
    assert reach().own_account is open_inside
    assert (reach().denies(ip_address("10.0.0.1")) is None) is open_inside
    assert reach().denies(ip_address("169.254.169.254"))


def test_what_the_administrator_allows_is_open_everywhere(settings: Any) -> None:
    settings.ENVIRONMENT, settings.METAMAPPER_ALLOWED_NETWORKS = "production", ["10.0.0.0/8"]
    assert reach().denies(ip_address("10.0.0.1")) is None
    assert reach().denies(ip_address("192.168.0.1"))


def test_the_administrator_may_lend_the_workers_own_account(settings: Any) -> None:
    settings.ENVIRONMENT = "production"
    settings.METAMAPPER_ALLOW_OWN_ACCOUNT = True
    assert reach().own_account


def test_a_connector_gets_the_reach(cast: Cast, settings: Any) -> None:
    settings.ENVIRONMENT = "production"
    kind = engine("postgresql")
    given = kind.settings(host="127.0.0.1", database="x", user="x")
    failed = [step for step in services.connector(kind, given).test() if step.state == "failed"]
    assert [step.error.code for step in failed if step.error] == ["host.denied"]
