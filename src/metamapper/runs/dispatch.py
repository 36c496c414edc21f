"""Wake workers for what waits: outbox, fairness and back-pressure in one.

The broker never holds more than a window of messages. A run is marked as sent and committed before its message is
published; a message that was lost is sent again after a while.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Sum

from metamapper.runs.clock import metastore_now
from metamapper.runs.models import Run, State, WorkerHeartbeat
from metamapper.runs.timing import timing

Publish = Callable[[UUID], None]
"""Sends one message that names a run; raises whatever its transport raises."""

log = structlog.get_logger(__name__)

_HOST = {
    "postgresql": "nullif(d.public_settings ->> 'host', '')",
    "sqlite": "nullif(json_extract(d.public_settings, '$.host'), '')",
}
_CHOOSE = Path(__file__).with_name("dispatch.sql").read_text(encoding="utf-8")


def dispatch(publish: Publish) -> int:
    """Send as many messages as the window has room for; how many were sent."""
    return _send(_mark(_choose()), publish)


def dispatch_now(run_ids: Sequence[UUID], publish: Publish) -> int:
    """Send those of these whose turn it is, ahead of the next tick. Nobody's button goes before everybody's turn."""
    asked = set(run_ids)
    return _send(_mark([each for each in _choose() if each in asked]), publish)


def window() -> int:
    """How many messages the broker may hold: enough to keep every worker busy, few enough to stay fair."""
    limits = timing()
    alive = metastore_now() - timedelta(seconds=limits.worker_gone)
    slots = WorkerHeartbeat.objects.filter(heard_at__gt=alive).aggregate(total=Sum("slots"))["total"] or 0
    return max(limits.window, limits.window_per_slot * slots)


def _unsent() -> Q:
    """Never sent, sent so long ago that the message is lost, or "sent" under a clock that was ahead."""
    now = metastore_now()
    stale = now - timedelta(seconds=timing().redispatch)
    return Q(dispatched_at=None) | Q(dispatched_at__lte=stale) | Q(dispatched_at__gt=now)


def _choose() -> list[UUID]:
    if not Run.objects.filter(_unsent(), state=State.QUEUED).exists():
        return []
    limits, now, most = timing(), metastore_now(), window()
    sent = Run.objects.filter(state=State.QUEUED).exclude(_unsent()).count()
    moment = connection.ops.adapt_datetimefield_value
    parameters: dict[str, Any] = {
        "now": moment(now),
        "stale": moment(now - timedelta(seconds=limits.redispatch)),
        "horizon": moment(now + timedelta(seconds=limits.longest_wait)),
        "sessions": limits.sessions_per_host,
        "share": most // 2,
        "room": max(most - sent, 0),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE.format(host=_HOST[connection.vendor]), parameters)
        return [row[0] if isinstance(row[0], UUID) else UUID(row[0]) for row in cursor.fetchall()]


def _mark(run_ids: Sequence[UUID]) -> list[UUID]:
    """Mark as sent those that nobody else marks at this moment; in the given order."""
    with transaction.atomic():
        sendable = Run.objects.filter(_unsent(), pk__in=run_ids, state=State.QUEUED)
        won = set(sendable.select_for_update(skip_locked=True).values_list("pk", flat=True))
        Run.objects.filter(pk__in=won).update(dispatched_at=metastore_now(), dispatch_count=F("dispatch_count") + 1)
    return [pk for pk in run_ids if pk in won]


def publish_all(waiting: QuerySet[Any], ids: Sequence[UUID], publish: Publish) -> int:
    """Publish until one fails: then the broker is away, and the rest is unsent until the next tick; how many were sent."""
    for sent, each in enumerate(ids):
        try:
            publish(each)
        except Exception as error:  # noqa: BLE001 - each transport has errors of its own, and none may end a scheduler
            log.warning("messages.not_sent", waiting=len(ids) - sent, error=type(error).__name__)
            waiting.filter(pk__in=ids[sent:]).update(dispatched_at=None)
            return sent
    return len(ids)


def _send(run_ids: Sequence[UUID], publish: Publish) -> int:
    return publish_all(Run.objects.filter(state=State.QUEUED), run_ids, publish)
