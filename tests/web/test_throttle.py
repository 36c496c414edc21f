"""Guessing a password is slowed down, whichever process is asked."""

import pytest
from django.core.cache.backends import locmem
from django.test import Client

from tests.cast import Cast

pytestmark = pytest.mark.django_db


def attempt(email: str) -> str:
    answer = Client().post("/sign-in/", {"login": email, "password": "not her password"})
    return answer.content.decode()


def forget_what_only_this_process_knows() -> None:
    for memory in list(vars(locmem).get("_caches", {}).values()):
        memory.clear()


def test_every_process_counts_the_same_attempts(cast: Cast) -> None:
    for _ in range(5):
        assert "Too many failed" not in attempt(cast.ana.email)
        forget_what_only_this_process_knows()
    assert "Too many failed" in attempt(cast.ana.email)
