"""The state of matching one relation's children: who is claimed, and who is still free on either side."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from metamapper.schema import Column, Constraint, Evidence, Identified, Index

C = TypeVar("C", Column, Index, Constraint)


class ChildPair(Generic[C]):
    """``before`` is a known child, ``after`` its value now; ``why`` is set where the match was inferred."""

    __slots__ = ("after", "before", "restored", "why")

    def __init__(self, before: Identified[C], after: C, *, restored: bool, why: Evidence | None) -> None:
        self.before: Identified[C] = before
        self.after: C = after
        self.restored = restored
        self.why = why


class ChildMatching(Generic[C]):
    """``before`` and ``after`` are what no rule has claimed: at the end, what was removed and what was added."""

    def __init__(self, before: Iterable[Identified[C]], after: Sequence[C], retired: Iterable[Identified[C]]) -> None:
        self.before: dict[UUID, Identified[C]] = {child.id: child for child in before}
        self.after: dict[int, C] = dict(enumerate(after))
        self.retired: list[Identified[C]] = list(retired)
        self.pairs: dict[int, ChildPair[C]] = {}
        """By the place in ``after``."""
        self.suggestions: list[tuple[UUID, int, Evidence]] = []
        """(vanished id, place in ``after``, evidence)."""

    def pair(self, child: Identified[C], place: int, *, restored: bool = False, why: Evidence | None = None) -> None:
        self.pairs[place] = ChildPair(child, self.after.pop(place), restored=restored, why=why)
        if restored:
            self.retired = [each for each in self.retired if each.id != child.id]
        else:
            del self.before[child.id]

    def by(
        self,
        key_before: Callable[[C], Any],
        key_after: Callable[[C], Any],
        places: Iterable[int] | None = None,
        *,
        restored: bool = False,
    ) -> None:
        """Pair children with equal keys, first come first served; a key of None matches nothing."""
        pool = self.retired if restored else list(self.before.values())
        known: dict[Any, list[Identified[C]]] = defaultdict(list)
        for child in reversed(pool):
            known[key_before(child.value)].append(child)
        known.pop(None, None)
        for place in list(self.after) if places is None else places:
            if place in self.after and (matches := known.get(key_after(self.after[place]))):
                self.pair(matches.pop(), place, restored=restored)
