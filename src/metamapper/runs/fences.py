"""Fencing tokens: every claim and every reap takes a new one, and no value is ever given twice."""

from django.db import connection

_NEXT = {
    # A sequence, for a row would serialize all claims behind each other's commits.
    "postgresql": "SELECT nextval('runs_fence_seq')",
    # SQLite serializes writers anyway.
    "sqlite": (
        "INSERT INTO runs_fence (id, value) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET value = value + 1 RETURNING value"
    ),
}


def next_fence() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT[connection.vendor])
        return int(cursor.fetchone()[0])
