"""A stand-in for the inspection, run by real workers: it waits for a gate, then writes its one result under the guard.

A datastore's public settings say how it behaves: ``gate`` is a file to wait for; ``crash`` ends the process; ``deaf``
does not hear that it must stop. ``seconds`` is how long it works, ``applying`` how long its transaction takes, and with
``effects`` that writes a row of its own, so that what was applied can be counted beside what the ledger says.
"""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, transaction

from metamapper.celery import app
from metamapper.datastores.models import Datastore
from metamapper.runs.execution import execute
from metamapper.runs.services import Heartbeat, Lease, finish, guard
from metamapper.runs.worker import owner
from tests.runs import mutants

if MUTANT := os.environ.get(mutants.VARIABLE):
    mutants.MUTANTS[MUTANT](pytest.MonkeyPatch())

app.tasks.pop("metamapper.inspect", None)


@app.task(name="metamapper.inspect")  # type: ignore[untyped-decorator] # Celery's decorators have no types
def inspect(run_id: object = None, *_args: object, **_fields: object) -> None:
    execute(run_id, work, owner=owner())


def work(lease: Lease) -> None:
    behaviour = Datastore.objects.get(pk=lease.datastore_id).public_settings
    stop = threading.Event()
    if behaviour.get("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    with Heartbeat(lease, on_lost=stop.set) as beat:
        beat.progress({"phase": "waiting"})
        gate = behaviour.get("gate")
        while gate and not Path(gate).exists():
            if stop.wait(0.05) and not behaviour.get("deaf"):
                break
        stop.wait(behaviour.get("seconds", 0))
        with transaction.atomic():
            guard(lease)
            if behaviour.get("effects"):
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO chaos_effect VALUES (%s, %s)", [lease.run_id, lease.fence])
            time.sleep(behaviour.get("applying", 0))
            finish(lease, state="succeeded", counts={"relations": lease.attempt})
