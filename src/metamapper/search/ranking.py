"""Whether an asset matches, how well, and why: the rules in Python, which ``sql/search.sql`` states for whole catalogs.

Pure. What SQL finds is explained here; a test holds the two against each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from metamapper.search import words
from metamapper.search.query import Query, Term

Range = tuple[int, int]
Typos = Mapping[str, tuple[str, ...]]
MOST_SIZE = 15


class Tier(IntEnum):
    """How an asset was found, best first. A former name that is meant exactly ranks with ``WORDS``."""

    EXACT = 0
    PREFIX = 1
    WORDS = 2
    STARTS = 3
    PATH = 4
    TYPO = 5
    FORMER = 6
    TEXT = 7
    BROWSED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What can be matched of an asset: its name, the names it stands under (blank where it has none), and its texts."""

    name: str
    relation: str = ""
    schema: str = ""
    former: tuple[str, ...] = ()
    description: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Grades:
    """The terms that are whole words of a name, that begin one, and that one is a typo of: each a wider set."""

    exact: frozenset[Term] = frozenset()
    clean: frozenset[Term] = frozenset()
    fuzzy: frozenset[Term] = frozenset()

    def with_place(self, relation: "Grades", schema: "Grades") -> "Grades":
        parts = (self, relation, schema)
        clean = frozenset[Term]().union(*(part.clean for part in parts))
        return Grades(self.exact, clean, clean.union(*(part.fuzzy for part in parts)))


@dataclass(frozen=True, slots=True)
class Why:
    """Why an asset was found, in words (``name``, ``table``, ``comment``), with the former name if it was by one."""

    reasons: tuple[str, ...] = ()
    former: str = ""


@dataclass(slots=True)
class _Reasons:
    found: dict[str, None] = field(default_factory=dict)

    def add(self, reason: str) -> None:
        self.found[reason] = None


def score(query: Query, typos: Typos, sight: Sight, *, kind: int, retired: bool) -> int | None:
    """What orders hits, lower first: tier, then retired last, then short names, then kind. None is no match."""
    own = grade(query.terms, typos, sight.name)
    place = grade(query.terms, typos, sight.relation), grade(query.terms, typos, sight.schema)
    wanted = frozenset(query.wanted)
    everything = own.with_place(*place)
    if any(term.excluded for term in everything.clean):
        return None
    found = _by_name(query, own, everything, wanted, sight) or _by_former_name(query, typos, place, wanted, sight)
    if found is None:
        found = _by_text(own, everything, wanted, sight)
    if found is None:
        return None
    tier, size = found
    return ((tier * 2 + int(retired)) * 16 + size) * 8 + kind


