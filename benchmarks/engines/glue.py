"""``make bench ENGINE=glue``: calls and memory of a read of 10,000 tables, from the paged stand-in by the real driver.

The stand-in runs in a process of its own, and so does the reader; what the reader needs before it has connected is idle.
Calls are counted by the stand-in. ``--tables`` sets the size.
"""

import argparse
import json
import subprocess
import sys
from math import ceil
from typing import Any

from benchmarks.promise import Promise

DATABASES = 4
PAGE = 100
MORE_CALLS, MORE_MEMORY = 10, 50


def main() -> int:
    from tests.support.aws import aws_stand_in

    parser = argparse.ArgumentParser(prog="make bench ENGINE=glue ARGS=…", description=__doc__)
    parser.add_argument("--tables", type=int, default=10_000)
    tables = parser.parse_args().tables
    shares = {f"database_{place}": len(range(place, tables, DATABASES)) for place in range(DATABASES)}
    with aws_stand_in() as aws:
        aws.reset()
        aws.faults(fill=shares)
        found = _read_elsewhere(aws.url)
        calls = sum(aws.calls().values())
    print(f"\n{json.dumps(found)}\n", file=sys.stderr)
    if found["relations"] != tables:
        raise SystemExit(f"{found['relations']} of {tables} tables were read")
    pages = sum(ceil(share / PAGE) for share in shares.values())
    promises = [
        Promise(f"calls for {tables} tables, {pages} pages", calls, pages + MORE_CALLS, "calls"),
        Promise("peak memory of a read above idle", found["peak"] - found["idle"], MORE_MEMORY, "MiB"),
    ]
    print("| work | must | reached | kept |\n|---|---|---|---|")
    print("\n".join(map(str, promises)))
    return 0 if all(each.kept for each in promises) else 1


def _read_elsewhere(url: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engines.glue", "read", url], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(url: str) -> None:
    """One read as a worker does it: everything observed, and each relation decoded once as in a first inspection."""
    import resource
    import time

    from metamapper.connectors.registry import engine
    from metamapper.connectors.scope import ScopeFilter

    glue = engine("glue")
    settings = glue.settings(  # type: ignore[call-arg]  # the engine's own fields
        region="eu-west-1", access_key_id="administrator", secret_access_key="anything", endpoint_url=url
    )
    idle, began, relations, columns = _resident(), time.perf_counter(), 0, 0
    with glue.connect(settings).open() as session:
        session.probe(ScopeFilter())
        session.scopes(ScopeFilter())
        for observation in session.relations(ScopeFilter()):
            relations += 1
            columns += len(session.decode(observation.payload).columns)
        session.scopes(ScopeFilter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = time.perf_counter() - began
    print(json.dumps({"idle": idle, "peak": peak, "seconds": took, "relations": relations, "columns": columns}))


def _resident() -> float:
    """What the process holds now, in MiB."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - a file of the kernel's
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        read(sys.argv[2])
    else:
        sys.exit(main())
