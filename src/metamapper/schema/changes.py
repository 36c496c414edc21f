"""Changes as values: what differs between two moments, what it means for readers, and why we believe it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from metamapper.schema.kinds import AssetKind


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    MOVED = "moved"
    REBUILT = "rebuilt"
    REMOVED = "removed"
    RESTORED = "restored"


class Severity(StrEnum):
    """What a change means for those who read the asset."""

    SAFE = "safe"
    RISKY = "risky"
    BREAKING = "breaking"


class Certainty(StrEnum):
    """How an identity was matched: proved by the engine, inferred from evidence, or decided by a person."""

    CERTAIN = "certain"
    INFERRED = "inferred"
    ACCEPTED = "accepted"


class FieldChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field, before and after, as JSON values; None is "had none".

    A quiet field is kept because replay needs it, and not shown: it only follows from what another field or another
    asset's change says (``precision`` follows ``type``, an index's keys follow a column's new name).
    """

    field: str
    before: Any = None
    after: Any = None
    quiet: bool = False


class EvidenceItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of an argument that two observations are one asset."""

    label: str
    vanished: str = ""
    appeared: str = ""
    agrees: bool = True


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a match was inferred. ``rule`` names the inference, ``summary`` says it in a line for people."""

    rule: str
    summary: str = ""
    items: tuple[EvidenceItem, ...] = ()


class Change(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One recorded difference of one asset. The sum of a datastore's changes is its current state.

    ``path`` is (schema, relation, child) as far as the asset reaches, by its names after the change (before it, for a
    removal). ``parent_id`` is the schema of a relation, the relation of a column, index or constraint.
    ``before`` and ``after`` carry the whole recorded state where fields alone cannot: ``after`` of an added or
    restored asset, ``before`` of a removed one (for a relation its children with their identities included).
    """

    kind: ChangeKind
    asset: AssetKind
    asset_id: UUID
    parent_id: UUID | None = None
    path: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    severity: Severity = Severity.SAFE
    reason: str = ""
    certainty: Certainty = Certainty.CERTAIN
    evidence: Evidence | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def quiet(self) -> bool:
        """Whether people have nothing to see here: a change that carries quiet fields and nothing else."""
        return self.kind is ChangeKind.CHANGED and all(field.quiet for field in self.fields)
