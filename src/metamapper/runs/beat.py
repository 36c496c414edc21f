"""The ledger's scheduler as a class for ``celery beat``: no schedule file, any number of beats.

The administrator's own ``beat_schedule`` is kept too; only the beat that leads sends its entries, so that two beats do not
send everything twice.
"""

import os
import platform
import secrets
import threading
import time
from typing import Any

import structlog
from celery.beat import Scheduler
from django.conf import settings

from metamapper.lib.alive import AliveFile
from metamapper.runs.scheduler import Ledger
from metamapper.runs.timing import timing

RESIGN_SECONDS = 2.0
log = structlog.get_logger(__name__)


class LedgerScheduler(Scheduler):
    """Ticks the ledger every few seconds, whatever else is due."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from metamapper.runs.publishing import CANARY, ERRAND, publisher

        super().__init__(*args, **kwargs)
        owner = f"{platform.node()}/{os.getpid()}/{secrets.token_hex(4)}"
        self.ledger = Ledger(
            owner, publisher(self.app), canary=publisher(self.app, CANARY), errand=publisher(self.app, ERRAND)
        )
        self._leading = False
        self._closed = False
        self._next_tick = 0.0
        self._alive = AliveFile(settings.METAMAPPER_ALIVE_FILE)

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)

    @property
    def info(self) -> str:
        return "    . ledger -> the metastore"

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round of the ledger if it is time, and of the administrator's entries if we lead; seconds until the next."""
        self._alive.touch()
        if time.monotonic() >= self._next_tick:
            self._next_tick = time.monotonic() + timing().tick
            led, self._leading = self._leading, self._tick_ledger()
            if self._leading and not led:
                self._begin_entries()
        wait = max(0.0, self._next_tick - time.monotonic())
        if not (self._leading and self.schedule):
            return wait
        return min(wait, super().tick(*args, **kwargs))

    def _begin_entries(self) -> None:
        """Whoever led before has sent the administrator's entries up to now."""
        for entry in self.schedule.values():
            entry.last_run_at = self.app.now()
        self._heap = None

    def _tick_ledger(self) -> bool:
        try:
            return self.ledger.try_to_tick()
        except Exception:  # a scheduler that ends helps nobody; the fault is told and the next tick tries again
            log.exception("scheduler.tick_failed")
            return False

    def close(self) -> None:
        """Resign. Celery calls this from its signal handler, perhaps in the middle of a query: hence on another connection.

        Once only: a second call would come as the interpreter ends.
        """
        if not self._closed:
            self._closed = True
            thread = threading.Thread(target=self.ledger.stop, name="resign", daemon=True)
            thread.start()
            thread.join(RESIGN_SECONDS)
        super().close()
