"""``make bench``: every promise about speed and memory, measured against the floor in one run.

Machines differ and are noisy, so what counts are ratios of medians, floor and work in turn. ``--relations`` sets the
size of the source, ``--rounds`` the number of measurements, ``--million`` adds memory at 1,000,000 columns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg

from benchmarks import source

SERVER = os.environ.get("METAMAPPER_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
METASTORE = "mm_bench_metastore"
CHANGED = 100
MILLION = 50_000
SHORT = 3
"""How often in a round what takes a fraction of a second is measured."""


@dataclass(frozen=True)
class Promise:
    """One row of the table: what was measured, against which limit."""

    work: str
    reached: float
    limit: float
    unit: str = "x the floor"

    @property
    def kept(self) -> bool:
        return self.reached <= self.limit

    def __str__(self) -> str:
        digits = 2 if "x" in self.unit else 0
        return (
            f"| {self.work} | {self.limit:g} {self.unit} | {self.reached:.{digits}f} | {'yes' if self.kept else 'NO'} |"
        )


def main() -> int:
    arguments = _arguments()
    url = source.ensure(SERVER, arguments.relations)
    measured = _measure(url, arguments.rounds)
    promises = _promises(measured)
    if arguments.million:
        promises.append(_million())
    print(
        f"\nFloor: {median(_of(measured['floor'], 'seconds')):.2f} s, {median(_of(measured['floor'], 'mib')):.0f} MiB, {arguments.relations} relations\n"
    )
    print("| work | must | reached | kept |\n|---|---|---|---|")
    print("\n".join(map(str, promises)))
    return 0 if all(each.kept for each in promises) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--relations", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    return parser.parse_args()


def _measure(url: str, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Floor and scenarios in turn, ``rounds`` times; each in a process of its own."""
    measured: dict[str, list[dict[str, Any]]] = {}

    def note(name: str, module: str, *arguments: str) -> None:
        result = _run(environment, module, *arguments)
        measured.setdefault(name, []).append(result)
        print(f"{name:10} {json.dumps(result)}", file=sys.stderr)

    for number in range(rounds):
        environment = _metastore()
        note("floor", "benchmarks.floor", url)
        note("first", "benchmarks.inspection", url, "all")
        note("unchanged", "benchmarks.inspection", url, "probe")
        for _ in range(SHORT):
            note("probe", "benchmarks.inspection", url, "nothing")
        source.change_tables(url, CHANGED, number + int.from_bytes(os.urandom(3)))
        note("changed", "benchmarks.inspection", url, "nothing")
        note("floor", "benchmarks.floor", url)
    return measured


def _promises(measured: dict[str, list[dict[str, Any]]]) -> list[Promise]:
    floor = median(_of(measured["floor"], "seconds"))
    memory = median(_of(measured["floor"], "mib"))

    def ratio(name: str) -> float:
        return median(_of(measured[name], "seconds")) / floor

    peak = max(median(_of(measured[name], "mib")) for name in ("first", "unchanged", "changed"))
    statements = max(max(_of(measured[name], "statements")) for name in ("first", "unchanged", "changed"))
    return [
        Promise("full read that finds nothing changed", ratio("unchanged"), 1.5),
        Promise("probe says nothing changed", ratio("probe"), 0.15),
        Promise("first inspection, everything stored, searchable, with history", ratio("first"), 4),
        Promise(f"{CHANGED} tables changed", ratio("changed"), 1.7),
        Promise("peak memory of the worker", peak / memory, 1.3, "x the floor's process"),
        Promise("source statements per run", statements, 15, "statements"),
    ]


def _million() -> Promise:
    """Peak memory of a first inspection of 1,000,000 columns, in MiB."""
    url = source.ensure(SERVER, MILLION)
    result = _run(_metastore(), "benchmarks.inspection", url, "all")
    print(f"million    {json.dumps(result)}", file=sys.stderr)
    return Promise("peak memory at 1,000,000 columns", result["mib"], 300, "MiB")


def _of(results: list[dict[str, Any]], key: str) -> list[float]:
    return [result[key] for result in results]


def _metastore() -> dict[str, str]:
    """A fresh metastore on the same server, and the environment that names it."""
    _reset()
    environment = os.environ | {
        "METAMAPPER_HOME": tempfile.mkdtemp(prefix="metamapper-bench-"),
        "METAMAPPER_DATABASE_URL": SERVER.rsplit("/", 1)[0] + f"/{METASTORE}",
        "DJANGO_SETTINGS_MODULE": "metamapper.project.settings",
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], env=environment, check=True)
    return environment


def _reset() -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {METASTORE} WITH (FORCE)")  # type: ignore[arg-type] # our own name
        connection.execute(f"CREATE DATABASE {METASTORE}")  # type: ignore[arg-type] # our own name


def _run(environment: dict[str, str], module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} {arguments[1:]} failed:\n{done.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if result.get("state", "succeeded") != "succeeded":
        raise SystemExit(f"{module} {arguments[1:]} ended as {result['state']}: {result['outcome']}")
    return result


if __name__ == "__main__":
    sys.exit(main())
