"""Which schema is which."""

from typing import Any
from uuid import UUID

import pytest

from metamapper.diffing import KnownScope, match_scopes
from metamapper.schema import Completeness, Scope


def known(number: int, name: str, native_id: str | None = None, *, retired: bool = False) -> KnownScope:
    return KnownScope(UUID(int=number), name, native_id, retired)


def told(matching: Any) -> tuple[dict[int, tuple[int, str]], list[int], list[int]]:
    pairs = {pair.known_id.int: (pair.ordinal, str(pair.kind_hint or "")) for pair in matching.pairs}
    return pairs, matching.appeared, [each.int for each in matching.vanished]


CASES: dict[str, tuple[list[KnownScope], list[Scope], Any]] = {
    "the same": ([known(1, "a", "5")], [Scope(name="a", native_id="5")], ({1: (0, "")}, [], [])),
    "without ids": ([known(1, "a")], [Scope(name="a")], ({1: (0, "")}, [], [])),
    "new": ([], [Scope(name="a")], ({}, [0], [])),
    "gone": ([known(1, "a")], [], ({}, [], [1])),
    "renamed": ([known(1, "a", "5")], [Scope(name="b", native_id="5")], ({1: (0, "renamed")}, [], [])),
    "made anew": ([known(1, "a", "5")], [Scope(name="a", native_id="6")], ({1: (0, "rebuilt")}, [], [])),
    "swapped": (
        [known(1, "a", "5"), known(2, "b", "6")],
        [Scope(name="a", native_id="6"), Scope(name="b", native_id="5")],
        ({1: (1, "renamed"), 2: (0, "renamed")}, [], []),
    ),
    "renamed, and a new one under its name": (
        [known(1, "a", "5")],
        [Scope(name="a", native_id="6"), Scope(name="b", native_id="5")],
        ({1: (1, "renamed")}, [0], []),
    ),
    "back by name": ([known(1, "a", retired=True)], [Scope(name="a")], ({1: (0, "restored")}, [], [])),
    "back by id": (
        [known(1, "a", "5", retired=True)],
        [Scope(name="b", native_id="5")],
        ({1: (0, "restored")}, [], []),
    ),
    "the living go first": (
        [known(1, "a", "5"), known(2, "a", "6", retired=True)],
        [Scope(name="a", native_id="6")],
        ({1: (0, "rebuilt")}, [], []),
    ),
    "the latest of two": (
        [known(1, "a", retired=True), known(2, "a", retired=True)],
        [Scope(name="a")],
        ({1: (0, "restored")}, [], []),
    ),
}


@pytest.mark.parametrize(("before", "seen", "expected"), CASES.values(), ids=CASES.keys())
def test_with_stable_ids(before: list[KnownScope], seen: list[Scope], expected: Any) -> None:
    assert told(match_scopes(before, seen, list_complete=True, stable_ids=True)) == expected


def test_without_stable_ids_the_name_is_all() -> None:
    seen = [Scope(name="a", native_id="6"), Scope(name="b", native_id="5")]
    matching = match_scopes([known(1, "a", "5")], seen, list_complete=True, stable_ids=False)
    assert told(matching) == ({1: (0, "")}, [1], [])


def test_a_list_that_is_not_whole_proves_nothing_gone() -> None:
    matching = match_scopes([known(1, "a")], [], list_complete=False, stable_ids=True)
    assert (matching.vanished, matching.readable) == ([], frozenset())


def test_readable_are_the_complete_and_those_proved_gone() -> None:
    seen = [
        Scope(name="a"),
        Scope(name="b", completeness=Completeness.PARTIAL),
        Scope(name="c", completeness=Completeness.UNREADABLE),
    ]
    matching = match_scopes([known(1, "gone")], seen, list_complete=True, stable_ids=True)
    assert matching.readable == {"a", "gone"}


def test_a_name_that_an_unproved_schema_bears_too_is_not_readable() -> None:
    before = [known(1, "a", "5"), known(2, "b", "6")]
    seen = [Scope(name="a", native_id="6")]
    assert match_scopes(before, seen, list_complete=False, stable_ids=True).readable == frozenset()
    assert match_scopes(before, seen, list_complete=True, stable_ids=True).readable == {"a"}


def test_a_schema_is_not_gone_while_its_name_covers_one_that_was_not_read_wholly() -> None:
    before = [known(1, "a", "5"), known(2, "b", "6")]
    seen = [Scope(name="a", native_id="6", completeness=Completeness.PARTIAL)]
    matching = match_scopes(before, seen, list_complete=True, stable_ids=True)
    assert (matching.vanished, matching.readable) == ([], frozenset())


@pytest.mark.parametrize(
    ("before", "seen", "stable", "suggested"),
    [
        ([known(1, "a")], [Scope(name="b")], False, [(1, 0)]),
        ([known(1, "a", "5")], [Scope(name="b", native_id="6")], False, [(1, 0)]),
        ([known(1, "a", "5")], [Scope(name="b", native_id="6")], True, []),
        ([known(1, "a"), known(2, "c")], [Scope(name="b")], False, []),
        ([known(1, "a")], [Scope(name="b"), Scope(name="c")], False, []),
    ],
)
def test_one_for_one_is_suggested(before: Any, seen: Any, stable: bool, suggested: Any) -> None:
    matching = match_scopes(before, seen, list_complete=True, stable_ids=stable)
    assert [(each.known_id.int, each.ordinal) for each in matching.suggestions] == suggested
    assert matching.appeared == list(range(len(seen)))
