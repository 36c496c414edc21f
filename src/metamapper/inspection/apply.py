"""Applying a read to the catalog: match, diff, write, tell. Everything here runs in the run's one transaction."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from metamapper.catalog.records import load_records
from metamapper.catalog.services import CatalogWriter
from metamapper.connectors.base import Engine
from metamapper.connectors.scope import ScopeFilter
from metamapper.datastores.address import address_of
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import scope_of
from metamapper.diffing.matching import match_relations
from metamapper.diffing.renames import renames_of
from metamapper.diffing.values import RelationMatching
from metamapper.history.services import Chronicle
from metamapper.inspection.holds import Vanished, sift
from metamapper.inspection.known import Known, load_known
from metamapper.inspection.reading import Reading
from metamapper.inspection.relations import RelationWriter
from metamapper.inspection.schemas import SchemaWriter
from metamapper.inspection.stage import Stage
from metamapper.lib.ahead import ahead
from metamapper.schema import AssetKind

T = TypeVar("T")
BATCH = 500
"""Relations held in memory at a time."""


@dataclass(slots=True)
class Applied:
    """What a read did to the catalog."""

    relations: int
    schemas: int
    changes: int = 0
    noted: bool = False
    """Whether history refers to the read: it told of changes or quietly kept what replay needs, or it held something back."""
    kinds: dict[str, int] = field(default_factory=dict)
    severities: dict[str, int] = field(default_factory=dict)
    changes_by_schema: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, Any]:
        return {
            "schemas": self.schemas,
            "relations": self.relations,
            "changes": self.changes,
            "held": sum(self.held.values()),
            "kinds": self.kinds,
            "severities": self.severities,
        }


def apply(
    datastore: Datastore, engine: Engine, reading: Reading, stage: Stage, *, run_id: UUID, at: datetime
) -> Applied:
    """Bring the catalog to what was read, with its history and search documents.

    Raises ``NotStaged`` if a person's decision changed the catalog since the read began: the read must be done again.
    """
    # Decisions of people write here too; the row's lock lets one of us work at a time.
    now = Datastore.objects.select_for_update(no_key=True).get(pk=datastore.pk)
    chronicle = Chronicle.begin(datastore.pk, run_id, at)
    # What was read is what the run was given, whatever was set since. Ids of two places never meet.
    moved = now.ids_from not in {"", address_of(datastore)}
    known = load_known(datastore.pk, moved=moved, ids_since=now.ids_since)
    return _Application(datastore, engine, reading, stage, chronicle, known, scope_of(datastore)).run()


@dataclass(slots=True)
class _Application:
    datastore: Datastore
    engine: Engine
    reading: Reading
    stage: Stage
    chronicle: Chronicle
    known: Known
    within: ScopeFilter

    def run(self) -> Applied:
        schemas = SchemaWriter.over(
            self.datastore.pk,
            self.chronicle,
            self.known,
            self.reading,
            self.within,
            stable_ids=AssetKind.SCHEMA in self.engine.stable_ids,
        )
        schemas.write()
        names = schemas.names()
        matching = self._match(names, schemas.matching.readable)
        groups = self._vanished(matching, names, schemas.matching.readable)
        seen = {pair.known_id for pair in matching.pairs}
        verdict = sift(self.datastore.pk, self.chronicle.run_id, self.chronicle.at, groups, seen=seen)
        self._write(self._writer(matching, schemas), matching, verdict.retire)
        schemas.retire(before=self.known.standing() - seen - verdict.retire)
        self._stamp(whole=self.reading.is_whole and not verdict.held)
        return self._applied(verdict.held, names)

    def _match(self, names: Mapping[UUID, str], readable: Container[str]) -> RelationMatching:
        return match_relations(
            self.known.relation_keys(names),
            self.stage.seen,
            relation_of=self.stage.relation,
            record_of=lambda identity: load_records([identity])[identity],
            stable_ids=AssetKind.RELATION in self.engine.stable_ids,
            readable=readable.__contains__,
            hidden=lambda item: not self.within.allows_table(item.schema, item.name),
        )

    def _vanished(
        self, matching: RelationMatching, names: Mapping[UUID, str], readable: Container[str]
    ) -> Iterator[Vanished]:
        """What each provably read schema no longer lists."""
        gone: dict[UUID, set[UUID]] = {}
        for identity in matching.vanished:
            gone.setdefault(self.known.relations[identity].schema_id, set()).add(identity)
        for schema_id, count in self.known.living().items():
            if names[schema_id] in readable:
                yield Vanished(schema_id, frozenset(gone.get(schema_id, ())), count)

    def _write(self, writer: RelationWriter, matching: RelationMatching, retire: Iterable[UUID]) -> None:
        for relations in ahead(map(writer.first, _batches(matching.appeared))):
            writer.add(relations)
        for pairs in _batches(pair for pair in matching.pairs if not pair.unchanged):
            writer.replace(pairs)
        for ids in _batches(sorted(retire)):
            writer.retire(ids)
        writer.catalog.link()
        writer.estimate(matching.pairs)
        writer.suggest(matching.suggestions)

    def _writer(self, matching: RelationMatching, schemas: SchemaWriter) -> RelationWriter:
        keys = self.known.relation_keys(schemas.names())
        seen = [(pair, self.stage.seen[pair.ordinal]) for pair in matching.pairs]
        targets = {(each.schema, each.name): pair.known_id for pair, each in seen}
        return RelationWriter(
            datastore_id=self.datastore.pk,
            chronicle=self.chronicle,
            known=self.known,
            stage=self.stage,
            schema_ids=schemas.ids,
            catalog=CatalogWriter(self.datastore.pk, self.chronicle.at, targets),
            renames=renames_of(keys, self.stage.seen, matching.pairs, schemas.renames()),
        )

    def _stamp(self, *, whole: bool) -> None:
        """Note on the datastore when it was seen, and the probe's token if it speaks for everything."""
        at = self.chronicle.at
        token = (self.reading.token or "") if whole else ""
        seen: dict[str, Any] = {"seen_at": at} if whole else {}
        if whole or not self.known.moved:
            # A look that was not whole leaves ids of the former place behind.
            seen |= {"ids_from": address_of(self.datastore)} | ({"ids_since": at} if self.known.moved else {})
        Datastore.objects.filter(pk=self.datastore.pk).update(
            read_at=at, probe_token=token, server_version=self.reading.server_version[:120], **seen
        )

    def _applied(self, held: frozenset[UUID], names: Mapping[UUID, str]) -> Applied:
        applied = Applied(
            relations=len(self.stage.seen),
            schemas=len(self.reading.scopes),
            changes=self.chronicle.told,
            noted=bool(self.chronicle.written or held),
            kinds=self.chronicle.kinds,
            severities=self.chronicle.severities,
            changes_by_schema=self.chronicle.schemas,
        )
        for identity in held:
            schema = names[self.known.relations[identity].schema_id]
            applied.held[schema] = applied.held.get(schema, 0) + 1
        return applied


def _batches(items: Iterable[T]) -> Iterator[Sequence[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch
