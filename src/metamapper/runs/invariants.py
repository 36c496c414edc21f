"""The ledger's promises as queries that must answer nothing: for tests, after each step, and for the hourly audit."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from metamapper.runs.clock import metastore_now
from metamapper.runs.timing import timing

_SECONDS = {
    "postgresql": "round(extract(epoch FROM s.last_slot - s.created_slot))::bigint",
    "sqlite": "(strftime('%%s', s.last_slot) - strftime('%%s', s.created_slot))",
}
_TEXT = Path(__file__).with_name("invariants.sql").read_text(encoding="utf-8")
_ALL = UUID(int=0)
INVARIANTS: dict[str, str] = dict(re.findall(r"^-- name: (\w+)\n(.*?);$", _TEXT, flags=re.MULTILINE | re.DOTALL))
"""Each by its name, with its query."""


def broken() -> dict[str, list[tuple[Any, ...]]]:
    """The invariants that do not hold, each with the rows that break it; empty if all is well."""
    answers = {name: _answer(sql) for name, sql in INVARIANTS.items()}
    return {name: rows for name, rows in answers.items() if rows}


def count(name: str, *, first: UUID) -> int:
    """How many rows break the invariant of this name, of runs from the ``first`` on where it is about single runs."""
    [(rows,)] = _answer(f"SELECT count(*) FROM ({INVARIANTS[name]}) AS broken", first)  # noqa: S608 - our own text
    return int(rows)


def _answer(sql: str, first: UUID = _ALL) -> list[tuple[Any, ...]]:
    limits = timing()
    oldest = metastore_now() - timedelta(seconds=limits.deadline + limits.lease)
    parameters = {
        "oldest": connection.ops.adapt_datetimefield_value(oldest),
        "lost_limit": limits.lost_limit,
        "first": first if connection.vendor == "postgresql" else first.hex,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{seconds}", _SECONDS[connection.vendor]), parameters)
        return list(cursor.fetchall())
