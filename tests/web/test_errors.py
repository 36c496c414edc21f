"""Every failure has its page, its headers and its reference, and says nothing of what is inside."""

import re

import pytest
from django.test import Client, RequestFactory

from metamapper.runs.models import Schedule
from metamapper.web import errors
from metamapper.web.middleware import HEADERS
from tests.cast import Cast
from tests.web.clients import as_user
from tests.web.scenery import Scenery

pytestmark = pytest.mark.django_db


def test_an_unknown_address_is_no_page_for_you(client: Client) -> None:
    response = client.get("/no/such/page.html")
    assert response.status_code == 404
    assert "There is no page here for you" in response.content.decode()


@pytest.mark.parametrize("address", ["/no/such.page", "/icons.svg", "/static/metamapper/theme.css", "/static/none.css"])
def test_every_answer_carries_the_headers(client: Client, address: str) -> None:
    response = client.get(address)
    response.close()  # a static file is streamed
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{10}", response.headers["X-Request-ID"])


def test_an_error_shows_the_reference_that_the_log_has(rf: RequestFactory) -> None:
    request = rf.get("/larkspur/")
    request.reference = "01JD7Q5T9K"  # type: ignore[attr-defined]
    page = errors.server_error(request).content.decode()
    assert "01JD7Q5T9K" in page
    assert "This page could not be put together" in page


def test_the_error_page_needs_no_metastore(rf: RequestFactory, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert errors.server_error(rf.get("/")).status_code == 500


def test_a_foreign_form_is_refused_with_a_page() -> None:
    response = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()


def test_theme_is_kept_by_the_browser_and_shown(client: Client) -> None:
    client.post("/theme/", {"theme": "dark"})
    assert '<html lang="en" data-bs-theme="dark">' in client.get("/none/such/").content.decode()


def test_an_unheard_of_theme_is_the_systems(client: Client) -> None:
    client.post("/theme/", {"theme": '"><script>'})
    assert '<html lang="en">' in client.get("/none/such/").content.decode()


def test_going_back_after_the_choice_stays_on_this_site(client: Client) -> None:
    response = client.post("/theme/", {"theme": "dark"}, headers={"referer": "https://elsewhere.example/x"})
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "../../etc/passwd", "No/Such", "\x00", "a" * 5000])
def test_a_strange_time_zone_breaks_no_page(client: Client, zone: str) -> None:
    client.cookies["zone"] = zone
    assert client.get("/none/such/").status_code == 404


def test_a_forgotten_run_says_so_to_those_who_may_see_it(scenery: Scenery, cast: Cast) -> None:
    Schedule.objects.filter(datastore=scenery.ledger).update(last_number=40)
    address = f"/larkspur/datastores/{scenery.ledger.slug}/runs/{{}}/"
    response = as_user(cast.ana).get(address.format(39))
    assert response.status_code == 404
    text = response.content.decode()
    assert "Run 39 of" in text
    assert "kept for 30 days" in text
    for number, person in ((41, cast.ana), (0, cast.ana), (39, cast.oskar)):
        other = as_user(person).get(address.format(number))
        assert other.status_code == 404
        assert "forgotten" not in other.content.decode()
