"""What the dictionary says of one relation, as it says it, and what it means in our vocabulary.

The structs follow the rows of ``queries.sql`` place by place, without the object's id that each begins with.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from metamapper.connectors.engines.oracle.names import listed, quoted
from metamapper.connectors.engines.oracle.types import Declared, parse_type
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

_CONSTRAINTS = {
    "P": ConstraintKind.PRIMARY_KEY,
    "U": ConstraintKind.UNIQUE,
    "R": ConstraintKind.FOREIGN_KEY,
    "C": ConstraintKind.CHECK,
}
_GENERATION = {"ALWAYS": Identity.ALWAYS, "BY DEFAULT": Identity.BY_DEFAULT}
_NO_ACTION = "NO ACTION"
# What Oracle itself writes on the table that keeps a materialized view's rows.
_OF_A_SNAPSHOT = "snapshot table for snapshot "
_IS_NOT_NULL = re.compile(r'\s*(?P<column>"[^"]*"|\w+)\s+IS\s+NOT\s+NULL\s*\Z', re.IGNORECASE)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Base of what stands at fixed places of an array."""


class RawColumn(Place, frozen=True, array_like=True):
    position: int
    name: str
    type: str
    type_owner: str | None
    byte_length: int | None
    char_length: int | None
    char_used: str | None
    precision: int | None
    scale: int | None
    nullable: str
    virtual: str
    identity: str
    default: str | None


class RawConstraint(Place, frozen=True, array_like=True):
    name: str
    type: str
    delete_rule: str | None
    status: str | None
    deferrable: str | None
    validated: str | None
    index: str | None
    condition: str | None


class RawReference(Place, frozen=True, array_like=True):
    constraint: str
    owner: str
    table: str
    column: str


class RawIndex(Place, frozen=True, array_like=True):
    owner: str
    name: str
    type: str
    uniqueness: str
    visibility: str | None
    status: str | None
    partitioned: str | None


class RawIndexColumn(Place, frozen=True, array_like=True):
    owner: str
    index: str
    position: int
    name: str
    descend: str | None


class RawIndexExpression(Place, frozen=True, array_like=True):
    owner: str
    index: str
    position: int
    text: str | None


class RawMaterialized(Place, frozen=True, array_like=True):
    refresh_mode: str | None
    refresh_method: str | None
    comment: str | None
    query: str | None


class RawHead(Place, frozen=True, array_like=True):
    """A row of ``objects`` up to its statistics."""

    id: int
    owner: str
    name: str
    type: str
    partitioned: str | None
    temporary: str | None
    iot_type: str | None
    cluster: str | None
    compression: str | None
    external: str


class RawRelation(msgspec.Struct, frozen=True, omit_defaults=True):
    head: RawHead
    columns: tuple[RawColumn, ...] = ()
    identities: tuple[tuple[str, str], ...] = ()
    view: str | None = None
    materialized: RawMaterialized | None = None
    constraints: tuple[RawConstraint, ...] = ()
    constraint_columns: tuple[tuple[str, str], ...] = ()
    references: tuple[RawReference, ...] = ()
    indexes: tuple[RawIndex, ...] = ()
    index_columns: tuple[RawIndexColumn, ...] = ()
    index_expressions: tuple[RawIndexExpression, ...] = ()
    comment: str | None = None
    column_comments: tuple[tuple[str, str], ...] = ()
    partition_keys: tuple[tuple[str, str], ...] = ()


_DECODER = msgspec.json.Decoder(RawRelation)


def kind_of(head: RawHead, *, materialized: bool) -> RelationKind:
    if head.type == "VIEW":
        return RelationKind.VIEW
    if materialized:
        return RelationKind.MATERIALIZED_VIEW
    if head.external == "YES":
        return RelationKind.EXTERNAL_TABLE
    return RelationKind.PARTITIONED_TABLE if head.partitioned == "YES" else RelationKind.TABLE


def decode(payload: bytes) -> Relation:
    """The relation that a payload describes. Statistics are no part of it."""
    raw = _DECODER.decode(payload)
    return Relation(
        schema=raw.head.owner,
        name=raw.head.name,
        kind=kind_of(raw.head, materialized=raw.materialized is not None),
        columns=tuple(_columns(raw)),
        indexes=tuple(_indexes(raw)),
        constraints=tuple(_constraints(raw)),
        comment=_comment(raw),
        definition=raw.materialized.query if raw.materialized else raw.view,
        native_id=str(raw.head.id),
        extras=_extras(raw),
    )


def _comment(raw: RawRelation) -> str | None:
    if raw.materialized and raw.materialized.comment:
        own = raw.materialized.comment
        return None if own.startswith(_OF_A_SNAPSHOT) else own
    return None if raw.materialized and (raw.comment or "").startswith(_OF_A_SNAPSHOT) else raw.comment


