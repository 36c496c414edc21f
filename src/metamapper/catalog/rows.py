"""The catalog's rows and the vocabulary's values, both ways, with the order of the columns in one place.

``*_COLUMNS`` are the names of a table's columns; ``*_row`` turns a value into a tuple in that order, ``read_*`` turns
such a tuple (as ``values_list`` gives it) back. A row's JSON columns are JSON text, its ids ``UUID`` and its moments
aware ``datetime``, whatever the metastore; the bulk writer adapts them to its driver.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from metamapper.schema import (
    Column,
    Completeness,
    Constraint,
    ConstraintKind,
    Extras,
    Generated,
    Identified,
    Identity,
    Index,
    Reference,
    Relation,
    RelationKind,
    RelationRecord,
    Scope,
    ScopeRecord,
    TypeFamily,
)

Row = tuple[Any, ...]

_ASSET = ("id", "name", "native_id", "comment", "extras", "retired_at")

SCHEMA_COLUMNS = (
    *_ASSET,
    "datastore_id",
    "completeness",
    "reason",
    "remedy",
    "first_seen_at",
    "since",
)
RELATION_COLUMNS = (
    *_ASSET,
    "datastore_id",
    "schema_id",
    "kind",
    "definition",
    "row_estimate",
    "size_bytes",
    "fingerprint",
    "shape",
    "first_seen_at",
    "since",
)
COLUMN_COLUMNS = (
    *_ASSET,
    "relation_id",
    "position",
    "type",
    "family",
    "nullable",
    "default",
    "generated",
    "identity",
    "length",
    "precision",
    "scale",
    "nested_in",
)
INDEX_COLUMNS = (
    *_ASSET,
    "relation_id",
    "keys",
    "unique",
    "primary",
    "kind",
    "definition",
    "included",
    "predicate",
)
CONSTRAINT_COLUMNS = (
    *_ASSET,
    "relation_id",
    "kind",
    "columns",
    "references",
    "target_id",
    "definition",
)

_encode = msgspec.json.Encoder().encode


def _object(extras: Extras) -> str:
    return _encode(extras).decode() if extras else "{}"


def _array(names: tuple[str, ...]) -> str:
    return _encode(names).decode() if names else "[]"


def schema_row(
    record: ScopeRecord,
    *,
    datastore_id: UUID,
    first_seen_at: datetime,
    since: datetime,
    retired_at: datetime | None = None,
) -> Row:
    scope = record.scope
    return (
        record.id,
        scope.name,
        scope.native_id,
        scope.comment,
        _object(scope.extras),
        retired_at,
        datastore_id,
        scope.completeness.value,
        scope.reason or "",
        scope.remedy or "",
        first_seen_at,
        since,
    )


def relation_row(
    record: RelationRecord,
    *,
    datastore_id: UUID,
    fingerprint: bytes,
    shape: bytes,
    first_seen_at: datetime,
    since: datetime,
    retired_at: datetime | None = None,
) -> Row:
    relation = record.relation
    return (
        record.id,
        relation.name,
        relation.native_id,
        relation.comment,
        _object(relation.extras),
        retired_at,
        datastore_id,
        record.schema_id,
        relation.kind.value,
        relation.definition,
        relation.row_estimate,
        relation.size_bytes,
        fingerprint,
        shape,
        first_seen_at,
        since,
    )


def column_row(child: Identified[Column], *, relation_id: UUID, retired_at: datetime | None = None) -> Row:
    column = child.value
    return (
        child.id,
        column.name,
        column.native_id,
        column.comment,
        _object(column.extras),
        retired_at,
        relation_id,
        column.position,
        column.type,
        column.family.value,
        column.nullable,
        column.default,
        column.generated and column.generated.value,
        column.identity and column.identity.value,
        column.length,
        column.precision,
        column.scale,
        _array(column.nested_in),
    )


def index_row(child: Identified[Index], *, relation_id: UUID, retired_at: datetime | None = None) -> Row:
    index = child.value
    return (
        child.id,
        index.name,
        index.native_id,
        index.comment,
        _object(index.extras),
        retired_at,
        relation_id,
        _array(index.keys),
        index.unique,
        index.primary,
        index.kind,
        index.definition,
        _array(index.included),
        index.predicate,
    )


def constraint_row(
    child: Identified[Constraint],
    *,
    relation_id: UUID,
    target_id: UUID | None = None,
    retired_at: datetime | None = None,
) -> Row:
    constraint = child.value
    return (
        child.id,
        constraint.name,
        constraint.native_id,
        constraint.comment,
        _object(constraint.extras),
        retired_at,
        relation_id,
        constraint.kind.value,
        _array(constraint.columns),
        None if constraint.references is None else _reference(constraint.references),
        target_id,
        constraint.definition,
    )


def _reference(reference: Reference) -> str:
    # Every key is written, for pages and queries read the column as it stands.
    return _encode({"schema": reference.schema, "relation": reference.relation, "columns": reference.columns}).decode()


def read_schema(row: Row) -> ScopeRecord:
    (id_, name, native_id, comment, extras, _, _, completeness, reason, remedy, *_) = row
    scope = Scope(
        name=name,
        completeness=Completeness(completeness),
        reason=reason or None,
        remedy=remedy or None,
        comment=comment,
        native_id=native_id,
        extras=extras,
    )
    return ScopeRecord(id=id_, scope=scope)


def read_relation(row: Row, schema_name: str) -> RelationRecord:
    """The relation without its children; ``schema_name`` is the name its schema has in the same state."""
    (id_, name, native_id, comment, extras, _, _, schema_id, kind, definition, row_estimate, size_bytes, *_) = row
    relation = Relation(
        schema=schema_name,
        name=name,
        kind=RelationKind(kind),
        comment=comment,
        definition=definition,
        row_estimate=row_estimate,
        size_bytes=size_bytes,
        native_id=native_id,
        extras=extras,
    )
    return RelationRecord(id=id_, schema_id=schema_id, relation=relation)


def read_column(row: Row) -> Identified[Column]:
    (id_, name, native_id, comment, extras, _, _, position, type_, family, nullable, default, *rest) = row
    generated, identity, length, precision, scale, nested_in = rest
    column = Column(
        name=name,
        position=position,
        type=type_,
        family=TypeFamily(family),
        nullable=nullable,
        default=default,
        generated=generated and Generated(generated),
        identity=identity and Identity(identity),
        comment=comment,
        length=length,
        precision=precision,
        scale=scale,
        native_id=native_id,
        nested_in=tuple(nested_in),
        extras=extras,
    )
    return Identified(id_, column)


def read_index(row: Row) -> Identified[Index]:
    (id_, name, native_id, comment, extras, _, _, keys, unique, primary, kind, definition, included, predicate) = row
    index = Index(
        name=name,
        keys=tuple(keys),
        unique=unique,
        primary=primary,
        kind=kind,
        definition=definition,
        included=tuple(included),
        predicate=predicate,
        comment=comment,
        native_id=native_id,
        extras=extras,
    )
    return Identified(id_, index)


def read_constraint(row: Row) -> Identified[Constraint]:
    (id_, name, native_id, comment, extras, _, _, kind, columns, references, _, definition) = row
    constraint = Constraint(
        name=name,
        kind=ConstraintKind(kind),
        columns=tuple(columns),
        references=references and msgspec.convert(references, Reference),
        definition=definition,
        comment=comment,
        native_id=native_id,
        extras=extras,
    )
    return Identified(id_, constraint)
