"""Behind somebody's SSH host. The driver goes where a listener sends it, and knows nothing of tunnels."""

import msgspec
import pytest

from metamapper.connectors import errors
from metamapper.connectors.engines.oracle import ENGINE
from metamapper.connectors.engines.oracle.settings import OracleSettings, Tls
from metamapper.connectors.reach import Reach
from metamapper.connectors.settings import EngineSettings
from tests.engines.oracle.test_connecting import listening, redirecting, refusing
from tests.support.certificates import certified
from tests.support.ways import Straight


def failure(settings: EngineSettings, way: Straight) -> errors.ConnectorError:
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(settings, Reach(way=way)).open():
        pass
    return caught.value


def behind(settings: OracleSettings, **changes: object) -> OracleSettings:
    return msgspec.structs.replace(settings, host="db.invalid", port=1521, **changes)


def test_a_listener_is_reached_by_the_route() -> None:
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