def _columns(raw: RawRelation) -> Iterator[Column]:
    comments, generations = dict(raw.column_comments), dict(raw.identities)
    for column in raw.columns:
        declared = Declared(
            column.type,
            column.type_owner,
            column.byte_length,
            column.char_length,
            column.char_used,
            column.precision,
            column.scale,
        )
        spelling, family, length, precision, scale = parse_type(declared)
        yield Column(
            name=column.name,
            position=column.position,
            type=spelling,
            family=family,
            nullable=column.nullable == "Y",
            default=_default(column),
            generated=Generated.VIRTUAL if column.virtual == "YES" else None,
            identity=_GENERATION.get(generations.get(column.name, "")),
            comment=comments.get(column.name),
            length=length,
            precision=precision,
            scale=scale,
        )


def _default(column: RawColumn) -> str | None:
    """As it was written. A default that was taken away is NULL; an identity's is a sequence that nobody named."""
    text = (column.default or "").strip()
    return None if not text or text.upper() == "NULL" or column.identity == "YES" else text


# --- Constraints ------------------------------------------------------------------------------------------------------


def _constraints(raw: RawRelation) -> Iterator[Constraint]:
    columns: dict[str, list[str]] = {}
    for name, column in raw.constraint_columns:
        columns.setdefault(name, []).append(column)
    references = {
        name: _reference(list(rows)) for name, rows in groupby(raw.references, key=lambda row: row.constraint)
    }
    for each in raw.constraints:
        if each.type == "C" and _IS_NOT_NULL.match(each.condition or ""):
            continue  # said by the column
        keys = tuple(columns.get(each.name, ()))
        yield Constraint(
            name=each.name,
            kind=_CONSTRAINTS[each.type],
            columns=keys,
            references=references.get(each.name),
            definition=_definition(each, keys, references.get(each.name)),
            extras=_some(
                {
                    "disabled": each.status == "DISABLED",
                    "deferrable": each.deferrable == "DEFERRABLE",
                    "not_validated": each.validated == "NOT VALIDATED",
                }
            ),
        )


def _reference(rows: Sequence[RawReference]) -> Reference:
    return Reference(rows[0].owner, rows[0].table, tuple(row.column for row in rows))


def _definition(raw: RawConstraint, columns: Sequence[str], reference: Reference | None) -> str:
    if raw.type == "C":
        return f"CHECK ({(raw.condition or '').strip()})"
    text = f"{_CONSTRAINTS[raw.type].upper()} ({listed(columns)})"
    if reference:
        target = f"{quoted(reference.schema)}.{quoted(reference.relation)}"
        text += f" REFERENCES {target} ({listed(reference.columns)})"
    if raw.delete_rule and raw.delete_rule != _NO_ACTION:
        text += f" ON DELETE {raw.delete_rule}"
    return text


# --- Indexes ----------------------------------------------------------------------------------------------------------


def _indexes(raw: RawRelation) -> Iterator[Index]:
    expressions = {(each.owner, each.index, each.position): (each.text or "").strip() for each in raw.index_expressions}
    parts: dict[tuple[str, str], list[RawIndexColumn]] = {}
    for column in raw.index_columns:
        parts.setdefault((column.owner, column.index), []).append(column)
    primary = {each.index for each in raw.constraints if each.type == "P"}
    for index in raw.indexes:
        columns = parts.get((index.owner, index.name), [])
        keys = tuple(_key(column, expressions) for column in columns)
        kind = index.type.lower()
        order = (" DESC" if column.descend == "DESC" else "" for column in columns)
        spelled = ", ".join(
            (
                key
                if (column.owner, column.index, column.position) in expressions and not _is_name(key, raw)
                else quoted(key)
            )
            + direction
            for key, column, direction in zip(keys, columns, order, strict=True)
        )
        yield Index(
            name=index.name,
            keys=keys,
            unique=index.uniqueness == "UNIQUE",
            primary=index.name in primary,
            kind=kind,
            definition=f"{kind} ({spelled})",
            extras=_some(
                {
                    "schema": index.owner if index.owner != raw.head.owner else None,
                    "invisible": index.visibility == "INVISIBLE",
                    "unusable": index.status == "UNUSABLE",
                    "partitioned": index.partitioned == "YES",
                }
            ),
        )


def _key(column: RawIndexColumn, expressions: dict[tuple[str, str, int], str]) -> str:
    """A column's name, or the expression; a descending column is an expression that is nothing but its quoted name."""
    text = expressions.get((column.owner, column.index, column.position))
    if text is None:
        return column.name
    bare = text[1:-1]
    return bare if text == f'"{bare}"' and '"' not in bare else text


def _is_name(key: str, raw: RawRelation) -> bool:
    return any(column.name == key for column in raw.columns)


# --- Extras -----------------------------------------------------------------------------------------------------------


def _extras(raw: RawRelation) -> Extras:
    head, materialized = raw.head, raw.materialized
    kinds = {partitioning for partitioning, _ in raw.partition_keys}
    return _some(
        {
            "temporary": head.temporary == "Y",
            "index_organized": head.iot_type == "IOT",
            "cluster": head.cluster,
            "compressed": head.compression == "ENABLED",
            "partition_by": ", ".join(sorted(kinds)),
            "partition_keys": [column for _, column in raw.partition_keys],
            "refresh": f"{materialized.refresh_method} ON {materialized.refresh_mode}" if materialized else None,
        }
    )


def _some(facts: dict[str, object]) -> Extras:
    """Only what there is to say."""
    return {name: fact for name, fact in facts.items() if fact}
