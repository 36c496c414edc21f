"""The one message that there is: a run's id, as text, on the queue for inspections."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from celery import Celery

    from metamapper.runs.dispatch import Publish

TASK = "metamapper.inspect"
QUEUE = "inspections"


def publisher(app: "Celery") -> "Publish":
    """Publishes through this application: no expiry, no delay, no result; one quick retry (the application's policy)."""

    def publish(run_id: UUID) -> None:
        app.send_task(TASK, args=(str(run_id),), queue=QUEUE, ignore_result=True)

    return publish
