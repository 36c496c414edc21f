"""Reading current truth for pages. Every function passes the gate; the past is ``history``'s."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet

from metamapper.catalog.models import Column, Constraint, Hold, Index, Relation, Schema
from metamapper.datastores.models import Datastore
from metamapper.lib.lookups import AnyOf
from metamapper.schema import AssetKind

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from metamapper.accounts.models import User

    Person = User | AnonymousUser

_CHILDREN: dict[AssetKind, type[Column | Index | Constraint]] = {
    AssetKind.COLUMN: Column,
    AssetKind.INDEX: Index,
    AssetKind.CONSTRAINT: Constraint,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an asset is: its datastore, and the schema and relation it belongs to or is."""

    datastore_id: UUID
    schema_id: UUID | None = None
    relation_id: UUID | None = None


def relation(user: "Person", relation_id: UUID) -> Relation | None:
    """The relation with its schema and datastore, retired or not; None where this person may not see it."""
    return _with_parents(Relation.objects.visible_to(user)).filter(id=relation_id).first()


def _with_parents(found: QuerySet[Relation]) -> QuerySet[Relation]:
    return found.select_related("schema", "datastore", "datastore__workspace").defer("definition", "fingerprint")


def schema(user: "Person", schema_id: UUID) -> Schema | None:
    """The schema with its datastore, retired or not; None where this person may not see it."""
    found = Schema.objects.visible_to(user).select_related("datastore", "datastore__workspace")
    return found.filter(id=schema_id).first()


def standing_holds(user: "Person", datastore: Datastore) -> QuerySet[Hold]:
    """What is held back: what waits for a decision first, then what a person keeps; the oldest first."""
    states = [Hold.State.PENDING, Hold.State.KEPT]
    found = Hold.objects.visible_to(user).filter(datastore=datastore, state__in=states)
    return found.select_related("schema").order_by("-state", "created_at", "id")


def relations_of(user: "Person", ids: Iterable[UUID], *, limit: int) -> list[tuple[UUID, str]]:
    """The first of these relations by name, as (id, name)."""
    found = Relation.objects.visible_to(user).filter(AnyOf("id", ids)).order_by("name", "id")
    return list(found.values_list("id", "name")[:limit])


def schemas_of(user: "Person", ids: Iterable[UUID], *, limit: int) -> list[tuple[UUID, str]]:
    """The first of these schemas by name, as (id, name)."""
    found = Schema.objects.visible_to(user).filter(AnyOf("id", ids)).order_by("name", "id")
    return list(found.values_list("id", "name")[:limit])


def paths_of(user: "Person", kind: AssetKind, ids: Iterable[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The present path of each asset, retired or not: its schema's name, its relation's, its own. One query."""
    if kind in _CHILDREN:
        found = _CHILDREN[kind].objects.visible_to(user).filter(AnyOf("id", ids))
        rows = found.values_list("id", "relation__schema__name", "relation__name", "name")
        return {row[0]: row[1:] for row in rows}
    if kind is AssetKind.SCHEMA:
        schemas = Schema.objects.visible_to(user).filter(AnyOf("id", ids))
        return {row[0]: row[1:] for row in schemas.values_list("id", "name")}
    relations = Relation.objects.visible_to(user).filter(AnyOf("id", ids))
    return {row[0]: row[1:] for row in relations.values_list("id", "schema__name", "name")}


def place_of(user: "Person", kind: AssetKind, asset_id: UUID) -> Place | None:
    """Where the asset is, retired or not; None where there is none that this person may see."""
    if kind is AssetKind.DATASTORE:
        known = Datastore.objects.visible_to(user).filter(id=asset_id).exists()
        return Place(asset_id) if known else None
    if kind is AssetKind.SCHEMA:
        return _place(Schema.objects.visible_to(user).filter(id=asset_id).values_list("datastore_id", "id"))
    if kind is AssetKind.RELATION:
        found = Relation.objects.visible_to(user).filter(id=asset_id)
        return _place(found.values_list("datastore_id", "schema_id", "id"))
    children = _CHILDREN[kind].objects.visible_to(user).filter(id=asset_id)
    return _place(children.values_list("relation__datastore_id", "relation__schema_id", "relation_id"))


def _place(found: QuerySet[Schema | Relation | Column | Index | Constraint, tuple[UUID, ...]]) -> Place | None:
    row = found.first()
    return Place(*row) if row else None
