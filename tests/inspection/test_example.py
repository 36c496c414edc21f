"""The built-in example: three weeks of history, with every kind of change that its engine can show."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils.timezone import now

from metamapper.annotations.selectors import descriptions
from metamapper.catalog.models import Relation
from metamapper.history.models import Change
from metamapper.inspection.example import load
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, State


@pytest.fixture(autouse=True)
def scripted_engines() -> None:
    """The example is a real SQLite file, read by the real engine."""


@pytest.fixture
def shop(cast: Any, settings: Any, tmp_path: Any) -> Any:
    settings.METAMAPPER_HOME = tmp_path
    return load(cast.larkspur, cast.ana)


def test_every_run_succeeded(shop: Any) -> None:
    runs = list(Run.objects.filter(datastore=shop).exclude(state=State.QUEUED).order_by("number"))
    assert [run.state for run in runs] == [State.SUCCEEDED] * 7, [run.outcome for run in runs]
    assert now() - runs[0].created_at > timedelta(days=20)
    assert all(earlier.created_at < later.created_at for earlier, later in pairwise(runs))


def test_every_kind_of_change_is_there(shop: Any) -> None:
    kinds = Counter(Change.objects.filter(datastore=shop).values_list("kind", flat=True))
    assert {"added", "changed", "renamed", "removed", "restored"} <= kinds.keys()
    severities = set(Change.objects.filter(datastore=shop).values_list("severity", flat=True))
    assert severities == {"safe", "risky", "breaking"}


def test_what_was_written_followed_the_renames(shop: Any, cast: Any) -> None:
    orders = Relation.objects.get(datastore=shop, name="orders", retired_at=None)
    email = orders.datastore.relations.get(name="customers", retired_at=None).columns.get(name="email", retired_at=None)
    texts = descriptions(cast.ana, [orders.pk, email.pk])
    assert len(texts) == 2


def test_loading_twice_gives_the_same(shop: Any, cast: Any) -> None:
    assert load(cast.larkspur, cast.ana) == shop
    assert Run.objects.filter(datastore=shop).count() == 8


def test_a_worker_looks_at_it_at_once(shop: Any) -> None:
    run = Run.objects.get(datastore=shop, state=State.QUEUED)
    execute(run.pk, owner="worker/1")
    run.refresh_from_db()
    shop.refresh_from_db()
    assert (run.state, run.counts.get("changes", 0)) == (State.SUCCEEDED, 0)
    assert now() - shop.seen_at < timedelta(minutes=1)
