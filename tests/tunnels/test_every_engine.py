"""Every engine of the network goes where its reach says, for whatever it connects to; and no other way past a tunnel."""

import ast
import socket
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from metamapper.connectors import errors
from metamapper.connectors.base import Ability, StepState
from metamapper.connectors.reach import UNRESTRICTED, Reach
from metamapper.connectors.registry import engine, from_url, registry
from metamapper.connectors.settings import EngineSettings
from metamapper.connectors.tunnel.connector import Tunnelled, connect
from metamapper.connectors.tunnel.values import Hop, Keys, Tunnel
from metamapper.connectors.wire import connected
from tests.support.ways import NOT_LET_THROUGH, Blocked, Straight

ENGINES = Path(__file__).resolve().parents[2] / "src" / "metamapper" / "connectors"
NETWORKED = [name for name, each in registry().engines.items() if each.capabilities[Ability.NETWORK]]
FILES = [name for name in registry().engines if name not in NETWORKED]


def subject_of(name: str) -> ModuleType:
    return import_module(f"tests.engines.{name}.subject")


def settings_of(name: str) -> EngineSettings:
    """What the engine's own tests say is nowhere; an engine that says nothing has not shown that it goes through tunnels."""
    if hasattr(subject_of(name), "elsewhere"):
        found: EngineSettings = subject_of(name).elsewhere()
        return found
    return from_url(subject_of(name).ELSEWHERE)[1]


SOCKETS = [name for name in NETWORKED if getattr(subject_of(name), "TAKES_SOCKETS", False)]


@pytest.mark.parametrize("name", NETWORKED)
def test_it_asks_for_a_route_and_says_why_there_is_none(name: str) -> None:
    settings, way = settings_of(name), Blocked()
    own = (getattr(settings, "host", ""), getattr(settings, "port", 0))
    expected = getattr(subject_of(name), "FIRST_ASKED", own)
    connector = engine(name).connect(settings, Reach(way=way))
    with pytest.raises(errors.HostUnreachable, match=NOT_LET_THROUGH), connector.open():
        pass
    assert way.asked[0] == expected


@pytest.mark.parametrize("name", NETWORKED)
def test_its_test_does_too(name: str) -> None:
    way = Blocked()
    steps = list(engine(name).connect(settings_of(name), Reach(way=way)).test())
    failed = [step for step in steps if step.state is StepState.FAILED]
    assert [step.error.detail for step in failed if step.error] == [NOT_LET_THROUGH]
    assert way.asked


def test_what_knows_no_routes_is_refused_rather_than_led_past_the_tunnel() -> None:
    """An engine of another package may know only how to ask for addresses."""
    with pytest.raises(errors.SettingsInvalid, match="tunnel"):
        Reach(way=Blocked()).addresses("127.0.0.1", 5432)


def addresses_asked_for() -> Iterator[str]:
    for path in sorted((ENGINES / "engines").rglob("*.py")) + sorted((ENGINES / "sql").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=value, attr="addresses")) if "reach" in ast.unparse(value):
                    yield path.name


def test_none_of_ours_asks_for_addresses_itself() -> None:
    """But for the tokens of Microsoft Entra, which are no datastore's."""
    assert set(addresses_asked_for()) == {"entra.py"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_behind_no_tunnel(name: str) -> None:
    tunnel = Tunnel((Hop("bastion.invalid", 22, "ana"),), Keys())
    with pytest.raises(errors.SettingsInvalid, match="file of this machine"):
        connect(engine(name), from_url(f"{name}:/nowhere/x.db")[1], Reach(), tunnel)


@pytest.mark.parametrize("name", SOCKETS)
def test_nor_is_a_socket_also_for_whom_sockets_are_allowed(name: str) -> None:
    settings = msgspec.structs.replace(settings_of(name), host="/run/somewhere")
    through = Tunnelled(engine(name), settings, UNRESTRICTED, Tunnel((), Keys()))._through(Blocked())  # type: ignore[arg-type]
    with pytest.raises(errors.SettingsInvalid, match="socket"), through.open():
        pass


def test_what_speaks_https_is_led_there_too() -> None:
    """As the gate does before drivers that connect by themselves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reach = Reach(way=Straight(listener.getsockname()[1]))
        with connected("acme.invalid", 443, reach, 5), listener.accept()[0]:
            pass
