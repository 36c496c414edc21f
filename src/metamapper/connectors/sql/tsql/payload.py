"""What the server says of one relation, as rows of the statement ``relations``, and what it means in our vocabulary.

A row is (part, id, place, name, text1, text2, text3, comment, number1 … number5). What texts and numbers are depends on the
part; each class below names them.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import groupby

import msgspec

from metamapper.connectors.sql.tsql.definitions import (
    INDEX_KINDS,
    foreign_key_definition,
    index_definition,
    key_definition,
    query_of,
)
from metamapper.connectors.sql.tsql.types import parse_type
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Extras,
    Generated,
    Identity,
    Index,
    Reference,
    Relation,
    RelationKind,
)


class Part(IntEnum):
    RELATION = 0
    COLUMN = 1
    INDEX = 2
    INDEX_COLUMN = 3
    KEY = 4
    FOREIGN_KEY = 5
    FOREIGN_KEY_COLUMN = 6
    CHECK = 7
    FACT = 8


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    part: int
    id: int
    place: int
    name: str | None
    text1: str | None
    text2: str | None
    text3: str | None
    comment: str | None
    number1: int | None
    number2: int | None
    number3: int | None
    number4: int | None
    number5: int | None


KINDS = {
    0: RelationKind.TABLE,
    1: RelationKind.VIEW,
    2: RelationKind.MATERIALIZED_VIEW,
    3: RelationKind.EXTERNAL_TABLE,
    4: RelationKind.PARTITIONED_TABLE,
}
_VIEWS = {RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW}
_DECODER = msgspec.json.Decoder(tuple[Row, ...])
_TEMPORAL = {1: "history table", 2: "system-versioned"}
_GENERATED_ALWAYS = {
    1: "row start",
    2: "row end",
    5: "transaction id start",
    6: "transaction id end",
    7: "sequence start",
    8: "sequence end",
}
_CLUSTERED_COLUMNSTORE = 5
_DISABLED, _NOT_TRUSTED = 1, 2
_OF_COLUMNS = (
    (16, "hidden"),
    (32, "sparse"),
    (64, "masked"),
    (128, "encrypted"),
)


def decode(payload: bytes) -> Relation:
    """The relation that a payload describes. Statistics are no part of it."""
    parts: dict[int, list[Row]] = {}
    for row in _DECODER.decode(payload):
        parts.setdefault(row.part, []).append(row)
    (own,) = parts[Part.RELATION]
    kind = KINDS[own.number1 or 0]
    columns = parts.get(Part.COLUMN, [])
    index_columns = _grouped(parts.get(Part.INDEX_COLUMN, []))
    return Relation(
        schema=own.text1 or "",
        name=own.name or "",
        kind=kind,
        columns=tuple(_column(row, own.id) for row in columns),
        indexes=tuple(_index(row, own.id, index_columns.get(row.id, [])) for row in parts.get(Part.INDEX, [])),
        constraints=tuple(_constraints(parts, index_columns)),
        comment=own.comment,
        definition=query_of(own.text2) if kind in _VIEWS and own.text2 is not None else None,
        native_id=str(own.id),
        extras=_extras(own, index_columns, parts.get(Part.FACT, [])),
    )


def _grouped(rows: Iterable[Row]) -> dict[int, list[Row]]:
    return {key: list(group) for key, group in groupby(rows, key=lambda row: row.id)}


def _extras(own: Row, index_columns: dict[int, list[Row]], facts: Sequence[Row]) -> Extras:
    """``number4`` is the kind of temporal table, ``number5`` whether it is in memory (1), its text encrypted (2)."""
    partitioned = [row.name for rows in index_columns.values() for row in rows if row.number3 and row.id in {0, 1}]
    found: dict[str, object] = {
        "temporal": _TEMPORAL.get(own.number4 or 0),
        "history_table": own.text3 if own.number4 else None,
        "location": own.text3 if not own.number4 else None,
        "memory_optimized": bool((own.number5 or 0) & 1) or None,
        "definition_encrypted": bool((own.number5 or 0) & 2) or None,
        "partition_key": ", ".join(name for name in partitioned if name) or None,
    }
    for row in facts:  # a fact of several rows is a list of theirs
        known = found.get(row.name or "")
        found[row.name or ""] = f"{known}, {row.text1}" if known else row.text1
    return {name: fact for name, fact in found.items() if fact is not None}


def _column(row: Row, relation: int) -> Column:
    """``text1`` is the type's name, ``text2`` the expression, ``text3`` what a type of users is made of and the collation;

    the numbers are length in bytes, precision, scale, flags, and what the server generates the column as.
    """
    base, _, collation = (row.text3 or "").partition("/")
    flags = row.number4 or 0
    name = row.text1 or ""
    spelling, family, length, precision, scale = parse_type(
        base or name, row.number1 or 0, row.number2 or 0, row.number3 or 0
    )
    return Column(
        name=row.name or "",
        position=row.place,
        type=name if base else spelling,
        family=family,
        nullable=bool(flags & 1),
        default=row.text2,
        generated=(Generated.STORED if flags & 8 else Generated.VIRTUAL) if flags & 4 else None,
        identity=Identity.ALWAYS if flags & 2 else None,
        comment=row.comment,
        length=length,
        precision=precision,
        scale=scale,
        native_id=f"{relation}.{row.id}",
        extras=_of_column(base and spelling, collation, flags, row.number5 or 0),
    )


def _of_column(base: str, collation: str, flags: int, generated: int) -> Extras:
    found: dict[str, object] = {
        "base_type": base or None,
        "collation": collation or None,
        "generated_always": _GENERATED_ALWAYS.get(generated),
    }
    found.update({name: True for bit, name in _OF_COLUMNS if flags & bit})
    return {name: fact for name, fact in found.items() if fact is not None}


def _index(row: Row, relation: int, columns: Sequence[Row]) -> Index:
    """``text1`` is the filter; the numbers are the kind, and whether it is unique (1), primary (2), disabled (4)."""
    kind, flags = INDEX_KINDS.get(row.number1 or 0, "other"), row.number2 or 0
    keys = _keys(columns)
    whole = row.number1 == _CLUSTERED_COLUMNSTORE
    included = () if whole else tuple(c.name or "" for c in columns if (c.number2 or 0) & 2 and not c.number1)
    return Index(
        name=row.name or "",
        keys=tuple(name for name, _ in keys),
        unique=bool(flags & 1),
        primary=bool(flags & 2),
        kind=kind,
        definition=index_definition(kind, keys, included, row.text1),
        included=included,
        predicate=row.text1,
        comment=row.comment,
        native_id=f"{relation}.{row.id}",
        extras={"disabled": True} if flags & 4 else {},
    )


def _keys(columns: Iterable[Row]) -> list[tuple[str, bool]]:
    """The columns that an index is ordered by; ``number1`` is the place in that order, ``number2`` 1 if it descends."""
    ordered = sorted((row for row in columns if row.number1), key=lambda row: row.number1 or 0)
    return [(row.name or "", bool((row.number2 or 0) & 1)) for row in ordered]


def _constraints(parts: dict[int, list[Row]], index_columns: dict[int, list[Row]]) -> Iterator[Constraint]:
    for row in parts.get(Part.KEY, []):
        yield _key(row, [name for name, _ in _keys(index_columns.get(row.number2 or 0, []))])
    targets = _grouped(parts.get(Part.FOREIGN_KEY_COLUMN, []))
    for row in parts.get(Part.FOREIGN_KEY, []):
        yield _foreign_key(row, targets.get(row.id, []))
    for row in parts.get(Part.CHECK, []):
        yield Constraint(
            name=row.name or "",
            kind=ConstraintKind.CHECK,
            definition=f"CHECK {row.text1}",
            comment=row.comment,
            native_id=str(row.id),
            extras=_trust(row.number1 or 0),
        )


def _key(row: Row, columns: Sequence[str]) -> Constraint:
    """The numbers are 0 for a primary key, the id of its index, and whether it is enforced."""
    kind = ConstraintKind.UNIQUE if row.number1 else ConstraintKind.PRIMARY_KEY
    return Constraint(
        name=row.name or "",
        kind=kind,
        columns=tuple(columns),
        definition=key_definition(kind, columns, enforced=bool(row.number3)),
        comment=row.comment,
        native_id=str(row.id),
    )


def _foreign_key(row: Row, columns: Sequence[Row]) -> Constraint:
    """``text1`` and ``text2`` are the schema and table referred to; the numbers two actions and the flags.

    A table that the account may not see is not named: then there is no reference.
    """
    own = tuple(column.name or "" for column in columns)
    reference = None
    if row.text1 is not None and row.text2 is not None:
        reference = Reference(row.text1, row.text2, tuple(column.text1 or "" for column in columns))
    return Constraint(
        name=row.name or "",
        kind=ConstraintKind.FOREIGN_KEY,
        columns=own,
        references=reference,
        definition=foreign_key_definition(own, reference, row.number1 or 0, row.number2 or 0) if reference else None,
        comment=row.comment,
        native_id=str(row.id),
        extras=_trust(row.number3 or 0),
    )


def _trust(flags: int) -> Extras:
    """What the server does not check any more, or has not checked for every row."""
    return ({"disabled": True} if flags & _DISABLED else {}) | ({"trusted": False} if flags & _NOT_TRUSTED else {})
