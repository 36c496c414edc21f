"""The generated source: a PostgreSQL database of a given size, the same for the same size, made once and kept.

10,000 tables are 20 schemas, 200,000 columns, 23,000 indexes, a primary key on every table, foreign keys on a third,
comments on a fifth, one relation in twenty a view.
"""

import random
import re
import sys
from collections.abc import Iterator

import psycopg
from psycopg import sql

WORDS = [
    "account",
    "order",
    "invoice",
    "payment",
    "customer",
    "address",
    "product",
    "item",
    "stock",
    "price",
    "tax",
    "ship",
    "line",
    "event",
    "session",
    "page",
    "click",
    "campaign",
    "email",
    "phone",
    "status",
    "type",
    "code",
    "amount",
    "total",
    "net",
    "gross",
    "unit",
    "count",
    "rate",
    "ratio",
    "score",
    "region",
    "country",
    "city",
    "street",
    "zip",
    "currency",
    "ledger",
    "entry",
    "journal",
    "batch",
    "job",
    "task",
    "step",
    "log",
    "audit",
    "note",
    "tag",
    "role",
    "grant",
    "token",
    "source",
    "target",
    "parent",
    "child",
    "owner",
    "member",
    "plan",
    "tier",
    "quota",
    "limit",
    "usage",
    "meter",
    "sensor",
    "device",
    "model",
    "version",
    "build",
    "release",
    "branch",
    "issue",
    "label",
    "file",
    "folder",
    "path",
    "size",
    "width",
    "height",
    "depth",
    "weight",
    "color",
    "brand",
    "vendor",
    "supplier",
    "contract",
    "clause",
    "term",
    "renewal",
    "refund",
    "credit",
    "debit",
    "balance",
    "budget",
    "forecast",
    "actual",
    "variance",
]
TYPES = (
    "bigint", "integer", "text", "varchar(40)", "numeric(14,2)", "timestamptz", "date", "boolean", "uuid", "jsonb",
    "double precision", "varchar(255)",
)  # fmt: skip
SCHEMAS = 20
COLUMNS_PER_TABLE = 20
INDEXES_PER_RELATION = 2.3
STATEMENTS_PER_BATCH = 200


def ensure(server: str, relations: int) -> str:
    """The URL of the source with that many relations; generated if it is not there."""
    name = f"mm_bench_source_{relations}"
    with psycopg.connect(server, autocommit=True) as connection:
        if _is_whole(connection, name):
            return _url(server, name)
        print(f"Generating {name} (once)", file=sys.stderr)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = _url(server, name)
    _fill(url, relations)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS 'whole'").format(sql.Identifier(name)))
    return url


def change_tables(url: str, count: int, round_number: int) -> None:
    """Alter ``count`` tables, differently in every round."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname LIKE 's%%' ORDER BY 1 LIMIT %s",
            (count,),
        ).fetchall()
        for (name,) in names:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN bench_{round_number} integer")  # type: ignore[arg-type] # generated


def _is_whole(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
    ).fetchone()
    return found is not None and found[0] == "whole"


def _url(server: str, name: str) -> str:
    return re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", server, count=1) if server.count("/") > 2 else f"{server}/{name}"


def _fill(url: str, relations: int) -> None:
    batch: list[str] = []
    with psycopg.connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        for statement in _statements(relations):
            batch.append(statement)
            if len(batch) == STATEMENTS_PER_BATCH:
                _send(connection, batch)
        _send(connection, batch)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")


def _send(connection: psycopg.Connection, batch: list[str]) -> None:
    connection.execute(";".join(batch))  # type: ignore[arg-type] # our own statements
    connection.commit()
    batch.clear()


def _statements(relations: int) -> Iterator[str]:
    chance = random.Random(7)
    views = relations // 20
    tables = relations - views
    extra_indexes = round(relations * INDEXES_PER_RELATION) - tables
    yield from (f"CREATE SCHEMA s{number:02d}" for number in range(SCHEMAS))
    names: list[str] = []
    for number in range(tables):
        name = f"s{number % SCHEMAS:02d}.{chance.choice(WORDS)}_{chance.choice(WORDS)}_{number}"
        columns = _column_names(chance)
        target = chance.choice(names) if names and number % 3 == 0 else None
        yield _create_table(chance, name, columns, target)
        names.append(name)
        share = extra_indexes // tables + (number < extra_indexes % tables)
        yield from (
            f"CREATE INDEX ix_{number}_{at} ON {name} ({columns[1 + at]}, {columns[3 + at]})" for at in range(share)
        )
        if number % 5 == 0:
            yield f"COMMENT ON TABLE {name} IS 'Comment of table {number}'"
            yield from (
                f"COMMENT ON COLUMN {name}.{column} IS 'What {column} says of {number}'" for column in columns[1:5]
            )
    yield from (
        f"CREATE VIEW s{number % SCHEMAS:02d}.v_{number} AS SELECT * FROM {names[number]}" for number in range(views)
    )


def _column_names(chance: random.Random) -> list[str]:
    names = ["id"]
    while len(names) < COLUMNS_PER_TABLE:
        name = f'"{chance.choice(WORDS)}_{chance.choice(WORDS)}"'
        if name not in names:
            names.append(name)
    return names


def _create_table(chance: random.Random, name: str, columns: list[str], target: str | None) -> str:
    parts = ["id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"]
    for column in columns[1:-1]:
        kind = chance.choice(TYPES)
        default = " DEFAULT now()" if kind == "timestamptz" and chance.random() < 0.5 else ""
        parts.append(f"{column} {kind}{' NOT NULL' if chance.random() < 0.3 else ''}{default}")
    parts.append(f"{columns[-1]} bigint" + (f" REFERENCES {target} (id)" if target else ""))
    return f"CREATE TABLE {name} ({', '.join(parts)})"
