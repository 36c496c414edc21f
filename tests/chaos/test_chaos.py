"""A few seconds of chaos with every run of the tests; `make chaos` does it for as long as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import servers

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS, SEED = 10, 5


@pytest.mark.timeout(240)
def test_a_few_seconds_of_chaos_break_nothing(postgresql_server: str) -> None:
    """With a Redis of its own, since it is killed."""
    try:
        with servers.started_redis(port=servers.free_port()):
            pass
    except (servers.Missing, OSError) as missing:
        pytest.skip(f"no Redis can be started here: {missing}")
    command = [sys.executable, "-m", "tests.chaos", "--broker", "redis", "--seconds", str(SECONDS), "--seed", str(SEED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=230)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert "invariants  15" in done.stdout
