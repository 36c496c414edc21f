"""What the asynchronous heart costs: the ledger, its scheduler, and the way through a broker."""

import json
import sys
from typing import Any

from benchmarks.processes import metastore, run
from benchmarks.promise import Promise


def promises() -> list[Promise]:
    """Measures each in a process of its own over a fresh metastore, and says what came of it."""
    due = _measured("due")
    ledger = _measured("ledger")
    button = _measured("button")
    fair = _measured("fairness")
    pages = _measured("pages")
    idle = _measured("idle")
    print(
        f"\nFloors: {due['floor']:.2f} s to store 10,000 runs by bare statements,"
        f" {ledger['floor_ms']:.2f} ms for a run's transactions by bare statements,"
        f" {pages['with_ms']:.0f} ms for the pages with a broker\n"
    )
    return [
        Promise("10,000 datastores due at once become runs", due["seconds"], 2, "s"),
        Promise("dispatching from among 10,000, p95", due["dispatch_p95_ms"], 100, "ms"),
        Promise("GET /health among 10,000, p95", due["health_p95_ms"], 100, "ms"),
        Promise("messages that the broker holds", due["held"], due["window"], "messages"),
        Promise("the ledger's cost of a run", ledger["each_ms"], 10, "ms"),
        Promise("runs through the ledger by 4 processes", ledger["per_second"], 300, "a second", at_least=True),
        Promise("button to started on Redis, p50", button["p50_ms"], 150, "ms"),
        Promise("button to started on Redis, p99", button["p99_ms"], 1000, "ms"),
        Promise("a workspace's 40 beside another's 8,000: done by", fair["share"], 0.25, "of all"),
        Promise("pages while the broker is frozen", pages["frozen_ms"] / pages["with_ms"], 1.15, "x with it"),
        Promise("pages while the broker is down", pages["down_ms"] / pages["with_ms"], 1.15, "x with it"),
        Promise("idle worker", idle["worker_mib"], 150, "MiB"),
        Promise("idle worker", idle["worker_cpu"], 1, "% of a core"),
        Promise("idle scheduler", idle["beat_mib"], 150, "MiB"),
        Promise("idle scheduler", idle["beat_cpu"], 1, "% of a core"),
    ]


def _measured(name: str) -> dict[str, Any]:
    result = run(metastore(), f"benchmarks.heart.{name}")
    print(f"{name:10} {json.dumps(result)}", file=sys.stderr)
    return result
