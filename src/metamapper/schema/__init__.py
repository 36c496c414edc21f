"""The one vocabulary: frozen values for what datastores hold and how it changes. Knows no framework."""

from metamapper.schema.changes import (
    Certainty,
    Change,
    ChangeKind,
    Evidence,
    EvidenceItem,
    FieldChange,
    Severity,
)
from metamapper.schema.kinds import (
    AssetKind,
    Completeness,
    ConstraintKind,
    Generated,
    Identity,
    RelationKind,
    TypeFamily,
)
from metamapper.schema.records import Identified, RelationRecord, RetiredChildren, ScopeRecord
from metamapper.schema.values import (
    Column,
    Constraint,
    Extras,
    Index,
    Reference,
    Relation,
    Scope,
    Snapshot,
)

__all__ = [
    "AssetKind",
    "Certainty",
    "Change",
    "ChangeKind",
    "Column",
    "Completeness",
    "Constraint",
    "ConstraintKind",
    "Evidence",
    "EvidenceItem",
    "Extras",
    "FieldChange",
    "Generated",
    "Identified",
    "Identity",
    "Index",
    "Reference",
    "Relation",
    "RelationKind",
    "RelationRecord",
    "RetiredChildren",
    "Scope",
    "ScopeRecord",
    "Severity",
    "Snapshot",
    "TypeFamily",
]
