"""The tasks of canaries and errands. Inspections have theirs in ``inspection.tasks``."""

from celery import shared_task

from metamapper.runs.canary import receive_canary
from metamapper.runs.errands import execute_errand
from metamapper.runs.worker import owner


@shared_task(name="metamapper.canary")
def canary(identity: object = None, *_args: object, **_fields: object) -> None:
    """Say that the message came. Fields of newer or older senders are ignored."""
    receive_canary(identity)


@shared_task(name="metamapper.errand", soft_time_limit=240, time_limit=300)
def errand(identity: object = None, *_args: object, **_fields: object) -> None:
    """Do what the errand stands for, if it still waits. Fields of newer or older senders are ignored."""
    execute_errand(identity, owner=owner())
