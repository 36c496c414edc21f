"""Severity and reason of each change, from the view of those who read the asset."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from metamapper.diffing.types import compare_types
from metamapper.diffing.verdict import NO_DIFFERENCE, Verdict, breaking, risky, safe, together
from metamapper.schema import (
    ChangeKind,
    Column,
    Constraint,
    ConstraintKind,
    FieldChange,
    Index,
    Relation,
    RelationKind,
)

RENAMED = risky("Readers that ask for the old name must follow.")
MOVED = risky("Readers must qualify the name.")
REBUILT = safe("Rebuilt under the same name; readers see no difference.")
REPLACED = risky("Another relation took the name; what is read now comes from there.")
RESTORED = safe("Back, with everything written on it.")
WORDS = safe("Only the comment changed.")

_VIEWS = frozenset({RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW})
_TYPE_FIELDS = frozenset({"type", "family", "length", "precision", "scale"})


def schema_added() -> Verdict:
    return safe("New; nothing reads it yet.")


def schema_removed() -> Verdict:
    return breaking("Readers of anything in it fail.")


def schema_changed(kind: ChangeKind, fields: Iterable[FieldChange]) -> Verdict:
    return together(_relation_field(kind, field, None) for field in fields if not field.quiet)


def relation_added(kind: RelationKind) -> Verdict:
    return safe(f"New {kind}; nothing reads it yet.")


def relation_removed(kind: RelationKind) -> Verdict:
    return breaking(f"Readers of the {kind} fail.")


def relation_changed(
    kind: ChangeKind, fields: Iterable[FieldChange], after: Relation, *, replaced: bool = False
) -> Verdict:
    if kind is ChangeKind.RESTORED:
        return RESTORED
    found = [_relation_field(kind, field, after) for field in fields if not field.quiet]
    return together([*found, REPLACED] if replaced else found)


def _relation_field(kind: ChangeKind, field: FieldChange, after: Relation | None) -> Verdict:
    if field.field == "native_id":
        return REBUILT if kind is ChangeKind.REBUILT else NO_DIFFERENCE
    if field.field == "kind" and after is not None:
        return _became(RelationKind(field.before), after.kind)
    return _RELATION_FIELDS.get(field.field, NO_DIFFERENCE)


_RELATION_FIELDS: Mapping[str, Verdict] = {
    "name": RENAMED,
    "schema": MOVED,
    "comment": WORDS,
    "definition": risky("Its query changed; the same columns may mean something else."),
}


def _became(before: RelationKind, after: RelationKind) -> Verdict:
    if after is RelationKind.MATERIALIZED_VIEW:
        return risky("Rows are as old as the last refresh now.")
    if after in _VIEWS and before not in _VIEWS:
        return risky("A view answers now in place of a table; writers may fail.")
    if after is RelationKind.EXTERNAL_TABLE:
        return risky("Rows come from outside now; they may be slower or missing.")
    return NO_DIFFERENCE


def column_added(column: Column, kind: RelationKind) -> Verdict:
    if kind in _VIEWS:
        return safe("Readers by name see no difference.")
    if column.default is not None or column.generated or column.identity:
        return safe("Has a default; existing writers keep working.")
    if column.nullable:
        return safe("May be empty; existing writers keep working.")
    return risky("Has no default; writers that leave it out fail.")


def column_removed(column: Column) -> Verdict:  # noqa: ARG001 - one signature for all
    return breaking("Readers that ask for it fail.")


def column_changed(kind: ChangeKind, fields: Iterable[FieldChange], before: Column, after: Column) -> Verdict:
    if kind is ChangeKind.RESTORED:
        return RESTORED
    return together(_column_fields(fields, before, after))


def _column_fields(fields: Iterable[FieldChange], before: Column, after: Column) -> Iterator[Verdict]:
    for field in fields:
        if field.field == "type":
            yield compare_types(before, after)
        elif field.field == "nullable":
            yield _nullable(after)
        elif not field.quiet:
            yield _COLUMN_FIELDS.get(field.field, NO_DIFFERENCE)


def _nullable(after: Column) -> Verdict:
    if after.nullable:
        return risky(f"Inner joins will drop rows without {after.name}; readers meet nulls.")
    return safe("Always has a value from now on.")


_COLUMN_FIELDS: Mapping[str, Verdict] = {
    "name": RENAMED,
    "nested_in": RENAMED,
    "comment": WORDS,
    "default": safe("Only rows written from now on differ."),
    "generated": risky("Values come about in another way now."),
    "native_id": risky("Dropped and made anew under the same name; its old values are gone."),
    "position": safe("Readers by name see no difference; only the order of columns changed."),
}


def index_added(index: Index, kind: RelationKind) -> Verdict:  # noqa: ARG001 - one signature for all
    if index.unique and not index.primary:
        return safe("Readers see no difference; writers of duplicates fail.")
    return NO_DIFFERENCE


def index_removed(index: Index) -> Verdict:
    if index.unique:
        return risky(f"{_duplicates(index.keys)} Lookups by {_leading(index)} get slower.")
    return safe(f"Readers see no difference; lookups by {_leading(index)} get slower.")


def index_changed(kind: ChangeKind, fields: Iterable[FieldChange], before: Index, after: Index) -> Verdict:
    if kind is ChangeKind.RESTORED:
        return NO_DIFFERENCE
    seen = {field.field for field in fields if not field.quiet}
    if before.unique and not after.unique:
        return risky(_duplicates(before.keys))
    if "keys" in seen and before.keys[:1] != after.keys[:1]:
        return safe(f"Readers see no difference; lookups by {_leading(before)} get slower.")
    return WORDS if seen == {"comment"} else NO_DIFFERENCE


def _leading(index: Index) -> str:
    return index.keys[0] if index.keys else index.name


def _duplicates(keys: tuple[str, ...]) -> str:
    return f"Duplicates of {', '.join(keys)} become possible; joins may return more rows."


def constraint_added(constraint: Constraint, kind: RelationKind) -> Verdict:  # noqa: ARG001 - one signature for all
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        return safe("Readers see no difference; every value has its match from now on.")
    return safe("Readers see no difference; writers that break it fail.")


def constraint_removed(constraint: Constraint) -> Verdict:
    return _RELAXED[constraint.kind](constraint)


def _unmatched(constraint: Constraint) -> Verdict:
    target = constraint.references.relation if constraint.references else "the other table"
    return risky(f"Rows without a match in {target} become possible; inner joins may drop them.")


def _double(constraint: Constraint) -> Verdict:
    return risky(_duplicates(constraint.columns))


def _unchecked(constraint: Constraint) -> Verdict:  # noqa: ARG001 - one signature for all
    return risky("Values that were refused become possible.")


_RELAXED: Mapping[ConstraintKind, Callable[[Constraint], Verdict]] = {
    ConstraintKind.PRIMARY_KEY: _double,
    ConstraintKind.UNIQUE: _double,
    ConstraintKind.FOREIGN_KEY: _unmatched,
    ConstraintKind.CHECK: _unchecked,
    ConstraintKind.EXCLUSION: _unchecked,
}


def constraint_changed(
    kind: ChangeKind, fields: Iterable[FieldChange], before: Constraint, after: Constraint
) -> Verdict:
    if kind is ChangeKind.RESTORED:
        return NO_DIFFERENCE
    seen = {field.field for field in fields if not field.quiet}
    if before.kind is not after.kind or (seen & {"columns"} and before.kind is not ConstraintKind.CHECK):
        return constraint_removed(before)
    if "references" in seen:
        return risky("Points to another table or other columns now.")
    if "definition" in seen and after.kind in {ConstraintKind.CHECK, ConstraintKind.EXCLUSION}:
        return risky("The rule changed; other values may be possible.")
    return WORDS if seen == {"comment"} else NO_DIFFERENCE
