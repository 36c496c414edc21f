"""Every engine of the network goes where its reach says, for whatever it connects to; and no other way past a tunnel."""

import ast
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from metamapper.connectors import errors
from metamapper.connectors.base import Ability, StepState
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.engines.bigquery.settings import SignIn as GoogleSignIn
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings
from metamapper.connectors.reach import UNRESTRICTED, Reach, Route
from metamapper.connectors.registry import engine, from_url, registry
from metamapper.connectors.settings import EngineSettings
from metamapper.connectors.tunnel.connector import Tunnelled, connect
from metamapper.connectors.tunnel.values import Hop, Keys, Tunnel
from metamapper.connectors.wire import connected
from tests.engines.oracle.test_connecting import listening, redirecting, refusing
from tests.support.certificates import certified

ENGINES = Path(__file__).resolve().parents[2] / "src" / "metamapper" / "connectors"
NETWORKED = [name for name, each in registry().engines.items() if each.capabilities[Ability.NETWORK]]
URLS = {
    "postgresql": "postgresql://ana:pw@db.invalid:5433/shop",
    "mysql": "mysql://ana:pw@db.invalid:3307/shop",
    "sqlserver": "sqlserver://ana:pw@db.invalid:1434/shop",
    "synapse": "synapse://ana:pw@db.invalid:1434/shop",
    "oracle": "oracle://ana:pw@db.invalid:1522/ORCL",
    "redshift": "redshift://ana:pw@db.invalid:5440/shop",
    "snowflake": "snowflake://ana:pw@acme-shop/SHOP",
    "glue": "glue://AKIAEXAMPLE:secret@eu-west-1/",
    "athena": "athena://AKIAEXAMPLE:secret@eu-west-1/",
    "hive": "thrift://db.invalid:9084",
}
FIRST_ASKED = {
    "snowflake": ("acme-shop.snowflakecomputing.com", 443),
    "bigquery": ("oauth2.googleapis.com", 443),
    "glue": ("glue.eu-west-1.amazonaws.com", 443),
    "athena": ("athena.eu-west-1.amazonaws.com", 443),
}
NOT_LET_THROUGH = "the tunnel did not let it through"


@dataclass
class Blocked:
    """A way that leads nowhere, and remembers where it was asked to."""

    asked: list[tuple[str, int]] = field(default_factory=list)

    def route(self, host: str, port: int) -> Route:
        self.asked.append((host, port))
        raise errors.HostUnreachable(NOT_LET_THROUGH)

    def leads_through(self, address: str, port: int) -> bool:
        return False


@dataclass(frozen=True)
class Straight:
    """A way whose beginning is a port of this machine, whatever host is asked for."""

    port: int

    def route(self, host: str, port: int) -> Route:
        return Route(("127.0.0.1",), self.port, "Left to somebody")

    def leads_through(self, address: str, port: int) -> bool:
        return (address, port) == ("127.0.0.1", self.port)


@cache
def google_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {"type": "service_account", "client_email": "a@shop.iam.gserviceaccount.com", "private_key": key.decode()}
    )


def settings_of(name: str) -> EngineSettings:
    if name == "bigquery":
        return BigquerySettings(project="acme-shop", key=google_key())
    return from_url(URLS[name])[1]


@pytest.mark.parametrize("name", NETWORKED)
def test_it_asks_for_a_route_and_says_why_there_is_none(name: str) -> None:
    """An engine without a line in the table above has not shown that it goes through tunnels."""
    settings, way = settings_of(name), Blocked()
    expected = FIRST_ASKED.get(name) or (getattr(settings, "host", ""), getattr(settings, "port", 0))
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


@pytest.mark.parametrize("name", ["sqlite", "duckdb"])
def test_a_file_is_behind_no_tunnel(name: str) -> None:
    tunnel = Tunnel((Hop("bastion.invalid", 22, "ana"),), Keys())
    with pytest.raises(errors.SettingsInvalid, match="file of this machine"):
        connect(engine(name), from_url(f"{name}:/nowhere/x.db")[1], Reach(), tunnel)


