"""From the rows of one ordered statement to tables: what belongs to one is gathered, and nothing else is held."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from metamapper.connectors.engines.hive.observing import created_at, storage_facts
from metamapper.connectors.engines.hive.stores import Row
from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import RawColumn
from metamapper.connectors.sql.hive_constraints import RawConstraint
from metamapper.connectors.sql.hive_relations import RawTable, facts_of


class Part(IntEnum):
    """The numbers that the statements give to the parts."""

    TABLE = 0
    STORAGE = 1
    VIEW = 2
    COLUMN = 3
    PARTITION_KEY = 4
    PARAMETER = 5
    SERDE_PARAMETER = 6
    BUCKET = 7
    SORT = 8
    CONSTRAINT = 9


class Line(NamedTuple):
    """A row of the statement; what the letters say differs from part to part: see ``*.sql``."""

    table_id: int
    part: int
    place: int | None
    number: int | None
    state: int | None
    other: int | None
    a: str | None
    b: str | None
    c: str | None
    d: str | None
    e: str | None


@dataclass(frozen=True, slots=True)
class Gathered:
    raw: RawTable
    parameters: Mapping[str, str]
    """All of them, the statistics too."""


def gathered(rows: Iterable[Row], schemas: Mapping[int, str]) -> Iterator[Gathered | int]:
    """The tables, in the order of their ids; an id alone is of one that went away meanwhile. ``schemas`` by their ids."""
    for table_id, group in groupby(rows, key=itemgetter(0)):
        parts: list[list[Line]] = [[] for _ in Part]
        for row in group:
            line = Line(*row)
            parts[line.part].append(line)
        own = parts[Part.TABLE]
        yield _gathered(own[0], parts, schemas) if own else table_id


def _gathered(own: Line, parts: Sequence[list[Line]], schemas: Mapping[int, str]) -> Gathered:
    parameters = _pairs(parts[Part.PARAMETER])
    raw = RawTable(
        schema=schemas[own.place or 0],
        name=own.a or "",
        type=own.b,
        columns=(*_columns(parts[Part.COLUMN]), *_columns(parts[Part.PARTITION_KEY], is_key=True)),
        parameters=hive_tables.settled(parameters),
        view=parts[Part.VIEW][0].a if parts[Part.VIEW] else None,
        facts=_facts(own, parts),
        constraints=tuple(_constraints(parts[Part.CONSTRAINT], schemas)),
        native_id=str(own.table_id),
    )
    return Gathered(raw, parameters)


def _columns(lines: list[Line], *, is_key: bool = False) -> Iterator[RawColumn]:
    for line in _in_order(lines):
        yield RawColumn(line.a or "", line.b or "", line.c or None, is_key)


def _facts(own: Line, parts: Sequence[list[Line]]) -> dict[str, Any]:
    storage = parts[Part.STORAGE][0] if parts[Part.STORAGE] else None
    told = facts_of(("created_at", created_at(own.number)), ("owner", own.c))
    if storage is None:
        return told
    return told | storage_facts(
        location=storage.c,
        input_format=storage.a,
        output_format=storage.b,
        serde=storage.d,
        serde_parameters=_pairs(parts[Part.SERDE_PARAMETER]),
        bucketed_by=[line.a or "" for line in _in_order(parts[Part.BUCKET])],
        buckets=storage.number,
        order=[(line.a or "", line.number) for line in _in_order(parts[Part.SORT])],
    )


def _constraints(lines: list[Line], schemas: Mapping[int, str]) -> Iterator[RawConstraint]:
    lines = sorted(lines, key=lambda line: (line.number or 0, line.a or "", line.place or 0))
    for (rule, name), group in groupby(lines, key=lambda line: (line.number or 0, line.a or "")):
        of_one = list(group)
        first = of_one[0]
        target = None
        if first.c is not None:
            target = (schemas.get(first.other or 0, ""), first.c, tuple(line.d or "" for line in of_one))
        columns = tuple(line.b for line in of_one if line.b is not None)
        yield RawConstraint(name, rule, first.state or 0, columns, target, first.e)


def _in_order(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.place or 0)


def _pairs(lines: list[Line]) -> dict[str, str]:
    return {line.a or "": line.b for line in lines if line.b is not None}
