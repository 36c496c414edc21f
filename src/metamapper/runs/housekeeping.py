"""Once an hour, by a worker: what is old is forgotten, and the ledger's promises are checked."""

import time
from datetime import datetime

from django.db import transaction

from metamapper.runs.auditing import audit
from metamapper.runs.errands import Held, handles, put
from metamapper.runs.forgetting import forget_runs
from metamapper.runs.models import Errand

KIND = "housekeeping"
FORGETTING_SECONDS, AUDITING_SECONDS = 60, 120
"""Together well below the time limit of an errand."""
PAUSE_SECONDS = 0.1
"""Between two batches: SQLite admits one writer at a time, and the others must have their turn."""


def ask_for_housekeeping(now: datetime) -> None:
    """Put this hour's errand, if nobody has."""
    key = f"{KIND} {now:%Y-%m-%dT%H}"
    if not Errand.objects.filter(key=key).exists():
        with transaction.atomic():
            put(KIND, {}, key=key)


@handles(KIND)
def housekeeping(held: Held) -> None:
    """What is left is left to the next hour, and so is what failed."""
    if held.attempt > 1:
        return
    until = time.monotonic() + FORGETTING_SECONDS
    while forget_runs() and time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
    audit(seconds=AUDITING_SECONDS)