@pytest.mark.parametrize("name", ["postgresql", "mysql"])
def test_nor_is_a_socket_also_for_whom_sockets_are_allowed(name: str) -> None:
    settings = msgspec.structs.replace(settings_of(name), host="/run/somewhere")
    through = Tunnelled(engine(name), settings, UNRESTRICTED, Tunnel((), Keys()))._through(Blocked())  # type: ignore[arg-type]
    with pytest.raises(errors.SettingsInvalid, match="socket"), through.open():
        pass


# --- What this machine's own name means elsewhere ---------------------------------------------------------------------


def test_through_a_tunnel_no_local_name_stands_for_snowflake() -> None:
    """The driver does what its server says; behind somebody's SSH host, "localhost" is a server of theirs."""
    settings = SnowflakeSettings(account="a-b", user="u", password="p", host="localhost", port=8080)
    with pytest.raises(errors.AddressDenied), engine("snowflake").connect(settings, Reach(way=Straight(1))).open():
        pass


def test_nor_for_google() -> None:
    """The workers' own token would go there."""
    settings = BigquerySettings(project="acme-shop", sign_in=GoogleSignIn.DEFAULT, endpoint="http://localhost:8080")
    reach = Reach(way=Straight(1), own_account=True)
    with (
        pytest.raises(errors.SettingsInvalid, match="is not Google's"),
        engine("bigquery").connect(settings, reach).open(),
    ):
        pass


def test_what_speaks_https_is_led_there_too() -> None:
    """As the gate does before drivers that connect by themselves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reach = Reach(way=Straight(listener.getsockname()[1]))
        with connected("acme.invalid", 443, reach, 5), listener.accept()[0]:
            pass


# --- Oracle, whose driver goes where it is sent -----------------------------------------------------------------------


def failure(settings: EngineSettings, way: Straight) -> errors.ConnectorError:
    with pytest.raises(errors.ConnectorError) as caught, engine("oracle").connect(settings, Reach(way=way)).open():
        pass
    return caught.value


def behind(settings: OracleSettings, **changes: object) -> OracleSettings:
    return msgspec.structs.replace(settings, host="db.invalid", port=1521, **changes)


def test_oracle_s_listener_is_reached_by_the_route() -> None:
    with listening(refusing(12514)) as (settings, heard):
        assert isinstance(failure(behind(settings), Straight(settings.port)), errors.DatabaseUnknown)
        assert heard


def test_a_redirect_of_a_listener_does_not_leave_the_tunnel() -> None:
    """Not even to a place that may be reached from here."""
    with listening(refusing(12514)) as (inner, heard), listening(redirecting("127.0.0.1", inner.port)) as (outer, _):
        error = failure(behind(outer), Straight(outer.port))
        assert isinstance(error, errors.AddressDenied)
        assert "tunnel" in error.detail
        assert heard == []


@pytest.mark.parametrize(
    ("name", "kind"), [("db.invalid", errors.DatabaseUnknown), ("other.invalid", errors.TlsFailed)]
)
def test_tls_asks_for_the_name_behind_the_tunnel(name: str, kind: type[errors.ConnectorError]) -> None:
    """The driver itself sees this machine's address only, whose name no certificate has."""
    server = certified(name)
    with listening(refusing(12514), server.server) as (settings, _):
        verified = behind(settings, tls=Tls.VERIFY, ca_certificate=server.authority)
        assert isinstance(failure(verified, Straight(settings.port)), kind)
        stranger = behind(settings, tls=Tls.VERIFY, ca_certificate=certified(name).authority)
        assert isinstance(failure(stranger, Straight(settings.port)), errors.TlsFailed)
        anybody = behind(settings, tls=Tls.UNVERIFIED)
        assert isinstance(failure(anybody, Straight(settings.port)), errors.DatabaseUnknown)
