"""Keeping documents in step with the catalog and with what people write, in the transaction that changes them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from uuid import UUID

from django.db import transaction

from metamapper.annotations.models import Description
from metamapper.catalog.models import Column, Relation, Schema
from metamapper.datastores.models import Datastore
from metamapper.lib.lookups import AnyOf
from metamapper.schema import RelationRecord, ScopeRecord
from metamapper.search import documents
from metamapper.search.backends import backend
from metamapper.search.backends.base import batched, name_id
from metamapper.search.models import Document

RELATIONS = 500
"""Relations whose documents are made at a time."""


def add(datastore_id: UUID, scopes: Sequence[ScopeRecord], records: Sequence[RelationRecord]) -> None:
    """Write the documents of assets that were not known before."""
    backend().write(datastore_id, chain(documents.of_scopes(scopes), documents.of_records(records)))


def refresh(datastore_id: UUID, schema_ids: Iterable[UUID], relation_ids: Iterable[UUID]) -> None:
    """Make the documents of these schemas and relations anew, as the catalog has them now.

    A schema whose name has changed takes its relations along, for their documents bear it.
    """
    schemas = list(dict.fromkeys(schema_ids))
    renamed = _renamed(schemas)
    _replace(datastore_id, schemas, documents.of_schemas(schemas))
    within = Relation.objects.filter(AnyOf("schema_id", renamed)).values_list("id", flat=True) if renamed else ()
    for batch in batched(dict.fromkeys(chain(relation_ids, within)), RELATIONS):
        columns = Column.objects.filter(AnyOf("relation_id", batch)).values_list("id", flat=True)
        _replace(datastore_id, [*batch, *columns], documents.of_relations(batch))


def owners_of(asset_ids: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
    """The schemas among the ids, and the relations that the others are or belong to."""
    schemas = Schema.objects.filter(AnyOf("id", asset_ids)).values_list("id", flat=True)
    relations = Relation.objects.filter(AnyOf("id", asset_ids)).values_list("id", flat=True)
    of_columns = Column.objects.filter(AnyOf("id", asset_ids)).values_list("relation_id", flat=True).distinct()
    return list(schemas), [*relations, *of_columns]


def describe(asset_id: UUID) -> None:
    """Keep what people say of this asset at present, or forget what they no longer say."""
    found = Description.objects.filter(asset_id=asset_id, superseded_at=None).exclude(text="").first()
    if found is None:
        backend().erase_text(asset_id)
    else:
        backend().write_text(found.datastore_id, asset_id, found.text)


def reindex(datastore: Datastore) -> int:
    """Make all documents of a datastore anew; the number of relations. Readers see the old ones until the end."""
    with transaction.atomic():
        # An inspection takes the same lock, so that neither writes what the other is about to replace.
        Datastore.objects.select_for_update(no_key=True).get(pk=datastore.pk)
        backend().forget(datastore.pk)
        schemas = list(Schema.objects.filter(datastore=datastore).values_list("id", flat=True))
        backend().write(datastore.pk, documents.of_schemas(schemas))
        relations = list(Relation.objects.filter(datastore=datastore).order_by("id").values_list("id", flat=True))
        backend().write(datastore.pk, _of_all(relations))
        said = Description.objects.filter(datastore=datastore, superseded_at=None).exclude(text="")
        for asset_id, text in said.values_list("asset_id", "text").iterator(2000):
            backend().write_text(datastore.pk, asset_id, text)
    return len(relations)


def forget(datastore_id: UUID) -> None:
    """Remove all documents of a datastore."""
    backend().forget(datastore_id)


def _of_all(relation_ids: Iterable[UUID]) -> Iterator[documents.Document]:
    for batch in batched(relation_ids, RELATIONS):
        yield from documents.of_relations(batch)


def _replace(datastore_id: UUID, asset_ids: Sequence[UUID], made: Iterator[documents.Document]) -> None:
    if asset_ids:
        left = backend().erase(asset_ids)
        backend().write(datastore_id, made)
        backend().sweep(left)


def _renamed(schema_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the schemas whose documents bear another name than the catalog."""
    bearing = dict(
        Document.objects.filter(AnyOf("asset_id", schema_ids), alias_of=None).values_list("asset_id", "name_id")
    )
    found = Schema.objects.filter(AnyOf("id", schema_ids)).values_list("id", "datastore_id", "name")
    return [
        identity
        for identity, place, name in found
        if identity in bearing and bearing[identity] != name_id(place.bytes, name)
    ]
