"""A catalog with its documents, as inspections would leave both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from metamapper.accounts.models import User
from metamapper.annotations.models import Description
from metamapper.catalog.models import Column, Relation, Schema
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change
from metamapper.lib.ids import uuid7
from metamapper.plugins import hooks
from metamapper.schema import RelationRecord, ScopeRecord
from metamapper.search.backends.base import fetch
from metamapper.search.query import Kind, Query
from metamapper.search.ranking import Sight, Typos, score
from metamapper.workspaces.models import Workspace
from tests.catalog.factories import MORNING, make_datastore, make_record, make_scope, make_workspace, store


@dataclass
class World:
    """One workspace with one datastore, changed the way an inspection changes it."""

    slug: str = "larkspur"
    workspace: Workspace = field(init=False)
    datastore: Datastore = field(init=False)
    ana: User = field(init=False)
    now: datetime = MORNING

    def __post_init__(self) -> None:
        self.workspace = make_workspace(self.slug, "ana")
        self.datastore = make_datastore(self.workspace)
        self.ana = User.objects.get(email="ana@example.com")

    def add(self, schema: str, *relations: tuple[str, Sequence[str]], **facts: str) -> list[RelationRecord]:
        """A new schema with relations, told as a first inspection tells it."""
        scope = make_scope(self.datastore, schema)
        records = [make_record(scope, name, *columns, **facts) for name, columns in relations]
        self.tell(scope, *records)
        return records

    def tell(self, scope: ScopeRecord, *records: RelationRecord) -> None:
        store(self.datastore, *records)
        self._changed([scope], records, fresh=True)

    def rename(self, model: type[Schema | Relation | Column], identity: UUID, name: str) -> None:
        """A rename as an inspection writes it: the row, its change, the hook."""
        asset = model.objects.get(pk=identity)
        relation_id = {Schema: None, Relation: identity}.get(model, getattr(asset, "relation_id", None))
        self.now += timedelta(hours=1)
        Change.objects.create(
            datastore=self.datastore,
            run_id=uuid7(),
            at=self.now,
            order=1,
            kind="renamed",
            asset=model.__name__.lower(),
            asset_id=identity,
            relation_id=relation_id,
            fields=[{"field": "name", "before": asset.name, "after": name}],
            severity="risky",
        )
        model.objects.filter(pk=identity).update(name=name)
        self.changed(identity)

    def retire(self, model: type[Schema | Relation | Column], identity: UUID) -> None:
        model.objects.filter(pk=identity).update(retired_at=self.now)
        whole = model is not Column
        self._changed([], [], retired=[identity] if whole else [], removed=[] if whole else [identity])

    def changed(self, identity: UUID) -> None:
        """Tell of an asset whatever it is; which argument carries it makes no difference to search."""
        self._changed([], [], removed=[identity])

    def describe(self, asset: str, identity: UUID, text: str) -> None:
        Description.objects.filter(asset_id=identity, superseded_at=None).update(superseded_at=self.now)
        Description.objects.create(datastore=self.datastore, asset=asset, asset_id=identity, text=text, at=self.now)
        hooks.annotation_changed(asset_id=identity)

    def _changed(
        self,
        scopes: Sequence[ScopeRecord],
        records: Sequence[RelationRecord],
        *,
        retired: Sequence[UUID] = (),
        removed: Sequence[UUID] = (),
        fresh: bool = False,
    ) -> None:
        hooks.catalog_changed(
            datastore_id=self.datastore.pk,
            scopes=scopes,
            records=records,
            retired=retired,
            removed=removed,
            fresh=fresh,
        )


@dataclass(frozen=True)
class Known:
    """An asset as the rules in Python see it."""

    id: UUID
    kind: Kind
    retired: bool
    sight: Sight

    def score(self, query: Query, typos: Typos) -> int | None:
        return score(query, typos, self.sight, kind=self.kind, retired=self.retired)


_TABLES = {
    "search_document": "asset_id, name_id, relation_name_id, schema_name_id, alias_of, kind, state",
    "search_name": "id, datastore_id, name, words, size",
    "search_word": "datastore_id, word, name_id",
    "search_written": "asset_id, datastore_id",
}


def contents() -> dict[str, list[str]]:
    """Everything that search keeps, in an order of its own."""
    kept = {table: sorted(map(str, fetch(f"SELECT {names} FROM {table}", None))) for table, names in _TABLES.items()}
    return kept | {"texts": _texts()}


def _texts() -> list[str]:
    from django.db import connection

    if connection.vendor == "postgresql":
        said = "SELECT asset_id::text, text::text FROM search_written UNION ALL "
        return sorted(map(str, fetch(f"{said}SELECT asset_id::text, comment::text FROM search_document", None)))
    comments = "SELECT d.asset_id, c.words FROM search_comment c LEFT JOIN search_document d ON d.number = c.rowid"
    said = "SELECT w.asset_id, t.words FROM search_text t LEFT JOIN search_written w ON w.number = t.rowid"
    return sorted(map(str, [*fetch(comments, None), *fetch(said, None)]))
