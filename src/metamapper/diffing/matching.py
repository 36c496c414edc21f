"""Which known relation is which seen one: identity by evidence, within one datastore.

Most relations are where they were, under the same native id: one pass over dictionaries pairs those. What is left is
decided rule by rule, each rule claiming from what the ones before it left over, so that an identity can neither fork
nor merge: a claimed relation is out of reach on both sides.

1. A name whose holder was replaced, while the old object is gone, or is nearly the same: the name keeps the identity.
2. A native id that the engine keeps: the identity follows the object through renames, moves and swaps.
3. A name that is left, although the holder's object is now known under another name.
4. A retired relation that came back, by native id or by name.
5. Without native ids: the same columns under another name, if there is no doubt (``metamapper.diffing.lookalikes``).
"""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from metamapper.diffing import evidence
from metamapper.diffing.fetch import Fetch
from metamapper.diffing.lookalikes import find_lookalikes
from metamapper.diffing.values import KnownRelation, Pair, RelationMatching, SeenRelation, SuggestedPair
from metamapper.schema import Certainty, ChangeKind, Evidence, Relation, RelationKind, RelationRecord

ALIKE = 0.8
"""From this share of common columns on, two relations count as nearly the same."""
PLAUSIBLE = 0.5
"""The least likeness at which a native id that comes back is believed to be the same object's."""

_STORED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.PARTITION})


def match_relations(
    known: Sequence[KnownRelation],
    seen: Sequence[SeenRelation],
    *,
    relation_of: Callable[[int], Relation],
    record_of: Callable[[UUID], RelationRecord],
    stable_ids: bool,
    readable: Callable[[str], bool],
    hidden: Callable[[KnownRelation], bool] = lambda _: False,
) -> RelationMatching:
    """Pair what is known with what this run saw. Pure but for two callbacks, which fetch the few whole values it needs.

    ``known`` holds the retired relations too, the latest retired first. ``relation_of`` takes an ordinal, ``record_of``
    a known id. ``stable_ids`` tells whether the engine keeps a relation's native id for the object's life. A relation
    vanishes only in a schema that is ``readable``: read completely, or itself proved gone (``ScopeMatching.readable``),
    and only if it is not ``hidden``: what a person's filter leaves out was not looked for.
    """

    def may_vanish(item: KnownRelation) -> bool:
        return readable(item.schema) and not hidden(item)

    fetch = Fetch(relation_of, record_of)
    matching = _Matching(known, seen, stable_ids=stable_ids, may_vanish=may_vanish, fetch=fetch)
    if matching.left or matching.active or matching.pathless:
        matching.decide()
    return RelationMatching(
        matching.pairs,
        list(matching.left),
        [item.id for item in matching.unclaimed() if may_vanish(item)],
        matching.suggestions,
    )


