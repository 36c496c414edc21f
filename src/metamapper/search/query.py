"""The query language: words, ``"exact phrases"``, ``-without``, and filters such as ``type:column -is:retired``.

Nothing that a person types is an error: what is not understood is left out, and the hint says so.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from metamapper.search import words

LONGEST_QUERY = 400
MOST_TERMS = 12


class Kind(IntEnum):
    """What can be found, in the order in which equals are listed. The numbers are stored."""

    DATASTORE = 0
    SCHEMA = 1
    TABLE = 2
    VIEW = 3
    COLUMN = 4

    @property
    def word(self) -> str:
        return self.name.lower()


KINDS: dict[str, frozenset[Kind]] = {
    **{spelling: frozenset({kind}) for kind in Kind for spelling in (kind.word, f"{kind.word}s")},
    **dict.fromkeys(("relation", "relations"), frozenset({Kind.TABLE, Kind.VIEW})),
}
STATES = {"retired": ("retired", True), "described": ("described", True), "undescribed": ("described", False)}
ATTRIBUTES = {"description": "described", "comment": "commented"}
NAMED = ("type", "datastore", "schema", "has", "is")
LATER = ("tag", "owner")
"""Filters that mean something, but of which nothing is kept yet."""

_CHOICES: dict[str, tuple[Collection[str], Collection[str]]] = {
    "type": (KINDS, [kind.word for kind in Kind]),
    "has": (ATTRIBUTES, ATTRIBUTES),
    "is": (STATES, STATES),
}
"""The values that a filter takes, and those of them that are shown."""

_TOKEN = re.compile(r'(?P<minus>-?)(?:(?P<filter>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+))')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+|[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Term:
    """Something to look for: one word, or the words of a phrase, which must stand side by side.

    A word that is ``whole`` is matched as it is, others by their start: they may still be being typed.
    """

    words: tuple[str, ...]
    whole: bool = False
    phrase: bool = False
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter as it was typed: ``field`` is one of ``NAMED``."""

    field: str
    values: tuple[str, ...]
    negated: bool = False

    def __str__(self) -> str:
        values = ",".join(f'"{value}"' if re.search(r"[\s,]", value) else value for value in self.values)
        return f"{'-' if self.negated else ''}{self.field}:{values}"


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked. ``hint`` says what was left out and why; blank if nothing was."""

    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    hint: str = ""
    words: str = ""
    """The part of the text that is not a filter, as it was typed."""

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.excluded)

    @property
    def is_empty(self) -> bool:
        return not self.terms and not self.filters

    @property
    def whole(self) -> str:
        """What a name must read like to be meant exactly."""
        return " ".join(word for term in self.wanted for word in term.words)


@dataclass(slots=True)
class _Parser:
    terms: list[Term] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)

    def take(self, token: re.Match[str]) -> None:
        negated, quoted = bool(token["minus"]), token["quoted"] is not None
        text = token["quoted"] if quoted else token["bare"]
        if token["filter"]:
            self._take_filter(token["filter"].lower(), text, negated=negated, quoted=quoted)
        else:
            self.plain.append(token[0])
            self.terms.extend(_terms(text, quoted=quoted, excluded=negated))

    def _take_filter(self, name: str, text: str, *, negated: bool, quoted: bool) -> None:
        values = (text,) if quoted else tuple(value for value in text.split(",") if value)
        if name in NAMED:
            self._keep(Filter(name, values, negated))
        elif name in LATER:
            self.hints.append(f"Nothing has an {name} yet" if name == "owner" else f"Nothing has a {name} yet")
        else:
            self.hints.append(f"“{name}:” is not a filter; there are {_listed(f'{each}:' for each in NAMED)}")

    def _keep(self, found: Filter) -> None:
        known, shown = _CHOICES.get(found.field, (None, ()))
        values = found.values if known is None else tuple(each for each in found.values if each.lower() in known)
        for value in found.values:
            if value not in values:
                self.hints.append(f"“{found.field}:{value}” is not known; there are {_listed(shown)}")
        if values:
            self.filters.append(Filter(found.field, values, found.negated))


def parse(text: str) -> Query:
    """What a person typed, as a query. Never raises; at most ``LONGEST_QUERY`` characters and ``MOST_TERMS`` terms count."""
    parser = _Parser()
    cleaned = _CONTROL.sub(" ", text)
    if len(cleaned) > LONGEST_QUERY:
        parser.hints.append(f"Only the first {LONGEST_QUERY} characters count")
    for token in _TOKEN.finditer(cleaned[:LONGEST_QUERY]):
        parser.take(token)
    terms = tuple(dict.fromkeys(parser.terms))
    if len(terms) > MOST_TERMS:
        parser.hints.append(f"Only the first {MOST_TERMS} words count")
    return Query(
        terms=terms[:MOST_TERMS],
        filters=tuple(dict.fromkeys(parser.filters)),
        hint="".join(f"{hint}. " for hint in dict.fromkeys(parser.hints)).strip(),
        words=" ".join(parser.plain),
    )


def spell(words_: str, filters: Iterable[Filter]) -> str:
    """The text of a query of these words and filters; ``parse`` reads it back."""
    return " ".join([*([words_] if words_ else []), *map(str, filters)])


def _terms(text: str, *, quoted: bool, excluded: bool) -> Iterator[Term]:
    """The terms of one token. Of ``invoice_amo`` the first is finished, the last may not be."""
    found = words.of_name(text) if text.strip() else []
    if quoted or excluded:
        if found:
            yield Term(tuple(found), whole=True, phrase=True, excluded=excluded)
        return
    for at, word in enumerate(found, 1):
        yield Term((word,), whole=at < len(found))


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
