"""Matching, diffing, classifying and replaying: the pure heart. No framework, no clock, no input or output.

A run goes: ``match_scopes`` -> ``match_relations`` -> for each pair that is not ``unchanged`` ``diff_relation``, for
what appeared ``first_record`` and ``added_relation``, for what vanished ``removed_relation``. ``replay`` of all changes
ever recorded gives the present catalog.
"""

from metamapper.diffing.decisions import (
    ChildDecided,
    Decided,
    counterparts,
    join_children,
    join_relations,
    split_child,
    split_relation,
)
from metamapper.diffing.diff import (
    RelationDiff,
    ScopeDiff,
    added_relation,
    added_scope,
    diff_relation,
    diff_scope,
    first_record,
    removed_relation,
    removed_scope,
)
from metamapper.diffing.fields import settled, settled_scope
from metamapper.diffing.matching import match_relations
from metamapper.diffing.renames import renames_of
from metamapper.diffing.replay import CatalogState, apply_change, replay
from metamapper.diffing.scopes import match_scopes
from metamapper.diffing.shape import shape_of
from metamapper.diffing.snapshots import diff_snapshots
from metamapper.diffing.values import (
    KnownRelation,
    KnownScope,
    Pair,
    RelationMatching,
    ScopeMatching,
    SeenRelation,
    SuggestedChild,
    SuggestedPair,
)
from metamapper.diffing.verdict import worst

__all__ = [
    "CatalogState",
    "ChildDecided",
    "Decided",
    "KnownRelation",
    "KnownScope",
    "Pair",
    "RelationDiff",
    "RelationMatching",
    "ScopeDiff",
    "ScopeMatching",
    "SeenRelation",
    "SuggestedChild",
    "SuggestedPair",
    "added_relation",
    "added_scope",
    "apply_change",
    "counterparts",
    "diff_relation",
    "diff_scope",
    "diff_snapshots",
    "first_record",
    "join_children",
    "join_relations",
    "match_relations",
    "match_scopes",
    "removed_relation",
    "removed_scope",
    "renames_of",
    "replay",
    "settled",
    "settled_scope",
    "shape_of",
    "split_child",
    "split_relation",
    "worst",
]
