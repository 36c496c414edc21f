"""The product as a user has it: `metamapper up` in a data folder of its own, in another process, on a free port."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.servers import free_port

READY = "Metamapper is ready"
START_SECONDS = 90
STOP_SECONDS = 40


@dataclass
class Product:
    """One data folder; started, stopped and started again as its user likes. ``log`` is what the terminal showed."""

    home: Path
    port: int
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """As `make run` does; returns when the first page is there."""
        before = len(self.said())
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("METAMAPPER_", "DJANGO_"))
        }
        environment |= {"METAMAPPER_HOME": str(self.home), "METAMAPPER_WEBSERVER_ORIGIN": self.url}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "metamapper.cli", "up", "--port", str(self.port)],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        eventually(lambda: READY in self.said()[before:] or self._ended(), within=START_SECONDS, what="the first page")
        assert not self._ended(), self.said()[before:]

    def stop(self) -> int:
        """With Ctrl-C, as its user does; the exit code."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            code = self.process.wait(timeout=STOP_SECONDS)
            eventually(self._nothing_left, within=5, what="that nothing of it outlives it")
            return code
        finally:
            self._kill()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _nothing_left(self) -> bool:
        assert self.process
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def _kill(self) -> None:
        """Nothing of ours outlives a test, whatever became of it."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.process.wait()


@contextmanager
def product(folder: Path) -> Iterator[Product]:
    """Not started yet; whatever still runs at the end is killed."""
    made = Product(folder / "home", free_port(), folder / "terminal.log")
    made.home.mkdir()
    try:
        yield made
    finally:
        made._kill()
