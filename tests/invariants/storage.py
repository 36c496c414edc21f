"""Everything the metastore holds, as text: what somebody with a dump of it could read."""

import zlib
from collections.abc import Iterator

from django.db import connection


def everything_stored() -> str:
    """Every value of every row of every table, compressed ones opened."""
    return "\n".join(_values())


def _values() -> Iterator[str]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield from map(_text, row)


def _text(value: object) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    raw = bytes(value)
    try:
        return zlib.decompress(raw).decode(errors="replace")
    except zlib.error:
        return raw.decode("latin-1")
