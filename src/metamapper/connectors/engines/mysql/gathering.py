"""From the rows of one ordered statement to relations: what belongs to one is gathered, and nothing else is held."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from metamapper.connectors.engines.mysql.payload import RawTable, kind_of, table_of, view_of
from metamapper.schema import RelationKind

Row = tuple[Any, ...]

PARTS = 9
TABLE, COLUMNS, VIEW, PARTITIONS, ID = 0, 1, 6, 7, 8
"""The numbers that ``queries.sql`` gives to the parts."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a relation could not be read whole, so that nothing of it counts."""

    reason: str
    mended_by_grant: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    schema: str
    name: str
    kind: RelationKind
    payload: bytes | None
    refusal: Refusal | None = None
    native_id: str | None = None
    row_estimate: int | None = None
    size_bytes: int | None = None


def gathered(rows: Iterable[Row], *, mariadb: bool, shows: Callable[[str, str], bool]) -> Iterator[Gathered]:
    """The relations, in the order of their names. ``shows`` tells whether a table is seen with all its columns."""
    for (schema, name), group in groupby(rows, key=itemgetter(0, 1)):
        parts: list[list[str]] = [[] for _ in range(PARTS)]
        first: Row | None = None
        for row in group:
            if row[2] == TABLE:
                first = row
            parts[row[2]].append(row[5])
        # What no table stands for is a sequence, or was made after the tables were listed.
        if first is not None and shows(schema.decode(), name.decode()):
            yield _gathered(parts, first, mariadb=mariadb)


def _gathered(parts: list[list[str]], first: Row, *, mariadb: bool) -> Gathered:
    table = table_of(parts[TABLE][0])
    kind = kind_of(table, partitioned=bool(parts[PARTITIONS]))
    refusal = _refusal(table, parts)
    if refusal is not None:
        return Gathered(table.schema, table.name, kind, None, refusal)
    lists = ",".join(f"[{','.join(part)}]" for part in parts[COLUMNS:])
    payload = f"[{'true' if mariadb else 'false'},{parts[TABLE][0]},{lists}]".encode()
    return Gathered(
        table.schema,
        table.name,
        kind,
        payload,
        native_id=parts[ID][0].strip("[]") if parts[ID] else None,
        row_estimate=_number(first[6]),
        size_bytes=_number(first[7]),
    )


def _number(value: Any) -> int | None:
    """A union with parts that have no number may tell it as text."""
    return None if value is None else int(value)


def _refusal(table: RawTable, parts: list[list[str]]) -> Refusal | None:
    if table.is_view:
        return _refusal_of_view(table, parts)
    if table.broken is not None:
        return Refusal(f"{table.name} cannot be opened: {table.broken}")
    return None if parts[COLUMNS] else _torn(table)


def _refusal_of_view(table: RawTable, parts: list[list[str]]) -> Refusal | None:
    view = view_of(parts[VIEW][0]) if parts[VIEW] else None
    if view is None or not (parts[COLUMNS] or table.broken):
        return _torn(table)
    if not view.definition:
        reason = f"The query of the view {table.name} is hidden: that needs SELECT and SHOW VIEW."
        return Refusal(reason, mended_by_grant=True)
    if not parts[COLUMNS] and view.security == "INVOKER":
        # A view that checks the rights of its reader looks as broken to us where only our rights are missing.
        return Refusal(f"{table.name}: {table.broken}", mended_by_grant=True)
    return None


def _torn(table: RawTable) -> Refusal:
    return Refusal(f"{table.name} was dropped or replaced while it was read.")
