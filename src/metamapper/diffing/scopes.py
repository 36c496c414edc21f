"""Which known schema is which seen one: native id where the engine keeps them, else the name."""

from collections.abc import Sequence
from uuid import UUID

from metamapper.diffing import evidence
from metamapper.diffing.values import KnownScope, Pair, ScopeMatching, SuggestedPair
from metamapper.schema import ChangeKind, Completeness, Scope


def match_scopes(
    known: Sequence[KnownScope], seen: Sequence[Scope], *, list_complete: bool, stable_ids: bool
) -> ScopeMatching:
    """Pair the schemas. ``known`` holds the retired ones too, the latest retired first; ordinals count ``seen`` from 0.

    A schema vanishes only from a list that is proved whole. An object that moved to another name is followed by its
    id, so that a swap of two schemas carries what is written on them along.
    """
    matching = _ScopeMatching(known, seen)
    if stable_ids:
        matching.by_id([item for item in known if not item.retired])
    matching.by_name([item for item in known if not item.retired], stable_ids=stable_ids)
    if stable_ids:
        matching.by_id([item for item in known if item.retired])
    matching.by_name([item for item in known if item.retired], stable_ids=stable_ids)
    open_scopes = [item for item in known if not item.retired and item.id not in matching.claimed]
    vanished = _proved_gone(open_scopes, seen) if list_complete else []
    return ScopeMatching(
        pairs=sorted(matching.pairs, key=lambda pair: pair.ordinal),
        appeared=list(matching.left),
        vanished=[item.id for item in vanished],
        suggestions=_suggestions(vanished, matching.left, distinct=stable_ids),
        readable=_readable(seen, vanished, open_scopes),
    )


class _ScopeMatching:
    def __init__(self, known: Sequence[KnownScope], seen: Sequence[Scope]) -> None:
        self.known = known
        self.pairs: list[Pair] = []
        self.claimed: set[UUID] = set()
        self.left = dict(enumerate(seen))

    def by_id(self, known: Sequence[KnownScope]) -> None:
        owners: dict[str | None, KnownScope] = {item.native_id: item for item in reversed(known) if item.native_id}
        for ordinal, scope in list(self.left.items()):
            owner = owners.pop(scope.native_id, None)
            if owner is not None:
                kept = owner.name == scope.name
                self._claim(owner, ordinal, None if kept else ChangeKind.RENAMED, explain=not kept)

    def by_name(self, known: Sequence[KnownScope], *, stable_ids: bool) -> None:
        owners = {item.name: item for item in reversed(known) if item.id not in self.claimed}
        for ordinal, scope in list(self.left.items()):
            owner = owners.pop(scope.name, None)
            if owner is not None:
                rebuilt = stable_ids and owner.native_id and scope.native_id and owner.native_id != scope.native_id
                self._claim(owner, ordinal, ChangeKind.REBUILT if rebuilt else None)

    def _claim(self, owner: KnownScope, ordinal: int, kind: ChangeKind | None, *, explain: bool = False) -> None:
        scope = self.left.pop(ordinal)
        self.claimed.add(owner.id)
        why = evidence.kept_id(scope.native_id) if explain else None
        hint = ChangeKind.RESTORED if owner.retired else kind
        self.pairs.append(Pair(owner.id, ordinal, evidence=why, kind_hint=hint))


def _suggestions(vanished: Sequence[KnownScope], left: dict[int, Scope], *, distinct: bool) -> list[SuggestedPair]:
    """One that vanished beside one that appeared may be one schema, unless the engine's ids say they are two."""
    if len(vanished) != 1 or len(left) != 1:
        return []
    (owner,), ((ordinal, scope),) = vanished, left.items()
    if distinct and owner.native_id and scope.native_id:
        return []
    return [SuggestedPair(owner.id, ordinal, evidence.same_scope(owner.name, scope.name))]


def _proved_gone(open_scopes: Sequence[KnownScope], seen: Sequence[Scope]) -> list[KnownScope]:
    """All but those whose name another schema took that was not read wholly: what was in them cannot be told from what
    may be in that one.
    """
    unsure = {scope.name for scope in seen if scope.completeness is not Completeness.COMPLETE}
    return [item for item in open_scopes if item.name not in unsure]


def _readable(seen: Sequence[Scope], vanished: Sequence[KnownScope], unproved: Sequence[KnownScope]) -> frozenset[str]:
    """Names under which relations may vanish. A name that a schema without proof of its end also bears is none."""
    complete = {scope.name for scope in seen if scope.completeness is Completeness.COMPLETE}
    gone = {item.name for item in vanished}
    kept = {item.name for item in unproved} - gone
    return frozenset((complete | gone) - kept)
