"""Columns as Hive's relatives keep them: a flat list of names and types, made into columns and their nested fields."""

from collections.abc import Iterable, Iterator

import msgspec

from metamapper.connectors.sql.hive_types import HiveField, HiveType, parse_type
from metamapper.schema import Column, Extras, TypeFamily

Path = tuple[str, ...]


class RawColumn(msgspec.Struct, array_like=True, frozen=True):
    """One column of a table's list; ``is_key`` marks those that the table is partitioned by."""

    name: str
    type: str = ""
    comment: str | None = None
    is_key: bool = False
    nullable: bool = True
    extras: Extras = {}


def columns_of(raws: Iterable[RawColumn]) -> tuple[Column, ...]:
    """The columns in order, each before the fields that it holds, to any depth.

    What an array holds, and what a map leads to, stands right below the column: ``address.city`` for
    ``array<struct<city:string>>``. Nothing keeps two columns from having one name: the second is ``name (2)``.
    """
    found: list[Column] = []
    raws = tuple(raws)
    for raw, name in zip(raws, named_apart(raw.name for raw in raws), strict=True):
        parsed = parse_type(raw.type)
        extras = {**raw.extras, "partition_key": True} if raw.is_key else raw.extras
        column = _column(len(found) + 1, name, parsed, (), raw.comment)
        found.append(msgspec.structs.replace(column, nullable=raw.nullable, extras=extras))
        _add_fields(found, parsed.fields, (name,))
    return tuple(found)


def _add_fields(found: list[Column], fields: tuple[HiveField, ...], within: Path) -> None:
    for field, name in zip(fields, named_apart(field.name for field in fields), strict=True):
        found.append(_column(len(found) + 1, name, field.type, within, field.comment))
        _add_fields(found, field.type.fields, (*within, name))


def _column(position: int, name: str, parsed: HiveType, within: Path, comment: str | None) -> Column:
    return Column(
        name=name,
        position=position,
        type=parsed.spelling or "unknown",
        family=parsed.family if parsed.spelling else TypeFamily.OTHER,
        comment=comment or None,
        length=parsed.length,
        precision=parsed.precision,
        scale=parsed.scale,
        nested_in=within,
    )


def named_apart(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number behind each that was there before."""
    seen: set[str] = set()
    for name in names:
        number, apart = 1, name
        while apart in seen:
            number += 1
            apart = f"{name} ({number})"
        seen.add(apart)
        yield apart
