"""For each engine a source of any size: its server or stand-in, filled with tables of equal width.

``python -m benchmarks.engines.sources NAME TABLES COLUMNS`` tells in one line of JSON how it is reached, and keeps it until
its input ends. What the conformance suite makes a table with makes these, where that is quick enough.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BATCH = 250
DATABASES = 4
STATEMENT_SECONDS = 1800
"""Stand-ins are slower than what they stand for."""


@dataclass(frozen=True)
class Reached:
    """``folders`` are those of a file; ``besides`` is what ``prepared`` needs in the reader's process."""

    settings: Any
    folders: tuple[Path, ...] = ()
    besides: Mapping[str, Any] = field(default_factory=dict)


def _performed(source: Any, tables: int, columns: int, *, patient: bool = False) -> Reached:
    """Fill a source of the conformance suite by its own operations."""
    import msgspec

    from metamapper.connectors.conformance import operations as ops
    from metamapper.schema import TypeFamily

    families = (TypeFamily.INTEGER, TypeFamily.STRING, TypeFamily.DECIMAL, TypeFamily.DATE)
    shape = tuple(ops.NewColumn(f"column_{place}", families[place % len(families)]) for place in range(columns))
    for start in range(0, tables, BATCH):
        numbers = range(start, min(start + BATCH, tables))
        source.perform(*(ops.CreateTable(ops.Table(f"table_{number:06}"), shape) for number in numbers))
    settings = source.settings
    if patient:
        settings = msgspec.structs.replace(settings, statement_timeout=STATEMENT_SECONDS)
    return Reached(settings, source.reach.folders)


@contextmanager
def postgresql(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.postgresql.subject import PostgresqlSubject
    from tests.support.servers import started_postgresql

    with started_postgresql() as server, PostgresqlSubject(server.url).fresh() as source:
        yield _performed(source, tables, columns)


@contextmanager
def redshift(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.redshift.subject import RedshiftSubject
    from tests.support.servers import started_postgresql

    with started_postgresql() as server, RedshiftSubject(server.url).fresh() as source:
        yield _performed(source, tables, columns, patient=True)


@contextmanager
def mysql(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.mysql.subject import MysqlSubject
    from tests.support.mysql import mariadb_programs, started

    one_file = ("--innodb-file-per-table=OFF",)
    with (
        started(mariadb_programs(), settings=one_file) as server,
        MysqlSubject(server, mariadb=True).fresh() as source,
    ):
        yield _performed(source, tables, columns)


@contextmanager
def sqlite(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.sqlite.subject import SqliteSubject

    with tempfile.TemporaryDirectory(prefix="mm-bench-") as folder, SqliteSubject(Path(folder)).fresh() as source:
        yield _performed(source, tables, columns)


@contextmanager
def duckdb(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.duckdb.subject import DuckdbSubject

    with tempfile.TemporaryDirectory(prefix="mm-bench-") as folder, DuckdbSubject(Path(folder)).fresh() as source:
        yield _performed(source, tables, columns)


@contextmanager
def sqlserver(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.sqlserver.subject import SqlserverSubject

    with SqlserverSubject().fresh() as source:
        yield _in_tsql(source, tables, columns)


@contextmanager
def synapse(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.synapse.subject import SynapseSubject

    with SynapseSubject().fresh() as source:
        yield _in_tsql(source, tables, columns)


def _in_tsql(source: Any, tables: int, columns: int) -> Reached:
    """One table as the suite makes it, and the others as rows of the same shape."""
    found = _performed(source, 1, columns, patient=True)
    catalog = source.catalog
    [(first,)] = catalog.run("SELECT object_id FROM sys.objects WHERE name = 'table_000000'")
    for table, told in catalog.tables.items():
        names = [each.split()[0].strip('"') for each in told]
        own = "container_id" if table == "allocation_units" else "object_id"
        if table == "key_constraints" or own not in names:
            continue
        changed = {own: "object_id + n", "partition_id": "partition_id + n", "container_id": "container_id + n"}
        if table == "objects":
            changed["name"] = "'table_' || lpad(n::VARCHAR, 6, '0')"
        words = ", ".join(changed.get(name, f'"{name}"').replace("object_id +", f'"{own}" +') for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        catalog.run(
            f'INSERT INTO sys.{table} ({listed}) SELECT {words} FROM sys.{table}, range(1, {tables}) r(n) WHERE "{own}" = ?',
            first,
        )
    return found


@contextmanager
def snowflake(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.snowflake.subject import SnowflakeSubject
    from tests.support.certificates import certificate

    with (
        tempfile.TemporaryDirectory(prefix="mm-bench-") as folder,
        SnowflakeSubject(certificate(Path(folder))).fresh() as source,
    ):
        yield _performed(source, tables, columns, patient=True)


@contextmanager
def bigquery(tables: int, columns: int) -> Iterator[Reached]:
    from tests.engines.bigquery.subject import BigquerySubject
    from tests.support import bigquery as stand_in

    stand_in.PAGE = 1000  # as many as the interface itself gives
    with BigquerySubject().fresh() as source:
        yield _performed(source, tables, columns)


@contextmanager
def glue(tables: int, _: int) -> Iterator[Reached]:
    with _lake("glue", tables) as found:
        yield found


@contextmanager
def athena(tables: int, _: int) -> Iterator[Reached]:
    with _lake("athena", tables) as found:
        yield found


@contextmanager
def _lake(name: str, tables: int) -> Iterator[Reached]:
    """Tables as ``fill`` of the stand-in makes them: 20 columns, one of which has five fields."""
    from metamapper.connectors.registry import engine
    from tests.support.aws import REGION, aws_stand_in

    shares = {f"database_{place}": len(range(place, tables, DATABASES)) for place in range(DATABASES)}
    with aws_stand_in() as aws:
        aws.reset()
        aws.faults(fill=shares)
        settings = engine(name).settings(
            region=REGION, access_key_id="administrator", secret_access_key="anything", endpoint_url=aws.url
        )
        yield Reached(settings)


@contextmanager
def hive(tables: int, columns: int) -> Iterator[Reached]:
    """The metastore's database; ``benchmarks.engines.hive`` measures its other doors."""
    from benchmarks.engines.hive import on_postgresql
    from tests.support.hive_tables import HIVE_3

    with on_postgresql(tables, HIVE_3, columns) as settings:
        yield Reached(settings)


@contextmanager
def oracle(tables: int, columns: int) -> Iterator[Reached]:
    from benchmarks.engines.oracle_model import modelled

    with modelled() as (source, address, key):
        found = _performed(source, tables, columns, patient=True)
        yield Reached(found.settings, besides={"address": address, "key": key})


SOURCES: Mapping[str, Callable[[int, int], AbstractContextManager[Reached]]] = {
    made.__name__: made
    for made in (
        *(athena, bigquery, duckdb, glue, hive, mysql, oracle),
        *(postgresql, redshift, snowflake, sqlite, sqlserver, synapse),
    )
}


def prepared(name: str, told: Mapping[str, Any]) -> None:
    """What the reader's own process must do first."""
    if name == "oracle":
        from benchmarks.engines.oracle_model import ask_the_model

        ask_the_model(**told["besides"])


def serve(name: str, tables: int, columns: int) -> None:
    import msgspec

    from tests.support.servers import Missing

    try:
        with SOURCES[name](tables, columns) as found:
            settings, folders = msgspec.json.encode(found.settings).decode(), [str(each) for each in found.folders]
            print(json.dumps({"settings": settings, "folders": folders, "besides": found.besides}), flush=True)
            sys.stdin.read()
    except Missing as missing:
        print(json.dumps({"missing": str(missing)}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
