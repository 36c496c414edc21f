"""The messages that there are: the id of a run, of a canary, of an errand, as text; each on its task's queue."""

from typing import TYPE_CHECKING
from uuid import UUID

from metamapper.lib.tracing import span

if TYPE_CHECKING:
    from celery import Celery

    from metamapper.runs.dispatch import Publish

TASK = "metamapper.inspect"
CANARY = "metamapper.canary"
ERRAND = "metamapper.errand"
QUEUES = {TASK: "inspections", CANARY: "inspections", ERRAND: "default"}


def publisher(app: "Celery", task: str = TASK) -> "Publish":
    """Publishes through this application: no expiry, no delay, no result; one quick retry (the application's policy)."""

    def publish(identity: UUID) -> None:
        with span(f"{task} publish", identity=identity):
            app.send_task(task, args=(str(identity),), queue=QUEUES[task], ignore_result=True)

    return publish
