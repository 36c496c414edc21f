"""What differs between a relation's children before and after: their changes, and the ids they carry on."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from metamapper.diffing import classify
from metamapper.diffing.children import match_columns, match_named
from metamapper.diffing.claims import ChildMatching, ChildPair
from metamapper.diffing.fields import by_name, differences, in_order, layout_entry
from metamapper.diffing.order import moved_within
from metamapper.diffing.renames import Renames, only_renamed, same_name
from metamapper.diffing.values import SuggestedChild
from metamapper.diffing.verdict import Verdict
from metamapper.schema import (
    AssetKind,
    Certainty,
    Change,
    ChangeKind,
    Column,
    Constraint,
    ConstraintKind,
    FieldChange,
    Identified,
    Index,
    Relation,
    RelationKind,
    RelationRecord,
    RetiredChildren,
)

C = TypeVar("C", Column, Index, Constraint)
Child = Column | Index | Constraint
NewIds = Callable[[int], Sequence[UUID]]

_PLACE = ("position", "native_id")
"""What moves without anybody touching the child itself."""


@dataclass(frozen=True, slots=True)
class ChildDiff:
    """``layout`` maps a kept child's id to its [position, native id] where these only followed others."""

    columns: tuple[Identified[Column], ...]
    indexes: tuple[Identified[Index], ...]
    constraints: tuple[Identified[Constraint], ...]
    changes: tuple[Change, ...]
    added: tuple[UUID, ...]
    removed: tuple[UUID, ...]
    restored: tuple[UUID, ...]
    layout: dict[str, list[Any]]
    suggestions: tuple[SuggestedChild, ...]


def diff_children(
    before: RelationRecord,
    after: Relation,
    *,
    retired: RetiredChildren,
    new_ids: NewIds,
    renames: Renames,
    ids_meet: bool = True,
) -> ChildDiff:
    same_object = ids_meet and before.relation.native_id is not None and before.relation.native_id == after.native_id
    columns = match_columns(before.columns, after.columns, retired=retired.columns, by_native_id=same_object)
    renamed = _column_renames(columns)
    indexes = match_named(
        before.indexes,
        after.indexes,
        retired=retired.indexes,
        by_native_id=same_object,
        meaning=lambda index: index_meaning(index, {}),
        old_meaning=lambda index: index_meaning(index, renamed),
        word="index",
    )
    constraints = match_named(
        before.constraints,
        after.constraints,
        retired=retired.constraints,
        by_native_id=same_object,
        meaning=lambda constraint: constraint_meaning(constraint, {}),
        old_meaning=lambda constraint: constraint_meaning(constraint, renamed),
        word="constraint",
    )
    collected = _Collected(before, after, same_object, _joined(renames, renamed), new_ids)
    collected.reserve(len(columns.after) + len(indexes.after) + len(constraints.after))
    return ChildDiff(
        columns=in_order(collected.family(columns, _COLUMN)),
        indexes=by_name(collected.family(indexes, _INDEX)),
        constraints=by_name(collected.family(constraints, _CONSTRAINT)),
        changes=tuple(collected.changes),
        added=tuple(collected.added),
        removed=tuple(collected.removed),
        restored=tuple(collected.restored),
        layout=collected.layout,
        suggestions=tuple(collected.suggestions),
    )


def _column_renames(columns: ChildMatching[Column]) -> dict[str, str]:
    pairs = columns.pairs.values()
    return {pair.before.value.name: pair.after.name for pair in pairs if pair.before.value.name != pair.after.name}


def _joined(renames: Renames, renamed: dict[str, str]) -> Renames:
    return {**renames, **{old: {new, *renames.get(old, ())} for old, new in renamed.items()}} if renamed else renames


def index_meaning(index: Index, renamed: dict[str, str]) -> Any:
    keys = tuple(renamed.get(key, key) for key in index.keys)
    included = tuple(renamed.get(key, key) for key in index.included)
    return keys, included, index.unique, index.primary, index.kind, index.predicate


def constraint_meaning(constraint: Constraint, renamed: dict[str, str]) -> Any:
    columns = tuple(renamed.get(column, column) for column in constraint.columns)
    # What a key says is its columns; its text repeats them under names that may have changed.
    text = None if constraint.kind in _KEYS else constraint.definition
    return constraint.kind, columns, constraint.references or text


