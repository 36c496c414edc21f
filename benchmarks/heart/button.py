"""From the button to the claim, on an idle Redis with an idle worker, by the metastore's clock."""

import json
import time
from statistics import median, quantiles

import django

from benchmarks.heart.real import redis, services, until
from benchmarks.processes import SERVER

PRESSES = 150
PAUSE = 0.2


def main() -> None:
    with redis():
        django.setup()
        with services("worker", "beat"):
            took = _press()
    print(json.dumps({"p50_ms": median(took) * 1000, "p99_ms": quantiles(took, n=100)[-1] * 1000, "presses": PRESSES}))


def _press() -> list[float]:
    """Seconds of each press, after a few that warm everything up."""
    from benchmarks.inspection import datastore_at
    from metamapper.runs.models import Run, State, Trigger
    from metamapper.runs.services import request_run

    store = datastore_at(SERVER, name="button", anew=True)
    took = []
    for _ in range(PRESSES + 5):
        run = request_run(store, trigger=Trigger.MANUAL)
        until(lambda run=run: Run.objects.filter(pk=run.pk, state=State.SUCCEEDED).exists(), seconds=30)
        done = Run.objects.get(pk=run.pk)
        assert done.started_at
        took.append((done.started_at - done.created_at).total_seconds())
        time.sleep(PAUSE)
    return took[5:]


if __name__ == "__main__":
    main()
