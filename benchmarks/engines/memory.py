"""``make bench ENGINE=name``: what a read of 200,000 columns holds above idle, by the real driver, in a process of its own.

What is read is made by ``benchmarks.engines.sources`` in another process, so that no stand-in's memory counts. Idle is the
reader with its driver imported, before it has connected: what a connection costs counts as well. Each relation is decoded
once, as in a first inspection. ``--tables`` and ``--columns`` (of each table) set the size.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLES, COLUMNS = 10_000, 20
MOST_MIB = 100
HEAD = """\
| engine | columns | MiB above idle, must | to connect | to read | together | kept |
|---|---|---|---|---|---|---|"""


def main() -> int:
    from benchmarks.engines.sources import SOURCES

    parser = argparse.ArgumentParser(prog="make bench ENGINE=… ARGS=…", description=__doc__)
    parser.add_argument("engines", nargs="*", choices=[*sorted(SOURCES), "all"], default="all")
    parser.add_argument("--tables", type=int, default=TABLES)
    parser.add_argument("--columns", type=int, default=COLUMNS)
    asked = parser.parse_args()
    names = sorted(SOURCES) if "all" in asked.engines else asked.engines
    found = [each for name in names if (each := _measured(name, asked.tables, asked.columns))]
    print(HEAD)
    print("\n".join(map(str, found)))
    return 0 if found and all(each.kept for each in found) else 1


@dataclass(frozen=True)
class Measured:
    """MiB that the reader held: idle, once it had connected, and at the most."""

    engine: str
    columns: int
    idle: float
    connected: float
    peak: float

    @property
    def above(self) -> float:
        return self.peak - self.idle

    @property
    def kept(self) -> bool:
        return self.above <= MOST_MIB

    def __str__(self) -> str:
        parts = f"{self.connected - self.idle:.1f} | {self.peak - self.connected:.1f} | {self.above:.1f}"
        return f"| {self.engine} | {self.columns:,} | {MOST_MIB} | {parts} | {'yes' if self.kept else 'NO'} |"


def _measured(name: str, tables: int, columns: int) -> Measured | None:
    """None where what stands for the engine cannot be had here."""
    with _served(name, tables, columns) as source:
        if "missing" in source:
            print(f"{name} is left out: {source['missing']}", file=sys.stderr)
            return None
        found = _read_elsewhere(name, source)
    print(f"{name:10} {json.dumps(found)}", file=sys.stderr)
    if found["relations"] != tables or found["columns"] < tables * columns:
        raise SystemExit(f"{name}: {found['relations']} relations and {found['columns']} columns were read")
    return Measured(name, found["columns"], found["idle"], found["connected"], found["peak"])


@contextmanager
def _served(name: str, tables: int, columns: int) -> Iterator[dict[str, Any]]:
    """How to reach a source of this size, as ``sources`` tells it; it is there until the end."""
    command = [sys.executable, "-m", "benchmarks.engines.sources", name, str(tables), str(columns)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{name}: the source did not start")
        yield json.loads(line)


def _read_elsewhere(name: str, source: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.engines.memory", "read", name, json.dumps(source)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def read(name: str, text: str) -> None:
    """One read as a worker does it: the probe, everything observed, each relation decoded once."""
    import msgspec

    from benchmarks.engines.sources import prepared
    from metamapper.connectors.reach import Reach
    from metamapper.connectors.registry import engine
    from metamapper.connectors.scope import ScopeFilter

    source = json.loads(text)
    settings = msgspec.json.decode(source["settings"].encode(), type=engine(name).settings)
    prepared(name, source)
    connector = engine(name).connect(settings, Reach(folders=tuple(map(Path, source["folders"]))))
    engine(name).decoding()
    idle, began, relations, columns = _held("VmRSS"), time.perf_counter(), 0, 0
    with connector.open() as session:
        connected = _held("VmRSS")
        session.probe(ScopeFilter())
        session.scopes(ScopeFilter())
        for observation in session.relations(ScopeFilter()):
            relations += 1
            columns += len(session.decode(observation.payload).columns)
        session.scopes(ScopeFilter())
    found = {"idle": idle, "connected": connected, "peak": _held("VmHWM"), "seconds": time.perf_counter() - began}
    print(json.dumps({**found, "relations": relations, "columns": columns}))


def _held(what: str) -> float:
    """What the process holds now (VmRSS), or has held at the most (VmHWM), in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        read(*sys.argv[2:])
    else:
        sys.exit(main())
