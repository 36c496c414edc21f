"""What befalls workers, schedulers and messages. Each fault is over when it returns, or mends itself later."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from django.db import connection

from metamapper.runs.models import Run, State
from metamapper.runs.services import cancel_run
from tests.chaos.grounds import Ground
from tests.runs.messages import foreign, message
from tests.runs.processes import Process, Site

FREEZE = (0.5, 6.0)
"""Seconds that something is frozen: shorter and longer than a lease of 3 s."""
AWAY = (0.2, 4.0)
SLOTS = "5"
"""Of each worker: where all are busy all the time, nothing that comes too early is ever begun."""
T = TypeVar("T")
IGNORED = "run.message_ignored"


class Crew:
    """The workers and schedulers that should be there, made good when they are killed."""

    def __init__(self, place: Site, ground: Ground, seed: int, *, workers: int, schedulers: int) -> None:
        self._place = place
        self._ground = ground
        self._seed = seed
        self._chance = random.Random(f"{seed} crew")
        self._chances: dict[str, random.Random] = {}
        self._wanted = {"worker": workers, "beat": schedulers}
        self._members: dict[str, list[Process]] = {"worker": [], "beat": []}
        self._number = 0
        self.messages: Counter[str] = Counter()
        """What became of the messages that were put among the scheduler's."""

    def make_good(self) -> None:
        for service, wanted in self._wanted.items():
            living = [each for each in self._members[service] if each.popen.poll() is None]
            while len(living) < wanted:
                self._number += 1
                named = ("-n", f"w{self._number}@%h", "-c", SLOTS) if service == "worker" else ()
                living.append(self._place.celery(service, *named, **self._ground.environment))
            self._members[service] = living

    def faults(self) -> dict[str, Callable[[], None]]:
        return {
            "worker killed": lambda: self._one("worker").kill(),
            "worker frozen": lambda: self._freeze(*_family(self._one("worker"))),
            "child killed": self._kill_a_child,
            "child frozen": lambda: self._freeze(self._child()),
            "worker told to stop": lambda: self._one("worker").kill(signal.SIGTERM),
            "scheduler killed": lambda: self._one("beat").kill(),
            "scheduler frozen": lambda: self._freeze(self._one("beat").pid),
            "message three times": self._send_again,
            "foreign messages": lambda: self._send(foreign()),
            "run cancelled": self._cancel,
            "metastore sessions cut": _cut_sessions,
        } | {name: lambda harm=harm: harm(self._chance.uniform(*AWAY)) for name, harm in self._ground.harm.items()}

    def _one(self, service: str) -> Process:
        return self._chance.choice(self._members[service])

    def chosen(self, what: str, among: Sequence[T]) -> T | None:
        """Chosen by a generator of its own: how many there are differs from one trial to the next, and must not change
        what befalls the others.
        """
        return self._chances.setdefault(what, random.Random(f"{self._seed} {what}")).choice(among) if among else None

    def _child(self) -> int | None:
        """One that is at work if there is any: what befalls the idle proves little."""
        children = {child for worker in self._members["worker"] for child in worker.children}
        owners = Run.objects.filter(state=State.RUNNING, lease_owner__isnull=False).values_list(
            "lease_owner", flat=True
        )
        busy = children & {int(owner.rpartition("/")[2]) for owner in owners if owner}
        return self.chosen("child", sorted(busy or children))

    def _kill_a_child(self) -> None:
        child = self._child()
        if child:
            _signal(child, signal.SIGKILL)

    def _freeze(self, *pids: int | None) -> None:
        """Wakes up later, while other things happen."""
        frozen = [pid for pid in pids if pid]
        for pid in frozen:
            _signal(pid, signal.SIGSTOP)
        waking = threading.Timer(
            self._chance.uniform(*FREEZE), lambda: [_signal(pid, signal.SIGCONT) for pid in frozen]
        )
        waking.daemon = True
        waking.start()

    def _send(self, messages: list[tuple[dict[str, object], object]]) -> None:
        """A broker that is away takes none: that is the fault of another moment."""
        for each in messages:
            try:
                self._ground.mailbox.send(each)
            except Exception:  # noqa: BLE001 - each transport has errors of its own
                self.messages["refused by the broker"] += 1
            else:
                self.messages["sent"] += 1

    def noticed(self) -> int:
        """How many times a worker said that a message names no run: what was sent did arrive."""
        return sum(
            log.read_text(encoding="utf-8", errors="replace").count(IGNORED)
            for log in self._place.home.glob("*-worker.log")
        )

    def _send_again(self) -> None:
        """Of a run that waits behind another of its datastore if there is any, for nobody may begin that."""
        runs = Run.objects.order_by("-created_at").values_list("pk", flat=True)
        behind = runs.filter(state=State.QUEUED, datastore__runs__state=State.RUNNING)
        run = self.chosen("again", list(behind) or list(runs[:20]))
        if run:
            self._send([message(str(run))] * 3)

    def _cancel(self) -> None:
        run = self.chosen("cancelled", list(Run.objects.filter(state__in=[State.QUEUED, State.RUNNING])))
        if run:
            cancel_run(run, user=None)


def _cut_sessions() -> None:
    """Of everybody but ourselves, in whatever they are doing: a commit, an apply, a tick."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _family(process: Process) -> list[int]:
    return [process.pid, *process.children]


def _signal(pid: int, number: signal.Signals) -> None:
    """It may have ended by itself a moment ago."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
