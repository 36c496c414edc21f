"""Whoever's session ended comes back to the page they were on."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("page", "next_page"),
    [
        ("http://testserver/larkspur/runs/?state=failure", "/larkspur/runs/%3Fstate%3Dfailure"),
        ("http://elsewhere.example/larkspur/", "/"),
        ("", "/"),
    ],
)
def test_a_part_of_a_page_is_no_page_to_come_back_to(client: Client, page: str, next_page: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": page}
    answer = client.get("/larkspur/search/palette/?q=a", headers=headers)
    assert answer.headers["HX-Redirect"] == f"/sign-in/?next={next_page}"


def test_a_page_is(client: Client) -> None:
    assert client.get("/larkspur/runs/").headers["Location"] == "/sign-in/?next=/larkspur/runs/"
