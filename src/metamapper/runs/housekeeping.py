"""Once an hour, by a worker: what is old is forgotten, and the ledger's promises are checked."""

import time
from datetime import datetime

from django.db import transaction

from metamapper.runs.auditing import audit
from metamapper.runs.errands import Held, handles, put
from metamapper.runs.forgetting import forget_runs
from metamapper.runs.models import Errand

KIND = "housekeeping"
FORGETTING_SECONDS = 120


def ask_for_housekeeping(now: datetime) -> None:
    """Put this hour's errand, if nobody has."""
    key = f"{KIND} {now:%Y-%m-%dT%H}"
    if not Errand.objects.filter(key=key).exists():
        with transaction.atomic():
            put(KIND, {}, key=key)


@handles(KIND)
def housekeeping(_held: Held) -> None:
    """What is left after two minutes is left to the next hour."""
    until = time.monotonic() + FORGETTING_SECONDS
    while forget_runs() and time.monotonic() < until:
        pass
    audit()
