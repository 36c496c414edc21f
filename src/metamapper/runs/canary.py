"""Canaries: messages that prove the whole way, metastore -> broker -> worker -> metastore, and how long it takes.

A worker can live, answer a ping and consume nothing; only a message that comes back tells.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from metamapper.runs.clock import metastore_now
from metamapper.runs.models import Canary, WorkerHeartbeat
from metamapper.runs.timing import timing

Publish = Callable[[UUID], None]
"""Sends one message that names a canary; raises whatever its transport raises."""

log = structlog.get_logger(__name__)


def send_canary(publish: Publish) -> bool:
    """Send one if it is time and somebody lives who would take it: messages that nobody takes would pile up."""
    now = metastore_now()
    if not (_is_due(now) and _somebody_lives(now)):
        return False
    canary = Canary.objects.create(sent_at=now)
    try:
        publish(canary.pk)
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own, and none may end a scheduler
        canary.delete()
        log.warning("canary.not_sent", error=type(error).__name__)
        return False
    return True


def receive_canary(identity: object) -> None:
    """Note that it came. One that is unknown, or that came before, changes nothing."""
    try:
        canary_id = UUID(str(identity))
    except ValueError:
        log.warning("canary.unknown", message=str(identity)[:80])
        return
    Canary.objects.filter(pk=canary_id, received_at=None).update(received_at=metastore_now())


def sweep_canaries(now: datetime) -> None:
    """Forget those of an hour ago."""
    Canary.objects.filter(sent_at__lt=now - timedelta(seconds=timing().canary_forgotten)).delete()


def _is_due(now: datetime) -> bool:
    last = Canary.objects.order_by("-sent_at").first()
    if last is None or last.sent_at > now:
        return True
    wait = timing().canary if last.received_at else timing().canary_late
    return now - last.sent_at >= timedelta(seconds=wait)


def _somebody_lives(now: datetime) -> bool:
    return WorkerHeartbeat.objects.filter(heard_at__gt=now - timedelta(seconds=timing().worker_gone)).exists()