_KEYS = frozenset({ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE})


class _Facts(NamedTuple, Generic[C]):
    """What is particular to one kind of child."""

    asset: AssetKind
    label: Callable[[C], str]
    added: Callable[[C, RelationKind], Verdict]
    removed: Callable[[C], Verdict]
    changed: Callable[[ChangeKind, Iterable[FieldChange], C, C], Verdict]
    follows: Callable[[C, C, str, Renames], bool]
    """Whether a field of this name differs only because of renames elsewhere."""


def _column_follows(before: Column, after: Column, name: str, renames: Renames) -> bool:
    if name == "nested_in":
        return all(map(lambda old, new: same_name(old, new, renames), before.nested_in, after.nested_in))
    return name == "default" and after.generated is not None and only_renamed(before.default, after.default, renames)


def _index_follows(before: Index, after: Index, name: str, renames: Renames) -> bool:
    if name in {"keys", "included"}:
        return _each_renamed(getattr(before, name), getattr(after, name), renames)
    return name in {"definition", "predicate"} and only_renamed(getattr(before, name), getattr(after, name), renames)


def _constraint_follows(before: Constraint, after: Constraint, name: str, renames: Renames) -> bool:
    if name == "columns":
        return _each_renamed(before.columns, after.columns, renames)
    if name == "references" and before.references and after.references:
        old, new = before.references, after.references
        return (
            same_name(old.schema, new.schema, renames)
            and same_name(old.relation, new.relation, renames)
            and _each_renamed(old.columns, new.columns, renames)
        )
    # An unnamed constraint goes by its text, which follows the names in it.
    return name in {"definition", "name"} and only_renamed(getattr(before, name), getattr(after, name), renames)


def _each_renamed(before: tuple[str, ...], after: tuple[str, ...], renames: Renames) -> bool:
    return len(before) == len(after) and all(map(lambda old, new: only_renamed(old, new, renames), before, after))


_COLUMN = _Facts[Column](
    AssetKind.COLUMN,
    lambda column: ".".join(column.path),
    classify.column_added,
    classify.column_removed,
    classify.column_changed,
    _column_follows,
)
_INDEX = _Facts[Index](
    AssetKind.INDEX,
    lambda index: index.name,
    classify.index_added,
    classify.index_removed,
    classify.index_changed,
    _index_follows,
)
_CONSTRAINT = _Facts[Constraint](
    AssetKind.CONSTRAINT,
    lambda constraint: constraint.name,
    classify.constraint_added,
    classify.constraint_removed,
    classify.constraint_changed,
    _constraint_follows,
)


