"""The metastore's clock, the only one that is ever compared."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Q

_NOW = {
    # Not now(): that is when the transaction began, and an apply may be long.
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}
_source: Callable[[], datetime] | None = None


def metastore_now() -> datetime:
    """The present moment by the metastore's clock, aware, in UTC."""
    if _source is not None:
        return _source()
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        moment: datetime | str = cursor.fetchone()[0]
    if isinstance(moment, str):
        return datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment.astimezone(UTC)


@contextmanager
def clock_from(source: Callable[[], datetime]) -> Iterator[None]:
    """Within the block, time is what ``source`` says: for simulations."""
    global _source  # noqa: PLW0603 - one clock for the process is the point
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def reached(field: str, now: datetime, *, within: float) -> Q:
    """``field`` is past, or so far ahead (more than ``within`` seconds) that only a wrong clock can have written it."""
    return Q(**{f"{field}__lte": now}) | Q(**{f"{field}__gt": now + timedelta(seconds=within)})
