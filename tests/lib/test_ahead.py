"""Making the next thing while this one is used."""

import threading
from collections.abc import Iterator

import pytest

from metamapper.lib.ahead import ahead
from tests.support.eventually import eventually


@pytest.mark.parametrize("items", [[], [None], [0, "", None, ()], list(range(100))])
def test_everything_comes_in_its_order(items: list[object]) -> None:
    assert list(ahead(items)) == items


def test_the_next_is_made_while_one_is_used_and_no_more() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    coming = ahead(numbers())
    assert next(coming) == 0
    eventually(lambda: made == [0, 1], within=5)
    assert next(coming) == 1
    eventually(lambda: made == [0, 1, 2], within=5)
    coming.close()
    assert made == [0, 1, 2]


def test_what_goes_wrong_in_the_making_is_raised_to_who_uses_it() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    coming = ahead(numbers())
    assert next(coming) == 1
    with pytest.raises(KeyError, match="two"):
        next(coming)


def test_no_thread_is_left_when_the_user_fails() -> None:
    def use() -> None:
        for number in ahead(range(10)):
            assert number / 0

    with pytest.raises(ZeroDivisionError):
        use()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
