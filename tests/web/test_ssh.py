"""The SSH hosts of a datastore in its form, and the page of the workspace's keys."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from django.utils.html import escape

from metamapper.connectors.tunnel.keys import Algorithm, make
from metamapper.connectors.tunnel.values import bare, fingerprint
from metamapper.datastores import tunnels
from metamapper.datastores.models import Datastore, SshKey
from metamapper.datastores.services import settings_of
from metamapper.web.datastores.forms import AGAIN
from tests.cast import Cast
from tests.support import sshd
from tests.support.sshd import Sshd
from tests.web.clients import as_user
from tests.web.scenery import PASSWORD
from tests.web.test_connecting import CONNECT, HTMX, WRONG, proof_in

KEYS = "/larkspur/ssh-keys/"
HOST_KEY = bare(make(Algorithm.ED25519, "host").public)
OTHER_KEY = bare(make(Algorithm.ED25519, "other").public)


def typed(**changes: str) -> dict[str, str]:
    return WRONG | {"set_host": "db.lan", "set_database": "shop", "set_user": "ana", **changes}


def hop(number: int = 0, **values: str) -> dict[str, str]:
    given = {"host": "bastion.lan", "port": "22", "user": "ana", "key": HOST_KEY} | values
    return {f"hop_{number}_{name}": value for name, value in given.items()}


def value_of(name: str, page: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else "not there"


def asked(cast: Cast, act: str, form: dict[str, str]) -> str:
    return as_user(cast.ana).post(f"{CONNECT}ssh/", form | {"hops": act}, headers=HTMX).content.decode()


def test_it_is_off_until_somebody_adds_a_host(cast: Cast) -> None:
    page = as_user(cast.ana).get(f"{CONNECT}?engine=postgresql").content.decode()
    assert "Reach it through SSH" in page
    assert "hop_0_host" not in page
    assert not SshKey.objects.exists()


def test_a_file_of_this_machine_has_no_such_thing(cast: Cast) -> None:
    page = as_user(cast.ana).get(f"{CONNECT}?engine=sqlite").content.decode()
    assert "Reach it through SSH" not in page


def test_adding_a_host_makes_the_key_and_a_row(cast: Cast) -> None:
    page = asked(cast, "add", typed())
    assert 'name="hop_0_host"' in page
    assert SshKey.objects.get().workspace == cast.larkspur


def test_the_line_for_each_host_names_what_is_behind_it(cast: Cast) -> None:
    page = asked(cast, "add", typed() | hop() | hop(1, host="inner.lan", port="2222"))
    assert "restrict,port-forwarding,permitopen=&quot;inner.lan:2222&quot; ssh-ed25519" in page
    assert "restrict,port-forwarding,permitopen=&quot;db.lan:5432&quot; ssh-ed25519" in page


def test_a_host_is_removed_and_the_next_one_moves_up(cast: Cast) -> None:
    page = asked(cast, "remove-0", typed() | hop() | hop(1, host="inner.lan"))
    assert value_of("hop_0_host", page) == "inner.lan"
    assert "hop_1_host" not in page


def test_a_key_that_was_shown_is_accepted_and_forgotten(cast: Cast) -> None:
    page = asked(cast, "accept-0", typed() | hop(key="", shown=HOST_KEY))
    assert value_of("hop_0_key", page) == HOST_KEY
    assert value_of("hop_0_shown", page) == ""
    assert fingerprint(HOST_KEY) in page
    assert value_of("hop_0_key", asked(cast, "forget-0", typed() | hop())) == ""


def test_without_scripts_the_whole_page_comes_back(cast: Cast) -> None:
    page = as_user(cast.ana).post(f"{CONNECT}ssh/", typed() | hop() | {"hops": "add"})
    assert page.status_code == 200
    assert "Connect a datastore" in page.content.decode()
    assert 'name="hop_1_host"' in page.content.decode()


def test_keys_that_cannot_be_decrypted_are_said(cast: Cast, settings: Any) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    settings.METAMAPPER_FERNET_KEYS = [Fernet.generate_key().decode()]
    page = as_user(cast.ana).post(f"{CONNECT}test/", typed() | hop(), headers=HTMX).content.decode()
    assert "METAMAPPER_FERNET_KEY" in page


@pytest.mark.parametrize("act", ["", "add-", "accept-9", "accept-x", "remove--1", "forget-", "drop-0", "accept-0"])
def test_other_acts_change_nothing(cast: Cast, act: str) -> None:
    form = typed() | hop(key="", shown="no key at all")
    page = asked(cast, act, form)
    assert value_of("hop_0_key", page) == ""
    assert value_of("hop_0_host", page) == "bastion.lan"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"port": "70000"}, "SSH port"),
        ({"port": "x"}, "SSH port"),
        ({"user": ""}, "SSH user"),
        ({"host": "bad host"}, "SSH host"),
        ({"host": "-oProxyCommand=x"}, "SSH host"),
        ({"key": "rubbish"}, "SSH host key"),
    ],
)
def test_what_is_no_host_is_said_and_not_saved(cast: Cast, wrong: dict[str, str], said: str) -> None:
    page = as_user(cast.ana).post(CONNECT, typed(untested="1") | hop(**wrong))
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Datastore.objects.exists()


def saved(cast: Cast, **changes: str) -> Datastore:
    form = typed(untested="1", name="warehouse", set_password=PASSWORD) | hop(**changes)
    as_user(cast.ana).post(CONNECT, form)
    return Datastore.objects.get()


def test_hosts_are_saved_with_the_form_and_shown_again(cast: Cast) -> None:
    datastore = saved(cast)
    assert [(each.host, each.port, each.user) for each in tunnels.hops_of(datastore)] == [("bastion.lan", 22, "ana")]
    page = as_user(cast.ana).get(f"/larkspur/datastores/{datastore.slug}/settings/").content.decode()
    assert value_of("hop_0_host", page) == "bastion.lan"
    assert value_of("hop_0_key", page) == HOST_KEY


@pytest.mark.parametrize("change", [{"host": "other.lan"}, {"key": OTHER_KEY}, {"user": "rui"}])
def test_a_stored_password_goes_through_no_other_host(cast: Cast, change: dict[str, str]) -> None:
    """Whoever may edit a datastore could have it sent to a server of their own."""
    _asked_for_again(cast, saved(cast), typed(untested="1", name="warehouse", set_password="") | hop(**change))


def test_nor_without_them(cast: Cast) -> None:
    datastore = saved(cast)
    _asked_for_again(cast, datastore, typed(untested="1", name="warehouse", set_password=""))
    assert datastore.hops == []


def _asked_for_again(cast: Cast, datastore: Datastore, form: dict[str, str]) -> None:
    """Nothing is changed, and the password goes nowhere, until somebody types it or has it forgotten."""
    address, hops = f"/larkspur/datastores/{datastore.slug}/settings/", datastore.hops
    refused = as_user(cast.ana).post(address, form)
    assert refused.status_code == 422
    assert escape(AGAIN) in refused.content.decode()
    datastore.refresh_from_db()
    assert (datastore.hops, getattr(settings_of(datastore), "password", None)) == (hops, PASSWORD)
    as_user(cast.ana).post(address, form | {"forget_password": "1"})
    datastore.refresh_from_db()
    assert datastore.hops != hops
    assert getattr(settings_of(datastore), "password", None) == ""


def test_it_stays_where_only_the_name_changes(cast: Cast) -> None:
    datastore = saved(cast)
    form = typed(name="other name", set_password="") | hop()
    answer = as_user(cast.ana).post(f"/larkspur/datastores/{datastore.slug}/settings/", form)
    assert answer.status_code == 302
    datastore.refresh_from_db()
    assert datastore.name == "other name"
    assert getattr(settings_of(datastore), "password", None) == PASSWORD


# --- Through a real host ----------------------------------------------------------------------------------------------


@pytest.fixture
def host(openssh: str, cast: Cast, postgresql_url: str) -> Iterator[Sshd]:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    with sshd.started(SshKey.objects.get().public, permit=[urlsplit(postgresql_url).port or 0]) as server:
        yield server


@pytest.mark.live
def test_a_first_test_shows_the_key_and_the_next_goes_through(cast: Cast, host: Sshd, postgresql_url: str) -> None:
    parts = urlsplit(postgresql_url)
    form: dict[str, Any] = WRONG | {
        "name": "warehouse",
        "set_host": str(parts.hostname),
        "set_port": str(parts.port),
        "set_database": parts.path.removeprefix("/"),
        "set_user": str(parts.username),
    }
    unpinned = form | hop(host="127.0.0.1", port=str(host.port), user=host.user, key="")
    client = as_user(cast.ana)
    first = client.post(f"{CONNECT}test/", unpinned, headers=HTMX).content.decode()
    assert fingerprint(host.host_key) in first
    assert value_of("hop_0_shown", first) == host.host_key
    assert not proof_in(first)
    assert "Accepted" not in host.log()
    pinned = unpinned | {"hop_0_key": host.host_key}
    second = client.post(f"{CONNECT}test/", pinned, headers=HTMX).content.decode()
    assert 'data-step="failed"' not in second
    assert proof_in(second)
    assert client.post(CONNECT, unpinned | {"proof": proof_in(second)}).status_code == 422
    assert client.post(CONNECT, pinned | {"proof": proof_in(second)}).status_code == 302


@pytest.mark.live
def test_a_test_after_the_new_key_was_added_lets_the_old_one_go(cast: Cast, host: Sshd, postgresql_url: str) -> None:
    parts, client, old = urlsplit(postgresql_url), as_user(cast.ana), SshKey.objects.get()
    form: dict[str, Any] = WRONG | {
        "name": "warehouse",
        "set_host": str(parts.hostname),
        "set_port": str(parts.port),
        "set_database": parts.path.removeprefix("/"),
        "set_user": str(parts.username),
        **hop(host="127.0.0.1", port=str(host.port), user=host.user, key=host.host_key),
    }
    client.post(CONNECT, form | {"untested": "1"})
    client.post("/larkspur/datastores/warehouse/settings/test/", form)
    client.post(KEYS, {"make": "ed25519"})
    assert client.post(KEYS, {"retire": str(old.pk)}).status_code == 422
    host.authorize(*SshKey.objects.values_list("public", flat=True))
    client.post("/larkspur/datastores/warehouse/settings/test/", form)
    assert client.post(KEYS, {"retire": str(old.pk)}).status_code == 302
    assert old not in SshKey.objects.all()


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_the_page_shows_public_halves_only(cast: Cast) -> None:
    tunnels.ensure_key(cast.larkspur, cast.ana)
    page = as_user(cast.kim).get(KEYS).content.decode()
    key = SshKey.objects.get()
    assert key.public in page
    assert "PRIVATE KEY" not in page


def test_keys_are_made_and_the_old_one_is_retired_knowingly(cast: Cast) -> None:
    client = as_user(cast.ana)
    for algorithm in ("ed25519", "rsa"):
        assert client.post(KEYS, {"make": algorithm}).status_code == 302
    old = SshKey.objects.get(algorithm="ed25519")
    datastore = saved(cast)
    tunnels.note_sign_ins(datastore)(tunnels.hops_of(datastore)[0], old.fingerprint)
    asked = client.post(KEYS, {"retire": str(old.pk)})
    assert asked.status_code == 422
    assert "Retire it all the same" in asked.content.decode()
    assert "ana@bastion.lan" in asked.content.decode()
    assert client.post(KEYS, {"retire": str(old.pk), "sure": "1"}).status_code == 302
    assert SshKey.objects.get().algorithm == "rsa"


def test_nobody_retires_keys_of_others(cast: Cast) -> None:
    for _ in range(2):
        tunnels.make_key(cast.elsewhere, Algorithm.ED25519, cast.oskar)
    assert as_user(cast.ana).post(KEYS, {"retire": str(SshKey.objects.all()[0].pk)}).status_code == 404
    assert as_user(cast.kim).post("/larkspur/ssh-keys/", {"make": "ed25519"}).status_code == 403
    assert SshKey.objects.count() == 2


def test_there_is_an_end_to_making_keys(cast: Cast) -> None:
    client = as_user(cast.ana)
    for _ in range(8):
        client.post(KEYS, {"make": "ed25519"})
    assert SshKey.objects.count() == 6


def test_the_usual_port_of_an_engine_is_what_a_host_must_let_through(cast: Cast) -> None:
    """A metastore's form says 0 for it, which sshd refuses in ``permitopen``."""
    lake = {"engine": "hive", "name": "lake", "interval": "3600", "set_host": "metastore.lan", "set_port": "0"}
    for access, port in (("thrift_service", 9083), ("mysql_database", 3306), ("no such thing", None)):
        page = asked(cast, "add", lake | {"set_access": access} | hop())
        assert ("permitopen=" in page) is (port is not None)
        assert port is None or f"permitopen=&quot;metastore.lan:{port}&quot;" in page


@pytest.mark.parametrize("port", ["9" * 5000, "70000", "0", "²", "٢٢"])
def test_a_port_that_is_none_is_said_and_breaks_nothing(cast: Cast, port: str) -> None:
    """Longer numbers than Python reads, and digits of other scripts."""
    page = as_user(cast.ana).post(CONNECT, typed() | hop(port=port)).content.decode()
    assert "SSH port: a whole number from 1 to 65535 is needed." in page
    assert "hop_0_host" in asked(cast, "add", typed(set_port=port) | hop(port=port))
    assert "hop_0_host" in asked(cast, f"remove-1{port}", typed() | hop())
