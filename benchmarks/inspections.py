"""What an inspection costs, against psycopg reading the same catalog in bulk and doing nothing else with it."""

import json
import os
import sys
from statistics import median
from typing import Any

from benchmarks import source
from benchmarks.processes import SERVER, metastore, run
from benchmarks.promise import Promise

CHANGED = 100
MILLION = 50_000
SHORT = 3
"""How often in a round what takes a fraction of a second is measured."""


def promises(*, relations: int, rounds: int, million: bool) -> list[Promise]:
    """Measures, and says what came of each promise; prints the floor."""
    measured = _measure(source.ensure(SERVER, relations), rounds)
    found = _promises(measured)
    if million:
        found.append(_million())
    floor = measured["floor"]
    print(
        f"\nFloor: {median(_of(floor, 'seconds')):.2f} s, {median(_of(floor, 'mib')):.0f} MiB, {relations} relations\n"
    )
    return found


def _measure(url: str, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Floor and scenarios in turn, ``rounds`` times; each in a process of its own."""
    measured: dict[str, list[dict[str, Any]]] = {}

    def note(name: str, module: str, *arguments: str) -> None:
        result = run(environment, module, *arguments)
        measured.setdefault(name, []).append(result)
        print(f"{name:10} {json.dumps(result)}", file=sys.stderr)

    for number in range(rounds):
        environment = metastore()
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
    result = run(metastore(), "benchmarks.inspection", url, "all")
    print(f"million    {json.dumps(result)}", file=sys.stderr)
    return Promise("peak memory at 1,000,000 columns", result["mib"], 300, "MiB")


def _of(results: list[dict[str, Any]], key: str) -> list[float]:
    return [result[key] for result in results]
