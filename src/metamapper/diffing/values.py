"""What goes into matching and comes out of it. There may be 50,000 of some of these: they are small and flat."""

from uuid import UUID

import msgspec

from metamapper.schema import (
    AssetKind,
    Certainty,
    ChangeKind,
    Evidence,
    RelationKind,
    RetiredChildren,
)


class KnownRelation(msgspec.Struct, frozen=True):
    """A relation of the catalog. ``schema`` is the name its schema bears in this run, after ``match_scopes``.

    ``shape`` is ``shape_of`` its columns as they were last seen.
    """

    id: UUID
    schema_id: UUID
    schema: str
    name: str
    kind: RelationKind
    native_id: str | None
    fingerprint: bytes
    shape: bytes
    retired: bool = False


class SeenRelation(msgspec.Struct, frozen=True):
    """A relation as this run saw it; ``ordinal`` is the caller's number for it."""

    ordinal: int
    schema: str
    name: str
    kind: RelationKind
    native_id: str | None
    fingerprint: bytes


class KnownScope(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    native_id: str | None = None
    retired: bool = False


class Pair(msgspec.Struct, frozen=True):
    """One known asset is one seen asset.

    ``kind_hint`` says what happened to the asset as a whole: None is nothing beyond its fields. ``unchanged`` promises
    that nothing differs (equal fingerprints under the same name), so nothing needs to be decoded.
    """

    known_id: UUID
    ordinal: int
    certainty: Certainty = Certainty.CERTAIN
    evidence: Evidence | None = None
    kind_hint: ChangeKind | None = None
    unchanged: bool = False


class SuggestedPair(msgspec.Struct, frozen=True):
    """Maybe one asset: the known one is among the vanished, the seen one among the appeared, until a person decides."""

    known_id: UUID
    ordinal: int
    evidence: Evidence


class RelationMatching(msgspec.Struct, frozen=True):
    pairs: list[Pair]
    appeared: list[int]
    vanished: list[UUID]
    suggestions: list[SuggestedPair]


class ScopeMatching(msgspec.Struct, frozen=True):
    """``readable`` are the names under which relations may vanish: schemas read completely, and those proved gone."""

    pairs: list[Pair]
    appeared: list[int]
    vanished: list[UUID]
    suggestions: list[SuggestedPair]
    readable: frozenset[str]


class SuggestedChild(msgspec.Struct, frozen=True):
    """Two children of one relation that may be one: ``vanished_id`` is retired, ``appeared_id`` added by this run."""

    asset: AssetKind
    vanished_id: UUID
    appeared_id: UUID
    evidence: Evidence


NONE_RETIRED = RetiredChildren()
