"""7. A credential is encrypted at rest, and in no log, error, page or message: a planted one is looked for everywhere."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from metamapper.connectors.registry import from_url
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore, settings_of
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, State, Trigger
from metamapper.runs.services import request_run, set_schedule
from tests.cast import Cast
from tests.invariants.storage import everything_stored

PLANTED = "planted-password-5d2e"
UNREACHABLE = f"postgresql://ana:{PLANTED}@127.0.0.1:1/shop"

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Datastore:
    return store(cast, UNREACHABLE)


def store(cast: Cast, url: str) -> Datastore:
    engine, settings = from_url(url)
    datastore = create_datastore(
        cast.larkspur,
        name="shop",
        engine=engine.name,
        settings=settings,
        user=cast.ana,
        interval_seconds=3600,
        tested=False,
    )
    set_schedule(datastore, enabled=False)
    return datastore


def look(datastore: Datastore) -> Run:
    run = request_run(datastore, trigger=Trigger.MANUAL)
    execute(run.pk, owner="test/1")
    return Run.objects.get(pk=run.pk)


def test_the_password_is_kept_but_not_in_clear(shop: Datastore) -> None:
    assert getattr(settings_of(shop), "password", None) == PLANTED
    assert PLANTED not in everything_stored()


def test_a_run_that_fails_keeps_it_to_itself(shop: Datastore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run = look(shop)
    assert run.state in {State.QUEUED, State.FAILED}
    assert run.outcome_code or run.attempt
    assert PLANTED not in everything_stored()
    assert PLANTED not in caplog.text


@pytest.mark.live
def test_nor_does_a_server_s_answer_bring_it_back(
    cast: Cast, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The database's own name is the secret here: the server repeats it in its refusal, where only that one is hidden."""
    caplog.set_level(logging.DEBUG)
    url = postgresql_url.replace("postgres@", f"nobody-like-this:{PLANTED}@")
    look(store(cast, url))
    assert PLANTED not in everything_stored()
    assert PLANTED not in caplog.text


def test_no_page_shows_it(shop: Datastore, cast: Cast) -> None:
    look(shop)
    owner = Client()
    owner.force_login(cast.ana)
    pages = ("datastores", "datastore_settings", "datastore_runs", "runs", "home")
    for name in pages:
        place = {"workspace": cast.larkspur.slug} | ({"datastore": shop.slug} if name.startswith("datastore_") else {})
        answer = owner.get(reverse(name, kwargs=place))
        assert answer.status_code == 200, name
        assert PLANTED not in answer.content.decode(), name


def test_nor_in_the_settings_words(shop: Datastore) -> None:
    """What a traceback or a debugger would print."""
    settings = settings_of(shop)
    assert PLANTED not in repr(settings) + str(settings)
