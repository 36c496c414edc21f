"""What befalls workers, schedulers and messages. Each fault is over when it returns, or mends itself later."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from django.db import connection

from metamapper.runs.models import Run, State
from metamapper.runs.services import cancel_run
from tests.chaos.grounds import Ground
from tests.runs.messages import foreign, message
from tests.runs.processes import Process, Site

FREEZE = (0.5, 6.0)
"""Seconds that something is frozen: shorter and longer than a lease of 3 s."""
AWAY = (0.2, 4.0)
IGNORED = "run.message_ignored"


class Crew:
    """The workers and schedulers that should be there, made good when they are killed."""

    def __init__(self, place: Site, ground: Ground, chance: random.Random, *, workers: int, schedulers: int) -> None:
        self._place = place
        self._ground = ground
        self._chance = chance
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
                named = ("-n", f"w{self._number}@%h") if service == "worker" else ()
                living.append(self._place.celery(service, *named, **self._ground.environment))
            self._members[service] = living

    def faults(self) -> dict[str, Callable[[], None]]:
        return {
            "worker killed": lambda: self._one("worker").kill(),
            "worker frozen": lambda: self._freeze(*_family(self._one("worker"))),
            "child killed": lambda: self._child(signal.SIGKILL),
            "child frozen": lambda: self._freeze(self._child_of(self._one("worker"))),
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

    def _child_of(self, process: Process) -> int | None:
        children = sorted(process.children)
        return self._chance.choice(children) if children else None

    def _child(self, number: signal.Signals) -> None:
        child = self._child_of(self._one("worker"))
        if child:
            _signal(child, number)

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
        runs = list(Run.objects.order_by("-created_at").values_list("pk", flat=True)[:20])
        if runs:
            self._send([message(str(self._chance.choice(runs)))] * 3)

    def _cancel(self) -> None:
        runs = list(Run.objects.filter(state__in=[State.QUEUED, State.RUNNING]))
        if runs:
            cancel_run(self._chance.choice(runs), user=None)


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
