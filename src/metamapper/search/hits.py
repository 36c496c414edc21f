"""Hits: what a page shows of an asset that was found, read through the gate, with what was matched marked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

from metamapper.annotations.models import Description
from metamapper.catalog.models import Column, Relation, Schema
from metamapper.datastores.models import Datastore
from metamapper.lib.lookups import AnyOf
from metamapper.search import ranking
from metamapper.search.documents import FormerName, changes_of_relations, changes_of_schemas, former_names, kind_of
from metamapper.search.plan import Found
from metamapper.search.query import Kind, Query
from metamapper.search.ranking import Range, Typos, Why

if TYPE_CHECKING:
    from metamapper.accounts.models import User

Datastores = Mapping[UUID, Datastore]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with the ranges of it that were searched for."""

    text: str
    ranges: tuple[Range, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What the catalog knows of a hit. ``path`` is schema, relation, column as far as it reaches: its last step is the name.

    ``type`` is a column's type, else what it is. ``rows`` is the engine's estimate for a relation.
    """

    id: UUID
    kind: Kind
    type: str
    path: tuple[str, ...]
    datastore: Datastore
    schema_id: UUID | None = None
    relation_id: UUID | None = None
    comment: str = ""
    rows: int | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One asset that was found, and why. ``until`` is when the former name ended that it was found by, if it was."""

    asset: Asset
    path: tuple[Marked, ...]
    description: Marked
    comment: Marked
    why: Why
    former: Marked
    until: datetime | None = None


@dataclass(slots=True)
class Texts:
    """What is known of assets beside the catalog's rows."""

    descriptions: dict[UUID, str] = field(default_factory=dict)
    former: dict[UUID, list[FormerName]] = field(default_factory=dict)


def load(user: "User", found: Sequence[Found], datastores: Datastores, query: Query, typos: Typos) -> list[Hit]:
    """The hits in their order; what the catalog does not show this person is left out. At most six queries."""
    assets = {asset.id: asset for asset in _assets(user, found, datastores)}
    ordered = [assets[each.asset_id] for each in found if each.asset_id in assets]
    texts = Texts(descriptions(user, [asset.id for asset in ordered]), _former(ordered) if query.wanted else {})
    return [_hit(asset, texts, query, typos) for asset in ordered]


def descriptions(user: "User", asset_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What people say of each asset at present, where they say something."""
    current = Description.objects.visible_to(user).filter(AnyOf("asset_id", asset_ids), superseded_at=None)
    return dict(current.exclude(text="").values_list("asset_id", "text"))


def _assets(user: "User", found: Sequence[Found], datastores: Datastores) -> Iterator[Asset]:
    loaders: dict[Kind, Callable[[list[UUID]], Iterable[Asset]]] = {
        Kind.DATASTORE: partial(_datastores, datastores),
        Kind.SCHEMA: partial(_schemas, user, datastores),
        Kind.TABLE: partial(_relations, user, datastores),
        Kind.VIEW: partial(_relations, user, datastores),
        Kind.COLUMN: partial(_columns, user, datastores),
    }
    for kind, load_ in loaders.items():
        ids = [each.asset_id for each in found if each.kind == kind]
        if ids:
            yield from load_(ids)


def _datastores(datastores: Datastores, ids: list[UUID]) -> Iterator[Asset]:
    for each in (datastores[identity] for identity in ids):
        yield Asset(id=each.pk, kind=Kind.DATASTORE, type="datastore", path=(each.name,), datastore=each)


def _schemas(user: "User", datastores: Datastores, ids: list[UUID]) -> Iterator[Asset]:
    for each in Schema.objects.visible_to(user).filter(AnyOf("id", ids)):
        yield Asset(
            id=each.pk,
            kind=Kind.SCHEMA,
            type="schema",
            path=(each.name,),
            datastore=datastores[each.datastore_id],
            schema_id=each.pk,
            comment=each.comment or "",
            retired_at=each.retired_at,
        )


def _relations(user: "User", datastores: Datastores, ids: list[UUID]) -> Iterator[Asset]:
    found = Relation.objects.visible_to(user).filter(AnyOf("id", ids)).select_related("schema").defer("definition")
    for each in found:
        yield Asset(
            id=each.pk,
            kind=kind_of(each.kind),
            type=each.kind,
            path=(each.schema.name, each.name),
            datastore=datastores[each.datastore_id],
            schema_id=each.schema_id,
            relation_id=each.pk,
            comment=each.comment or "",
            rows=each.row_estimate,
            retired_at=each.retired_at,
        )


def _columns(user: "User", datastores: Datastores, ids: list[UUID]) -> Iterator[Asset]:
    found = Column.objects.visible_to(user).filter(AnyOf("id", ids)).select_related("relation__schema")
    for each in found.defer("relation__definition", "default"):
        relation = each.relation
        yield Asset(
            id=each.pk,
            kind=Kind.COLUMN,
            type=each.type,
            path=(relation.schema.name, relation.name, ".".join([*each.nested_in, each.name])),
            datastore=datastores[relation.datastore_id],
            schema_id=relation.schema_id,
            relation_id=relation.pk,
            comment=each.comment or "",
            retired_at=each.retired_at or relation.retired_at,
        )


def _former(assets: Sequence[Asset]) -> dict[UUID, list[FormerName]]:
    """The former names of assets that have passed the gate."""
    schemas = [asset.id for asset in assets if asset.kind is Kind.SCHEMA]
    relations = {asset.relation_id for asset in assets if asset.relation_id}
    found = chain(
        former_names(changes_of_schemas(schemas)).items() if schemas else (),
        former_names(changes_of_relations(list(relations))).items() if relations else (),
    )
    return dict(found)


def _hit(asset: Asset, texts: Texts, query: Query, typos: Typos) -> Hit:
    former = texts.former.get(asset.id, [])
    sight = _sight(asset, texts.descriptions.get(asset.id, ""), former)
    why = ranking.explain(query, typos, sight)

    def marked(text: str) -> Marked:
        return Marked(text, ranking.marks(query, typos, text))

    return Hit(
        asset=asset,
        path=tuple(map(marked, asset.path)),
        description=marked(sight.description),
        comment=marked(sight.comment),
        why=why,
        former=marked(why.former),
        until=max((each.until for each in former if each.name == why.former), default=None),
    )


def _sight(asset: Asset, description: str, former: Sequence[FormerName]) -> ranking.Sight:
    *above, name = asset.path
    schema = asset.path[0] if asset.kind is not Kind.DATASTORE else ""
    return ranking.Sight(
        name=name,
        relation=above[1] if asset.kind is Kind.COLUMN else "",
        schema=schema,
        former=tuple(dict.fromkeys(each.name for each in former if each.name != name)),
        description=description,
        comment=asset.comment,
    )
