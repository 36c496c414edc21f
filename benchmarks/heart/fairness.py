"""A workspace with 40 datastores due beside one with 8,000: after which share of all runs its last is done."""

import json
from uuid import UUID

import django

MANY, FEW = 8_000, 40
SLOTS = 8


def main() -> None:
    django.setup()
    from benchmarks.heart.ledger import work
    from benchmarks.heart.stores import datastores, workspace
    from metamapper.runs.clock import metastore_now
    from metamapper.runs.dispatch import dispatch
    from metamapper.runs.due import create_due_runs
    from metamapper.runs.models import Run, State, WorkerHeartbeat

    datastores(workspace("many"), MANY)
    few = workspace("few")
    datastores(few, FEW)
    create_due_runs()
    now = metastore_now()
    WorkerHeartbeat.objects.create(name="bench", slots=SLOTS, started_at=now, heard_at=now)
    waiting = Run.objects.filter(datastore__workspace=few, state=State.QUEUED)
    queue: list[UUID] = []
    done = 0
    while waiting.exists():
        dispatch(queue.append)
        taken, queue = queue[:SLOTS], queue[SLOTS:]
        work(taken)
        done += len(taken)
    print(json.dumps({"done": done, "share": done / (MANY + FEW)}))


if __name__ == "__main__":
    main()
