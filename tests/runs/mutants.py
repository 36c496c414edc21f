"""Ledgers that lack one thing each. Every proof must fail on every one of them: what cannot fail proves nothing."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from django.db import connection
from django.db.models import Q, QuerySet

from metamapper.runs import dispatch, endings, leases, scheduler, statements
from metamapper.runs.leases import Lease, LeaseLost
from metamapper.runs.models import Run, State

VARIABLE = "MM_TEST_MUTANT"
"""Names the mutant that a process of the tests is."""


class Patch(Protocol):
    """As much of ``pytest.MonkeyPatch`` as is needed."""

    def setattr(self, target: Any, name: str, value: object) -> None: ...
    def setitem(self, target: dict[str, str], name: str, value: str) -> None: ...


def without_the_fence(patch: Patch) -> None:
    """Whoever once held a lease is believed while the run is running."""

    def held(lease: Lease) -> QuerySet[Run]:
        return Run.objects.filter(pk=lease.run_id, state=State.RUNNING)

    patch.setattr(leases, "held", held)
    patch.setattr(endings, "held", held)
    for name in ("guard", "heartbeat", "end", "requeue"):
        _leave_out(patch, name, " AND fence = %(fence)s")


def without_the_guard(patch: Patch) -> None:
    """Results are written without a look, and the end does not insist on having changed a row."""
    _leave_out(patch, "guard", " AND fence = %(fence)s AND state = 'running'")
    write = endings._write

    def believing(*arguments: Any, **values: Any) -> None:
        with suppress(LeaseLost):
            write(*arguments, **values)

    patch.setattr(endings, "_write", believing)


def without_the_unique_index(patch: Patch) -> None:
    """Two runs of one datastore may be running; nor does the claim look whether one is."""
    _, found, busy = statements.SQL["claim"].partition("  AND NOT EXISTS")
    _leave_out(patch, "claim", f"{found}{busy.partition(chr(10))[0]}")


def drop_the_unique_index() -> None:
    """What ``without_the_unique_index`` needs of the metastore."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_running_each")


def without_sending_again(patch: Patch) -> None:
    patch.setattr(dispatch, "_unsent", lambda: Q(dispatched_at=None))


def without_the_reaper(patch: Patch) -> None:
    patch.setattr(scheduler, "reap", lambda: 0)


MUTANTS: dict[str, Callable[[Patch], None]] = {
    each.__name__: each
    for each in (
        without_the_fence,
        without_the_guard,
        without_the_unique_index,
        without_sending_again,
        without_the_reaper,
    )
}


def _leave_out(patch: Patch, name: str, condition: str) -> None:
    assert condition in statements.SQL[name]
    patch.setitem(statements.SQL, name, statements.SQL[name].replace(condition, ""))
