"""A few seconds of chaos with every run of the tests; `make chaos` does it for as long as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS, SEED = 10, 5


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("postgresql_server", "redis_port")
def test_a_few_seconds_of_chaos_break_nothing() -> None:
    """With a Redis of its own, since it is killed."""
    command = [sys.executable, "-m", "tests.chaos", "--broker", "redis", "--seconds", str(SECONDS), "--seed", str(SEED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=230)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert "invariants  15" in done.stdout