class _Matching:
    """The state of one matching: ``active``, ``pathless`` and ``left`` are what no rule has claimed yet.

    ``pathless`` are known relations whose path another one has too: a schema took the name of one that is not proved
    gone. Only a native id can claim them.
    """

    def __init__(
        self,
        known: Sequence[KnownRelation],
        seen: Sequence[SeenRelation],
        *,
        stable_ids: bool,
        may_vanish: Callable[[KnownRelation], bool],
        fetch: Fetch,
    ) -> None:
        self.known, self.stable_ids, self.may_vanish, self.fetch = known, stable_ids, may_vanish, fetch
        self.pairs: list[Pair] = []
        self.suggestions: list[SuggestedPair] = []
        active = [item for item in known if not item.retired]
        self.active = {(item.schema, item.name): item for item in active}
        self.pathless: dict[UUID, KnownRelation] = {}
        if len(self.active) != len(active):
            self.pathless = {item.id: item for item in active if self.active[item.schema, item.name] is not item}
        self.left = self._pair_unmoved(seen)

    def _pair_unmoved(self, seen: Sequence[SeenRelation]) -> dict[int, SeenRelation]:
        """Pair all that stand where they stood, and return the rest. Written for speed: this is every relation."""
        left: dict[int, SeenRelation] = {}
        active, pairs, stable = self.active, self.pairs, self.stable_ids
        for item in seen:
            path = (item.schema, item.name)
            holder = active.get(path)
            if holder is None or (stable and _other_object(holder, item)):
                left[item.ordinal] = item
                continue
            del active[path]
            same = holder.fingerprint == item.fingerprint and holder.kind is item.kind
            pairs.append(Pair(holder.id, item.ordinal, unchanged=same))
        return left

    def decide(self) -> None:
        owners = self._owners() if self.stable_ids else {}
        if self.stable_ids:
            self._keep_names(owners)
            self._follow_ids(owners)
            self._fall_back_on_names()
        self._bring_back()
        self._look_alike(owners)

    def unclaimed(self) -> Iterator[KnownRelation]:
        yield from self.active.values()
        yield from self.pathless.values()

    def _claim(
        self,
        owner: KnownRelation,
        item: SeenRelation,
        kind: ChangeKind | None,
        why: Evidence | None = None,
        certainty: Certainty = Certainty.CERTAIN,
    ) -> None:
        path = (owner.schema, owner.name)
        if self.active.get(path) is owner:
            del self.active[path]
        self.pathless.pop(owner.id, None)
        del self.left[item.ordinal]
        self.pairs.append(Pair(owner.id, item.ordinal, certainty, why, kind))

    def _owners(self) -> dict[int, KnownRelation]:
        """Whose object each seen relation is, by native id. An id that changed its kind is another object's by now."""
        by_id: dict[str | None, KnownRelation] = {
            item.native_id: item for item in self.unclaimed() if item.native_id is not None
        }
        return {
            item.ordinal: owner
            for item in self.left.values()
            if (owner := by_id.get(item.native_id)) and _same_sort(owner.kind, item.kind)
        }

    def _keep_names(self, owners: dict[int, KnownRelation]) -> None:
        """Rebuilt and replaced relations: the name keeps its identity, whatever object bears it now."""
        living = {owner.id: self.left[ordinal] for ordinal, owner in owners.items()}
        paths = {(item.schema, item.name) for item in self.left.values()}
        for item in list(self.left.values()):
            holder = self.active.get((item.schema, item.name))
            if holder is None:
                continue
            rival, elsewhere = owners.get(item.ordinal), living.get(holder.id)
            if rival is not None and (rival.schema, rival.name) == (item.schema, item.name):
                continue  # its own object under its own name; the holder is one that is not proved gone
            if rival is None and elsewhere is None:
                self._claim(holder, item, ChangeKind.REBUILT)
            elif (rival is None or self._can_yield(rival, paths)) and self._alike(holder, item):
                why = evidence.replaced(holder, item, elsewhere, rival)
                self._claim(holder, item, ChangeKind.REBUILT, why, Certainty.INFERRED)

    def _can_yield(self, owner: KnownRelation, paths: set[tuple[str, str]]) -> bool:
        """Whether an owner may lose its object: another stands under its name, or it may vanish."""
        return (owner.schema, owner.name) in paths or self.may_vanish(owner)

    def _alike(self, holder: KnownRelation, item: SeenRelation) -> bool:
        return self.fetch.likeness(holder, item.ordinal) >= ALIKE

    def _follow_ids(self, owners: dict[int, KnownRelation]) -> None:
        for ordinal, owner in owners.items():
            item = self.left.get(ordinal)
            if item is not None and self._is_free(owner):
                self._claim(owner, item, travelled(owner, item), evidence.kept_id(item.native_id))

    def _is_free(self, owner: KnownRelation) -> bool:
        return self.active.get((owner.schema, owner.name)) is owner or owner.id in self.pathless

    def _fall_back_on_names(self) -> None:
        """A name whose holder's object another name took by the rules above: the name is all that is left of it."""
        for item in list(self.left.values()):
            holder = self.active.get((item.schema, item.name))
            if holder is not None:
                self._claim(holder, item, ChangeKind.REBUILT, evidence.only_name(item), Certainty.INFERRED)

    def _bring_back(self) -> None:
        """Retired relations return: first those whose native id is seen again, then those whose name is."""
        if not self.left:
            return
        retired = [item for item in reversed(self.known) if item.retired]
        gone = {item.id for item in retired}
        if self.stable_ids:
            by_id: dict[str | None, KnownRelation] = {item.native_id: item for item in retired if item.native_id}
            for item in list(self.left.values()):
                owner = by_id.get(item.native_id)
                if owner and owner.id in gone and self._plausible(owner, item):
                    gone.remove(owner.id)
                    self._claim(owner, item, ChangeKind.RESTORED)
        by_path = {(item.schema, item.name): item for item in retired if item.id in gone}
        for item in list(self.left.values()):
            owner = by_path.pop((item.schema, item.name), None)
            if owner is not None:
                self._claim(owner, item, ChangeKind.RESTORED)

    def _plausible(self, owner: KnownRelation, item: SeenRelation) -> bool:
        """Whether an id that returns is the same object's: engines count anew after a restore, and meet old numbers."""
        if not _same_sort(owner.kind, item.kind):
            return False
        return owner.name == item.name or self.fetch.likeness(owner, item.ordinal) >= PLAUSIBLE

    def _look_alike(self, owners: dict[int, KnownRelation]) -> None:
        """Leaves out those on both sides of whom a native id tells what became of them."""
        told = {owner.id for owner in owners.values()}
        vanished = [item for item in self.unclaimed() if item.id not in told and self.may_vanish(item)]
        appeared = [item for item in self.left.values() if item.ordinal not in owners]
        if not (vanished and appeared):
            return
        open_ids = {item.id for item in self.unclaimed()}
        settled = {(item.schema, item.shape) for item in self.known if not item.retired and item.id not in open_ids}
        unread = {item.shape for item in self.unclaimed() if not self.may_vanish(item)}
        matches, self.suggestions = find_lookalikes(
            vanished, appeared, self.fetch, settled=settled, unread=unread, stable_ids=self.stable_ids
        )
        for owner, item, why in matches:
            self._claim(owner, item, travelled(owner, item), why, Certainty.INFERRED)


def travelled(owner: KnownRelation, item: SeenRelation) -> ChangeKind | None:
    if owner.schema != item.schema:
        return ChangeKind.MOVED
    return ChangeKind.RENAMED if owner.name != item.name else None


def _other_object(holder: KnownRelation, item: SeenRelation) -> bool:
    return holder.native_id != item.native_id and holder.native_id is not None and item.native_id is not None


def _same_sort(one: RelationKind, other: RelationKind) -> bool:
    """Whether one object can have been both: a table becomes a partition and back, but never a view."""
    return one is other or (one in _STORED and other in _STORED)
