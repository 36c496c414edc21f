"""A worker's inspection of a PostgreSQL that is behind an OpenSSH server, from the ledger to the catalog."""

import logging
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from metamapper.catalog.models import Relation
from metamapper.connectors.registry import from_url
from metamapper.connectors.tunnel.keys import Algorithm, make
from metamapper.connectors.tunnel.values import Hop, bare
from metamapper.datastores.models import Datastore, SshKey
from metamapper.datastores.services import create_datastore
from metamapper.datastores.tunnels import ensure_key, make_key
from metamapper.inspection.tasks import inspect
from metamapper.runs.models import Run, State, Trigger
from metamapper.runs.services import request_run, set_schedule
from tests.cast import Cast
from tests.invariants.storage import everything_stored
from tests.support import sshd
from tests.support.databases import run_sql
from tests.support.sshd import Sshd

pytestmark = [pytest.mark.live, pytest.mark.django_db]
OTHER_KEY = bare(make(Algorithm.ED25519, "another host").public)


@pytest.fixture(autouse=True)
def scripted_engines() -> None:
    """A real PostgreSQL stands behind this test."""


@pytest.fixture
def host(openssh: str, cast: Cast, postgresql_url: str) -> Iterator[Sshd]:
    run_sql(postgresql_url, "CREATE TABLE orders (id bigint)", "CREATE TABLE customers (id bigint)")
    ensure_key(cast.larkspur, cast.ana)
    with sshd.started(SshKey.objects.get().public, permit=[urlsplit(postgresql_url).port or 0]) as server:
        yield server


def store(cast: Cast, url: str, *hops: Hop) -> Datastore:
    engine, settings = from_url(url)
    datastore = create_datastore(
        cast.larkspur,
        name="shop",
        engine=engine.name,
        settings=settings,
        user=cast.ana,
        interval_seconds=3600,
        hops=hops,
        tested=True,
    )
    set_schedule(datastore, enabled=False)
    return datastore


def look(datastore: Datastore) -> Run:
    run = request_run(datastore, trigger=Trigger.MANUAL)
    inspect.run(str(run.pk))
    return Run.objects.get(pk=run.pk)


def names(datastore: Datastore) -> set[str]:
    return set(Relation.objects.filter(datastore=datastore).values_list("name", flat=True))


def test_it_is_read_and_the_next_look_costs_a_probe(cast: Cast, host: Sshd, postgresql_url: str) -> None:
    datastore = store(cast, postgresql_url, host.hop)
    run = look(datastore)
    assert run.state == State.SUCCEEDED, run.outcome
    assert names(datastore) == {"orders", "customers"}
    assert look(datastore).outcome_code == "unchanged"
    assert not [each for each in threading.enumerate() if each.name == "tunnel"]


def test_which_key_the_host_took_is_written_down(cast: Cast, host: Sshd, postgresql_url: str) -> None:
    """While keys are rotated: the newer is offered first, and the host does not know it yet."""
    old = SshKey.objects.get()
    new = make_key(cast.larkspur, Algorithm.ED25519, cast.ana)
    datastore = store(cast, postgresql_url, host.hop)
    for key in (old, new):
        look(datastore)
        datastore.refresh_from_db()
        assert datastore.signed_in_with == {f"{host.user}@{host.hop}": key.fingerprint}
        host.authorize(old.public, new.public)


def test_a_host_that_goes_away_in_mid_read_is_tried_again(cast: Cast, host: Sshd, postgresql_url: str) -> None:
    datastore = store(cast, postgresql_url, host.hop)
    cutting = threading.Timer(0.7, host.cut)
    with psycopg.connect(postgresql_url) as other:
        other.execute("LOCK TABLE pg_catalog.pg_namespace IN ACCESS EXCLUSIVE MODE")
        cutting.start()
        run = look(datastore)
        cutting.join()
    assert (run.state, run.outcome_code) == (State.QUEUED, "tunnel.lost"), run.outcome
    assert names(datastore) == set()
    Run.objects.filter(pk=run.pk).update(available_at=run.created_at)
    inspect.run(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.SUCCEEDED, 2), run.outcome
    assert names(datastore) == {"orders", "customers"}


@pytest.mark.parametrize(("keys", "code"), [((OTHER_KEY,), "host_key_changed"), ((), "host_key_unknown")])
def test_a_host_that_is_not_the_pinned_one_ends_the_run(
    cast: Cast, host: Sshd, postgresql_url: str, keys: tuple[str, ...], code: str
) -> None:
    run = look(store(cast, postgresql_url, Hop("127.0.0.1", host.port, host.user, keys)))
    assert (run.state, run.outcome_code) == (State.FAILED, f"tunnel.{code}")
    assert "SHA256:" in run.outcome["detail"]
    assert "Accepted" not in host.log()


def test_no_secret_is_in_a_log_an_error_or_the_metastore(
    cast: Cast, host: Sshd, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the private key nor the password that went through the tunnel."""
    from metamapper.datastores.tunnels import tunnel_for

    planted = "planted-password-91ac"
    caplog.set_level(logging.DEBUG)
    datastore = store(cast, postgresql_url.replace("postgres@", f"nobody-like-this:{planted}@"), host.hop)
    tunnel = tunnel_for(cast.larkspur.pk, (host.hop,))
    assert tunnel
    private = "".join(tunnel.keys.private[0].splitlines()[1:-1])
    look(datastore)
    host.authorize()
    look(datastore)
    found = everything_stored() + caplog.text
    assert planted not in found
    parts = {private[at : at + 24] for at in range(len(private) - 24)}
    # A private key's file begins alike for everybody, and holds the public half too.
    known = make(Algorithm.ED25519, "x").private.replace("\n", "") + tunnel.keys.public[0]
    assert not [part for part in parts if part in found and part not in known]
