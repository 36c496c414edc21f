"""What the ledger costs a run (claim, heartbeat, finish, without inspecting), alone and by four processes at once."""

import json
import os
import subprocess
import sys
import time
from uuid import UUID

import django

RUNS = 2_000
PROCESSES = 4
ALONE = 300


def main() -> None:
    django.setup()
    if len(sys.argv) > 1:
        _child()
        return
    from benchmarks.heart.stores import datastores, workspace
    from metamapper.runs.due import create_due_runs
    from metamapper.runs.models import Run, State

    datastores(workspace("w"), RUNS + ALONE)
    create_due_runs()
    ids = list(Run.objects.values_list("pk", flat=True))
    bare = floor(ids[:ALONE])
    began = time.perf_counter()
    work(ids[:ALONE])
    each = (time.perf_counter() - began) / ALONE
    seconds = _at_once(ids[ALONE:])
    assert Run.objects.filter(state=State.SUCCEEDED).count() == RUNS + ALONE
    print(json.dumps({"each_ms": each * 1000, "floor_ms": bare * 1000, "per_second": RUNS / seconds}))


def work(ids: list[UUID]) -> None:
    """Each run from claim to end, as a worker does it."""
    from django.db import transaction

    from metamapper.runs.services import claim, finish, guard, heartbeat

    for run_id in ids:
        lease = claim(run_id, owner=f"bench/{os.getpid()}")
        assert lease
        assert heartbeat(lease)
        with transaction.atomic():
            guard(lease)
            finish(lease, state="succeeded")


def floor(ids: list[UUID]) -> float:
    """Seconds a run of three transactions with the bare writes: claim and attempt, heartbeat, end."""
    from django.db import connection, transaction

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor AS SELECT * FROM runs_run")
        cursor.execute("CREATE UNIQUE INDEX ON floor (id)")
        cursor.execute("CREATE TABLE floor_attempt AS SELECT * FROM runs_attempt WHERE false")
        began = time.perf_counter()
        for run_id in ids:
            with transaction.atomic():
                cursor.execute("UPDATE floor SET state = 'running', attempt = attempt + 1 WHERE id = %s", [run_id])
                cursor.execute("INSERT INTO floor_attempt (run_id, number) VALUES (%s, 1)", [run_id])
            cursor.execute("UPDATE floor SET heartbeat_at = now() WHERE id = %s", [run_id])
            with transaction.atomic():
                cursor.execute("UPDATE floor SET state = 'succeeded', finished_at = now() WHERE id = %s", [run_id])
                cursor.execute("UPDATE floor_attempt SET ended_at = now() WHERE run_id = %s", [run_id])
    return (time.perf_counter() - began) / len(ids)


def _at_once(ids: list[UUID]) -> float:
    """Seconds from the moment at which all processes are ready until the last has done its share."""
    command = [sys.executable, "-m", "benchmarks.heart.ledger", "child"]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout
        child.stdout.readline()
    began = time.perf_counter()
    for number, child in enumerate(children):
        _begin(child, ids[number::PROCESSES])
    for child in children:
        if child.wait():
            raise SystemExit("A process of the ledger's benchmark failed")
    return time.perf_counter() - began


def _begin(child: "subprocess.Popen[str]", ids: list[UUID]) -> None:
    assert child.stdin
    child.stdin.write("\n".join(map(str, ids)))
    child.stdin.close()


def _child() -> None:
    """Says when it is ready, then does the runs that it is told."""
    from metamapper.runs.models import Run

    Run.objects.exists()
    print("ready", flush=True)
    work([UUID(each) for each in sys.stdin.read().split()])


if __name__ == "__main__":
    main()
