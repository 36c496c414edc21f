"""The metastore is never a datastore, whatever name it is given."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from metamapper.connectors.errors import AddressDenied
from metamapper.connectors.registry import from_url
from metamapper.datastores.refusal import refusal
from metamapper.datastores.services import connector


@pytest.fixture
def metastore(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"NAME": "metamapper", "HOST": "localhost", "PORT": ""}
    monkeypatch.setattr("metamapper.datastores.refusal.connections", {"default": SimpleNamespace(settings_dict=ours)})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.1.2.3"])
def test_every_spelling_is_refused(metastore: None, host: str) -> None:
    engine, settings = from_url(f"postgresql://ana:secret@{host}:5432/metamapper")
    with pytest.raises(AddressDenied) as raised, connector(engine, settings).open():
        pass
    assert "secret" not in str(raised.value).replace("secrets", "")
    (step,) = connector(engine, settings).test()
    assert step.error is not None


@pytest.mark.parametrize("rest", ["localhost:5433/metamapper", "localhost:5432/shop", "192.0.2.7:5432/metamapper"])
def test_its_neighbours_are_not(metastore: None, rest: str) -> None:
    _, settings = from_url(f"postgresql://ana:secret@{rest}")
    assert refusal(settings) is None


def test_what_has_no_host_is_not(metastore: None, tmp_path: Any) -> None:
    _, settings = from_url(f"sqlite:///{tmp_path}/shop.sqlite3")
    assert refusal(settings) is None


@pytest.mark.parametrize("host", ["Metastore.LAN", "metastore.lan.", "METASTORE.lan."])
def test_through_a_tunnel_no_spelling_of_its_name_leads_to_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    ours = {"NAME": "metamapper", "HOST": "metastore.lan", "PORT": 5432}
    monkeypatch.setattr("metamapper.datastores.refusal.connections", {"default": SimpleNamespace(settings_dict=ours)})
    _, settings = from_url("postgresql://ana:secret@db.lan/metamapper")
    assert refusal(msgspec.structs.replace(settings, host=host), from_here=False)
    assert refusal(settings, from_here=False) is None


@pytest.mark.parametrize(("access", "refused"), [("postgresql_database", True), ("mysql_database", False)])
def test_an_engine_s_usual_port_is_no_way_around_it(metastore: None, access: str, refused: bool) -> None:
    _, settings = from_url(f"hive://ana:secret@localhost/metamapper?access={access}")
    assert (refusal(settings) is not None) is refused
