"""For any sequence of what people, workers, schedulers, brokers and clocks do, the ledger keeps its promises.

And the proof is proved: without the fence, the unique index, the sending again or the reaper, it fails.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from metamapper.runs import dispatch, endings, leases, statements
from metamapper.runs.leases import Lease, LeaseLost
from metamapper.runs.models import Run, State
from tests.runs import machine
from tests.runs.machine import Ledger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

THOROUGH = settings(max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))


def test_the_ledger_keeps_its_promises() -> None:
    run_state_machine_as_test(Ledger, settings=THOROUGH)


# --- The proof, proved ---------------------------------------------------------------------------------------------------


@contextmanager
def world(kind: type[Ledger] = Ledger) -> Iterator[Ledger]:
    made = kind()
    try:
        made.world()
        yield made
    finally:
        made.teardown()


def claimed(world: Ledger) -> Lease:
    """Somebody takes the waiting run of the first datastore, whatever the broker does."""
    lease = world.deliver(Run.objects.filter(state=State.QUEUED, datastore=world.datastores[0]).get().pk)
    assert isinstance(lease, Lease)
    world.check()
    return lease


def a_zombie_wakes_up(world: Ledger) -> None:
    world.press_the_button(0)
    zombie = claimed(world)
    world.advance(91)
    world.check()
    other = claimed(world)
    for lease in (zombie, other):
        world.apply(lease, State.SUCCEEDED)
        world.check()


def two_runs_are_delivered_at_once(world: Ledger) -> None:
    world.press_the_button(0)
    claimed(world)
    world.press_the_button(0)
    world.deliver(Run.objects.get(state=State.QUEUED, datastore=world.datastores[0]).pk)
    world.check()


def a_message_is_lost(world: Ledger) -> None:
    world.press_the_button(0)
    world.dispatch(0)
    world.advance(120)
    world.check()


def a_worker_vanishes(world: Ledger) -> None:
    world.press_the_button(0)
    claimed(world)
    world.advance(4000)
    world.check()


def without_the_fence(patch: pytest.MonkeyPatch) -> type[Ledger]:
    """Whoever once held a lease is believed while the run is running."""

    def held(lease: Lease) -> QuerySet[Run]:
        return Run.objects.filter(pk=lease.run_id, state=State.RUNNING)

    patch.setattr(leases, "held", held)
    patch.setattr(endings, "held", held)
    for name in ("guard", "heartbeat", "end", "requeue"):
        leave_out(patch, name, " AND fence = %(fence)s")
    return Ledger


def leave_out(patch: pytest.MonkeyPatch, name: str, condition: str) -> None:
    assert condition in statements.SQL[name]
    patch.setitem(statements.SQL, name, statements.SQL[name].replace(condition, ""))


def without_the_unique_index(patch: pytest.MonkeyPatch) -> type[Ledger]:
    """Two runs of one datastore may be running; nor does the claim look whether one is."""
    _, found, busy = statements.SQL["claim"].partition("  AND NOT EXISTS")
    leave_out(patch, "claim", f"{found}{busy.partition(chr(10))[0]}")

    class Unguarded(Ledger):
        def __init__(self) -> None:
            super().__init__()
            with connection.cursor() as cursor:
                cursor.execute("DROP INDEX one_running_each")

    return Unguarded


def without_sending_again(patch: pytest.MonkeyPatch) -> type[Ledger]:
    patch.setattr(dispatch, "_unsent", lambda: Q(dispatched_at=None))
    return Ledger


def without_the_reaper(patch: pytest.MonkeyPatch) -> type[Ledger]:
    patch.setattr(machine, "reap", lambda: 0)
    return Ledger


def without_the_guard(patch: pytest.MonkeyPatch) -> type[Ledger]:
    """Results are written without a look, and the end does not insist on having changed a row."""
    patch.setattr(machine, "guard", lambda _lease: None)
    write = endings._write

    def believing(*arguments: Any, **values: Any) -> None:
        with suppress(LeaseLost):
            write(*arguments, **values)

    patch.setattr(endings, "_write", believing)
    return Ledger


Story = Callable[[Ledger], None]
MUTANTS: list[tuple[Callable[[pytest.MonkeyPatch], type[Ledger]], Story]] = [
    (without_the_fence, a_zombie_wakes_up),
    (without_the_guard, a_zombie_wakes_up),
    (without_the_unique_index, two_runs_are_delivered_at_once),
    (without_sending_again, a_message_is_lost),
    (without_the_reaper, a_worker_vanishes),
]


@pytest.mark.parametrize(("mutate", "story"), MUTANTS)
def test_the_proof_catches_a_ledger(
    mutate: Callable[[pytest.MonkeyPatch], type[Ledger]], story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world() as sound:
        story(sound)
    mutated = mutate(monkeypatch)
    with world(mutated) as unsound, pytest.raises(AssertionError):
        story(unsound)
