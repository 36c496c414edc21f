"""For any sequence of what people, workers, schedulers, brokers and clocks do, the ledger keeps its promises.

And the proof is proved: without the fence, the unique index, the sending again or the reaper, it fails.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from metamapper.runs.leases import Lease
from metamapper.runs.models import Run, State
from tests.runs import machine, mutants
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


class Unguarded(Ledger):
    """Its metastore lacks the index too."""

    def __init__(self) -> None:
        super().__init__()
        mutants.drop_the_unique_index()


Story = Callable[[Ledger], None]
STORIES: dict[str, Story] = {
    "without_the_fence": a_zombie_wakes_up,
    "without_the_guard": a_zombie_wakes_up,
    "without_the_unique_index": two_runs_are_delivered_at_once,
    "without_sending_again": a_message_is_lost,
    "without_the_reaper": a_worker_vanishes,
}


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_the_proof_catches_a_ledger(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story = STORIES[name]
    with world() as sound:
        story(sound)
    mutants.MUTANTS[name](monkeypatch)
    if name == "without_the_reaper":
        monkeypatch.setattr(machine, "reap", lambda: 0)  # the world's time is its own scheduler
    with world(Unguarded if "index" in name else Ledger) as unsound, pytest.raises(AssertionError):
        story(unsound)
