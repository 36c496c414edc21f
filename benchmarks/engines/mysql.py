"""``make bench ENGINE=mysql``: an unchanged run against a bulk read of the same views by the same driver.

On a MariaDB of its own, and on a MySQL where one can be had; ``--tables`` sets the size (20 columns each), ``--rounds`` the
number of measurements. Runs go through the code that workers run, with the metastore in a file ("whole" is one whose probe
was forgotten); the floor fetches the columns that a read needs, from the same views, as tuples. Each in a process of its own,
in turn.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pymysql

from benchmarks.inspections import SHORT, _of
from benchmarks.processes import run as _run
from benchmarks.promise import Promise

DATABASES = 10
COLUMNS = 20
TYPES = (
    "bigint", "int unsigned", "text", "varchar(40)", "decimal(14,2)", "datetime", "date", "tinyint(1)", "char(36)", "json",
    "double", "varchar(255)",
)  # fmt: skip
MOST, MOST_MIB = 2, 100
FLOOR = {
    "tables": "table_schema, table_name, table_type, engine, table_comment, table_collation, table_rows,"
    " data_length, index_length",
    "columns": "table_schema, table_name, column_name, ordinal_position, column_type, is_nullable, column_default, extra,"
    " column_comment, character_maximum_length, collation_name, generation_expression",
    "statistics": "table_schema, table_name, index_name, seq_in_index, non_unique, index_type, column_name, collation,"
    " sub_part, index_comment",
    "key_column_usage": "table_schema, table_name, constraint_name, ordinal_position, column_name,"
    " referenced_table_schema, referenced_table_name, referenced_column_name",
    "referential_constraints": "constraint_schema, table_name, constraint_name, match_option, update_rule, delete_rule",
    "check_constraints": "constraint_schema, constraint_name, check_clause",
    "views": "table_schema, table_name, view_definition, check_option, security_type",
    "partitions": "table_schema, table_name, partition_name, subpartition_name, partition_method, partition_expression,"
    " partition_description",
}
"""The columns that a read needs, by the views that have them."""


def main() -> int:
    from tests.support.mysql import mariadb_programs, mysql_programs
    from tests.support.servers import Missing

    parser = argparse.ArgumentParser(prog="make bench ENGINE=mysql ARGS=…", description=__doc__)
    parser.add_argument("--tables", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    promises: list[Promise] = []
    for name, programs in (("MariaDB", mariadb_programs), ("MySQL", mysql_programs)):
        try:
            promises += _measured(name, programs, arguments.tables, arguments.rounds)
        except Missing as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
    print("| work | must | reached | kept |\n|---|---|---|---|")
    print("\n".join(map(str, promises)))
    return 0 if promises and all(each.kept for each in promises) else 1


def _measured(name: str, programs: Callable[[], Any], tables: int, rounds: int) -> list[Promise]:
    from tests.support.mysql import started

    measured: dict[str, list[dict[str, Any]]] = {}
    with started(programs()) as server, tempfile.TemporaryDirectory(prefix="metamapper-bench-") as home:
        _fill(server, tables)
        environment = _metastore(home)
        port, url = str(server.port), f"mysql://admin@127.0.0.1:{server.port}/"

        def note(what: str, module: str, *words: str) -> None:
            result = _run(environment, module, *words)
            measured.setdefault(what, []).append(result)
            print(f"{name:8} {what:10} {json.dumps(result)}", file=sys.stderr)

        note("first", "benchmarks.inspection", url, "all")
        for _ in range(rounds):
            note("floor", "benchmarks.engines.mysql", "floor", port)
            for _ in range(SHORT):
                note("unchanged", "benchmarks.inspection", url, "nothing")
            note("whole", "benchmarks.inspection", url, "probe")
            note("read", "benchmarks.engines.mysql", "read", port)
            note("floor", "benchmarks.engines.mysql", "floor", port)
    return _promises(f"{name}, {tables} tables", measured)


def _promises(what: str, measured: dict[str, list[dict[str, Any]]]) -> list[Promise]:
    floor = median(_of(measured["floor"], "seconds"))
    unchanged, whole = (median(_of(measured[name], "seconds")) / floor for name in ("unchanged", "read"))
    above = max(_of(measured["read"], "above_idle"))
    statements = max(max(_of(measured[name], "statements")) for name in ("first", "unchanged", "whole"))
    return [
        Promise(f"{what}: unchanged run, told by the probe (floor {floor:.2f} s)", unchanged, MOST),
        Promise(f"{what}: read that finds nothing changed, without the probe", whole, MOST),
        Promise(f"{what}: memory of a read above idle", above, MOST_MIB, "MiB"),
        Promise(f"{what}: statements per run", statements, 15, "statements"),
    ]


def _metastore(home: str) -> dict[str, str]:
    """A fresh metastore in a file, and the environment that names it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("METAMAPPER_")}
    environment |= {"METAMAPPER_HOME": home, "DJANGO_SETTINGS_MODULE": "metamapper.project.settings"}
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], env=environment, check=True)
    return environment


