"""The same relation under another name, by what it looks like: for engines without native ids, or beside them.

Only what leaves no doubt is a match. A candidate must be the best of both sides by a clear margin, of the same kind,
and no common form: a shape that other relations of the schema bear too says nothing (last month's table is dropped, next
month's is made, and this month's still stands). What leaves doubt is suggested, as long as there are few candidates.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from metamapper.diffing.evidence import same_columns
from metamapper.diffing.fetch import Fetch
from metamapper.diffing.values import KnownRelation, SeenRelation, SuggestedPair
from metamapper.schema import Evidence, RelationKind

ALIKE = 0.8
"""The least share of common columns of two lookalikes."""
PLAUSIBLE = 0.5
"""The least share where the engine's own id, though no proof, agrees."""
MARGIN = 0.15
"""By how much a candidate must beat the second best on either side."""
FEWEST = 3
"""With fewer columns than this, looking alike is chance."""
CROWD = 3
"""More candidates than this that are equally good say nothing, not even a suggestion."""
NEAR_LIMIT = 2_500
"""Nearly equal shapes are looked for among at most so many pairs: each known one is a fetch, and each pair a set operation."""
EXACT_LIMIT = 250_000
"""Above so many pairs of one shape, only those within one schema are compared."""

SAME_SCHEMA, SAME_NAME, SAME_DEFINITION, SAME_ID = 0.2, 0.3, 0.3, 1.0
"""What else speaks for a candidate, in units of likeness."""

_VIEWS = frozenset({RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW})

Match = tuple[KnownRelation, SeenRelation, Evidence]


class Candidate(NamedTuple):
    owner: KnownRelation
    item: SeenRelation
    score: float
    likeness: float
    strong: bool
    """Whether it may be applied if nothing else comes near."""


def find_lookalikes(
    vanished: list[KnownRelation],
    appeared: list[SeenRelation],
    fetch: Fetch,
    *,
    settled: Collection[tuple[str, bytes]],
    unread: Collection[bytes],
    stable_ids: bool,
) -> tuple[list[Match], list[SuggestedPair]]:
    """The matches without doubt, and suggestions for some of the rest.

    ``settled`` are (schema, shape) of relations that stand where they stood; ``unread`` the shapes of those that this
    run could not look at, any of which may be the one that appeared elsewhere.
    """
    search = _Search(fetch, settled, unread, stable_ids)
    matches: list[Match] = []
    suggested: list[Candidate] = []
    for propose in (search.by_id, search.exact, search.near):
        found = list(propose(vanished, appeared))
        clear, doubtful = _settle(found)
        matches += [(each.owner, each.item, search.evidence(each)) for each in clear]
        suggested += doubtful
        owners = {each.owner.id for each in clear} | {each.owner.id for each in doubtful}
        items = {each.item.ordinal for each in clear} | {each.item.ordinal for each in doubtful}
        vanished = [item for item in vanished if item.id not in owners]
        appeared = [item for item in appeared if item.ordinal not in items]
    return matches, [SuggestedPair(each.owner.id, each.item.ordinal, search.evidence(each)) for each in suggested]


