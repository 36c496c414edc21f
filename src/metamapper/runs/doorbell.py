"""Wake a worker as soon as a run waits, without making anybody wait for a broker.

``ring`` hands the run to a thread of this process and returns. Whatever the thread does not manage (no broker, a full
queue, a process that ends) the scheduler's next tick does: the doorbell saves seconds, and nothing depends on it.
"""

import os
import threading
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

from metamapper.runs.dispatch import Publish, dispatch_now

WAITING_AT_MOST = 1000
IDLE_SECONDS = 30

Deliver = Callable[[Sequence[UUID], Publish], object]
"""Sends the messages for these, as far as it is their turn."""

log = structlog.get_logger(__name__)


class Bell:
    """One thread, started when it is needed, that ends when nothing was asked of it for a while.

    ``setting`` names Django's setting that names the function that publishes.
    """

    def __init__(self, setting: str, deliver: Deliver) -> None:
        self._setting = setting
        self._deliver = deliver
        self._pid = os.getpid()
        self._asked: Queue[UUID] = Queue(WAITING_AT_MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def mine(self) -> bool:
        """Whether it belongs to this process: a thread does not survive a fork."""
        return self._pid == os.getpid()

    def ask(self, run_id: UUID) -> None:
        with self._lock:
            try:
                self._asked.put_nowait(run_id)
            except Full:
                return
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        """Newer Pythons start no thread while the interpreter ends: then the scheduler's tick does it."""
        thread = threading.Thread(target=self._answer, name="doorbell", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            log.warning("doorbell.failed", error=str(error))
        else:
            self._thread = thread

    def _answer(self) -> None:
        while asked := self._next():
            try:
                self._deliver(asked, import_string(getattr(settings, self._setting)))
            except Exception as error:  # noqa: BLE001 - a broker or metastore that is away must not end the thread
                log.warning("doorbell.failed", error=type(error).__name__)
            finally:
                connections.close_all()
                for _ in asked:
                    self._asked.task_done()

    def _next(self) -> list[UUID]:
        """All that was asked meanwhile; nothing after a while, and then the thread is gone."""
        try:
            run_ids = [self._asked.get(timeout=IDLE_SECONDS)]
        except Empty:
            with self._lock:
                if self._asked.empty():
                    self._thread = None
                    return []
            return self._next()
        while not self._asked.empty():
            run_ids.append(self._asked.get_nowait())
        return run_ids

    def wait(self, seconds: float) -> bool:
        """Until all that was asked is answered, so that a short command does not end before; False after ``seconds``."""
        with self._asked.all_tasks_done:
            return self._asked.all_tasks_done.wait_for(lambda: not self._asked.unfinished_tasks, timeout=seconds)


class Doorbell:
    """A bell for each process: a thread does not survive a fork. Rings nothing where the setting is blank."""

    def __init__(self, setting: str, deliver: Deliver) -> None:
        self._setting = setting
        self._deliver = deliver
        self._bell = Bell(setting, deliver)

    def ring(self, identity: UUID) -> None:
        """Try soon, in the background, to wake a worker for this. Never fails, never waits."""
        if not getattr(settings, self._setting):
            return
        if not self._bell.mine:
            self._bell = Bell(self._setting, self._deliver)
        self._bell.ask(identity)

    def wait(self, seconds: float = 2) -> bool:
        """For commands that end after asking for something: give the doorbell this long."""
        return self._bell.wait(seconds) if self._bell.mine else True


RUNS = Doorbell("METAMAPPER_PUBLISHER", dispatch_now)
ring, wait = RUNS.ring, RUNS.wait
