"""The ledger under a simulated world: workers that work, freeze, die and come back, a broker that loses and doubles, a clock.

Hypothesis chooses what happens; after every step the invariants hold, and what was applied agrees with the traces that
the applying transactions left.
"""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.test import override_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from metamapper.history.models import Change
from metamapper.runs import clock as ledger_clock
from metamapper.runs.dispatch import dispatch
from metamapper.runs.due import create_due_runs
from metamapper.runs.forgetting import forget_runs
from metamapper.runs.invariants import broken
from metamapper.runs.leases import Lease, LeaseLost, claim, guard, heartbeat
from metamapper.runs.models import CHANGED, Run, Schedule, State, Trigger
from metamapper.runs.reaper import hand_over, reap, take_from_dead
from metamapper.runs.services import cancel_run, cancelled, fail, finish, request_run, set_schedule
from metamapper.runs.tallies import tally
from metamapper.runs.timing import timing
from tests.runs.ledger import START, Broker, Clock, make_datastore, make_workspace

if TYPE_CHECKING:
    from metamapper.datastores.models import Datastore

DATASTORES = 3
GOOD = {State.SUCCEEDED, State.PARTIAL}
TERMINAL = {State.SUCCEEDED, State.PARTIAL, State.FAILED, State.DEAD, State.CANCELLED, State.SUPERSEDED}


def leave_a_trace(lease: Lease) -> None:
    """The effect of a run: a row in the transaction that ends it."""
    facts = {"kind": "changed", "asset": "relation", "asset_id": uuid4(), "severity": "safe"}
    Change.objects.create(datastore_id=lease.datastore_id, run_id=lease.run_id, at=START, order=lease.attempt, **facts)


