"""Tunnels of datastores: hosts kept with their keys, key pairs sealed, rotation with both valid in between."""

import pytest

from metamapper.connectors.registry import from_url
from metamapper.connectors.tunnel.connector import Tunnelled
from metamapper.connectors.tunnel.keys import Algorithm, make
from metamapper.connectors.tunnel.values import Hop, bare
from metamapper.datastores import services, tunnels
from metamapper.datastores.models import Datastore, SshKey
from metamapper.datastores.tunnels import LastKey, StillUsed
from tests.cast import Cast, assemble
from tests.invariants.storage import everything_stored

pytestmark = pytest.mark.django_db
HOST_KEY = bare(make(Algorithm.ED25519, "host").public)
HOPS = (Hop("bastion.lan", 22, "ana", (HOST_KEY,)), Hop("10.0.0.2", 2222, "ana", (HOST_KEY,)))


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def store(cast: Cast, *hops: Hop, url: str = "postgresql://ana:secret@db.lan/shop") -> Datastore:
    engine, settings = from_url(url)
    return services.create_datastore(
        cast.larkspur,
        name="shop",
        engine=engine.name,
        settings=settings,
        user=cast.ana,
        interval_seconds=3600,
        hops=hops,
        tested=True,
    )


def again(datastore: Datastore) -> Datastore:
    return Datastore.objects.get(pk=datastore.pk)


def test_hops_come_back_as_they_were(cast: Cast) -> None:
    assert tunnels.hops_of(again(store(cast, *HOPS))) == HOPS


def test_its_connector_goes_through_them_with_the_workspace_s_keys(cast: Cast) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    connector = services.connector_of(again(store(cast, *HOPS)))
    assert isinstance(connector, Tunnelled)
    assert connector._tunnel.hops == HOPS
    (key,) = SshKey.objects.all()
    assert connector._tunnel.keys.public == (key.public,)


def test_without_hops_there_is_no_tunnel(cast: Cast) -> None:
    assert not isinstance(services.connector_of(again(store(cast))), Tunnelled)


def test_the_private_half_is_in_no_clear_text_and_in_no_words(cast: Cast) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    tunnel = tunnels.tunnel_for(cast.larkspur.pk, HOPS)
    assert tunnel
    (private,) = tunnel.keys.private
    secret = private.splitlines()[2]
    assert len(secret) > 40
    assert secret not in everything_stored()
    assert secret not in repr(tunnel)


def test_a_workspace_has_one_key_until_somebody_makes_another(cast: Cast) -> None:
    for _ in range(2):
        tunnels.ensure_key(cast.larkspur, cast.ana)
    assert SshKey.objects.filter(workspace=cast.larkspur).count() == 1
    assert not SshKey.objects.filter(workspace=cast.elsewhere).exists()


def test_a_datastore_behind_hosts_has_a_key_from_the_beginning(cast: Cast) -> None:
    store(cast)
    assert not SshKey.objects.exists()
    Datastore.objects.all().delete()
    store(cast, *HOPS)
    assert SshKey.objects.filter(workspace=cast.larkspur).count() == 1


def test_a_workspace_has_six_keys_at_most(cast: Cast) -> None:
    for _ in range(tunnels.MOST_KEYS):
        tunnels.make_key(cast.larkspur, Algorithm.ED25519, cast.ana)
    with pytest.raises(tunnels.TooManyKeys, match="6 key pairs"):
        tunnels.make_key(cast.larkspur, Algorithm.ED25519, cast.ana)
    assert SshKey.objects.count() == tunnels.MOST_KEYS == 6


def test_sign_ins_of_two_runs_are_both_kept(cast: Cast) -> None:
    """Each has read the datastore before the other wrote."""
    datastore = store(cast, *HOPS)
    one, other = (tunnels.note_sign_ins(again(datastore)) for _ in range(2))
    one(HOPS[0], "SHA256:a")
    other(HOPS[1], "SHA256:b")
    assert again(datastore).signed_in_with == {"ana@bastion.lan": "SHA256:a", "ana@10.0.0.2:2222": "SHA256:b"}


def test_a_host_that_is_gone_by_then_is_not_noted(cast: Cast) -> None:
    datastore = store(cast, *HOPS)
    late = tunnels.note_sign_ins(again(datastore))
    changed(again(datastore), *HOPS[1:])
    late(HOPS[0], "SHA256:a")
    late(HOPS[1], "SHA256:b")
    assert list(again(datastore).signed_in_with.values()) == ["SHA256:b"]


def test_a_change_of_one_host_forgets_nothing_of_the_other(cast: Cast) -> None:
    datastore = store(cast, *HOPS)
    stale = again(datastore)
    for hop, key in zip(HOPS, ("SHA256:a", "SHA256:b"), strict=True):
        tunnels.note_sign_ins(again(datastore))(hop, key)
    changed(stale, HOPS[0], Hop("10.0.0.3", 22, "ana", (HOST_KEY,)))
    assert again(datastore).signed_in_with == {"ana@bastion.lan": "SHA256:a"}


def changed(datastore: Datastore, *hops: Hop) -> None:
    services.update_datastore(
        datastore, name="shop", settings=services.settings_of(datastore), include_schemas="", include_tables="",
        hops=hops, tested=True,
    )  # fmt: skip


def test_both_keys_are_offered_the_newest_first(cast: Cast) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    old = SshKey.objects.get()
    new = tunnels.make_key(cast.larkspur, Algorithm.ED25519, cast.ana)
    tunnel = tunnels.tunnel_for(cast.larkspur.pk, HOPS)
    assert tunnel
    assert tunnel.keys.public == (new.public, old.public)


def test_a_workspace_s_keys_sign_in_for_nobody_else(cast: Cast) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    tunnel = tunnels.tunnel_for(cast.elsewhere.pk, HOPS)
    assert tunnel
    assert tunnel.keys.private == ()


def test_the_only_key_is_not_retired(cast: Cast) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    with pytest.raises(LastKey):
        tunnels.retire_key(SshKey.objects.get(), although_used=True)


def test_a_key_that_hosts_still_take_is_retired_only_knowingly(cast: Cast) -> None:
    datastore = store(cast, *HOPS)
    old = SshKey.objects.get()
    new = tunnels.make_key(cast.larkspur, Algorithm.ED25519, cast.ana)
    note = tunnels.note_sign_ins(datastore)
    note(HOPS[0], old.fingerprint)
    note(HOPS[1], new.fingerprint)
    with pytest.raises(StillUsed) as caught:
        tunnels.retire_key(old)
    assert [(use.datastore, use.host) for use in caught.value.uses] == [(datastore, "ana@bastion.lan")]
    note(HOPS[0], new.fingerprint)
    tunnels.retire_key(old)
    assert list(SshKey.objects.all()) == [new]
    assert again(datastore).signed_in_with == {
        "ana@bastion.lan": new.fingerprint,
        "ana@10.0.0.2:2222": new.fingerprint,
    }


def test_other_hops_make_a_test_and_a_probe_worth_nothing(cast: Cast) -> None:
    datastore = store(cast)
    Datastore.objects.filter(pk=datastore.pk).update(probe_token="proved", signed_in_with={"a": "b"})
    datastore = again(datastore)
    services.update_datastore(
        datastore,
        name="shop",
        settings=services.settings_of(datastore),
        include_schemas="",
        include_tables="",
        hops=HOPS,
        tested=False,
    )
    changed = again(datastore)
    assert (changed.probe_token, changed.tested_at, changed.signed_in_with) == ("", None, {})
    assert tunnels.hops_of(changed) == HOPS
