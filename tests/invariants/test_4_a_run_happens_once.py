"""4. A run's effect happens exactly once, or not at all, whatever becomes of the messages and the workers.

``tests/inspection/test_killed.py`` kills a worker before every statement; ``tests/runs`` has the ledger's own proofs.
"""

import threading
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.db import connections

from metamapper.catalog.models import Relation
from metamapper.connectors import registry
from metamapper.connectors.errors import ConnectionLost
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from metamapper.history.models import Change
from metamapper.inspection.services import execute
from metamapper.runs.invariants import broken
from metamapper.runs.models import Attempt, Run, State, Trigger
from metamapper.runs.services import request_run, set_schedule
from tests.cast import assemble
from tests.inspection.tables import table
from tests.support import scripted
from tests.support.scripted import show

WORKERS = 4
ROUNDS = 5


@pytest.fixture
def warehouse(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Datastore]:
    engines = {scripted.STABLE.name: scripted.STABLE}
    monkeypatch.setattr(registry, "registry", lambda: registry.Registry(engines, {}))
    cast = assemble()
    made = create_datastore(
        cast.larkspur,
        name="warehouse",
        engine=scripted.STABLE.name,
        settings=scripted.ScriptedSettings(),
        user=cast.ana,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(made, enabled=False)
    yield made
    scripted.SCRIPTS.clear()


@pytest.fixture(autouse=True)
def the_ledger_holds(transactional_db: None) -> Iterator[None]:
    """After every test here each promise of the ledger is asked of the metastore itself."""
    yield
    assert broken() == {}


def due(warehouse: Datastore) -> Run:
    return request_run(warehouse, trigger=Trigger.MANUAL)


def at_once(work: Callable[[int], None]) -> None:
    """As many workers as there are, all starting at the same moment."""
    together = threading.Barrier(WORKERS)
    failures: list[BaseException] = []

    def one(number: int) -> None:
        try:
            together.wait()
            work(number)
        except BaseException as error:  # noqa: BLE001 - told below, by the test's own thread
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_message_that_comes_to_everybody_is_done_by_one(warehouse: Datastore) -> None:
    for number in range(ROUNDS):
        show(*(table(f"t{each}", "id integer", native=str(each)) for each in range(number + 1)))
        run = due(warehouse)
        at_once(lambda worker, run=run: execute(run.pk, owner=f"worker-{worker}/1"))  # type: ignore[misc]  # bound now
        assert Attempt.objects.filter(run=run).count() == 1
        assert Change.objects.filter(run_id=run.pk, asset="relation", kind="added").count() == 1
    assert Relation.objects.filter(datastore=warehouse).count() == ROUNDS


def test_late_doubled_and_foreign_messages_do_nothing(warehouse: Datastore) -> None:
    show(table("orders", "id integer", native="1"))
    run = due(warehouse)
    execute(run.pk, owner="worker/1")
    changes = Change.objects.count()
    show(table("orders", "id integer", "total text", native="1"))
    for message in (run.pk, run.pk, uuid4()):
        execute(message, owner="late/1")
    assert Change.objects.count() == changes
    assert Run.objects.get(pk=run.pk).attempt == 1


def test_two_never_work_on_one_datastore(warehouse: Datastore) -> None:
    """While one reads, another run of the same datastore can be asked for, and is not begun."""
    script = show(table("orders", "id integer", native="1"))
    seen: list[State] = []

    def meanwhile(_relation: int) -> None:
        second = due(warehouse)
        execute(second.pk, owner="other/1")
        seen.append(State(Run.objects.get(pk=second.pk).state))

    script.on_relation = meanwhile
    execute(due(warehouse).pk, owner="worker/1")
    assert seen == [State.QUEUED]
    assert sorted(Run.objects.values_list("state", flat=True)) == [State.QUEUED, State.SUCCEEDED]


def test_a_read_that_breaks_leaves_everything_as_it_was_and_is_tried_again(warehouse: Datastore) -> None:
    script = show(table("orders", "id integer", native="1"), table("people", "id integer", native="2"))
    execute(due(warehouse).pk, owner="worker/1")
    before = list(Relation.objects.order_by("pk").values())
    show(table("orders", "id integer", "total text", native="1"), table("people", native="2"))
    script.break_after, script.error = 1, ConnectionLost()
    run = due(warehouse)
    execute(run.pk, owner="worker/1")
    assert list(Relation.objects.order_by("pk").values()) == before
    run = Run.objects.get(pk=run.pk)
    assert (run.state, run.attempt) == (State.QUEUED, 1)
    script.break_after = script.error = None
    execute(due(warehouse).pk, owner="worker/1")
    assert {run.state for run in Run.objects.all()} == {State.SUCCEEDED}
    assert Change.objects.filter(run_id=run.pk).exists()
