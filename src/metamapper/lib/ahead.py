"""Making the next thing while this one is used."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order, each made in a thread of its own while the one before is used.

    For work that waits in turn with work that computes: a batch is made while the metastore stores the last one. What
    makes the items runs in the other thread, so it must not use a connection of this one; what it raises is raised
    here. One item more is in memory.
    """
    remaining = iter(items)
    with ThreadPoolExecutor(1, "ahead") as pool:
        coming = pool.submit(_next, remaining)
        while item := coming.result():
            coming = pool.submit(_next, remaining)
            yield item[0]


def _next(remaining: Iterator[T]) -> tuple[T] | None:
    """The next item in a tuple, for it may be anything; None at the end."""
    for item in remaining:
        return (item,)
    return None
