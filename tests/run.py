"""What `make test` runs: the checks, then every test, on both metastores, with the servers that they need.

`python -m tests.run [--no-checks] [--require-live] [arguments for pytest]`. Tests that use the metastore run twice, on
SQLite and on PostgreSQL, unless they are marked as indifferent to it; the others once. Servers that we start are on loopback, on ports of their own, and are stopped.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.support import brokers, servers, sshd
from tests.support.databases import with_database

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "import contract": ["lint-imports", "--no-logo"],
    "types": ["mypy"],
}
NOTHING_COLLECTED = 5
CHECKS_FAILED = 1
AT_ONCE = (os.cpu_count() or 1) + 1
"""Processes of pytest: tests wait for others more than they compute."""


@dataclass(slots=True)
class Tally:
    """What all runs of pytest together came to."""

    counts: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)

    def add(self, report: Path) -> None:
        for line in report.read_text(encoding="utf-8").splitlines() if report.exists() else ():
            entry = json.loads(line)
            self.counts.update(entry["counts"])
            self.skips.update(entry["skips"])

    def __str__(self) -> str:
        failed = self.counts["failed"] + self.counts["error"]
        return f"{self.counts['passed']} passed, {failed} failed, {self.counts['skipped']} skipped"


def say(text: str) -> None:
    print(f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text, flush=True)


def run_checks() -> bool:
    """All at once, each told in its turn; whether all passed."""
    started = {
        name: subprocess.Popen(
            [BIN / command[0], *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, command in CHECKS.items()
    }
    passed = True
    for name, process in started.items():
        output, _ = process.communicate()
        good = process.returncode == 0
        passed &= good
        say(f"{name}: {'good' if good else 'FAILED'}")
        if not good:
            print(output, flush=True)
    return passed


def start_servers(stack: ExitStack) -> tuple[dict[str, str], list[str]]:
    """The variables that tell the tests where the servers are, and what could not be had."""
    environment: dict[str, str] = {}
    missing: list[str] = []
    for name, variable, server in (
        ("PostgreSQL", "MM_TEST_POSTGRESQL", servers.postgresql()),
        ("Redis", "MM_TEST_REDIS", servers.redis_server()),
        ("SQS", "MM_TEST_SQS", brokers.started_sqs()),
    ):
        try:
            found = stack.enter_context(server)
            environment[variable] = found.url
            say(f"{name}: {found.origin}")
        except servers.Missing as error:
            missing.append(str(error))
    try:
        rabbit = stack.enter_context(brokers.rabbitmq_host())
        environment["MM_TEST_RABBITMQ"] = rabbit.told
        say(f"RabbitMQ: {rabbit.origin}")
    except servers.Missing as error:
        missing.append(str(error))
    try:
        say(f"OpenSSH: {sshd.program()}")
    except servers.Missing as error:
        missing.append(str(error))
    try:
        say(f"Chromium: {servers.chromium()}")
    except servers.Missing as error:
        missing.append(str(error))
    return environment, missing


def run_pytest(arguments: Sequence[str], environment: dict[str, str]) -> int:
    """One run; no test to run is not a failure, for a selection may hold none of the metastore's.

    Whoever stops us stops it in an orderly way, so that it drops its databases.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(AT_ONCE), "--dist", "worksteal", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        code = process.wait()
    except KeyboardInterrupt:  # the terminal has told it too
        code = process.wait()
    except SystemExit:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    return 0 if code == NOTHING_COLLECTED else code


def run_tests(arguments: Sequence[str], *, require_live: bool) -> tuple[int, Tally]:
    """On both metastores; the first exit code that is not 0, and the counts."""
    tally = Tally()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm-test-run-")))
        environment, missing = start_servers(stack)
        common = [*arguments, f"--counts={folder / 'counts'}", *(["--require-live"] if require_live else [])]
        server = environment.get("MM_TEST_POSTGRESQL")
        say("Every test, metastore on SQLite")
        once = ["--leave-either"] if server else []
        codes = [run_pytest([*common, *once], environment | {"METAMAPPER_DATABASE_URL": ""})]
        if server:
            say("Tests of the metastore, on PostgreSQL")
            metastore = with_database(server, f"mm_metastore_{os.getpid()}")
            codes.append(
                run_pytest([*common, "--only-metastore"], environment | {"METAMAPPER_DATABASE_URL": metastore})
            )
        elif require_live:
            codes.append(1)
        tally.add(folder / "counts")
        tally.skips.update(missing)
    return next((code for code in codes if code), 0), tally


def _stop(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument("--no-checks", action="store_true", help="only the tests")
    parser.add_argument("--require-live", action="store_true", help="a server that cannot be had is a failure")
    options, arguments = parser.parse_known_args()
    signal.signal(signal.SIGTERM, _stop)
    started = time.monotonic()
    if not options.no_checks and not run_checks():
        return CHECKS_FAILED
    code, tally = run_tests(arguments, require_live=options.require_live)
    for reason, count in sorted(tally.skips.items()):
        say(f"skipped ({count}): {reason}")
    say(f"{tally} in {(time.monotonic() - started) / 60:.1f} min")
    return code


if __name__ == "__main__":
    sys.exit(main())
