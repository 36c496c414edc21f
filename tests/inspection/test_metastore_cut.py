"""F11: the metastore cuts the session that applies a run, at any moment of it: before or after, never between."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from metamapper.catalog.models import Relation
from metamapper.history.models import Change
from metamapper.inspection import services
from metamapper.inspection.services import execute
from metamapper.lib import bulk
from metamapper.runs.models import Run, State, Trigger
from metamapper.runs.services import request_run
from metamapper.search.backends import postgresql
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import show

pytestmark = pytest.mark.django_db(transaction=True)


def cut() -> None:
    """End our own session from another one, as a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()


def before(step: Callable[..., Any]) -> Callable[..., Any]:
    def cut_then_step(*args: Any, **kwargs: Any) -> Any:
        cut()
        return step(*args, **kwargs)

    return cut_then_step


def after(step: Callable[..., Any]) -> Callable[..., Any]:
    def step_then_cut(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        cut()
        return result

    return step_then_cut


@pytest.mark.parametrize(
    ("owner", "step", "when"),
    [
        (bulk, "insert", before),
        (bulk, "insert", after),
        (postgresql, "_opened", before),
        (services, "apply", before),
        (services, "apply", after),
        (services.runs, "guard", after),
        (services.runs, "finish", before),
        (services.runs, "finish", after),
    ],
)
def test_a_cut_leaves_all_or_nothing_and_the_run_is_done_within_seconds(
    register: Register, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str, when: Callable[..., Any]
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no sessions that could be cut")
    datastore = register()
    show(table("orders", "id integer", native="1"))
    look(datastore)
    show(table("purchases", "id integer", native="1"), table("more", "id integer", native="2"))
    run = request_run(datastore, trigger=Trigger.MANUAL)
    untouched = (set(Relation.objects.values_list("name", flat=True)), Change.objects.count())
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, when(getattr(owner, step)))
        execute(run.pk, owner="test/1")
    run.refresh_from_db()
    assert (run.state, run.outcome_code) == (State.QUEUED, "metastore.away")
    assert (set(Relation.objects.values_list("name", flat=True)), Change.objects.count()) == untouched
    Run.objects.filter(pk=run.pk).update(available_at=run.created_at)
    execute(run.pk, owner="test/2")
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED
    assert set(Relation.objects.values_list("name", flat=True)) == {"purchases", "more"}
    assert Change.objects.filter(run_id=run.pk, kind="renamed").count() == 1
