"""The ledger's busiest statements, as SQL for both metastores: every run sends each of them.

Django takes several times as long to put such a statement together as the metastore to carry it out.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

_TEXT = Path(__file__).with_name("statements.sql").read_text(encoding="utf-8")
SQL: dict[str, str] = dict(re.findall(r"^-- name: (\w+)\n(.*?);$", _TEXT, flags=re.MULTILINE | re.DOTALL))
"""Each by its name."""
_LOCKS = {
    "postgresql": {
        "{for_key_share}": "FOR KEY SHARE",
        "{for_update}": "FOR UPDATE",
        "{for_update_if_free}": "FOR UPDATE SKIP LOCKED",
    },
    # SQLite admits one writer at a time, and its transactions begin as writers.
    "sqlite": {"{for_key_share}": "", "{for_update}": "", "{for_update_if_free}": ""},
}


def change(name: str, **values: object) -> int:
    """How many rows the statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(name), _sent(values))
        return int(cursor.rowcount)


def ask(name: str, **values: object) -> list[tuple[Any, ...]]:
    """The rows that the statement answers. Ids are ``UUID`` on either metastore if ``identity`` makes them so."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(name), _sent(values))
        return list(cursor.fetchall())


def identity(value: UUID | str) -> UUID:
    """An id as it came from the metastore."""
    return value if isinstance(value, UUID) else UUID(value)


def _statement(name: str) -> str:
    sql = SQL[name]
    for mark, lock in _LOCKS[connection.vendor].items():
        sql = sql.replace(mark, lock)
    return sql


def _sent(values: dict[str, object]) -> dict[str, Any]:
    """Values as this metastore's driver takes them; what is not one value is JSON."""
    postgresql = connection.vendor == "postgresql"
    return {name: _as_json(value) if postgresql else _plain(value) for name, value in values.items()}


def _as_json(value: object) -> Any:
    return json.dumps(value) if isinstance(value, Mapping | list | tuple) else value


def _plain(value: object) -> Any:
    if isinstance(value, UUID):
        return value.hex
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else _as_json(value)
