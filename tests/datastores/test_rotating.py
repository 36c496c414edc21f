"""Every stored secret moves to the first key: in one go, again after it was stopped, or not at all."""

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from django.utils import timezone

from metamapper.cli.commands import metamapper
from metamapper.connectors.registry import from_url
from metamapper.connectors.tunnel.keys import Algorithm
from metamapper.datastores import services, tunnels, vault
from metamapper.datastores.models import Datastore, SshKey
from metamapper.lib.crypto import Vault, WrongKey
from metamapper.runs.models import Errand
from tests.cast import Cast, assemble

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
DATASTORES = 30


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def full(cast: Cast, settings: object) -> Cast:
    """Secrets of every kind, all under the old key; then a new one is put first."""
    settings.METAMAPPER_FERNET_KEYS = [OLD]  # type: ignore[attr-defined]
    engine, found = from_url("postgresql://ana:planted@db.lan/shop")
    for number in range(DATASTORES):
        services.create_datastore(
            cast.larkspur,
            name=f"shop {number}",
            engine=engine.name,
            settings=found,
            user=cast.ana,
            interval_seconds=3600,
            tested=True,
        )
    tunnels.make_key(cast.larkspur, Algorithm.ED25519, cast.ana)
    now = timezone.now()
    Errand.objects.create(kind="mail", sealed=vault.vault().seal({"to": "ana"}), available_at=now, created_at=now)
    settings.METAMAPPER_FERNET_KEYS = [NEW, OLD]  # type: ignore[attr-defined]
    return cast


def tokens() -> list[bytes]:
    return [token for *_, token in vault._all()]


def test_whatever_is_sealed_is_known(full: Cast) -> None:
    assert set(vault.sealed_columns()) == {
        (Datastore, "sealed_secrets"),
        (SshKey, "sealed_private"),
        (Errand, "sealed"),
    }


def test_all_moves_to_the_first_key_and_can_still_be_opened(full: Cast, settings: object) -> None:
    before = tunnels.tunnel_for(full.larkspur.pk, [])
    done = CliRunner().invoke(metamapper, ["rotate-keys"])
    assert done.output.startswith(f"{DATASTORES + 2} stored secrets"), done.output
    settings.METAMAPPER_FERNET_KEYS = [NEW]  # type: ignore[attr-defined]
    assert all(map(Vault([NEW]).is_current, tokens()))
    assert getattr(services.settings_of(Datastore.objects.all()[0]), "password", None) == "planted"
    assert tunnels.tunnel_for(full.larkspur.pk, []) == before
    assert CliRunner().invoke(metamapper, ["rotate-keys"]).output.startswith("0 stored secrets")


def test_after_a_stop_it_does_what_is_left(full: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    real, done = vault._resealed, []

    def stopping(*row: object) -> bool:
        if len(done) == 7:
            raise KeyboardInterrupt
        done.append(row)
        return real(*row)  # type: ignore[arg-type]

    monkeypatch.setattr(vault, "_resealed", stopping)
    with pytest.raises(KeyboardInterrupt):
        vault.rotate()
    monkeypatch.setattr(vault, "_resealed", real)
    assert vault.rotate() == DATASTORES + 2 - 7
    assert all(map(Vault([NEW]).is_current, tokens()))


def test_where_a_key_is_missing_nothing_changes(full: Cast, settings: object) -> None:
    settings.METAMAPPER_FERNET_KEYS = [NEW]  # type: ignore[attr-defined]
    before = tokens()
    with pytest.raises(WrongKey):
        vault.rotate()
    done = CliRunner().invoke(metamapper, ["rotate-keys"])
    assert done.exit_code == 2
    assert "METAMAPPER_FERNET_KEY" in done.output
    assert tokens() == before


def test_a_secret_that_was_just_written_stays(full: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its being read and being replaced somebody typed another password."""
    datastore = Datastore.objects.all()[0]
    new = vault.vault().seal({"password": "newer"})
    real = Vault.rotate

    def meanwhile(self: Vault, token: bytes) -> bytes:
        Datastore.objects.filter(pk=datastore.pk).update(sealed_secrets=new)
        return real(self, token)

    monkeypatch.setattr(Vault, "rotate", meanwhile)
    assert not vault._resealed(vault.vault(), Datastore, "sealed_secrets", datastore.pk)
    assert bytes(Datastore.objects.get(pk=datastore.pk).sealed_secrets) == new
