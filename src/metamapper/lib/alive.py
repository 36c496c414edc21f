"""A file whose age tells that a process lives, for probes that can only look: ``test -n "$(find FILE -mmin -2)"``."""

import time
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


class AliveFile:
    """Touched by a process that goes on. One that cannot be written is told once and stops nobody."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._told = False

    def touch(self) -> None:
        if self._path is None:
            return
        try:
            self._path.touch()
        except OSError as error:
            if not self._told:
                log.warning("alive.not_written", path=str(self._path), error=error.strerror)
            self._told = True


def age(path: Path) -> float | None:
    """Seconds since it was touched; None where there is no such file."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return None