class Ledger(RuleBasedStateMachine):
    """One world, begun anew for each example."""

    leases = Bundle("leases")
    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self._running = ledger_clock.clock_from(self.clock)
        self._running.__enter__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self.broker = Broker()
        self.ended: dict[UUID, str] = {}
        self.workers = 0
        self.datastores: list[Datastore] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)
        self._running.__exit__(None, None, None)

    @initialize()
    def world(self) -> None:
        workspace = make_workspace()
        # The same ids each time, for slots depend on them, and an example must be repeatable.
        self.datastores = [make_datastore(workspace, identity=UUID(int=each + 1)) for each in range(DATASTORES)]
        for datastore in self.datastores:
            set_schedule(datastore, interval_seconds=900)

    def check(self) -> None:
        """Every invariant, now: for a world that is led by hand."""
        for each in self.invariants:
            each.function(self)

    # --- What people do ---

    @rule(which=st.integers(0, DATASTORES - 1))
    def press_the_button(self, which: int) -> None:
        request_run(self.datastores[which], trigger=Trigger.MANUAL)

    @rule(which=st.integers(0, DATASTORES - 1))
    def cancel(self, which: int) -> None:
        run = Run.objects.filter(datastore=self.datastores[which]).order_by("-number").first()
        if run:
            cancel_run(run, user=None)

    @rule(which=st.integers(0, DATASTORES - 1), enabled=st.booleans(), interval=st.sampled_from([900, 3600]))
    def change_the_schedule(self, which: int, *, enabled: bool, interval: int) -> None:
        set_schedule(self.datastores[which], enabled=enabled, interval_seconds=interval)

    # --- What the scheduler does ---

    @rule()
    def make_due(self) -> None:
        create_due_runs()

    @rule()
    def reap(self) -> None:
        reap()

    @rule(kept=st.sampled_from([60, 900]))
    def forget(self, kept: int) -> None:
        """What is forgotten was over for long enough, found nothing, and was followed by a run that saw the datastore."""
        tally()
        before = {run.pk: run for run in Run.objects.all()}
        with override_settings(METAMAPPER_RUNS={"runs_kept": kept}):
            number = forget_runs()
        gone = before.keys() - set(Run.objects.values_list("pk", flat=True))
        assert len(gone) == number
        last = {run.datastore_id: run.number for run in Run.objects.filter(state__in=GOOD).order_by("number")}
        for run in (before[pk] for pk in gone):
            assert run.finished_at
            assert run.finished_at < self.clock.now - timedelta(seconds=kept)
            assert run.outcome_code != CHANGED
            assert run.number < last[run.datastore_id]
            self.ended.pop(run.pk, None)
        Change.objects.filter(run_id__in=gone).delete()

    @rule(target=messages, copies=st.integers(0, 2))
    def dispatch(self, copies: int) -> Any:
        """The broker loses messages (no copy) and doubles them."""
        dispatch(self.broker.publish)
        return multiple(*[run_id for run_id in self.broker.drain() for _ in range(copies)])

    # --- What workers do ---

    @rule(target=leases, message=consumes(messages))
    def deliver(self, message: UUID) -> Any:
        self.workers += 1
        return claim(message, owner=f"worker-{self.workers}/1") or multiple()

    @rule()
    def deliver_a_foreign_message(self) -> None:
        assert claim(uuid4(), owner="worker/1") is None

    @rule(lease=leases)
    def beat(self, lease: Lease) -> None:
        heartbeat(lease, {"phase": "columns"})

    @rule(
        lease=leases, state=st.sampled_from([State.SUCCEEDED, State.PARTIAL]), code=st.sampled_from([CHANGED, "same"])
    )
    def apply(self, lease: Lease, state: State, code: str = "same") -> None:
        """A lease is never consumed: the same worker may wake up and try again at any time."""
        with suppress(LeaseLost), transaction.atomic():
            guard(lease)
            leave_a_trace(lease)
            finish(lease, state=state, outcome_code=code)

    @rule(lease=leases, permanent=st.booleans())
    def break_down(self, lease: Lease, *, permanent: bool) -> None:
        with suppress(LeaseLost):
            fail(lease, code="connection.lost", outcome={}, permanent=permanent)

    @rule(lease=leases)
    def stop_as_asked(self, lease: Lease) -> None:
        with suppress(LeaseLost):
            cancelled(lease)

    @rule(worker=st.integers(1, 20))
    def kill_a_worker(self, worker: int) -> None:
        take_from_dead([f"worker-{worker}/1"])

    @rule(worker=st.integers(1, 20))
    def stop_a_worker(self, worker: int) -> None:
        hand_over(f"worker-{worker}")

    # --- Time ---

    @rule(seconds=st.sampled_from([1, 30, 91, 120, 600, 1600, 4000]))
    def advance(self, seconds: int) -> None:
        """Never so long that nobody reaps what is over: that the tick itself sees to, every few seconds."""
        self.clock.advance(seconds)
        reap()

    # --- What holds ---

    @invariant()
    def the_promises_hold(self) -> None:
        assert broken() == {}

    @invariant()
    def an_effect_happens_once_or_not_at_all(self) -> None:
        """The traces are rows that were written in the transactions that applied: they cannot be fooled."""
        applied = Run.objects.filter(state__in=[State.SUCCEEDED, State.PARTIAL]).values_list("pk", flat=True)
        assert Counter(Change.objects.values_list("run_id", flat=True)) == Counter(applied)

    @invariant()
    def what_ended_stays_as_it_ended(self) -> None:
        now = dict(Run.objects.filter(state__in=TERMINAL).values_list("pk", "state"))
        assert all(now.get(pk) == state for pk, state in self.ended.items())
        self.ended = {pk: str(state) for pk, state in now.items()}

    @invariant()
    def what_waits_is_sent_in_the_end(self) -> None:
        """A message that was lost is sent again by the next dispatch, once it is old."""
        old = self.clock.now - timedelta(seconds=timing().redispatch)
        waiting = Run.objects.filter(state=State.QUEUED, available_at__lte=self.clock.now, dispatched_at__lte=old)
        lost = set(waiting.exclude(datastore__runs__state=State.RUNNING).values_list("pk", flat=True))
        if lost:
            probe = Broker()
            with transaction.atomic():
                dispatch(probe.publish)
                transaction.set_rollback(True)
            assert lost <= set(probe)

    @invariant()
    def schedules_never_fall_behind(self) -> None:
        assert not Schedule.objects.filter(enabled=True, next_due_at=None).exists()
