"""Texts that differ by renames only, and sequences that differ by moves only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamapper.diffing.order import moved_within
from metamapper.diffing.renames import only_renamed
from metamapper.diffing.shape import likeness, shape_of
from tests.diffing.build import relation


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("btree (a, b)", "btree (a, b)", True),
        ("btree (old)", "btree (new)", True),
        ('btree ("old")', "btree (new)", True),
        ("btree (`old`)", 'btree ("new")', True),
        ("[old] > 0", "[new] > 0", True),
        ("btree  (old)", "btree (new)", True),
        ("btree (old, older)", "btree (new, older)", True),
        ("btree (old)", "btree (other)", False),
        ("btree (old)", "hash (new)", False),
        ("x = 'old'", "x = 'new'", False),
        ("old", "new more", False),
        ("old_id", "new_id", False),
        ("old", "newer", True),
        (None, None, True),
        (None, "new", False),
        ("old", None, False),
    ],
)
def test_only_renamed(before: str | None, after: str | None, same: bool) -> None:
    assert only_renamed(before, after, {"old": {"new", "newer"}}) is same


def test_without_renames_texts_must_be_equal() -> None:
    assert only_renamed("a", "a", {})
    assert not only_renamed("a", '"a"', {})


@given(st.text(), st.text())
def test_a_text_is_a_renaming_of_itself(text: str, other: str) -> None:
    assert only_renamed(text, text, {other: {text}})


@pytest.mark.parametrize(
    ("ranks", "moved"),
    [([], set()), ([1], set()), ([1, 2, 5], set()), ([2, 3, 1], {1}), ([3, 1, 2], {3}), ([1, 4, 2, 3, 5], {4})],
)
def test_moved_within(ranks: list[int], moved: set[int]) -> None:
    assert moved_within(ranks) == moved


@given(st.lists(st.integers(0, 50), unique=True))
def test_what_did_not_move_is_in_order(ranks: list[int]) -> None:
    moved = moved_within(ranks)
    stayed = [rank for rank in ranks if rank not in moved]
    assert stayed == sorted(stayed)
    assert not ranks or stayed


def test_shape_is_of_names_and_types_in_any_order() -> None:
    shape = shape_of(relation("s.a", "x:int y:text a.b:int"))
    assert shape == shape_of(relation("r.b", "y:text a.b:int x:int", comment="other"))
    for other in ("x:int y:text", "x:int y:text a.b:text", "x:int y:text ab:int", "y:int x:text a.b:int"):
        assert shape != shape_of(relation("s.a", other))


@given(
    st.frozensets(st.tuples(st.tuples(st.text()), st.text())), st.frozensets(st.tuples(st.tuples(st.text()), st.text()))
)
def test_likeness_is_a_measure(
    one: frozenset[tuple[tuple[str], str]], other: frozenset[tuple[tuple[str], str]]
) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert (likeness(one, other) == 1) is (one == other and bool(one))
