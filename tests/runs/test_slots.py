"""When a datastore is due: arithmetic that loses no slot and spreads them all."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from metamapper.lib.ids import uuid7s
from metamapper.runs.slots import breaker, jittered, next_slot, phase, slot_at, slots_between
from metamapper.runs.timing import Timing

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware there
intervals = st.sampled_from([1, 7, 900, 3600, 86_400])


@given(moments, intervals, st.uuids())
def test_a_moment_lies_between_its_slot_and_the_next(moment: datetime, interval: int, identity: UUID) -> None:
    shift = phase(identity, interval)
    slot, following = slot_at(moment, interval=interval, phase=shift), next_slot(moment, interval=interval, phase=shift)
    assert slot <= moment < following
    assert following - slot == timedelta(seconds=interval)
    assert slot_at(slot, interval=interval, phase=shift) == slot


@given(moments, intervals, st.integers(0, 10_000), st.uuids())
def test_slots_are_counted_exactly(moment: datetime, interval: int, count: int, identity: UUID) -> None:
    first = slot_at(moment, interval=interval, phase=phase(identity, interval))
    assert slots_between(first, first + timedelta(seconds=count * interval), interval=interval) == count


def test_ten_thousand_hourly_datastores_are_spread_over_the_hour() -> None:
    """About 2.8 a second: no minute has much more than its share, although their ids were made in one moment."""
    minutes = Counter(phase(identity, 3600) // 60 for identity in uuid7s(10_000))
    assert len(minutes) == 60
    assert max(minutes.values()) < 240


def test_a_wait_is_shifted_by_its_jitter_at_most() -> None:
    for spread, seconds in ((0, 60), (-1, 48), (1, 72)):
        assert jittered(60, 0.2, spread=spread) == timedelta(seconds=seconds)
    assert all(48 <= jittered(60, 0.2).total_seconds() <= 72 for _ in range(100))


def test_the_breaker_opens_at_the_fifth_failure_doubles_and_lasts_a_day_at_most() -> None:
    limits = Timing()
    hours = [each and each.total_seconds() / 3600 for each in (breaker(count, 3600, limits) for count in range(1, 12))]
    assert hours == [None, None, None, None, 2, 4, 8, 16, 24, 24, 24]
