"""What Redshift says of one relation, as it says it, and what it means in our vocabulary.

The structs follow the rows of ``relations`` and ``external`` in ``queries.sql`` place by place.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from metamapper.connectors.engines.redshift.types import parse_type
from metamapper.connectors.sql.hive_types import HiveField
from metamapper.connectors.sql.hive_types import parse_type as parse_nested
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Extras,
    Identity,
    Reference,
    Relation,
    RelationKind,
)

(RELATION, COLUMN, DEFAULT, COMMENT, CONSTRAINT, REFERENCE, REFERENCED, CONSTRAINT_COMMENT) = range(8)
"""What a row of ``relations`` is about."""

_MATERIALIZED = re.compile(r"\s*create\s+materialized\s+view\b", re.IGNORECASE)
_LATE = re.compile(r"with\s+no\s+schema\s+binding\s*;?\s*\Z", re.IGNORECASE)
# "identity"(107590, 0, '1,1'::text): the table, the column, seed and step. Its relative lets a writer give the value.
_IDENTITY = re.compile(r'"?(?P<kind>identity|default_identity)"?\(.*\'(?P<seed>[-\d]+,\s*[-\d]+)\'.*\)\s*\Z', re.DOTALL)

_STYLES = {0: "EVEN", 1: "KEY", 8: "ALL"}
_AUTOMATIC = "AUTO"
_CONSTRAINTS = {"p": ConstraintKind.PRIMARY_KEY, "u": ConstraintKind.UNIQUE, "f": ConstraintKind.FOREIGN_KEY}
_NO_ENCODING = "none"


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One row of ``relations``."""

    relation: int
    part: int
    number: int
    i1: int
    i2: int
    i3: int
    t1: str | None
    t2: str | None
    t3: str | None
    t4: str | None


class LateColumn(msgspec.Struct, frozen=True, array_like=True):
    relation: int
    number: int
    name: str
    type: str


class ExternalRow(msgspec.Struct, frozen=True, array_like=True):
    """One row of ``external``."""

    relation: str
    part: int
    number: int
    part_key: int
    t1: str | None
    t2: str | None
    t3: str | None
    t4: str | None
    t5: str | None


class RawRelation(msgspec.Struct, frozen=True, tag="local"):
    schema: str
    rows: tuple[Row, ...]
    late: tuple[LateColumn, ...] = ()


class RawExternal(msgspec.Struct, frozen=True, tag="external"):
    schema: str
    rows: tuple[ExternalRow, ...]


_DECODER = msgspec.json.Decoder(RawRelation | RawExternal)


def decode(payload: bytes) -> Relation:
    """The relation that a payload describes. Statistics are no part of it."""
    raw = _DECODER.decode(payload)
    return _external(raw) if isinstance(raw, RawExternal) else _local(raw)


def kind_of(row: Row) -> RelationKind:
    """By the first row of a relation: a materialized view calls itself a view, and its definition tells."""
    if row.t2 == "m" or (row.t2 == "v" and _MATERIALIZED.match(row.t3 or "")):
        return RelationKind.MATERIALIZED_VIEW
    return RelationKind.VIEW if row.t2 == "v" else RelationKind.TABLE


def is_late_binding(row: Row) -> bool:
    return row.t2 == "v" and _LATE.search(row.t3 or "") is not None


def external_kind(row: ExternalRow) -> RelationKind:
    return RelationKind.VIEW if "VIEW" in (row.t1 or "").upper() else RelationKind.EXTERNAL_TABLE


