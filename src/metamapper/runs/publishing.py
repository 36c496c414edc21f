"""The two messages that there are: a run's id, and a canary's, as text, on the queue for inspections."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from celery import Celery

    from metamapper.runs.dispatch import Publish

TASK = "metamapper.inspect"
CANARY = "metamapper.canary"
QUEUE = "inspections"


def publisher(app: "Celery", task: str = TASK) -> "Publish":
    """Publishes through this application: no expiry, no delay, no result; one quick retry (the application's policy)."""

    def publish(identity: UUID) -> None:
        app.send_task(task, args=(str(identity),), queue=QUEUE, ignore_result=True)

    return publish
