"""Times and numbers are said the way DESIGN.md says them."""

from datetime import UTC, datetime, timedelta

import pytest

from metamapper.web import moments

NOW = datetime(2026, 11, 21, 9, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=6, seconds=59), "6 min ago"),
        (timedelta(hours=4, minutes=59), "4 h ago"),
        (timedelta(days=5, hours=3), "5 d ago"),
        (timedelta(days=1500), "1\u202f500 d ago"),
        (timedelta(minutes=-20), "in 20 min"),
    ],
)
def test_relative(before: timedelta, said: str) -> None:
    assert moments.relative(NOW - before, NOW) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 11, 21, 9, 12, tzinfo=UTC), "Today 09:12"),
        (datetime(2026, 11, 20, 23, 59, tzinfo=UTC), "Yesterday 23:59"),
        (datetime(2026, 11, 18, 14, 12, tzinfo=UTC), "Wed 14:12"),
        (datetime(2026, 11, 14, 14, 12, tzinfo=UTC), "14 Nov 14:12"),
        (datetime(2026, 11, 22, 8, 0, tzinfo=UTC), "22 Nov 08:00"),
        (datetime(2025, 3, 3, 8, 0, tzinfo=UTC), "3 Mar 2025"),
    ],
)
def test_calendar(moment: datetime, said: str) -> None:
    assert moments.calendar(moment, NOW) == said


def test_exact_moment_has_seconds_and_zone() -> None:
    assert moments.exact(NOW) == "Sat 21 Nov 2026, 09:18:30 UTC"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0001, "under 1 ms"),
        (0.002, "2 ms"),
        (0.3, "300 ms"),
        (1.24, "1.2 s"),
        (41, "41 s"),
        (1290, "21 min"),
        (7300, "2 h"),
    ],
)
def test_span(seconds: float, said: str) -> None:
    assert moments.span(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (600, "600"), (2046, "2\u202f046"), (-1234567, "-1\u202f234\u202f567")]
)
def test_number(value: int, said: str) -> None:
    assert moments.number(value) == said
