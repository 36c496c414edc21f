"""Keeps a lease alive from a thread with its own connection while the work goes on."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import structlog
from django.db import Error, connections

from metamapper.runs.leases import Lease, Standing, heartbeat, standing
from metamapper.runs.timing import timing

RETRY_SECONDS = 1.0
JOIN_SECONDS = 10.0
log = structlog.get_logger(__name__)


class Heartbeat:
    """``with Heartbeat(lease, on_lost=reader.cancel) as beat: ... beat.progress({...})``.

    ``on_lost`` is called once, in the heartbeat's thread, when the work must stop; ``standing`` then says why: the lease is
    lost, over its deadline, or somebody asked to cancel. A metastore that is away is asked again every second.
    """

    def __init__(self, lease: Lease, on_lost: Callable[[], None]) -> None:
        self._lease = lease
        self._on_lost = on_lost
        self._limits = timing()
        self._changed = threading.Condition()
        self._stopping = False
        self._progress: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._keep, name=f"heartbeat-{lease.run_id}", daemon=True)
        self.standing = Standing.HELD

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(JOIN_SECONDS)

    @property
    def lost(self) -> bool:
        """Whether the work must stop."""
        return self.standing not in {Standing.HELD, Standing.ENDED}

    def progress(self, values: dict[str, Any]) -> None:
        """How far the work is, for whoever looks; written at most once a second, the newest wins."""
        with self._changed:
            self._progress = values
            self._changed.notify()

    def _keep(self) -> None:
        try:
            last = time.monotonic()
            while self.standing is Standing.HELD and self._wait_since(last):
                last = time.monotonic()
                self.standing = self._beat()
        finally:
            connections.close_all()
        if self.lost:
            self._on_lost()

    def _wait_since(self, last: float) -> bool:
        """Until it is time for the next beat, or for progress to be written; False to end."""
        with self._changed:
            self._changed.wait_for(self._anything, _until(last + self._limits.heartbeat))
            if self._progress is not None:
                self._changed.wait_for(self._ending, _until(last + self._limits.progress))
            return not self._stopping

    def _anything(self) -> bool:
        return self._stopping or self._progress is not None

    def _ending(self) -> bool:
        return self._stopping

    def _beat(self) -> Standing:
        """How the lease stands; asks until the metastore answers."""
        answered = True
        while True:
            progress, self._progress = self._progress, None
            try:
                return Standing.HELD if heartbeat(self._lease, progress) else standing(self._lease)
            except Error as error:
                self._keep_progress(progress)
                if answered:
                    log.warning("heartbeat.metastore_away", run=str(self._lease.run_id), error=type(error).__name__)
                answered = False
                if self._pause():
                    return Standing.HELD

    def _keep_progress(self, unwritten: dict[str, Any] | None) -> None:
        """What was not written is written next time, unless something newer came."""
        with self._changed:
            if self._progress is None:
                self._progress = unwritten

    def _pause(self) -> bool:
        """A moment without the broken connection; whether it is time to end."""
        connections.close_all()
        with self._changed:
            return self._changed.wait_for(self._ending, RETRY_SECONDS)


def _until(moment: float) -> float:
    return max(0.0, moment - time.monotonic())
