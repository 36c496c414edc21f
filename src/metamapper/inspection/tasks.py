"""The task that a message wakes. The message carries a run's id and nothing else; the ledger knows the rest."""

from celery import shared_task

from metamapper.inspection import services
from metamapper.runs.worker import owner


@shared_task(name="metamapper.inspect")
def inspect(run_id: object = None, *_args: object, **_fields: object) -> None:
    """Inspect what the run stands for, if it still wants that. Fields of newer or older senders are ignored."""
    services.execute(run_id, owner=owner())
