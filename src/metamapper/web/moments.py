"""Moments, spans and numbers as people read them. Pure: the present is an argument."""

from datetime import datetime, timedelta

NARROW_SPACE = "\u202f"
MINUTE, HOUR, DAY = 60, 3600, 86_400
WEEK = timedelta(days=6)
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"))


def exact(moment: datetime) -> str:
    """``Sat 21 Nov 2026, 09:12:41 CET``"""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M:%S %Z}".strip()


def relative(moment: datetime, now: datetime) -> str:
    """``12 s ago``, ``4 h ago``, ``in 20 min``"""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{_coarse(seconds)} ago" if seconds > 0 else f"in {_coarse(-seconds)}"


def _coarse(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{number(int(seconds // size))} {unit}"
    return f"{int(seconds)} s"


def calendar(moment: datetime, now: datetime) -> str:
    """``Today 09:12``, ``Yesterday 18:12``, ``Fri 14:12``, ``12 Nov 09:12``, ``3 Mar 2025``; both in one time zone."""
    days = (now.date() - moment.date()).days
    if days == 0:
        return f"Today {moment:%H:%M}"
    if days == 1:
        return f"Yesterday {moment:%H:%M}"
    if 0 < days <= WEEK.days:
        return f"{moment:%a %H:%M}"
    if moment.year == now.year:
        return f"{moment.day} {moment:%b %H:%M}"
    return f"{moment.day} {moment:%b %Y}"


def span(seconds: float) -> str:
    """``under 1 ms``, ``2 ms``, ``1.2 s``, ``41 s``, ``21 min``, ``3 h``"""
    if seconds < 0.0005:  # noqa: PLR2004 - rounds to no millisecond
        return "under 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - below ten seconds the tenth is worth a digit
        return f"{seconds:.1f} s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    return _coarse(seconds)


def number(value: int) -> str:
    """``2 046``: groups of three, apart by a narrow space that does not break."""
    return f"{value:,}".replace(",", NARROW_SPACE)
