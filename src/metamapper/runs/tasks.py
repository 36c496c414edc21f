"""The task of a canary. Inspections have theirs in ``inspection.tasks``."""

from celery import shared_task

from metamapper.runs.canary import receive_canary


@shared_task(name="metamapper.canary")
def canary(identity: object = None, *_args: object, **_fields: object) -> None:
    """Say that the message came. Fields of newer or older senders are ignored."""
    receive_canary(identity)
