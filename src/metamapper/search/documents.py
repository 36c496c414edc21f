"""Documents: what is kept of an asset so that it can be found, made from records or from the catalog's own rows.

Both ways give the same documents, which is what makes a rebuild equal to what inspections left.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from metamapper.catalog.models import Column, Relation, Schema
from metamapper.history.models import Change
from metamapper.lib.lookups import AnyOf
from metamapper.schema import ChangeKind, RelationKind, RelationRecord, ScopeRecord
from metamapper.search.query import Kind

_VIEWS = frozenset({RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW})
_RENAMING = (ChangeKind.RENAMED.value, ChangeKind.MOVED.value, ChangeKind.CHANGED.value, ChangeKind.RESTORED.value)


class Document(msgspec.Struct, frozen=True, gc=False):
    """One name of one asset. ``relation`` and ``schema`` are the names it stands under, its own where it is one itself.

    ``current`` is set where ``name`` is a former one: it is the name of today. Such a document carries no comment.
    """

    asset_id: UUID
    kind: int
    name: str
    relation: str
    schema: str
    retired: bool = False
    comment: str | None = None
    current: str | None = None


class FormerName(NamedTuple):
    """A name that an asset had until a moment."""

    name: str
    until: datetime


def kind_of(relation_kind: str) -> Kind:
    return Kind.VIEW if relation_kind in _VIEWS else Kind.TABLE


def of_scopes(scopes: Iterable[ScopeRecord]) -> Iterator[Document]:
    for record in scopes:
        name = record.scope.name
        yield Document(record.id, Kind.SCHEMA, name, name, name, comment=record.scope.comment)


def of_records(records: Iterable[RelationRecord]) -> Iterator[Document]:
    """The documents of relations that have no past, and of their columns."""
    for record in records:
        relation = record.relation
        name, schema = relation.name, relation.schema
        yield Document(record.id, kind_of(relation.kind), name, name, schema, comment=relation.comment)
        for child in record.columns:
            column = child.value
            own = column.name if not column.nested_in else ".".join(column.path)
            yield Document(child.id, Kind.COLUMN, own, name, schema, comment=column.comment)


def of_schemas(schema_ids: Sequence[UUID]) -> Iterator[Document]:
    """The documents of these schemas as the catalog has them."""
    former = former_names(changes_of_schemas(schema_ids))
    found = Schema.objects.filter(AnyOf("id", schema_ids))
    for identity, name, comment, retired_at in found.values_list("id", "name", "comment", "retired_at"):
        document = Document(identity, Kind.SCHEMA, name, name, name, retired_at is not None, comment)
        yield document
        yield from _former(document, former[identity])


def of_relations(relation_ids: Sequence[UUID]) -> Iterator[Document]:
    """The documents of these relations and of all their columns, retired ones too, as the catalog has them."""
    former = former_names(changes_of_relations(relation_ids))
    parents: dict[UUID, Document] = {}
    found = Relation.objects.filter(AnyOf("id", relation_ids))
    for identity, name, kind, comment, retired_at, schema in found.values_list(
        "id", "name", "kind", "comment", "retired_at", "schema__name"
    ):
        parent = Document(identity, kind_of(kind), name, name, schema, retired_at is not None, comment)
        parents[identity] = parent
        yield parent
        yield from _former(parent, former[identity])
    columns = Column.objects.filter(AnyOf("relation_id", list(parents)))
    for identity, relation_id, name, nested_in, comment, retired_at in columns.values_list(
        "id", "relation_id", "name", "nested_in", "comment", "retired_at"
    ).iterator(2000):
        parent = parents[relation_id]
        retired = parent.retired or retired_at is not None
        own = ".".join([*nested_in, name])
        document = Document(identity, Kind.COLUMN, own, parent.name, parent.schema, retired, comment)
        yield document
        yield from _former(document, former[identity])


def _former(document: Document, names: Iterable[FormerName]) -> Iterator[Document]:
    for name in dict.fromkeys(former.name for former in names):
        if name != document.name:
            yield msgspec.structs.replace(document, name=name, comment=None, current=document.name)


def former_names(found: QuerySet[Change]) -> dict[UUID, list[FormerName]]:
    """The names that assets had before, from those of the changes that renamed and that nobody has undone; newest last."""
    renaming = found.filter(kind__in=_RENAMING).exclude(decision=Change.Decision.UNDONE).order_by("at", "order")
    names: dict[UUID, list[FormerName]] = defaultdict(list)
    for asset_id, fields, at in renaming.values_list("asset_id", "fields", "at"):
        names[asset_id].extend(
            FormerName(field["before"], at) for field in fields if field["field"] == "name" and field.get("before")
        )
    return names


def changes_of_schemas(schema_ids: Sequence[UUID]) -> QuerySet[Change]:
    # Without a relation: there is an index for that, and none for assets.
    return Change.objects.filter(AnyOf("asset_id", schema_ids), relation_id=None)


def changes_of_relations(relation_ids: Sequence[UUID]) -> QuerySet[Change]:
    return Change.objects.filter(AnyOf("relation_id", relation_ids))