@dataclass
class _Collected:
    """What the three families of children add up to."""

    before: RelationRecord
    after: Relation
    same_object: bool
    renames: Renames
    new_ids: NewIds
    changes: list[Change] = field(default_factory=list)
    added: list[UUID] = field(default_factory=list)
    removed: list[UUID] = field(default_factory=list)
    restored: list[UUID] = field(default_factory=list)
    layout: dict[str, list[Any]] = field(default_factory=dict)
    suggestions: list[SuggestedChild] = field(default_factory=list)
    ids: Iterator[UUID] = field(default_factory=lambda: iter(()))

    def reserve(self, count: int) -> None:
        if count:
            self.ids = iter(self.new_ids(count))

    def family(self, matching: ChildMatching[C], facts: _Facts[C]) -> list[Identified[C]]:
        """The children under their identities, in the order of ``after``; the rest is collected."""
        moved = _reordered(matching)
        kept: dict[int, Identified[C]] = {}
        for place in range(len(matching.pairs) + len(matching.after)):
            pair = matching.pairs.get(place)
            kept[place] = (
                self._keep(pair, facts, reordered=place in moved)
                if pair
                else self._add(Identified(next(self.ids), matching.after[place]), facts)
            )
        for child in matching.before.values():
            self._remove(child, facts)
        for vanished, place, why in matching.suggestions:
            if vanished in matching.before and place in matching.after:
                self.suggestions.append(SuggestedChild(facts.asset, vanished, kept[place].id, why))
        return list(kept.values())

    def _add(self, child: Identified[C], facts: _Facts[C]) -> Identified[C]:
        self.added.append(child.id)
        verdict = facts.added(child.value, self.after.kind)
        self._record(ChangeKind.ADDED, facts, child, verdict, after=msgspec.to_builtins(child))
        return child

    def _remove(self, child: Identified[C], facts: _Facts[C]) -> None:
        self.removed.append(child.id)
        verdict = facts.removed(child.value)
        self._record(ChangeKind.REMOVED, facts, child, verdict, before=msgspec.to_builtins(child))

    def _keep(self, pair: ChildPair[C], facts: _Facts[C], *, reordered: bool) -> Identified[C]:
        child: Identified[C] = Identified(pair.before.id, pair.after)
        if pair.restored:
            self._restore(pair, child, facts)
        elif pair.before.value != pair.after:
            self._compare(pair, child, facts, reordered=reordered)
        return child

    def _restore(self, pair: ChildPair[C], child: Identified[C], facts: _Facts[C]) -> None:
        self.restored.append(child.id)
        fields = differences(pair.before.value, pair.after)
        verdict = facts.changed(ChangeKind.RESTORED, fields, pair.before.value, pair.after)
        state = msgspec.to_builtins(child)
        self._record(ChangeKind.RESTORED, facts, child, verdict, fields=tuple(fields), after=state)

    def _compare(self, pair: ChildPair[C], child: Identified[C], facts: _Facts[C], *, reordered: bool) -> None:
        old, new = pair.before.value, pair.after
        own = {"position"} if reordered else set()
        rebuilt = self.same_object and old.native_id != new.native_id and None not in {old.native_id, new.native_id}
        own |= {"native_id"} if rebuilt else set()
        without = [name for name in _PLACE if name not in own]
        if any(getattr(old, name, None) != getattr(new, name, None) for name in without):
            self.layout[str(child.id)] = layout_entry(new)
        fields = [self._voiced(each, pair, facts) for each in differences(old, new, without=without)]
        if fields:
            told = any(not each.quiet for each in fields)
            kind = _kind(old, new, rebuilt=rebuilt) if told else ChangeKind.CHANGED
            verdict = facts.changed(kind, fields, old, new)
            self._record(kind, facts, child, verdict, fields=tuple(fields), why=pair.why if told else None)

    def _voiced(self, change: FieldChange, pair: ChildPair[C], facts: _Facts[C]) -> FieldChange:
        """A field as people should get it: quiet where it only follows a rename, loud where an id says "made anew"."""
        if change.field == "native_id":
            return msgspec.structs.replace(change, quiet=False)
        if facts.follows(pair.before.value, pair.after, change.field, self.renames):
            return msgspec.structs.replace(change, quiet=True)
        return change

    def _record(
        self,
        kind: ChangeKind,
        facts: _Facts[C],
        child: Identified[C],
        verdict: Verdict,
        *,
        fields: tuple[FieldChange, ...] = (),
        why: Any = None,
        before: Any = None,
        after: Any = None,
    ) -> None:
        relation = self.before.relation if kind is ChangeKind.REMOVED else self.after
        self.changes.append(
            Change(
                kind=kind,
                asset=facts.asset,
                asset_id=child.id,
                parent_id=self.before.id,
                path=(relation.schema, relation.name, facts.label(child.value)),
                fields=fields,
                severity=verdict.severity,
                reason=verdict.reason,
                certainty=Certainty.INFERRED if why else Certainty.CERTAIN,
                evidence=why,
                before=before,
                after=after,
            )
        )


def _kind(before: C, after: C, *, rebuilt: bool) -> ChangeKind:
    if before.name != after.name:
        return ChangeKind.RENAMED
    return ChangeKind.REBUILT if rebuilt else ChangeKind.CHANGED


def _reordered(matching: ChildMatching[C]) -> set[int]:
    """The places of columns that changed their order among siblings that stayed, not of those that made room."""
    families: dict[tuple[str, ...], list[tuple[int, int, int]]] = defaultdict(list)
    for place, pair in matching.pairs.items():
        old: Child = pair.before.value
        new: Child = pair.after
        if isinstance(old, Column) and isinstance(new, Column) and not pair.restored:
            families[new.nested_in].append((new.position, old.position, place))
    moved: set[int] = set()
    for family in families.values():
        family.sort()
        ranks = moved_within([old for _, old, _ in family])
        moved |= {place for _, old, place in family if old in ranks}
    return moved
