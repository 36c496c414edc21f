"""When a datastore is due: pure arithmetic over moments. A slot is a moment at which a run is due by the schedule."""

import random
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from metamapper.runs.timing import Timing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def phase(datastore_id: UUID, interval: int) -> int:
    """Seconds by which this datastore's slots lie after the interval's; spreads many datastores evenly."""
    return int.from_bytes(blake2b(datastore_id.bytes, digest_size=8).digest()) % interval


def slot_at(moment: datetime, *, interval: int, phase: int) -> datetime:
    """The newest slot that is not after ``moment``."""
    seconds = int((moment - _EPOCH).total_seconds()) - phase
    return _EPOCH + timedelta(seconds=seconds // interval * interval + phase)


def next_slot(moment: datetime, *, interval: int, phase: int) -> datetime:
    """The first slot after ``moment``."""
    return slot_at(moment, interval=interval, phase=phase) + timedelta(seconds=interval)


def slots_between(after: datetime, until: datetime, *, interval: int) -> int:
    """How many slots lie after the slot ``after``, up to and including the slot ``until``."""
    return round((until - after).total_seconds()) // interval


def jittered(seconds: float, jitter: float, *, spread: float | None = None) -> timedelta:
    """A wait, shifted by up to ``jitter`` of itself, so that many do not come back at once; ``spread`` in -1..1 says where."""
    spread = random.uniform(-1, 1) if spread is None else spread  # noqa: S311 - not for secrets
    return timedelta(seconds=seconds * (1 + jitter * spread))


def breaker(failures: int, interval: int, timing: Timing) -> timedelta | None:
    """How long no slot gets a run after so many failures in a row: doubling from the fifth on, at most a day."""
    if failures < timing.breaker_after:
        return None
    doublings = min(failures - timing.breaker_after + 1, 16)
    return timedelta(seconds=min(interval * 2**doublings, timing.breaker_at_most))
