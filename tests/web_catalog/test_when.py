"""Moments as people type them."""

# ruff: noqa: DTZ001 - a moment without a zone is what people type; the test adds it

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamapper.web.catalog.when import NotAMoment, parse, written

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("Now", None),
        ("yesterday 18:00", datetime(2026, 11, 20, 18)),
        ("Today", datetime(2026, 11, 21)),
        ("16 Nov", datetime(2026, 11, 16)),
        ("Mon 16 Nov, 09:00", datetime(2026, 11, 16, 9)),
        ("16 november 2025 9:05", datetime(2025, 11, 16, 9, 5)),
        ("24 Dec", datetime(2025, 12, 24)),
        ("3 d ago", datetime(2026, 11, 18, 9, 30)),
        ("90 min ago", datetime(2026, 11, 21, 8)),
        ("2 weeks ago", datetime(2026, 11, 7, 9, 30)),
        ("2026-11-16T09:00", datetime(2026, 11, 16, 9)),
        ("2026-11-16", datetime(2026, 11, 16)),
        ("25 Nov 2026", None),
    ],
)
def test_what_is_meant(text: str, moment: datetime | None) -> None:
    assert parse(text, NOW) == (moment and moment.replace(tzinfo=NOW.tzinfo))


@pytest.mark.parametrize("text", ["2026-11-01T08:30:00Z", "2026-11-01t08:30z", "2026-11-01 08:30Z"])
def test_an_exact_moment_may_be_in_universal_time(text: str) -> None:
    assert parse(text, NOW) == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)


def test_an_exact_moment_keeps_its_zone_even_where_the_plus_became_a_space() -> None:
    wanted = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
    assert parse("2026-11-16T09:00:00+01:00", NOW) == wanted
    assert parse("2026-11-16T09:00:00 01:00", NOW) == wanted


@pytest.mark.parametrize("text", ["soon", "31 Feb", "16 Nix", "99:99", "25 Nov 26:00", "0 0", "99999 w ago", "1" * 500])
def test_what_is_not_understood_says_what_would_be(text: str) -> None:
    with pytest.raises(NotAMoment, match="yesterday 18:00"):
        parse(text, NOW)


@given(st.text(max_size=30))
def test_nothing_typed_breaks_it(text: str) -> None:
    try:
        found = parse(text, NOW)
    except NotAMoment:
        return
    assert found is None or found < NOW


@given(st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 21, 9, 29)))
def test_what_is_written_is_read_back(moment: datetime) -> None:
    there = moment.replace(microsecond=0, tzinfo=NOW.tzinfo)
    assert parse(written(there, NOW), NOW) == there
