"""What a backend is asked: a query with its neighbours, for the eyes of one reader. Values only."""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from metamapper.search.query import ATTRIBUTES, KINDS, STATES, Filter, Kind, Query, Term
from metamapper.search.typos import LAST
from metamapper.search.words import is_plain

_ONLY = "!"
"""Sorts before every letter and digit: from a word up to the word and this is the word alone."""


class Place(NamedTuple):
    """A schema as a reader may see it: the id of its name, and where it is."""

    name_id: int
    datastore_id: UUID
    name: str


class Found(NamedTuple):
    """A hit before anything is known of it; a lower score is better."""

    asset_id: UUID
    score: int
    kind: int


class Group(NamedTuple):
    """How many hits are alike in all that facets tell apart."""

    kind: int
    schema_name_id: int
    retired: bool
    described: bool
    commented: bool
    amount: int


class Cursor(NamedTuple):
    """The last hit that was shown."""

    score: int = -1
    asset_id: UUID = UUID(int=0)

    def encode(self) -> str:
        return base64.urlsafe_b64encode(f"{self.score}.{self.asset_id.hex}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str | None) -> "Cursor":
        """The cursor of an address; the beginning, if it is none of ours."""
        try:
            score, _, identity = base64.urlsafe_b64decode(f"{text or ''}==").decode().partition(".")
            return cls(min(int(score), 2**31 - 1), UUID(identity))
        except (ValueError, binascii.Error):
            return START


START = Cursor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``datastores`` and ``schemas`` (ids of schemas' names) are all that the reader may see. None is "no matter"."""

    datastores: tuple[UUID, ...] = ()
    schemas: tuple[int, ...] = ()
    wanted: tuple[dict[str, Any], ...] = ()
    texts: tuple[tuple[int, Term], ...] = ()
    whole: str = ""
    required: int = 0
    excluded: int = 0
    kinds: frozenset[Kind] | None = None
    chosen_schemas: tuple[int, ...] | None = None
    retired: bool | None = None
    described: bool | None = None
    commented: bool | None = None
    after: Cursor = START
    limit: int = 30
    count: bool = True


def with_query(plan: Plan, query: Query, typos: Mapping[str, tuple[str, ...]]) -> Plan:
    """The plan with the query's terms; ``typos`` are the neighbours of its words."""
    bits = {term: 1 << at for at, term in enumerate(query.terms)}
    rows = [row for term, bit in bits.items() for row in _ranges(term, bit, typos)]
    texts = tuple((bit, term) for term, bit in bits.items() if not term.excluded and all(map(is_plain, term.words)))
    return replace(
        plan,
        wanted=tuple(rows),
        texts=texts,
        whole=query.whole,
        required=sum(bit for term, bit in bits.items() if not term.excluded),
        excluded=sum(bit for term, bit in bits.items() if term.excluded),
    )


def _ranges(term: Term, bit: int, typos: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    first = term.words[0]
    phrase = " ".join(term.words) if len(term.words) > 1 else None
    row = {"bit": bit, "low": first, "high": first + (_ONLY if term.whole else LAST), "typo": 0, "phrase": phrase}
    near = () if term.phrase else typos.get(first, ())
    return [row, *({"bit": bit, "low": word, "high": word + _ONLY, "typo": 1, "phrase": None} for word in near)]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the filters of one field leave: any of ``only`` (None is all), none of ``without``."""

    only: frozenset[Any] | None = None
    without: frozenset[Any] = frozenset()

    def allows(self, value: Any) -> bool:
        return (self.only is None or value in self.only) and value not in self.without


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """The filters of a query, resolved."""

    kind: Choice = Choice()
    datastore: Choice = Choice()
    schema: Choice = Choice()
    retired: bool | None = None
    described: bool | None = None
    commented: bool | None = None

    @property
    def places(self) -> bool:
        """Whether it matters where a hit is."""
        return self.datastore != Choice() or self.schema != Choice()


def criteria_of(filters: Collection[Filter], datastores: Mapping[str, UUID]) -> Criteria:
    """The filters, resolved; ``datastores`` finds one by its folded name or slug. A datastore that is not there matches nothing."""
    flags: dict[str, bool] = {}
    for each in filters:
        for value in each.values if each.field in {"is", "has"} else ():
            flag, wanted = STATES[value.lower()] if each.field == "is" else (ATTRIBUTES[value.lower()], True)
            flags[flag] = wanted is not each.negated
    kinds = _choice(filters, "type", lambda value: KINDS[value.lower()])
    places = _choice(filters, "datastore", lambda value: {datastores.get(value.casefold())})
    schemas = _choice(filters, "schema", lambda value: {value.casefold()})
    return Criteria(kind=kinds, datastore=places, schema=schemas, **flags)


def _choice(filters: Collection[Filter], field: str, resolve: Any) -> Choice:
    found: dict[bool, set[Any]] = {True: set(), False: set()}
    for each in filters:
        if each.field == field:
            for value in each.values:
                found[each.negated] |= resolve(value)
    return Choice(frozenset(found[False]) if found[False] else None, frozenset(found[True]))


def with_criteria(plan: Plan, criteria: Criteria, places: Collection[Place]) -> Plan:
    """The plan with the filters; the places are those of the plan's datastores."""
    chosen = tuple(
        place.name_id
        for place in places
        if criteria.datastore.allows(place.datastore_id) and criteria.schema.allows(place.name.casefold())
    )
    kinds = frozenset(kind for kind in Kind if criteria.kind.allows(kind))
    return replace(
        plan,
        kinds=None if criteria.kind == Choice() else kinds,
        chosen_schemas=chosen if criteria.places else None,
        retired=criteria.retired,
        described=criteria.described,
        commented=criteria.commented,
    )
