"""Time-outs of the metastore's sessions: whoever freezes within a transaction is cut by the server, and its locks go."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from metamapper.runs.timing import timing


def bound_session(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For each new session (PostgreSQL): how long it may idle in a transaction, and wait for a lock."""
    if connection.vendor != "postgresql":
        return
    limits = timing()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, false), set_config('lock_timeout', %s, false)",
            [milliseconds(limits.idle_in_transaction), milliseconds(limits.lock_wait)],
        )


def milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
