"""The ledger's promises, checked where they are lived: what broke them is counted, told in the log and in the metrics."""

import structlog
from django.db import OperationalError, connection, transaction

from metamapper.runs.clock import metastore_now
from metamapper.runs.invariants import INVARIANTS, count
from metamapper.runs.models import Audit
from metamapper.runs.sessions import milliseconds
from metamapper.runs.timing import timing

log = structlog.get_logger(__name__)


def audit() -> dict[str, int]:
    """Check every invariant, each for so long at most; those that are broken, with the number of rows that break them.

    One that takes too long keeps its former answer, and with it the time of that.
    """
    now = metastore_now()
    for name in INVARIANTS:
        try:
            rows = _count(name)
        except OperationalError as error:
            log.warning("invariants.not_checked", invariant=name, error=type(error).__name__)
            continue
        Audit.objects.update_or_create(invariant=name, defaults={"broken": rows, "checked_at": now})
        if rows:
            log.error("invariants.broken", invariant=name, rows=rows)
    Audit.objects.exclude(invariant__in=INVARIANTS).delete()
    return dict(Audit.objects.filter(broken__gt=0).values_list("invariant", "broken"))


def _count(name: str) -> int:
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                limit = milliseconds(timing().audit_statement)
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [limit])
        return count(name)
