"""Facets: how hits divide by kind, datastore, schema and state (pure).

Each facet counts what all filters but its own leave, so that a second choice can be seen before it is made.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar
from uuid import UUID

from metamapper.search.plan import Choice, Criteria
from metamapper.search.query import KINDS, Filter, Kind, Query, spell

T = TypeVar("T")


class Cell(NamedTuple):
    """Hits that are alike; ``schema`` is blank for a datastore."""

    kind: int
    datastore_id: UUID
    schema: str
    retired: bool
    described: bool
    commented: bool
    amount: int


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a facet; ``query`` is the text of the search with it toggled."""

    value: str
    label: str
    count: int
    chosen: bool
    query: str


@dataclass(frozen=True, slots=True)
class Facet:
    field: str
    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force; ``query`` is the text of the search without it."""

    label: str
    query: str


_SHOWN = (Kind.COLUMN, Kind.TABLE, Kind.VIEW, Kind.SCHEMA, Kind.DATASTORE)
STATES = (("described", "Described"), ("undescribed", "Undescribed"), ("retired", "Retired"))


def allows(criteria: Criteria, cell: Cell) -> bool:
    flags = (
        (criteria.retired, cell.retired),
        (criteria.described, cell.described),
        (criteria.commented, cell.commented),
    )
    return (
        criteria.kind.allows(Kind(cell.kind))
        and criteria.datastore.allows(cell.datastore_id)
        and criteria.schema.allows(cell.schema.casefold())
        and all(wanted is None or wanted is is_so for wanted, is_so in flags)
    )


def total(cells: Iterable[Cell], criteria: Criteria) -> int:
    return sum(cell.amount for cell in cells if allows(criteria, cell))


def facets(
    cells: Sequence[Cell], criteria: Criteria, query: Query, datastores: Mapping[UUID, tuple[str, str]]
) -> tuple[Facet, ...]:
    """Every facet that has an option, of kinds and states also those that are chosen in vain; ``datastores`` gives (slug, name)."""
    kinds = _count(cells, replace(criteria, kind=Choice()), lambda cell: cell.kind)
    places = _count(cells, replace(criteria, datastore=Choice()), lambda cell: cell.datastore_id)
    schemas = _count(cells, replace(criteria, schema=Choice()), lambda cell: cell.schema)
    made = (
        Facet("type", "Kind", tuple(_option(query, "type", kind.word, f"{kind.word}s".capitalize(), kinds[kind])
                                    for kind in _SHOWN if kinds[kind] or is_chosen(query, "type", kind.word))),
        Facet("datastore", "Datastore", tuple(_option(query, "datastore", *datastores[identity], count)
                                              for identity, count in places.most_common() if count)),
        Facet("schema", "Schema", tuple(_option(query, "schema", name, name, count)
                                        for name, count in schemas.most_common() if name and count)),
        Facet("is", "State", tuple(_states(cells, criteria, query))),
    )  # fmt: skip
    return tuple(facet for facet in made if facet.options)


def chips(query: Query) -> tuple[Chip, ...]:
    """The filters in force, each with the way out."""
    return tuple(
        Chip(_label(each), spell(query.words, [other for other in query.filters if other != each]))
        for each in query.filters
    )


def toggled(query: Query, field: str, value: str) -> str:
    """The text of the search with one value of one filter more, or less if it is chosen."""
    same = [each for each in query.filters if each.field == field and not each.negated]
    others = [each for each in query.filters if each not in same]
    values = [each for one in same for each in one.values]
    kept = [each for each in values if not _means(field, each, value)]
    if len(kept) == len(values):
        kept.append(value)
    return spell(query.words, [*others, *([Filter(field, tuple(kept))] if kept else [])])


def _option(query: Query, field: str, value: str, label: str, count: int) -> Option:
    return Option(value, label, count, is_chosen(query, field, value), toggled(query, field, value))


def is_chosen(query: Query, field: str, value: str) -> bool:
    values = [each for one in query.filters if one.field == field and not one.negated for each in one.values]
    return any(_means(field, each, value) for each in values)


def _means(field: str, given: str, value: str) -> bool:
    if field == "type":
        return KINDS.get(given.lower()) == KINDS[value]
    return given.casefold() == value.casefold()


def _states(cells: Sequence[Cell], criteria: Criteria, query: Query) -> Iterable[Option]:
    described = _count(cells, replace(criteria, described=None), lambda cell: cell.described)
    retired = _count(cells, replace(criteria, retired=None), lambda cell: cell.retired)
    counts = {"described": described[True], "undescribed": described[False], "retired": retired[True]}
    for value, label in STATES:
        if counts[value] or is_chosen(query, "is", value):
            yield _option(query, "is", value, label, counts[value])


def _count(cells: Sequence[Cell], criteria: Criteria, key: Callable[[Cell], T]) -> Counter[T]:
    counted: Counter[T] = Counter()
    for cell in cells:
        if allows(criteria, cell):
            counted[key(cell)] += cell.amount
    return counted


def _label(each: Filter) -> str:
    values = ", ".join(each.values)
    if each.field == "is":
        return f"not {values}" if each.negated else values
    return f"{'not ' if each.negated else ''}{each.field}: {values}"
