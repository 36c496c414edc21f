"""Waiting for what another process does: ask until it is so, or say what was seen last."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], *, within: float = 15.0, every: float = 0.05, what: str = "") -> T:
    """The first truthy answer of ``check``; after ``within`` seconds an ``AssertionError`` with its last answer or failure.

    An ``AssertionError`` of the check itself counts as "not yet"; any other error is a fault and passes through.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            answer = check()
            last = repr(answer)
        except AssertionError as error:
            answer, last = None, str(error) or "an assertion that failed"
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"Not so within {within:g} s: {what or 'what was awaited'}. Last seen: {last}")
        time.sleep(every)
