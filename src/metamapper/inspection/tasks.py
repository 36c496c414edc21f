"""The task that a message wakes. The message carries a run's id and nothing else; the ledger knows the rest."""

import socket
from os import getpid
from uuid import UUID

from celery import shared_task

from metamapper.inspection import services


@shared_task(name="metamapper.inspect")
def inspect(run_id: str, *_args: object, **_fields: object) -> None:
    """Inspect what the run stands for, if it still wants that. Fields of newer or older senders are ignored."""
    try:
        identity = UUID(run_id)
    except (ValueError, AttributeError, TypeError):
        services.log.warning("A message without a run was dropped", payload=repr(run_id)[:80])
        return
    services.execute(identity, owner=f"{socket.gethostname()}:{getpid()}")
