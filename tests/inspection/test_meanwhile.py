"""What people do while a run applies its results: neither waits for ever, and nothing is left half done."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection, connections

from metamapper.catalog.models import Column, Relation, Schema
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change
from metamapper.inspection import services
from metamapper.inspection.connecting import disconnect
from metamapper.runs.models import Run, Trigger
from metamapper.runs.services import request_run
from metamapper.search.models import Document
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.eventually import eventually
from tests.support.scripted import show

EVERYTHING = (Datastore, Run, Schema, Relation, Column, Change, Document)


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Do this from another session, and be done with it when the block ends."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - it fails the test below
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()
    assert not errors


def another_waits() -> bool:
    """Whether another session waits for us; time enough to wait for one where none can be seen."""
    if connection.vendor != "postgresql":
        time.sleep(0.2)
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_datastore_deleted_while_results_are_applied_is_gone_with_all_of_them(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    datastore = register()
    show(table("orders", "id integer", native="1"))
    look(datastore)
    show(table("orders", "id integer", native="1"), table("more", "id integer", native="2", schema="new"))
    applied, finish, ended = services.apply, services.runs.finish, list[int]()
    monkeypatch.setattr(services.runs, "finish", lambda *args, **kwargs: (finish(*args, **kwargs), ended.append(1)))

    def apply_meanwhile(*args: Any, **kwargs: Any) -> Any:
        result = applied(*args, **kwargs)
        threads.enter_context(meanwhile(lambda: disconnect(Datastore.objects.get(pk=datastore.pk))))
        eventually(another_waits)
        return result

    with ExitStack() as threads:
        monkeypatch.setattr(services, "apply", apply_meanwhile)
        run = request_run(datastore, trigger=Trigger.MANUAL)
        services.execute(run.pk, owner="test/1")
    assert ended, "the run was not to be disturbed"
    assert {model.__name__: model.objects.count() for model in EVERYTHING} == {each.__name__: 0 for each in EVERYTHING}
