"""Inspections of the generated source through the very code that workers run, each in a process of its own.

``python -m benchmarks.inspection SCENARIO`` runs one and prints a JSON line; ``benchmarks`` calls it and compares.
"""

import json
import os
import resource
import sys
import time
from typing import Any

import django
from django.utils.timezone import now

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "metamapper.project.settings")


def main(url: str, *, forget: str) -> None:
    """Inspect the source at ``url`` once. ``forget`` is what to forget before: all, probe (so that everything is read) or nothing."""
    django.setup()
    # A worker has run before: its modules are imported, its connection is open.
    _inspect(datastore_at(url.rsplit("/", 1)[0] + "/postgres", name="warm-up", anew=False))
    datastore = datastore_at(url, name="source", anew=forget == "all")
    if forget == "probe":
        type(datastore).objects.filter(pk=datastore.pk).update(probe_token="", read_at=now())
    run, seconds, cpu = _inspect(datastore)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": cpu,
                "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "state": run.state,
                "counts": run.counts,
                "statements": len(run.statements),
                "outcome": run.outcome,
            }
        )
    )


def _inspect(datastore: Any) -> tuple[Any, float, float]:
    from metamapper.inspection.services import execute
    from metamapper.runs.models import Run, Trigger
    from metamapper.runs.services import request_run

    run = request_run(datastore, trigger=Trigger.MANUAL)
    began, worked = time.perf_counter(), time.process_time()
    execute(run.id, owner="benchmark")
    return Run.objects.get(pk=run.pk), time.perf_counter() - began, time.process_time() - worked


def datastore_at(url: str, *, name: str, anew: bool) -> Any:
    """The datastore of that name, made if there is none (or always, under another name)."""
    from metamapper.accounts.models import User
    from metamapper.connectors.registry import from_url
    from metamapper.datastores.models import Datastore
    from metamapper.datastores.services import create_datastore
    from metamapper.runs.services import set_schedule
    from metamapper.workspaces.models import Workspace

    found = Datastore.objects.filter(name__startswith=name).first()
    if found and not anew:
        return found
    workspace = Workspace.objects.first() or Workspace.objects.create(name="Benchmark", slug="benchmark")
    user = User.objects.first() or User.objects.create_user("benchmark@localhost")
    engine, settings = from_url(url)
    datastore = create_datastore(
        workspace,
        name=f"{name} {now():%H%M%S%f}",
        engine=engine.name,
        settings=settings,
        user=user,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(datastore, enabled=False)
    return datastore


if __name__ == "__main__":
    main(sys.argv[1], forget=sys.argv[2])
