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
    datastore = _datastore(url, anew=forget == "all")
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

    _warm_up(datastore)
    run = request_run(datastore, trigger=Trigger.MANUAL)
    began, worked = time.perf_counter(), time.process_time()
    execute(run.id, owner="benchmark")
    return Run.objects.get(pk=run.pk), time.perf_counter() - began, time.process_time() - worked


def _warm_up(datastore: Any) -> None:
    """Import what a worker that has run before has imported: the engine's driver, the backend of the search."""
    from metamapper.datastores.services import connector_of
    from metamapper.search.selectors import search

    connector_of(datastore)
    search(datastore.created_by, datastore.workspace, "warm")


def _datastore(url: str, *, anew: bool) -> Any:
    from metamapper.accounts.models import User
    from metamapper.connectors.registry import from_url
    from metamapper.datastores.models import Datastore
    from metamapper.datastores.services import create_datastore
    from metamapper.runs.services import set_schedule
    from metamapper.workspaces.models import Workspace

    found = Datastore.objects.first()
    if found and not anew:
        return found
    workspace = Workspace.objects.first() or Workspace.objects.create(name="Benchmark", slug="benchmark")
    user = User.objects.first() or User.objects.create_user("benchmark@localhost")
    engine, settings = from_url(url)
    datastore = create_datastore(
        workspace,
        name=f"source {now():%H%M%S%f}",
        engine=engine.name,
        settings=settings,
        user=user,
        interval_seconds=3600,
        include_schemas="",
        include_tables="",
        tested=True,
    )
    set_schedule(datastore, enabled=False)
    return datastore


if __name__ == "__main__":
    main(sys.argv[1], forget=sys.argv[2])
