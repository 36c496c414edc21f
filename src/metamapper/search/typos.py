"""Words that were probably meant: at most one or two letters away, transpositions counted as one (pure)."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 4
"""Shorter words have too many neighbours."""
LONG = 6
"""From here on a neighbour is a typo also where the word itself is known."""
LONGER = 8
"""From here on two letters may be wrong."""
MOST = 8

LAST = "\U0010ffff"


def ranges(word: str) -> tuple[tuple[str, str], ...]:
    """Where in the sorted vocabulary neighbours are looked for, as (from, up to): who mistypes seldom errs in the first letter.

    The second range finds what was meant where the first two letters are swapped or the first is one too many.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return ()
    return tuple((letter, letter + LAST) for letter in dict.fromkeys(word[:2]))


def near(word: str, vocabulary: Iterable[str]) -> tuple[str, ...]:
    """The words of the vocabulary that may have been meant, nearest first, without those that the word begins.

    A short word that is known, or begins one that is, has been meant as it stands.
    """
    others = [each for each in vocabulary if not each.startswith(word) and each.isalpha()]
    known = any(each.startswith(word) for each in vocabulary)
    if known and len(word) < LONG:
        return ()
    furthest = 2 if len(word) >= LONGER and not known else 1
    return closest(word, others, furthest)


def closest(word: str, vocabulary: Iterable[str], furthest: int = 2) -> tuple[str, ...]:
    """The nearest words within ``furthest`` letters, nearest first."""
    found = process.extract(word, list(vocabulary), scorer=OSA.distance, score_cutoff=furthest, limit=MOST)
    return tuple(each for each, _, _ in found)
