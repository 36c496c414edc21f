"""Take runs back from workers that are gone: by an expired lease, or at once where the death was seen."""

from uuid import UUID

import structlog
from django.db.models import QuerySet

from metamapper.runs.clock import metastore_now, reached
from metamapper.runs.endings import lose, release, take_back
from metamapper.runs.models import Run, State
from metamapper.runs.timing import timing

log = structlog.get_logger(__name__)


def reap() -> int:
    """Runs whose lease is over, whoever held it; how many."""
    limits, now = timing(), metastore_now()
    over = Run.objects.filter(reached("lease_expires_at", now, within=2 * limits.lease), state=State.RUNNING)
    first = over.order_by("lease_expires_at").values("pk")[: limits.reap_batch]
    taken = take_back(over.filter(pk__in=[row["pk"] for row in first]), lose)
    return _told("runs.reaped", taken)


def take_from_dead(owners: list[str], *, blame: bool = True) -> int:
    """Runs of processes that are known to be dead; how many. It counts as a loss of each, unless we ended them ourselves."""
    return _told("runs.worker_lost", take_back(_held_by(owners), lose if blame else release))


def hand_over(worker: str) -> int:
    """All runs of a worker that stops; how many. Nothing counts against them."""
    return _told("runs.handed_over", take_back(leased_to(worker), release))


def leased_to(worker: str) -> QuerySet[Run]:
    """What the processes of one worker hold. An owner is ``<worker>/<pid>``."""
    return Run.objects.filter(state=State.RUNNING, lease_owner__startswith=f"{worker}/")


def _held_by(owners: list[str]) -> QuerySet[Run]:
    return Run.objects.filter(state=State.RUNNING, lease_owner__in=owners)


def _told(event: str, taken: list[UUID]) -> int:
    for run_id in taken:
        log.warning(event, run=str(run_id))
    return len(taken)
