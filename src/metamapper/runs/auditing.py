"""The ledger's promises, checked where they are lived: what broke them is counted, told in the log and in the metrics."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import F

from metamapper.lib.ids import first_uuid7_at
from metamapper.runs.clock import metastore_now
from metamapper.runs.invariants import INVARIANTS, count
from metamapper.runs.models import Audit
from metamapper.runs.sessions import milliseconds
from metamapper.runs.timing import timing

LOOKS_BACK = timedelta(hours=25)
"""Runs that began earlier were looked at by an audit before: a ledger of millions is not read anew each hour."""
OF_THE_CONFIGURATION = frozenset({"dead_means_lost_too_often", "lost_never_goes_on"})
"""They hold until somebody changes how often a run may be lost: no fault of the ledger's."""
SHORTEST = 0.001
"""Seconds: PostgreSQL counts milliseconds, and none at all is no limit."""
STEPS = 10_000
"""SQLite's own, after which it asks whether to go on."""
log = structlog.get_logger(__name__)


def audit(*, seconds: float = 120) -> dict[str, int]:
    """Check every invariant, each for so long at most, those first that waited longest; what is broken, by how many rows.

    One that takes too long, or for which no time is left, keeps its former answer, and with it the time of that.
    """
    until = time.monotonic() + seconds
    names = [name for name in INVARIANTS if name not in OF_THE_CONFIGURATION]
    Audit.objects.exclude(invariant__in=names).delete()
    Audit.objects.bulk_create([Audit(invariant=name) for name in names], ignore_conflicts=True)
    waiting = Audit.objects.order_by(F("checked_at").asc(nulls_first=True), "invariant")
    for name in list(waiting.values_list("invariant", flat=True)):
        limit = min(timing().audit_statement, until - time.monotonic())
        if limit < SHORTEST:
            log.warning("invariants.not_checked", invariant=name, reason="no time was left")
            continue
        _check(name, limit)
    return {name: rows for name, rows in Audit.objects.values_list("invariant", "broken") if rows}


def _check(name: str, limit: float) -> None:
    now = metastore_now()
    try:
        with _at_most(limit):
            rows = count(name, first=first_uuid7_at(now - LOOKS_BACK))
    except OperationalError as error:
        log.warning("invariants.not_checked", invariant=name, reason=type(error).__name__)
        return
    Audit.objects.filter(invariant=name).update(broken=rows, checked_at=now)
    if rows:
        log.error("invariants.broken", invariant=name, rows=rows)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """What the metastore is asked within raises ``OperationalError`` when this time is over. Nobody's writing waits."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [milliseconds(seconds)])
            yield
        return
    until = time.monotonic() + seconds
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, STEPS)
