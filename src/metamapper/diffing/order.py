"""Which of several things changed their order, when some only made room."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise


def moved_within(ranks: Sequence[int]) -> set[int]:
    """The ranks that must move to bring the sequence into ascending order, as few as possible; ranks are distinct."""
    if all(one < other for one, other in pairwise(ranks)):
        return set()
    return set(ranks) - set(_longest_ascending(ranks))


def _longest_ascending(ranks: Sequence[int]) -> list[int]:
    """Patience sorting: ``ends[n]`` is the least rank that an ascending run of n + 1 can end with."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for rank in ranks:
        at = bisect_left(ends, rank)
        before[rank] = ends[at - 1] if at else None
        ends[at : at + 1] = [rank]
    run: list[int] = []
    rank_or_none: int | None = ends[-1] if ends else None
    while rank_or_none is not None:
        run.append(rank_or_none)
        rank_or_none = before[rank_or_none]
    return run
