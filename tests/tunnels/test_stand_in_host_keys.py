"""A host's key is judged before anything is sent to it: shown by a host that notes whatever is tried."""

from dataclasses import replace

import pytest

from metamapper.connectors.errors import AddressDenied, ConnectorError
from metamapper.connectors.reach import Reach
from metamapper.connectors.tunnel import dial
from metamapper.connectors.tunnel.errors import HostKeyChanged, HostKeyUnknown
from metamapper.connectors.tunnel.keys import Algorithm, KeyPair, make
from metamapper.connectors.tunnel.line import opened
from metamapper.connectors.tunnel.values import Hop, Tunnel, bare, fingerprint
from tests.support.ssh_witness import Witness, witness
from tests.tunnels.conftest import quick

OTHER = make(Algorithm.ED25519, "another host")
SIGNING_IN = {"began to sign in", "key", "password"}


def error_at(tunnel: Tunnel) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught, opened(tunnel, Reach()) as line:
        line.land_on(0)
    return caught.value


def at(host: Witness, *keys: str) -> Hop:
    return replace(host.hop, host_keys=keys)


def test_the_pinned_key_lets_us_go_on(pair: KeyPair) -> None:
    with witness() as host, opened(quick(host.hop, pair=pair), Reach()) as line:
        landing = line.land_on(0)
        assert landing.judge.signed_in_with == fingerprint(pair.public)
    assert "key" in host.tried
    assert "password" not in host.tried


def test_a_changed_key_stops_before_anything_is_tried(pair: KeyPair) -> None:
    with witness() as host:
        error = error_at(quick(at(host, bare(OTHER.public)), pair=pair))
    assert isinstance(error, HostKeyChanged)
    assert error.permanent
    assert host.tried == ["connected"]


def test_the_error_says_both_keys_and_what_to_do(pair: KeyPair) -> None:
    with witness() as host:
        error = error_at(quick(at(host, bare(OTHER.public)), pair=pair))
        assert isinstance(error, HostKeyChanged)
        assert fingerprint(host.pair.public) in error.detail
        assert fingerprint(OTHER.public) in error.detail
        assert "ssh-keygen -lf" in error.hint
        assert error.offered == bare(host.pair.public)


def test_an_unknown_key_stops_as_well_and_is_told(pair: KeyPair) -> None:
    with witness() as host:
        error = error_at(quick(at(host), pair=pair))
        assert isinstance(error, HostKeyUnknown)
        assert error.offered == bare(host.pair.public)
        assert fingerprint(host.pair.public) in error.detail
    assert not SIGNING_IN & set(host.tried)


def test_a_key_of_another_kind_is_a_change_too(pair: KeyPair, rsa_pair: KeyPair) -> None:
    """A host that shows RSA where Ed25519 is pinned: it is told as a change, not as a lack of common ways."""
    with witness(rsa_pair) as host:
        error = error_at(quick(at(host, bare(OTHER.public)), pair=pair))
        assert isinstance(error, HostKeyChanged)
        assert "(RSA)" in error.detail
        assert "(ED25519)" in error.detail
    assert host.tried == ["connected"]


def test_any_of_several_known_keys_will_do(pair: KeyPair) -> None:
    with witness() as host:
        hop = at(host, bare(OTHER.public), bare(host.pair.public))
        with opened(quick(hop, pair=pair), Reach()) as line:
            assert line.land_on(0).is_up


def test_a_host_at_an_address_that_is_denied_is_not_connected_to(pair: KeyPair) -> None:
    with witness() as host:
        reach = Reach(denies=lambda _: "It is ours.")
        with pytest.raises(AddressDenied), opened(quick(host.hop, pair=pair), reach) as line:
            line.land_on(0)
    assert host.tried == []


def test_a_worker_s_own_known_hosts_has_no_say(
    pair: KeyPair, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor do its own keys, its agent and its configuration."""
    home = tmp_path_factory.mktemp("home")
    (home / ".ssh").mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(home / "nowhere"))
    (home / ".ssh" / "config").write_text("Host *\n  User somebody-else\n  Port 1\n")
    with witness() as host:
        (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {bare(host.pair.public)}\n")
        (home / ".ssh" / "id_ed25519").write_text(OTHER.private)
        assert isinstance(error_at(quick(at(host), pair=pair)), HostKeyUnknown)
        with opened(quick(host.hop, pair=pair), Reach()) as line:
            assert line.land_on(0).judge.signed_in_with == fingerprint(pair.public)


def test_a_weak_signature_is_taken_from_a_pinned_rsa_key_only(pair: KeyPair, rsa_pair: KeyPair) -> None:
    def offered(*keys: str) -> list[str]:
        hop = Hop("bastion.lan", 22, "mm", keys)
        algorithms: list[str] = dial._parameters(quick(hop, pair=pair), hop)["server_host_key_algs"]
        return algorithms

    assert "ssh-rsa" in offered(bare(rsa_pair.public))
    for keys in ((), (bare(OTHER.public),)):
        assert "ssh-rsa" not in offered(*keys)
        assert {"ssh-ed25519", "rsa-sha2-256"} <= set(offered(*keys))
