"""One look at a datastore, as a worker would take it."""

from collections.abc import Callable

from metamapper.datastores.models import Datastore
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, Trigger
from metamapper.runs.services import request_run

Register = Callable[..., Datastore]


def look(datastore: Datastore) -> Run:
    """Inspect once and give the run as it ended."""
    run = request_run(datastore, trigger=Trigger.MANUAL)
    execute(run.pk, owner="test/1")
    return Run.objects.get(pk=run.pk)
