"""Searching, for the eyes of one person: only what they may see is found or counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from metamapper.datastores.models import Datastore
from metamapper.search import facets as faceting
from metamapper.search import plan, ranking, typos
from metamapper.search.backends import backend
from metamapper.search.hits import Hit, descriptions, load
from metamapper.search.plan import START, Cursor, Found, Group, Place, Plan
from metamapper.search.query import Kind, Query, parse
from metamapper.workspaces.models import Workspace

if TYPE_CHECKING:
    from metamapper.accounts.models import User

LIMIT = 30
NEAREST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A page of hits. ``total`` and ``facets`` are of all of them, counted for the first page only (None, empty after).

    ``hint`` says what of the query was not understood; ``closest`` are words that are there, where nothing matches.
    """

    query: Query
    hits: tuple[Hit, ...] = ()
    facets: tuple[faceting.Facet, ...] = ()
    chips: tuple[faceting.Chip, ...] = ()
    total: int | None = 0
    next_cursor: str | None = None
    hint: str = ""
    closest: tuple[str, ...] = ()


def search(user: "User", workspace: Workspace, text: str, *, cursor: str | None = None, limit: int = LIMIT) -> Results:
    """What matches ``text`` in this workspace, best first, ``limit`` at a time; ``cursor`` continues a page before."""
    query = parse(text)
    if query.is_empty:
        return Results(query=query, hint=query.hint)
    return _Search(user, workspace, query, Cursor.decode(cursor), limit).run()


def suggest(user: "User", workspace: Workspace, text: str, limit: int = 8) -> Results:
    """The first hits, for the palette, while somebody types."""
    return search(user, workspace, text, limit=limit)


class _Search:
    """One question, from its words to its answer."""

    def __init__(self, user: "User", workspace: Workspace, query: Query, after: Cursor, limit: int) -> None:
        self.user, self.query, self.after, self.limit = user, query, after, limit
        self.datastores = {
            each.pk: each
            for each in Datastore.objects.visible_to(user).filter(workspace=workspace).select_related("workspace")
        }
        base = Plan(datastores=tuple(self.datastores), after=after, limit=limit + 1, count=after == START)
        self.places = {place.name_id: place for place in backend().places(base)}
        self.base = replace(base, schemas=tuple(self.places))
        self.typos = {word: self._near(word) for word in self._single_words() if typos.ranges(word)}

    def run(self) -> Results:
        criteria = plan.criteria_of(self.query.filters, self._datastores_by_name())
        asked = plan.with_query(self.base, self.query, self.typos)
        found, groups = backend().find(plan.with_criteria(asked, criteria, self.places.values()))
        stores = list(self._matching_datastores())
        found += [each for cell, each in stores if faceting.allows(criteria, cell) and _order(each) > self.after]
        cells = [*map(self._cell, groups), *(cell for cell, _ in stores)]
        return self._results(sorted(found, key=_order), cells, criteria)

    def _results(self, found: Sequence[Found], cells: Sequence[faceting.Cell], criteria: plan.Criteria) -> Results:
        shown = found[: self.limit]
        rest = len(found) > len(shown)
        total = faceting.total(cells, criteria) if self.base.count else None
        names = {identity: (each.slug, each.name) for identity, each in self.datastores.items()}
        return Results(
            query=self.query,
            hits=tuple(load(self.user, shown, self.datastores, self.query, self.typos)),
            facets=faceting.facets(cells, criteria, self.query, names) if self.base.count else (),
            chips=faceting.chips(self.query),
            total=total,
            next_cursor=Cursor(*_order(shown[-1])).encode() if rest else None,
            hint=self.query.hint,
            closest=self._closest() if total == 0 else (),
        )

    def _single_words(self) -> list[str]:
        return [term.words[0] for term in self.query.wanted if not term.phrase]

    def _near(self, word: str) -> tuple[str, ...]:
        return typos.near(word, self._vocabulary(typos.ranges(word)))

    def _vocabulary(self, ranges: Iterable[tuple[str, str]]) -> list[str]:
        return [word for low, high in ranges for word in backend().vocabulary(self.base, low, high)]

    def _closest(self) -> tuple[str, ...]:
        """For the first word that is nowhere, those that come nearest."""
        everything = self._vocabulary([("", typos.LAST)])
        for word in self._single_words():
            if len(word) > 1 and not any(each.startswith(word) for each in everything):
                return typos.closest(word, everything, max(2, len(word) // 2))[:NEAREST]
        return ()

    def _datastores_by_name(self) -> dict[str, UUID]:
        named = {each.name.casefold(): identity for identity, each in self.datastores.items()}
        return named | {each.slug: identity for identity, each in self.datastores.items()}

    def _cell(self, group: Group) -> faceting.Cell:
        place: Place = self.places[group.schema_name_id]
        return faceting.Cell(
            group.kind, place.datastore_id, place.name, group.retired, group.described, group.commented, group.amount
        )

    def _matching_datastores(self) -> Iterable[tuple[faceting.Cell, Found]]:
        """Datastores are few, and are renamed without an inspection: they are matched as they are, without documents."""
        said = descriptions(self.user, list(self.datastores))
        for identity, each in self.datastores.items():
            sight = ranking.Sight(name=each.name, description=said.get(identity, ""))
            score = ranking.score(self.query, self.typos, sight, kind=Kind.DATASTORE, retired=False)
            if score is not None:
                cell = faceting.Cell(Kind.DATASTORE, identity, "", False, identity in said, False, 1)  # noqa: FBT003 - a row
                yield cell, Found(identity, score, Kind.DATASTORE)


def _order(found: Found) -> tuple[int, UUID]:
    return found.score, found.asset_id