class _Search:
    """Proposes candidates, in three ways: by an id that is only a hint, by exactly and by nearly the same columns."""

    def __init__(
        self,
        fetch: Fetch,
        settled: Collection[tuple[str, bytes]],
        unread: Collection[bytes],
        stable_ids: bool,  # noqa: FBT001 - private, called once
    ) -> None:
        self.fetch, self.settled, self.unread, self.stable_ids = fetch, settled, unread, stable_ids

    def by_id(self, vanished: list[KnownRelation], appeared: list[SeenRelation]) -> Iterator[Candidate]:
        owners: dict[str | None, KnownRelation] = {item.native_id: item for item in vanished if item.native_id}
        for item in appeared:
            owner = owners.get(item.native_id)
            if owner and owner.kind is item.kind:
                candidate = self._weigh(owner, item, self.fetch.likeness(owner, item.ordinal))
                if candidate.likeness >= PLAUSIBLE:
                    yield candidate._replace(score=candidate.score + SAME_ID, strong=True)

    def exact(self, vanished: list[KnownRelation], appeared: list[SeenRelation]) -> Iterator[Candidate]:
        owners: dict[tuple[RelationKind, bytes], list[KnownRelation]] = defaultdict(list)
        for owner in vanished:
            owners[owner.kind, owner.shape].append(owner)
        items: dict[tuple[RelationKind, bytes], list[SeenRelation]] = defaultdict(list)
        for item in appeared:
            items[item.kind, self.fetch.seen(item.ordinal)[2]].append(item)
        for key in owners.keys() & items.keys():
            crowded = len(owners[key]) * len(items[key]) > EXACT_LIMIT
            for owner, item in _product(owners[key], items[key], same_schema=crowded):
                if self.fetch.seen(item.ordinal)[0]:
                    yield self._weigh(owner, item, 1.0)

    def near(self, vanished: list[KnownRelation], appeared: list[SeenRelation]) -> Iterator[Candidate]:
        if len(vanished) * len(appeared) > NEAR_LIMIT:
            return
        for owner, item in _product(vanished, appeared):
            if owner.kind is item.kind:
                alike = self.fetch.likeness(owner, item.ordinal)
                if alike >= ALIKE:
                    yield self._weigh(owner, item, alike)

    def _weigh(self, owner: KnownRelation, item: SeenRelation, alike: float) -> Candidate:
        same_text = self._same_definition(owner, item)
        score = (
            alike
            + SAME_SCHEMA * (owner.schema == item.schema)
            + SAME_NAME * (owner.name == item.name)
            + SAME_DEFINITION * bool(same_text)
        )
        return Candidate(owner, item, score, alike, self._strong(owner, item, same_text))

    def _strong(self, owner: KnownRelation, item: SeenRelation, same_text: bool | None) -> bool:  # noqa: FBT001
        columns, _, shape = self.fetch.seen(item.ordinal)
        if self.stable_ids and owner.native_id and item.native_id:
            return False  # the engine says that they are two objects
        if owner.schema != item.schema and owner.shape in self.unread:
            return False
        if same_text is not None:
            return same_text
        common = {(schema, form) for schema in (owner.schema, item.schema) for form in (owner.shape, shape)}
        return len(columns) >= FEWEST and common.isdisjoint(self.settled)

    def _same_definition(self, owner: KnownRelation, item: SeenRelation) -> bool | None:
        """None where there is none to compare. Fetches the known one for views only."""
        text = self.fetch.seen(item.ordinal)[1] if item.kind in _VIEWS else None
        before = self.fetch.definition(owner) if text is not None else None
        return None if text is None or before is None else text.split() == before.split()

    def evidence(self, candidate: Candidate) -> Evidence:
        owner, item = candidate.owner, candidate.item
        before, after = self.fetch.columns(owner, item.ordinal)
        same_text = self._same_definition(owner, item)
        return same_columns(owner, item, before, after, same_definition=same_text)


def _product(
    owners: Iterable[KnownRelation], items: list[SeenRelation], *, same_schema: bool = False
) -> Iterator[tuple[KnownRelation, SeenRelation]]:
    if not same_schema:
        yield from ((owner, item) for owner in owners for item in items)
        return
    by_schema: dict[str, list[SeenRelation]] = defaultdict(list)
    for item in items:
        by_schema[item.schema].append(item)
    yield from ((owner, item) for owner in owners for item in by_schema[owner.schema])


def _settle(found: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """The candidates that are clearly the best on both sides and strong, and those worth a person's look."""
    of_owner = _ranked(found, lambda each: each.owner.id)
    of_item = _ranked(found, lambda each: each.item.ordinal)
    clear = [
        each
        for each in found
        if each.strong and _leads(each, of_owner[each.owner.id]) and _leads(each, of_item[each.item.ordinal])
    ]
    owners, items = {each.owner.id for each in clear}, {each.item.ordinal for each in clear}
    doubtful = [
        each
        for each in found
        if each.owner.id not in owners
        and each.item.ordinal not in items
        and _few(each, of_owner[each.owner.id])
        and _few(each, of_item[each.item.ordinal])
    ]
    return clear, doubtful


def _ranked(found: list[Candidate], key: Callable[[Candidate], UUID | int]) -> dict[UUID | int, list[float]]:
    scores: dict[UUID | int, list[float]] = defaultdict(list)
    for each in found:
        scores[key(each)].append(each.score)
    for ranking in scores.values():
        ranking.sort(reverse=True)
    return scores


def _leads(candidate: Candidate, scores: list[float]) -> bool:
    return candidate.score == scores[0] and (len(scores) == 1 or scores[0] - scores[1] >= MARGIN)


def _few(candidate: Candidate, scores: list[float]) -> bool:
    """Whether it is among the best of its side, and they are no crowd."""
    best = sum(1 for score in scores if scores[0] - score < MARGIN)
    return best <= CROWD and scores[0] - candidate.score < MARGIN
