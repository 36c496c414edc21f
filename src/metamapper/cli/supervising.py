"""Keeps a few child processes running: starts them, starts them again, passes their lines on, stops them all."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STEADY_SECONDS = 60
"""A child that ran this long and then ends is started again at once."""


@dataclass(slots=True)
class Child:
    """One service: its command, and how it has fared."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    due_at: float = 0.0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass(slots=True)
class Supervisor:
    """Runs its children until it is told to stop; twice told, it does not wait for them."""

    children: Sequence[Child]
    environment: Mapping[str, str]
    say: Callable[[str], None]
    patience: float
    """How many seconds a stopping child may take."""
    told: int = 0
    _event: threading.Event = field(default_factory=threading.Event)
    _lines: list[threading.Thread] = field(default_factory=list)

    def listen(self) -> None:
        """Take over the signals of this process. Children get theirs from us, not from the terminal."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop_asked)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: self._event.set())

    def _stop_asked(self, _number: int, _frame: FrameType | None) -> None:
        self.told += 1
        self._event.set()

    def start(self, *names: str) -> None:
        for child in self.children:
            if child.name in names:
                self._start(child)

    def hurry(self) -> None:
        """Start now what waits to be started; may be called from another thread."""
        for child in self.children:
            child.due_at = 0.0
        self._event.set()

    def run(self) -> None:
        """Until told to stop."""
        while not self.told:
            self._event.clear()
            self._event.wait(self._look_after(time.monotonic()))
        self.stop()

    def _look_after(self, now: float) -> float | None:
        """Start what ended and is due; seconds until the next is due."""
        for child in self.children:
            if child.alive:
                continue
            if child.process is not None:
                self._ended(child, now)
            if child.due_at <= now:
                self._start(child)
        waiting = [child.due_at - now for child in self.children if not child.alive]
        return max(0.0, min(waiting)) if waiting else None

    def _ended(self, child: Child, now: float) -> None:
        assert child.process is not None  # noqa: S101 - the caller looked
        code, child.process = child.process.returncode, None
        if now - child.started_at > STEADY_SECONDS:
            child.pause = FIRST_PAUSE
        child.due_at = now + child.pause
        self.say(f"The {child.name} ended ({_reason(code)}); it starts again in {child.pause:g} s.")
        child.pause = min(2 * child.pause, LONGEST_PAUSE)

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = subprocess.Popen(  # noqa: S603 - our own commands
            child.command,
            env={**self.environment, "METAMAPPER_PARENT": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        thread = threading.Thread(target=self._pass_on, args=(child, child.process), daemon=True)
        thread.start()
        self._lines.append(thread)

    def _pass_on(self, child: Child, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is piped
        for line in process.stdout:
            if line.strip():
                sys.stdout.write(f"{child.name:<9} | {line.rstrip()}\n")
                sys.stdout.flush()

    def stop(self) -> None:
        """All at once, warmly; whoever is told again, or runs out of patience, kills."""
        told, give_up = self.told, time.monotonic() + self.patience
        running = [child for child in self.children if child.alive]
        self._signal(running, signal.SIGTERM)
        while any(child.alive for child in running) and self.told == told and time.monotonic() < give_up:
            self._event.clear()
            self._event.wait(0.2)
        self._signal([child for child in running if child.alive], signal.SIGKILL)
        for thread in self._lines:
            thread.join(1)

    def _signal(self, children: Sequence[Child], number: signal.Signals) -> None:
        for child in children:
            if child.process is not None and child.alive:
                child.process.send_signal(number)


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
