"""10,000 datastores due at once: how long until each has its run, what a dispatch costs then, what the broker holds."""

import json
import time
from statistics import quantiles
from uuid import UUID

import django

DATASTORES = 10_000
ROUNDS = 60


def main() -> None:
    django.setup()
    from django.db import connection

    from benchmarks.heart.stores import datastores, workspace
    from metamapper.runs.dispatch import dispatch, window
    from metamapper.runs.due import create_due_runs
    from metamapper.runs.leases import claim
    from metamapper.runs.models import Run

    for number in range(10):
        datastores(workspace(f"w{number}"), DATASTORES // 10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    began = time.perf_counter()
    made = create_due_runs()
    seconds = time.perf_counter() - began
    assert made == Run.objects.count() == DATASTORES

    queue: list[UUID] = []
    held, took = 0, []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        dispatch(queue.append)
        took.append(time.perf_counter() - began)
        held = max(held, len(queue))
        for _ in range(25):
            claim(queue.pop(0), owner="bench/1")
    print(
        json.dumps(
            {
                "seconds": seconds,
                "floor": floor(),
                "dispatch_p95_ms": quantiles(took, n=20)[-1] * 1000,
                "health_p95_ms": quantiles(_health(), n=20)[-1] * 1000,
                "held": held,
                "window": window(),
            }
        )
    )


def _health() -> list[float]:
    """Seconds of each of many probes."""
    from django.test import Client

    client, took = Client(), []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        assert client.get("/health").status_code in {200, 503}
        took.append(time.perf_counter() - began)
    return took


def floor() -> float:
    """Seconds to write as many rows again, 500 a transaction, by the bare statements and nothing else."""
    from django.db import connection, transaction

    columns = (
        "datastore_id, number, slot, available_at, created_at, trigger, state, priority, attempt, lost_count, fence, "
    )
    columns += "dispatch_count, outcome_code, outcome, progress, scopes, counts, statements, id"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE floor AS SELECT {columns} FROM runs_run WHERE false")
        cursor.execute(f"SELECT {columns} FROM runs_run")
        rows = [tuple(json.dumps(each) if isinstance(each, dict | list) else each for each in row) for row in cursor]
        marks = ", ".join(["%s"] * len(rows[0]))
        began = time.perf_counter()
        for start in range(0, len(rows), 500):
            with transaction.atomic():
                cursor.executemany(f"INSERT INTO floor VALUES ({marks})", rows[start : start + 500])
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