def external_estimate(row: ExternalRow) -> int | None:
    """The number of rows that somebody wrote into the table's properties, as Redshift itself reads it."""
    try:
        properties = msgspec.json.decode(row.t5 or "{}")
        return int(properties["numRows"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None


# --- Relations of the database itself ---------------------------------------------------------------------------------


def _local(raw: RawRelation) -> Relation:
    parts: dict[int, list[Row]] = {part: [] for part in range(8)}
    for row in raw.rows:
        parts[row.part].append(row)
    head = parts[RELATION][0]
    comments = {row.number: row.t1 for row in parts[COMMENT]}
    names = {row.number: row.t1 or "" for row in parts[COLUMN]}
    late = is_late_binding(head)
    return Relation(
        schema=raw.schema,
        name=head.t1 or "",
        kind=kind_of(head),
        columns=tuple(_late_columns(raw.late, comments) if late else _columns(parts, comments)),
        constraints=tuple(_constraints(parts, names)),
        comment=comments.get(0),
        definition=head.t3,
        native_id=str(head.relation),
        extras=_relation_extras(head, parts[COLUMN], late=late, told=bool(raw.late)),
    )


def _columns(parts: dict[int, list[Row]], comments: dict[int, str | None]) -> Iterator[Column]:
    defaults = {row.number: row.t1 or "" for row in parts[DEFAULT]}
    for row in parts[COLUMN]:
        default = defaults.get(row.number)
        identity = _IDENTITY.match(default or "")
        parsed = parse_type(row.t2 or "")
        yield Column(
            name=row.t1 or "",
            position=row.number,
            type=row.t2 or "",
            family=parsed.family,
            nullable=not row.i1,
            default=None if identity else default,
            identity=_identity(identity),
            comment=comments.get(row.number),
            length=parsed.length,
            precision=parsed.precision,
            scale=parsed.scale,
            native_id=f"{row.relation}.{row.number}",
            extras=_column_extras(row, identity),
        )


def _identity(found: re.Match[str] | None) -> Identity | None:
    if found is None:
        return None
    return Identity.BY_DEFAULT if found["kind"] == "default_identity" else Identity.ALWAYS


def _column_extras(row: Row, identity: re.Match[str] | None) -> Extras:
    encoding = row.t3 if row.t3 and row.t3 != _NO_ENCODING else None
    return _some(
        {
            "encoding": encoding,
            "dist_key": bool(row.i2),
            "sort_key": abs(row.i3),
            "identity": identity["seed"].replace(" ", "") if identity else None,
        }
    )


def _late_columns(found: Sequence[LateColumn], comments: dict[int, str | None]) -> Iterator[Column]:
    """Without native ids: their numbers are places, and another definition may give a place to another column."""
    for each in found:
        parsed = parse_type(each.type)
        yield Column(
            name=each.name,
            position=each.number,
            type=each.type,
            family=parsed.family,
            comment=comments.get(each.number),
            length=parsed.length,
            precision=parsed.precision,
            scale=parsed.scale,
        )


def _constraints(parts: dict[int, list[Row]], names: dict[int, str]) -> Iterator[Constraint]:
    comments = {row.number: row.t1 for row in parts[CONSTRAINT_COMMENT]}
    targets = {row.number: row for row in parts[REFERENCE]}
    referenced = {(row.number, row.i1): row.t1 or "" for row in parts[REFERENCED]}
    for row in parts[CONSTRAINT]:
        target = targets.get(row.number)
        yield Constraint(
            name=row.t1 or "",
            kind=_CONSTRAINTS[row.t2 or ""],
            columns=tuple(names.get(number, "") for number in _numbers(row.t3)),
            references=_reference(target, referenced) if target else None,
            definition=row.t4,
            comment=comments.get(row.number),
            native_id=str(row.number),
        )


def _reference(target: Row, referenced: dict[tuple[int, int], str]) -> Reference:
    columns = tuple(referenced.get((target.number, number), "") for number in _numbers(target.t3))
    return Reference(target.t1 or "", target.t2 or "", columns)


def _numbers(listed: str | None) -> list[int]:
    return [int(number) for number in (listed or "").split(",") if number]


def _relation_extras(head: Row, columns: Sequence[Row], *, late: bool, told: bool) -> Extras:
    if head.t2 != "r":
        return _some({"late_binding": late, "broken": late and not told})
    keys = sorted((abs(row.i3), row.t1 or "") for row in columns if row.i3)
    return _some(
        {
            "dist_style": _STYLES.get(head.i1, _AUTOMATIC),
            "dist_key": next((row.t1 for row in columns if row.i2), None),
            "sort_keys": [name for _, name in keys],
            "sort_style": ("INTERLEAVED" if any(row.i3 < 0 for row in columns) else "COMPOUND") if keys else None,
        }
    )


# --- Relations of external schemas ------------------------------------------------------------------------------------


def _external(raw: RawExternal) -> Relation:
    head = next(row for row in raw.rows if row.part == RELATION)
    columns = [row for row in raw.rows if row.part == COLUMN]
    keys = sorted((row.part_key, row.t1 or "") for row in columns if row.part_key)
    return Relation(
        schema=raw.schema,
        name=head.relation,
        kind=external_kind(head),
        columns=tuple(_external_columns(columns)),
        extras=_some(
            {
                "location": head.t2,
                "input_format": head.t3,
                "serialization": head.t4,
                "partition_keys": [name for _, name in keys],
            }
        ),
    )


def _external_columns(rows: Sequence[ExternalRow]) -> Iterator[Column]:
    """Each column, followed by the fields within it; numbered in this order."""
    position = 0
    for row in rows:
        position += 1
        yield _external_column(row, position)
        for path, spelling in nested(parse_nested(row.t2 or "").fields, (row.t1 or "",)):
            position += 1
            parsed = parse_type(spelling)
            yield Column(name=path[-1], position=position, type=spelling, nested_in=path[:-1], **parsed._asdict())


def nested(fields: Sequence[HiveField], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The path and type of every field at any depth: types of external tables are Hive's, with Redshift's own words."""
    for field in fields:
        below = (*path, field.name)
        yield below, field.type.spelling
        yield from nested(field.type.fields, below)


def _external_column(row: ExternalRow, position: int) -> Column:
    parsed: dict[str, Any] = parse_type(row.t2 or "")._asdict()
    return Column(
        name=row.t1 or "",
        position=position,
        type=row.t2 or "",
        nullable=(row.t3 or "").lower() != "false",
        extras=_some({"partition_key": row.part_key}),
        **parsed,
    )


def _some(facts: dict[str, object]) -> Extras:
    """Only what there is to say."""
    return {name: fact for name, fact in facts.items() if fact}
