"""A catalog by hand: rows as an inspection would leave them, without one."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from metamapper.accounts.models import User
from metamapper.catalog import models, rows
from metamapper.datastores.models import Datastore
from metamapper.lib.ids import uuid7
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Identified,
    Index,
    Reference,
    Relation,
    RelationRecord,
    Scope,
    ScopeRecord,
    TypeFamily,
)
from metamapper.workspaces.models import Membership, Role, Workspace

MORNING = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
JSON_COLUMNS = {"extras", "nested_in", "keys", "included", "columns", "references"}


def make_workspace(slug: str = "larkspur", *people: str, role: Role = Role.OWNER) -> Workspace:
    workspace = Workspace.objects.create(name=slug.capitalize(), slug=slug)
    for person in people:
        user, _ = User.objects.get_or_create(email=f"{person}@example.com", defaults={"name": person.capitalize()})
        Membership.objects.create(workspace=workspace, user=user, role=role)
    return workspace


def make_datastore(workspace: Workspace, slug: str = "warehouse", engine: str = "postgresql") -> Datastore:
    return Datastore.objects.create(workspace=workspace, name=slug, slug=slug, engine=engine, seen_at=MORNING)


def make_scope(datastore: Datastore, name: str = "billing", at: datetime = MORNING, **facts: Any) -> ScopeRecord:
    record = ScopeRecord(id=uuid7(), scope=Scope(name=name, **facts))
    row = rows.schema_row(record, datastore_id=datastore.id, first_seen_at=at, since=at)
    insert(models.Schema, rows.SCHEMA_COLUMNS, [row])
    return record


def make_record(scope: ScopeRecord, name: str, *columns: str | Column, **facts: Any) -> RelationRecord:
    """A relation in mind only. A column is a value, or its name for a nullable text."""
    values = [
        each if isinstance(each, Column) else Column(name=each, position=place, type="text", family=TypeFamily.STRING)
        for place, each in enumerate(columns, 1)
    ]
    return RelationRecord(
        id=uuid7(),
        schema_id=scope.id,
        relation=Relation(schema=scope.scope.name, name=name, **facts),
        columns=tuple(Identified(uuid7(), each) for each in values),
    )


def identified(*children: Index | Constraint) -> tuple[Any, ...]:
    return tuple(Identified(uuid7(), each) for each in children)


def foreign_key(name: str, column: str, schema: str, relation: str) -> Constraint:
    return Constraint(
        name=name,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=(column,),
        references=Reference(schema, relation, ("id",)),
    )


def store(
    datastore: Datastore,
    *records: RelationRecord,
    at: datetime = MORNING,
    first_seen_at: datetime | None = None,
    retired_at: datetime | None = None,
    targets: dict[UUID, UUID] | None = None,
) -> None:
    """Write the records as the catalog's present; ``targets`` are the relations that constraints point to."""
    facts = {"since": at, "first_seen_at": first_seen_at or at, "retired_at": retired_at}
    relations = [
        rows.relation_row(each, datastore_id=datastore.id, fingerprint=b"f", shape=b"s", **facts) for each in records
    ]
    insert(models.Relation, rows.RELATION_COLUMNS, relations)
    columns = [rows.column_row(child, relation_id=each.id) for each in records for child in each.columns]
    insert(models.Column, rows.COLUMN_COLUMNS, columns)
    indexes = [rows.index_row(child, relation_id=each.id) for each in records for child in each.indexes]
    insert(models.Index, rows.INDEX_COLUMNS, indexes)
    constraints = [
        rows.constraint_row(child, relation_id=each.id, target_id=(targets or {}).get(child.id))
        for each in records
        for child in each.constraints
    ]
    insert(models.Constraint, rows.CONSTRAINT_COLUMNS, constraints)


def insert(model: type[Any], names: tuple[str, ...], found: Iterable[rows.Row]) -> None:
    model.objects.bulk_create([model(**as_fields(names, row)) for row in found])


def as_fields(names: tuple[str, ...], row: rows.Row) -> dict[str, Any]:
    """A row as keyword arguments of its model, which encodes JSON by itself."""
    fields = dict(zip(names, row, strict=True))
    return {
        name: json.loads(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in fields.items()
    }