def tier_of(score_: int) -> Tier:
    return Tier(score_ // (8 * 16 * 2))


def _by_name(
    query: Query, own: Grades, everything: Grades, wanted: frozenset[Term], sight: Sight
) -> tuple[Tier, int] | None:
    if not wanted:
        return Tier.BROWSED, 0
    if not (own.fuzzy & wanted and wanted <= everything.fuzzy):
        return None
    return _tier(query.whole, own, everything, wanted, words.canonical(sight.name)), _size(sight.name)


def _tier(whole: str, own: Grades, everything: Grades, wanted: frozenset[Term], name: str) -> Tier:
    if name == whole:
        return Tier.EXACT
    if name.startswith(whole):
        return Tier.PREFIX
    if wanted <= own.exact:
        return Tier.WORDS
    if wanted <= own.clean:
        return Tier.STARTS
    return Tier.PATH if wanted <= everything.clean else Tier.TYPO


def _by_former_name(
    query: Query, typos: Typos, place: tuple[Grades, Grades], wanted: frozenset[Term], sight: Sight
) -> tuple[Tier, int] | None:
    fitting = [name for name in sight.former if _fits(grade(query.terms, typos, name), place, wanted)]
    if not fitting:
        return None
    exact = any(words.canonical(name) == query.whole for name in fitting)
    return Tier.WORDS if exact else Tier.FORMER, min(map(_size, fitting))


def _fits(own: Grades, place: tuple[Grades, Grades], wanted: frozenset[Term]) -> bool:
    everything = own.with_place(*place).clean
    return bool(own.clean & wanted) and wanted <= everything and not any(term.excluded for term in everything)


def _by_text(own: Grades, everything: Grades, wanted: frozenset[Term], sight: Sight) -> tuple[Tier, int] | None:
    said = in_text(wanted, sight.description) | in_text(wanted, sight.comment)
    if not said or not wanted <= said | everything.clean:
        return None
    return Tier.TEXT, _size(sight.name) if own.fuzzy else MOST_SIZE


def _size(name: str) -> int:
    return min(len(words.of_name(name)), MOST_SIZE)


def grade(terms: Iterable[Term], typos: Typos, name: str) -> Grades:
    """Which terms a name holds, and how well."""
    if not name:
        return Grades()
    found = words.of_name(name)
    exact = frozenset(term for term in terms if _holds(term, found))
    clean = exact | {term for term in terms if _begins(term, found)}
    near = {term for term in terms if not term.phrase and not set(typos.get(term.words[0], ())).isdisjoint(found)}
    return Grades(exact, clean, clean | near)


def in_text(terms: Iterable[Term], text: str) -> frozenset[Term]:
    """Which terms a text holds."""
    found = words.words(text)
    plain = [term for term in terms if all(map(words.is_plain, term.words))]
    return frozenset(term for term in plain if _holds(term, found) or _begins(term, found))


def _holds(term: Term, found: Sequence[str]) -> bool:
    length = len(term.words)
    return any(tuple(found[at : at + length]) == term.words for at in range(len(found) - length + 1))


def _begins(term: Term, found: Sequence[str]) -> bool:
    return not term.whole and any(word.startswith(term.words[0]) for word in found)


def explain(query: Query, typos: Typos, sight: Sight) -> Why:
    """Why this asset is among the hits, term by term, the nearest place first."""
    wanted = query.wanted
    if not wanted:
        return Why()
    own = grade(wanted, typos, sight.name)
    place = grade(wanted, typos, sight.relation), grade(wanted, typos, sight.schema)
    if words.canonical(sight.name) == query.whole:
        return Why(("exact name",))
    if own.clean.issuperset(wanted):
        return Why(("name, every word" if len(wanted) > 1 else "name",))
    if not (own.fuzzy and own.with_place(*place).fuzzy.issuperset(wanted)):
        former = _former_name(query, typos, place, sight)
        if former:
            return Why((), former)
    return Why(_reasons(wanted, typos, sight, own, place))


def _former_name(query: Query, typos: Typos, place: tuple[Grades, Grades], sight: Sight) -> str:
    wanted = frozenset(query.wanted)
    fitting = [name for name in sight.former if _fits(grade(query.wanted, typos, name), place, wanted)]
    return min(fitting, key=lambda name: (words.canonical(name) != query.whole, _size(name)), default="")


def _reasons(
    wanted: Sequence[Term], typos: Typos, sight: Sight, own: Grades, place: tuple[Grades, Grades]
) -> tuple[str, ...]:
    relation, schema = place
    described, commented = in_text(wanted, sight.description), in_text(wanted, sight.comment)
    sources = {
        "name": own.clean, "table": relation.clean, "schema": schema.clean, "description": described, "comment": commented
    }  # fmt: skip
    reasons = _Reasons()
    for term in wanted:
        reason = next((name for name, holding in sources.items() if term in holding), None)
        reasons.add(reason or _apart(term, typos, sight))
    order = list(sources)
    return tuple(sorted(reasons.found, key=lambda reason: order.index(reason) if reason in order else len(order)))


def _apart(term: Term, typos: Typos, sight: Sight) -> str:
    """``name, near to invoice``: which of the names holds the neighbour."""
    near = set(typos.get(term.words[0], ()))
    for label, name in (("name", sight.name), ("table", sight.relation), ("schema", sight.schema)):
        if name and not near.isdisjoint(words.of_name(name)):
            return f"{label}, a typo away from {term.words[0]}"
    return "text"


def marks(query: Query, typos: Typos, text: str) -> tuple[Range, ...]:
    """Where the wanted terms stand in a text, as ranges of characters in order, none overlapping."""
    found = words.split(text)
    ranges = [each for term in query.wanted for each in _ranges(term, typos, found)]
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _ranges(term: Term, typos: Typos, found: Sequence[words.Word]) -> Iterable[Range]:
    length = len(term.words)
    if term.phrase:
        for at in range(len(found) - length + 1):
            if tuple(word.text for word in found[at : at + length]) == term.words:
                yield found[at].start, found[at + length - 1].end
        return
    near = typos.get(term.words[0], ())
    for word in found:
        if word.text == term.words[0] or (not term.whole and word.text.startswith(term.words[0])):
            yield word.start, min(word.end, word.start + len(term.words[0]))
        elif word.text in near:
            yield word.start, word.end
