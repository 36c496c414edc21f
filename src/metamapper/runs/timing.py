"""Every duration and limit of the ledger in one place. ``settings.METAMAPPER_RUNS`` (a mapping) overrides by name."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings

from metamapper.runs.configuration import hard_limit


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations are seconds."""

    lease: float = 90
    heartbeat: float = 20
    deadline: float = 1560
    """A run that is older than this loses its lease: Celery's hard limit, where the administrator sets another."""
    progress: float = 1
    tick: float = 5
    leader: float = 15
    trust_after_gap: float = 30
    """After a pause of the ticks longer than this, nothing is reaped for as long: an outage looks like dead workers."""
    redispatch: float = 120
    backoff: tuple[float, ...] = (60, 300, 900)
    metastore_backoff: tuple[float, ...] = (2, 5, 15, 60, 60)
    """Our own metastore cut a run short: that is soon over, and no fault of the datastore."""
    jitter: float = 0.2
    lost_limit: int = 3
    breaker_after: int = 5
    breaker_at_most: float = 24 * 3600
    due_batch: int = 500
    reap_batch: int = 500
    window: int = 50
    window_per_slot: int = 4
    sessions_per_host: int = 2
    worker_beat: float = 20
    worker_gone: float = 60
    """A worker that was not heard of for this long has no slots any more."""
    worker_forgotten: float = 24 * 3600
    scheduler_gone: float = 45
    """A scheduler whose last tick is older than this is not well."""
    canary: float = 60
    canary_grace: float = 60
    """A canary that is on its way for longer, while a slot is free, tells that workers do not consume."""
    canary_late: float = 300
    """After so long without an answer another canary is sent."""
    canary_forgotten: float = 3600
    errand_lease: float = 330
    """Longer than the time limits of its task: whoever holds an errand is gone when this is over."""
    errand_backoff: tuple[float, ...] = (30, 120, 600, 1800, 7200, 21600, 43200)
    """For about a day; then a person is needed."""
    errand_window: int = 50
    errand_forgotten: float = 7 * 24 * 3600
    runs_kept: float = 30 * 24 * 3600
    """How long runs are kept that found nothing; 0 keeps them for ever."""
    audit_statement: float = 20
    """How long the check of one invariant may take."""
    stop: float = 25
    """How long a stopping worker lets its runs finish before it hands them over."""
    idle_in_transaction: float = 60
    lock_wait: float = 30
    apply_statement: float = 900

    @property
    def longest_wait(self) -> float:
        """No honest ``available_at`` lies further ahead; one that does was written under a wrong clock."""
        return 2 * max(self.backoff)


def timing() -> Timing:
    """The durations in force."""
    limit = hard_limit()
    overrides: dict[str, Any] = ({"deadline": limit} if limit else {}) | getattr(settings, "METAMAPPER_RUNS", {})
    return _timing(tuple(sorted(overrides.items())))


@lru_cache(maxsize=8)
def _timing(overrides: tuple[tuple[str, Any], ...]) -> Timing:
    return replace(Timing(), **dict(overrides))
