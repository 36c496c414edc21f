"""A worker of two slots and a scheduler that have nothing to do: memory, and share of a core."""

import json
import os
import subprocess
import time
from pathlib import Path

import django

from benchmarks.heart.real import redis, services

SETTLE = 10.0
SECONDS = 30.0


def main() -> None:
    with redis():
        django.setup()
        with services("worker", "beat") as pids:
            time.sleep(SETTLE)
            before = {name: processor(pid) for name, pid in pids.items()}
            time.sleep(SECONDS)
            found: dict[str, float] = {}
            for name, pid in pids.items():
                found[f"{name}_cpu"] = 100 * (processor(pid) - before[name]) / SECONDS
                found[f"{name}_mib"] = memory(pid)
    print(json.dumps(found))


def family(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [pid, *(int(each) for each in listed.stdout.split())]


def processor(pid: int) -> float:
    """Seconds of processor time that the process and its children have used."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """MiB that the process and its children hold, what they share counted once (proportional set size)."""
    kib = 0
    for each in family(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        kib += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


if __name__ == "__main__":
    main()
