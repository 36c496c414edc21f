"""Reading a source in a test."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from metamapper.connectors.base import EngineSettings, Session
from metamapper.connectors.conformance.subject import Source, Subject
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Relation, Snapshot

EVERYTHING = ScopeFilter()


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker learns in one look: the token, and the fingerprint of each relation."""

    token: str | None
    fingerprints: Mapping[tuple[str, str], bytes]


def read(
    subject: Subject, source: Source, within: ScopeFilter = EVERYTHING, *, settings: EngineSettings | None = None
) -> Snapshot:
    return read_snapshot(subject.engine, settings or source.settings, within, reach=source.reach)


@contextmanager
def opened(subject: Subject, source: Source, *, settings: EngineSettings | None = None) -> Iterator[Session]:
    with subject.engine.connect(settings or source.settings, source.reach).open() as session:
        yield session


def look(
    subject: Subject, source: Source, within: ScopeFilter = EVERYTHING, *, settings: EngineSettings | None = None
) -> Look:
    with opened(subject, source, settings=settings) as session:
        token = session.probe(within)
        session.scopes(within)
        return Look(token, {(each.schema, each.name): each.fingerprint for each in session.relations(within)})


def relation_of(snapshot: Snapshot, schema: str, name: str) -> Relation:
    """Raises ``LookupError`` with what is there instead."""
    for relation in snapshot.relations:
        if (relation.schema, relation.name) == (schema, name):
            return relation
    raise LookupError(f"No {schema}.{name} among {[(each.schema, each.name) for each in snapshot.relations]}")
