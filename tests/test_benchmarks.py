"""``make bench`` measures each engine, and does measure: a small read of those that need no server."""

import io
import subprocess
import sys
import tomllib
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from benchmarks.engines import __main__ as bench
from benchmarks.engines.memory import Measured
from benchmarks.engines.sources import SOURCES

ROOT = Path(__file__).resolve().parent.parent


def test_every_engine_can_be_measured() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(SOURCES) == set(package["project"]["entry-points"]["metamapper.engines"])


def test_an_engine_that_is_not_known_gives_one_line_with_those_that_are() -> None:
    with redirect_stderr(io.StringIO()) as said:
        assert bench.main("nonesuch") == 2
    [line] = said.getvalue().splitlines()
    assert "nonesuch" in line
    assert ", ".join(sorted(SOURCES)) in line


@pytest.mark.parametrize("name", ["sqlite", "oracle", "sqlserver"])
def test_a_read_is_measured_in_a_process_of_its_own(name: str) -> None:
    command = [sys.executable, "-m", "benchmarks.engines.memory", name, "--tables", "30", "--columns", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = [cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|")]
    assert (row[0], row[1], row[-1]) == (name, "210", "yes")


def test_what_holds_too_much_is_not_kept() -> None:
    assert Measured("some", 200_000, idle=40, connected=45, peak=140).kept
    found = Measured("some", 200_000, idle=40, connected=45, peak=141)
    assert not found.kept
    assert str(found).endswith("| 100 | 5.0 | 96.0 | 101.0 | NO |")