def _fill(server: Any, tables: int) -> None:
    """The same for the same size. The empty database ``postgres`` is what ``benchmarks.inspection`` warms up on."""
    server.run("CREATE DATABASE postgres", *(f"CREATE DATABASE bench_{place:02d}" for place in range(DATABASES)))
    server.run(*_ddl(tables))


def _ddl(tables: int) -> Iterator[str]:
    chance = random.Random(tables)
    names: list[str] = []
    for number in range(tables):
        name = f"bench_{number % DATABASES:02d}.table_{number}"
        parts = ["id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY"]
        for place in range(1, COLUMNS - 1):
            words = " NOT NULL" if chance.random() < 0.3 else ""
            words += f" COMMENT 'What it says of {number}'" if number % 5 == 0 and place < 5 else ""
            parts.append(f"`{chance.choice('abcdefgh') * 6}_{place}` {chance.choice(TYPES)}{words}")
        parts += ["parent bigint", f"KEY by_parent_{number} (parent, id)"]
        if names and number % 3 == 0:
            parts.append(f"CONSTRAINT key_{number} FOREIGN KEY (parent) REFERENCES {chance.choice(names)} (id)")
        yield f"CREATE TABLE {name} ({', '.join(parts)}) COMMENT = 'Table {number}'"
        if number % 20 == 0:
            yield f"CREATE VIEW bench_{number % DATABASES:02d}.view_{number} AS SELECT * FROM {name}"
        names.append(name)


def floor(port: int) -> None:
    """The driver's own bulk read, kept whole."""
    began = time.perf_counter()
    kept = []
    with pymysql.connect(host="127.0.0.1", port=port, user="admin") as connection, connection.cursor() as cursor:
        for view, columns in FLOOR.items():
            schema = columns.partition(",")[0]
            cursor.execute(f"SELECT {columns} FROM information_schema.{view} WHERE {schema} LIKE 'bench%'")
            kept.append(cursor.fetchall())
    print(json.dumps({"seconds": time.perf_counter() - began, "mib": _peak(), "rows": sum(map(len, kept))}))


def read(port: int) -> None:
    """A read of everything, without the probe and without what a worker does with it: what the engine itself costs."""
    from metamapper.connectors.registry import from_url
    from metamapper.connectors.scope import ScopeFilter

    engine, settings = from_url(f"mysql://admin@127.0.0.1:{port}")
    with engine.connect(settings).open() as session:
        idle, began = _resident(), time.perf_counter()
        session.scopes(ScopeFilter())
        relations = len({each.fingerprint for each in session.relations(ScopeFilter())})
        session.scopes(ScopeFilter())
        seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "above_idle": _peak() - idle, "relations": relations}))


def _peak() -> float:
    """The most that the process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident() -> float:
    """What the process holds now, in MiB."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    if sys.argv[1:2] == ["floor"]:
        floor(int(sys.argv[2]))
    elif sys.argv[1:2] == ["read"]:
        read(int(sys.argv[2]))
    else:
        sys.exit(main())
