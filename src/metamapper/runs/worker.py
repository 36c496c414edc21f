"""The tie between a Celery worker's main process and the ledger: one thread that says "alive", and takes back what children lose.

A child that dies is seen by its parent at once; its run waits again a second later and not after the lease. A worker that
stops hands its runs over. Children are forked from the main process and inherit the worker's name.
"""

import atexit
import gc
import os
import platform
import secrets
import signal
import sys
import threading
import time
from datetime import datetime
from types import FrameType
from typing import Any

import structlog
from celery import signals
from celery.worker import state
from django.conf import settings
from django.db import Error, connections

from metamapper.lib import tracing
from metamapper.lib.alive import AliveFile
from metamapper.runs.clock import metastore_now
from metamapper.runs.errands import errands_leased_to, hand_over_errands, take_errands_from
from metamapper.runs.models import Run, WorkerHeartbeat
from metamapper.runs.reaper import hand_over, leased_to, take_from_dead
from metamapper.runs.timing import timing

log = structlog.get_logger(__name__)
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0
JOIN_SECONDS = 5.0
LOOK_SECONDS = 0.5
_name = f"{platform.node()}.{secrets.token_hex(4)}"


def owner() -> str:
    """Who this process is, as the owner of a lease."""
    return f"{_name}/{os.getpid()}"


class Tie:
    """Says every 20 s that the worker lives; looks every second whether a child died that was at something."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._slots: int | None = None
        self._started_at: datetime | None = None
        self._stopping = threading.Event()
        self._next_beat = 0.0
        self._leaving = False
        self._alive = AliveFile(settings.METAMAPPER_ALIVE_FILE)
        self._thread = threading.Thread(target=self._run, name="ledger-tie", daemon=True)

    def start(self) -> None:
        """From here on the process is said to live; that it works only once it is ``ready``."""
        self._thread.start()

    def ready(self, slots: int) -> None:
        """It consumes from now on, so many at once."""
        self._slots = slots
        self._next_beat = 0.0

    def leave(self) -> None:
        """The worker is to stop: from now on, a child's end is our doing and not its run's."""
        self._leaving = True

    def stop(self) -> None:
        """Hand over what is left, and be forgotten."""
        self._stopping.set()
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if time.monotonic() >= self._next_beat or _a_child_died():
                self._next_beat = time.monotonic() + timing().worker_beat
                self._alive.touch()
                if self._slots is not None:
                    self._try(self._beat)
            self._stopping.wait(LOOK_SECONDS)
        for step in (self._hand_over, self._hand_over_errands, self._be_forgotten):
            self._try(step)

    def _try(self, step: Any) -> None:
        """The connection is closed each time: a child that is forked meanwhile must not share it."""
        try:
            step()
        except Error as error:
            log.warning("worker.metastore_away", error=type(error).__name__)
        except Exception:  # the thread that says "alive" must not end before the worker does
            log.exception("worker.tie_failed")
        finally:
            connections.close_all()

    def _beat(self) -> None:
        now = metastore_now()
        self._started_at = self._started_at or now
        known = {"slots": self._slots, "heard_at": now}
        WorkerHeartbeat.objects.update_or_create(
            name=self._name, defaults=known, create_defaults=known | {"started_at": self._started_at}
        )
        dead = [each for each in self._owners() if not _lives(int(each.rpartition("/")[2]))]
        take_from_dead(dead, blame=not self._leaving)
        take_errands_from(dead)

    def _owners(self) -> list[str]:
        """The processes of ours that hold anything, by the ledger."""
        return sorted(
            {
                str(owner)
                for held in (leased_to(self._name), errands_leased_to(self._name))
                for owner in held.values_list("lease_owner", flat=True)
            }
        )

    def _hand_over(self) -> None:
        hand_over(self._name)

    def _hand_over_errands(self) -> None:
        hand_over_errands(self._name)

    def _be_forgotten(self) -> None:
        WorkerHeartbeat.objects.filter(name=self._name).delete()


def _a_child_died() -> bool:
    """Whether one that Celery believes to be at a task is gone. Celery itself looks every few seconds only."""
    busy = [request.worker_pid for request in list(state.active_requests)]
    return any(pid and not _lives(pid) for pid in busy)


def _lives(pid: int) -> bool:
    """Whether this process, or a child of it, lives: not even as one that ended and waits to be buried."""
    if pid == os.getpid():
        return True
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def wait_for_metastore() -> None:
    """Return once the metastore answers and has its tables; says so once. SIGTERM ends the wait, even as process 1."""
    before = signal.signal(signal.SIGTERM, _leave_at_once)
    pause, told = threading.Event(), False
    wait = FIRST_WAIT
    try:
        while (reason := _not_there()) is not None:
            if not told:
                log.warning("worker.waits_for_metastore", reason=reason)
                told = True
            pause.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave_at_once(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _not_there() -> str | None:
    """Why the metastore cannot be used yet, in a line; None if it can."""
    try:
        Run.objects.exists()
    except Error as error:
        return str(error).strip().partition("\n")[0]
    else:
        return None
    finally:
        connections.close_all()


class Installed:
    """The receivers of Celery's signals in a worker's main process. Signals hold them weakly: keep the instance."""

    def __init__(self) -> None:
        self._tie: Tie | None = None
        self._main = 0
        self._app: Any = None
        signals.worker_init.connect(self.on_imported)
        signals.worker_process_shutdown.connect(self.on_child_shutdown)
        signals.worker_ready.connect(self.on_ready)
        signals.worker_shutting_down.connect(self.on_shutting_down)
        signals.worker_shutdown.connect(self.on_shutdown)

    def on_init(self, sender: str, instance: Any, **_: Any) -> None:
        """Before anything is consumed: a name that no other worker ever has, and a metastore."""
        global _name  # noqa: PLW0603 - forked children find it here
        self._main, self._app = os.getpid(), instance.app
        _name = f"{sender}.{secrets.token_hex(4)}"
        self._tie = Tie(_name)
        self._tie.start()
        wait_for_metastore()

    def on_imported(self, **_: Any) -> None:
        """All is imported and nothing is forked yet: what the garbage collector never looks at again, children share."""
        gc.collect()
        gc.freeze()

    def on_child_shutdown(self, **_: Any) -> None:
        """Children end without the interpreter's farewell."""
        tracing.flush()

    def on_ready(self, sender: Any, **_: Any) -> None:
        atexit.register(self._leave_quickly, sender.controller)
        if self._tie:
            self._tie.ready(int(getattr(sender.controller, "concurrency", None) or 1))

    def _leave_quickly(self, controller: Any) -> None:
        """The last step of the process, however it stops (a cold stop sends no worker_shutdown).

        The pool's threads, which the interpreter would wait for, take seconds to end and sometimes never do; the children
        are gone by now.
        """
        if os.getpid() != self._main:
            return
        self.on_shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(controller.exitcode or 0)

    def on_shutting_down(self, how: str, **_: Any) -> None:
        """A warm stop waits for runs in progress, but not for ever: then it turns cold, and the runs are handed over."""
        if self._tie:
            self._tie.leave()
        if how == "Warm":
            timer = threading.Timer(timing().stop, self._turn_cold)
            timer.daemon = True
            timer.start()

    def _turn_cold(self) -> None:
        log.warning("worker.hands_over")
        self._app.conf.worker_soft_shutdown_timeout = 0
        os.kill(self._main, signal.SIGQUIT)

    def on_shutdown(self, **_: Any) -> None:
        if self._tie and os.getpid() == self._main:
            self._tie.stop()
            self._tie = None
