"""The fields within a type of an external table: ``struct<given:varchar(20),tags:array<struct<n:int>>>``."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

DIALECT = "hive"
"""External tables have Hive's types, with Redshift's words for those that are not nested."""


class Field(NamedTuple):
    """``path`` are the names below the column; an array or a map is passed through, so what is in it is a field of it."""

    path: tuple[str, ...]
    type: str


@lru_cache(maxsize=4096)
def fields(spelling: str) -> tuple[Field, ...]:
    """Every field at any depth, outermost first; none where the type is not nested or cannot be understood."""
    if "<" not in spelling:
        return ()
    try:
        found = sqlglot.parse_one(spelling, into=exp.DataType, read=DIALECT)
    except SqlglotError:
        return ()
    return tuple(_within(found, ()))


def _within(kind: exp.Expression, path: tuple[str, ...]) -> Iterator[Field]:
    for inner in kind.expressions:
        if isinstance(inner, exp.ColumnDef):
            below = (*path, inner.name)
            yield Field(below, _spelled(inner.kind))
            if inner.kind is not None:
                yield from _within(inner.kind, below)
        elif isinstance(inner, exp.DataType):
            yield from _within(inner, path)


def _spelled(kind: exp.Expression | None) -> str:
    """As external tables write it: ``array<struct<n:int>>``, names as they are."""
    if kind is None:
        return ""
    if not isinstance(kind, exp.DataType) or not kind.args.get("nested"):
        return kind.sql(dialect=DIALECT).lower().replace(", ", ",")
    inner = (
        f"{each.name}:{_spelled(each.kind)}" if isinstance(each, exp.ColumnDef) else _spelled(each)
        for each in kind.expressions
    )
    return f"{kind.this.name.lower()}<{','.join(inner)}>"
