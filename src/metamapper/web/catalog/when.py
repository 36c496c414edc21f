"""Moments as people type them. Pure: the present, which carries the zone, is an argument."""

import re
from datetime import datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = 60
_EARLIEST = 1970
"""No catalog is older, and no calendar or time zone gets into trouble."""
_UNITS = {"min": "minutes", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,5})\s*(min|m|h|d|w)\w*\s+ago")
_EXACT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[ +-]\d\d:\d\d")
_DAY = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)\w*\s+)?"
    r"(?:(?P<word>today|yesterday)|(?P<day>\d{1,2})\s+(?P<month>[a-z]{3})[a-z]*(?:\s+(?P<year>\d{4}))?)"
    r"(?:,?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?"
)


class NotAMoment(ValueError):
    """What was typed names no moment that we understand."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"“{text[:40]}” is not a moment we understand. Try “16 Nov 09:00”, “yesterday 18:00” or “3 d ago”."
        )


def parse(text: str, now: datetime) -> datetime | None:
    """The moment that is meant, in the zone of ``now``; None for blank, “now” and what lies ahead.

    Understood are ISO 8601, ``16 Nov``, ``Mon 16 Nov 2026, 09:00``, ``today``, ``yesterday 18:00`` and ``3 d ago``.
    Raises ``NotAMoment``.
    """
    wanted = " ".join(text.split()).lower()
    if wanted in {"", "now"}:
        return None
    try:
        moment = _moment(wanted, now) if len(wanted) <= _LONGEST else None
    except (ValueError, OverflowError) as error:
        raise NotAMoment(text) from error
    if moment is None or moment.year < _EARLIEST:
        raise NotAMoment(text)
    return moment if moment < now else None


def is_exact(text: str) -> bool:
    """Whether the text, which ``parse`` has read, means the same whenever and wherever it is read."""
    return _EXACT.fullmatch(text) is not None


def _moment(wanted: str, now: datetime) -> datetime | None:
    if found := _AGO.fullmatch(wanted):
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    if found := _DAY.fullmatch(wanted):
        return _on_a_day(found, now)
    # A plus sign in an address arrives as a space, and the reader of ISO 8601 knows its letters in capitals only.
    iso = re.sub(r" (?=\d\d:?\d\d$)", "+", wanted) if "t" in wanted else wanted
    moment = datetime.fromisoformat(iso.upper())
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _on_a_day(found: re.Match[str], now: datetime) -> datetime | None:
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    today = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if found["word"]:
        return today - timedelta(days=1 if found["word"] == "yesterday" else 0)
    if found["month"] not in _MONTHS:
        return None
    month, day = _MONTHS.index(found["month"]) + 1, int(found["day"])
    if found["year"]:
        return today.replace(year=int(found["year"]), month=month, day=day)
    # Without a year the latest such day is meant.
    this_year = today.replace(month=month, day=day)
    return this_year if this_year <= now else this_year.replace(year=now.year - 1)


def written(moment: datetime | None, now: datetime) -> str:
    """The moment as ``parse`` reads it and a person writes it: ``Mon 16 Nov, 09:00``; blank for None."""
    if moment is None:
        return ""
    year = "" if moment.year == now.year else f" {moment.year}"
    seconds = f":{moment.second:02d}" if moment.second else ""
    return f"{moment:%a} {moment.day} {moment:%b}{year}, {moment:%H:%M}{seconds}"
