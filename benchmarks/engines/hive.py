"""``make bench ENGINE=hive``: statements, calls and memory of a read of 5,000 tables, by either door.

Through the database: a PostgreSQL of our own with the metastore's tables, made by hand and filled; a MariaDB besides where there is one.
Through the service: the stand-in, in a process of its own. The reader is in a process of its own, too; what it needs before it has
connected is idle. ``--tables`` sets the size (40 columns each).
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.promise import Promise

COLUMNS = 40
DATABASES = 10
AT_ONCE = 100
MOST_STATEMENTS, MOST_MIB = 15, 100
MORE_CALLS = 6 * (DATABASES + 2)
"""Beyond one for each batch: its facts, its names twice and a smaller first batch for each database, and some for all."""


def main() -> int:
    from metamapper.connectors.engines.hive.settings import HiveSettings
    from tests.support.hive_tables import HIVE_3
    from tests.support.servers import Missing

    parser = argparse.ArgumentParser(prog="make bench ENGINE=hive ARGS=…", description=__doc__)
    parser.add_argument("--tables", type=int, default=5_000)
    tables = parser.parse_args().tables
    promises: list[Promise] = []
    for name, opened in (("PostgreSQL", on_postgresql), ("MariaDB", _on_mariadb), ("service", _serving)):
        try:
            with opened(tables, HIVE_3) as settings:
                assert isinstance(settings, HiveSettings)
                found = _read_elsewhere(settings)
        except Missing as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
            continue
        print(f"{name:10} {json.dumps(found)}", file=sys.stderr)
        if found["relations"] != tables:
            raise SystemExit(f"{found['relations']} of {tables} tables were read")
        promises += _promises(name, tables, found)
    print("| work | must | reached | kept |\n|---|---|---|---|")
    print("\n".join(map(str, promises)))
    return 0 if promises and all(each.kept for each in promises) else 1


def _promises(name: str, tables: int, found: dict[str, Any]) -> Iterator[Promise]:
    what = f"{name}, {tables} tables with {COLUMNS} columns"
    if name == "service":
        yield Promise(f"{what}: calls", found["calls"], ceil(tables / AT_ONCE) + MORE_CALLS, "calls")
    else:
        yield Promise(f"{what}: statements, the probe among them", found["statements"], MOST_STATEMENTS, "statements")
        yield Promise(f"{what}: the probe against the read", found["probe"] / found["seconds"], 1)
    yield Promise(f"{what}: memory above idle", found["peak"] - found["idle"], MOST_MIB, "MiB")


def _model(tables: int, width: int = COLUMNS) -> Any:
    from metamapper.connectors.sql.hive_constraints import Rule
    from tests.support.hive_model import Model, ModelRule

    model = Model()
    databases = [model.database(f"bench_{number}") for number in range(DATABASES)]
    for number in range(tables):
        columns = [(f"column_{place}", "array<struct<a:int>>" if place == 7 else "string") for place in range(width)]
        made = model.table(databases[number % DATABASES], f"table_{number}", *columns, parameters={"numRows": "7"})
        made.rules.append(ModelRule(f"pk_{number}", Rule.PRIMARY_KEY, ["column_0"], 1))
    return model


@contextmanager
def on_postgresql(tables: int, version: str, columns: int = COLUMNS) -> Iterator[Any]:
    from tests.support.guarded import guarded_postgresql
    from tests.support.hive_stores import on_postgresql as kept
    from tests.support.hive_tables import rows_of

    with guarded_postgresql() as server, kept(server.url, version) as keeper:
        keeper.put(rows_of(_model(tables, columns), version))
        keeper.run("ANALYZE")
        yield keeper.settings


@contextmanager
def _on_mariadb(tables: int, version: str) -> Iterator[Any]:
    from tests.support.hive_stores import on_mysql
    from tests.support.hive_tables import rows_of
    from tests.support.mysql import mariadb_programs, started

    with started(mariadb_programs()) as server, on_mysql(server, version) as keeper:
        keeper.put(rows_of(_model(tables), version))
        yield keeper.settings


@contextmanager
def _serving(tables: int, version: str) -> Iterator[Any]:  # noqa: ARG001 - one signature for all
    from metamapper.connectors.engines.hive.settings import Access, HiveSettings, SignIn

    command = [sys.executable, "-m", "benchmarks.engines.hive", "serve", str(tables)]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        )
        stack.callback(process.kill)
        assert process.stdout
        port = int(process.stdout.readline())
        yield HiveSettings(access=Access.THRIFT, host="127.0.0.1", port=port, sign_in=SignIn.NONE)


def _read_elsewhere(settings: Any) -> dict[str, Any]:
    import msgspec

    text = msgspec.json.encode(settings).decode()
    command = [sys.executable, "-m", "benchmarks.engines.hive", "read", text]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(text: str) -> None:
    """One read as a worker does it: the probe, everything observed, each relation decoded once as in a first inspection."""
    import msgspec

    from metamapper.connectors.engines.hive.settings import HiveSettings
    from metamapper.connectors.registry import engine
    from metamapper.connectors.scope import ScopeFilter

    settings = msgspec.json.decode(text, type=HiveSettings)
    idle = _held("VmRSS")
    relations = columns = 0
    with engine("hive").connect(settings).open() as session:
        began = time.perf_counter()
        session.probe(ScopeFilter())
        probed = time.perf_counter()
        session.scopes(ScopeFilter())
        for observation in session.relations(ScopeFilter()):
            relations += 1
            columns += len(session.decode(observation.payload).columns)
        session.scopes(ScopeFilter())
        ended = time.perf_counter()
        statements = len(session.statements)
        calls = sum(_calls(each.sql) for each in session.statements)
    peak = _held("VmHWM")
    found = {"relations": relations, "columns": columns, "statements": statements, "calls": calls}
    print(json.dumps({**found, "idle": idle, "peak": peak, "probe": probed - began, "seconds": ended - probed}))


def _held(what: str) -> float:
    """What the process holds now (VmRSS), or has held at the most (VmHWM), in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def _calls(text: str) -> int:
    """``… in 50 calls``, ``… of 10``, or one."""
    words = text.split()
    return int(words[-2]) if words[-1] == "calls" else int(words[-1]) if words[-2:-1] == ["of"] else 1


def serve(tables: int) -> None:
    from tests.support.hive_service import Handler, service

    with service(sasl=False, handler=Handler(_model(tables))) as keeper:
        print(keeper.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        read(sys.argv[2])
    elif sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    else:
        sys.exit(main())
