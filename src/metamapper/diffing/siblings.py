"""Renamed columns, told from dropped and added ones by type, nullability and place among their siblings.

A rename is applied only if no other column of that type and nullability vanished or appeared beside it, and if most of
the relation's columns stayed: where everything changed, one pair that fits is chance.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from metamapper.diffing import evidence
from metamapper.diffing.claims import ChildMatching
from metamapper.schema import Column, Evidence, Identified

Path = tuple[str, ...]
Signature = tuple[Path, str, bool]
"""The parent's path after the change, type, nullable."""

CROWD = 3
"""A column with more candidates than this is not worth a suggestion."""


def infer_renames(
    matching: ChildMatching[Column],
    before: Sequence[Identified[Column]],
    after: Sequence[Column],
    places: Sequence[int],
    moved: Mapping[Path, Path],
    *,
    by_native_id: bool,
) -> None:
    """Pair what is left of one level's columns where nothing speaks against it; suggest what could be.

    ``places`` are the level's places in ``after``; ``moved`` maps old paths to new ones. Columns whose ids the engine
    knows apart (``by_native_id``, both have one) are never inferred to be one.
    """
    appeared = [place for place in places if place in matching.after]
    if not (appeared and matching.before):
        return
    siblings = _Siblings(matching, before, after, moved)
    for vanished, candidates in siblings.groups(appeared):
        if by_native_id and any(child.value.native_id for child in vanished):
            continue
        siblings.decide(vanished, candidates)


@dataclass
class _Siblings:
    matching: ChildMatching[Column]
    before: Sequence[Identified[Column]]
    after: Sequence[Column]
    moved: Mapping[Path, Path]

    def __post_init__(self) -> None:
        old: dict[Path, list[UUID]] = defaultdict(list)
        for child in sorted(self.before, key=lambda child: child.value.position):
            old[self._parent(child.value)].append(child.id)
        new: dict[Path, list[int]] = defaultdict(list)
        for place in sorted(range(len(self.after)), key=lambda place: self.after[place].position):
            new[self.after[place].nested_in].append(place)
        self.old, self.new = dict(old), dict(new)

    def _parent(self, column: Column) -> Path:
        return self.moved.get(column.nested_in, column.nested_in)

    def groups(self, appeared: Sequence[int]) -> Iterator[tuple[list[Identified[Column]], list[int]]]:
        """Vanished and appeared columns of one parent, type and nullability."""
        candidates: dict[Signature, list[int]] = defaultdict(list)
        for place in appeared:
            column = self.after[place]
            candidates[column.nested_in, column.type, column.nullable].append(place)
        vanished: dict[Signature, list[Identified[Column]]] = defaultdict(list)
        for child in self.matching.before.values():
            vanished[self._parent(child.value), child.value.type, child.value.nullable].append(child)
        for signature in candidates.keys() & vanished.keys():
            yield vanished[signature], candidates[signature]

    def decide(self, vanished: list[Identified[Column]], candidates: list[int]) -> None:
        alone = len(vanished) == len(candidates) == 1
        for child in vanished:
            if alone and self._mostly_stayed(child) and self._placed(child, candidates[0]):
                self.matching.pair(child, candidates[0], why=self._evidence(child, candidates[0], 1))
                return
            for place in candidates:
                if alone or (max(len(candidates), len(vanished)) <= CROWD and self._placed(child, place)):
                    why = self._evidence(child, place, max(len(candidates), len(vanished)))
                    self.matching.suggestions.append((child.id, place, why))

    def _mostly_stayed(self, child: Identified[Column]) -> bool:
        siblings = self.old[self._parent(child.value)]
        stayed = sum(1 for sibling in siblings if sibling not in self.matching.before)
        return stayed * 2 >= len(siblings)

    def _placed(self, child: Identified[Column], place: int) -> bool:
        rank, new_rank = self._ranks(child, place)
        return rank == new_rank or self._same_neighbours(child, place)

    def _ranks(self, child: Identified[Column], place: int) -> tuple[int, int]:
        old, new = self.old[self._parent(child.value)], self.new[self.after[place].nested_in]
        return old.index(child.id), new.index(place)

    def _same_neighbours(self, child: Identified[Column], place: int) -> bool:
        old, new = self.old[self._parent(child.value)], self.new[self.after[place].nested_in]
        rank, new_rank = self._ranks(child, place)
        left = old[rank - 1] if rank else None, self._known(new[new_rank - 1]) if new_rank else None
        right = (
            old[rank + 1] if rank + 1 < len(old) else None,
            self._known(new[new_rank + 1]) if new_rank + 1 < len(new) else None,
        )
        return left[0] == left[1] and right[0] == right[1]

    def _known(self, place: int) -> UUID | int:
        """The identity of a column in ``after``; its bare place, equal to no identity, where it has none."""
        pair = self.matching.pairs.get(place)
        return pair.before.id if pair else place

    def _evidence(self, child: Identified[Column], place: int, candidates: int) -> Evidence:
        rank, new_rank = self._ranks(child, place)
        return evidence.same_place(child.value, self.after[place], (rank + 1, new_rank + 1), candidates)
