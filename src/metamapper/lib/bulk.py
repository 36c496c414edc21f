"""Writing many rows at once: COPY on PostgreSQL, executemany on SQLite. No model instances, no triggers, no signals.

Rows are tuples in the order of ``columns``, which are attribute names of the model's concrete fields (``relation_id``). Their
ids are ``UUID``, moments aware ``datetime``, JSON columns JSON text, enumerations plain text.
Every function works in the caller's transaction on the default connection.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from itertools import islice
from typing import Any

from django.db import connection, models

Row = tuple[Any, ...]
BATCH = 2000


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Append rows, all new; returns their number. Memory holds one batch."""
    table = _Table(model, columns)
    if connection.vendor == "postgresql":
        return _copy(table, table.name, rows)
    return _executemany(table.insert_sql(), table.prepare(rows))


def upsert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows by primary key, which must be among ``columns``: new ones are added, others overwritten."""
    table = _Table(model, columns)
    if connection.vendor != "postgresql":
        return _executemany(f"{table.insert_sql()} {table.conflict_sql()}", table.prepare(rows))
    staged = f"staged_{table.plain_name}"
    names = ", ".join(table.quoted)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS SELECT {names} FROM {table.name} WITH NO DATA")  # noqa: S608 - quoted names of our own models
        written = _copy(table, staged, rows)
        cursor.execute(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staged} {table.conflict_sql()}")  # noqa: S608 - as above
        cursor.execute(f"DROP TABLE {staged}")
    return written


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Set ``columns`` (all but the first) where the first, the primary key, matches; returns the number of rows given."""
    table = _Table(model, columns)
    if connection.vendor == "postgresql":
        return _update_from_arrays(table, table.prepare(rows))
    key, *rest = table.quoted
    sql = f"UPDATE {table.name} SET {', '.join(f'{name} = %s' for name in rest)} WHERE {key} = %s"  # noqa: S608 - quoted names of our own models
    return _executemany(sql, ((*row[1:], row[0]) for row in table.prepare(rows)))


class _Table:
    """A model's table as SQL sees it: quoted names, and how each column's values are sent."""

    def __init__(self, model: type[models.Model], columns: Sequence[str]) -> None:
        options = model._meta  # noqa: SLF001 - Django documents it as the way to a model's fields
        fields = {field.attname: field for field in options.concrete_fields}
        chosen = [fields[name] for name in columns]
        quote = connection.ops.quote_name
        self.plain_name = options.db_table
        self.name = quote(options.db_table)
        self.quoted = [quote(field.column or field.attname) for field in chosen]
        self.key = quote(options.pk.column or options.pk.attname)
        self.types = [field.db_type(connection) for field in chosen]
        self._converters = [(at, convert) for at, field in enumerate(chosen) if (convert := _converter(field))]

    def insert_sql(self) -> str:
        marks = ", ".join(["%s"] * len(self.quoted))
        return f"INSERT INTO {self.name} ({', '.join(self.quoted)}) VALUES ({marks})"  # noqa: S608 - quoted names of our own models

    def conflict_sql(self) -> str:
        sets = ", ".join(f"{name} = excluded.{name}" for name in self.quoted if name != self.key)
        return f"ON CONFLICT ({self.key}) DO UPDATE SET {sets}"

    def prepare(self, rows: Iterable[Row]) -> Iterator[Sequence[Any]]:
        """Rows with each value in the form that the metastore's driver takes."""
        converters = self._converters
        for row in rows:
            values = list(row)
            for at, convert in converters:
                if values[at] is not None:
                    values[at] = convert(values[at])
            yield values


def _copy(table: _Table, into: str, rows: Iterable[Row]) -> int:
    count = 0
    with (
        connection.wrap_database_errors,  # Django itself knows nothing of COPY
        connection.cursor() as cursor,
        cursor.copy(f"COPY {into} ({', '.join(table.quoted)}) FROM STDIN") as copy,
    ):
        for count, values in enumerate(table.prepare(rows), 1):  # noqa: B007 - the last number is the count
            copy.write_row(values)
    return count


def _update_from_arrays(table: _Table, rows: Iterator[Sequence[Any]]) -> int:
    """One statement for each batch, an array for each column."""
    key, *rest = table.quoted
    sets = ", ".join(f"{name} = new.{name}" for name in rest)
    arrays = ", ".join(f"%s::{kind}[]" for kind in table.types)
    sql = (
        f"UPDATE {table.name} SET {sets} FROM unnest({arrays}) AS new ({', '.join(table.quoted)})"  # noqa: S608 - quoted names of our own models
        f" WHERE {table.name}.{key} = new.{key}"
    )
    count = 0
    with connection.cursor() as cursor:
        while batch := list(islice(rows, BATCH)):
            cursor.execute(sql, [list(column) for column in zip(*batch, strict=True)])
            count += len(batch)
    return count


def _executemany(sql: str, rows: Iterator[Sequence[Any]]) -> int:
    count = 0
    with connection.cursor() as cursor:
        while batch := list(islice(rows, BATCH)):
            cursor.executemany(sql, batch)
            count += len(batch)
    return count


def _converter(field: "models.Field[Any, Any]") -> Callable[[Any], Any] | None:
    """How this field's values are sent; None where they go as they are."""
    if connection.vendor == "postgresql":
        return None
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.UUIDField):
        return lambda value: value.hex
    if isinstance(target, models.DateTimeField):
        return lambda value: str(value.astimezone(UTC).replace(tzinfo=None))
    return None
