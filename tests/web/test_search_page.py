"""The search page and the palette, as a browser without scripts and as htmx see them."""

import re
from html import unescape

import pytest
from django.test import Client

from metamapper.search.hits import Marked
from metamapper.web.search.lines import LONGEST, excerpt, highlighted
from tests.search.world import World
from tests.web.clients import as_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    world = World()
    world.add("billing", ("invoices", ["id", "amount_due"]), ("invoice_lines", ["amount"]), comment="Sums & totals")
    return world


@pytest.fixture
def ana(world: World) -> Client:
    return as_user(world.ana)


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_result_says_where_it_is_and_why(ana: Client) -> None:
    page = body(ana, "/larkspur/search/?q=invoice+amount")
    text = " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())
    assert "2 resultsyou may see; best match first" in text
    assert "billing.invoices.amount_due" in text
    assert "Matched: name, table" in text
    assert "<b><mark>amount</mark>_<wbr>due</b>" in page
    assert 'value="invoice amount"' in page
    assert page.count('aria-current="true"') == 1


def test_facets_and_chips_change_the_query(ana: Client) -> None:
    page = unescape(body(ana, "/larkspur/search/?q=amount+type:column"))
    assert 'data-refines="amount"' in page
    assert 'data-refines="amount type:column schema:billing"' in page
    assert re.search(r'href="\?q=amount"[^>]*>type: column', page)


def test_a_choice_in_vain_can_be_taken_back(ana: Client) -> None:
    page = unescape(body(ana, "/larkspur/search/?q=amount+type:table"))
    assert "0 results" in page
    assert re.search(r'checked[^>]*data-refines="amount"', page)
    assert 'data-refines="amount type:table,column"' in page


def test_pages_follow_each_other(ana: Client, world: World) -> None:
    world.add("wide", ("ledger", [f"amount_{number}" for number in range(40)]))
    page = body(ana, "/larkspur/search/?q=amount")
    assert "30 of 42 shown" in page
    following = re.search(r'hx-get="(\?q=amount&amp;after=[^"]+)"', page)
    assert following
    second = body(ana, f"/larkspur/search/{unescape(following[1])}")
    assert second.count('class="mm-result"') == 12
    assert "more as you scroll" not in second.lower()


def test_nothing_matches_offers_what_is_near(ana: Client) -> None:
    page = body(ana, "/larkspur/search/?q=invoize_zz")
    assert "Nothing matches" in page
    assert "The closest words here" in page


def test_the_first_visit_explains(ana: Client) -> None:
    assert "Search everything here" in body(ana, "/larkspur/search/")
    assert "is not a filter" in body(ana, "/larkspur/search/?q=colour:red")


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "\x00", "x" * 5000, "%s {{ 7 }}"])
def test_hostile_questions_and_names_are_shown_as_text(ana: Client, world: World, hostile: str) -> None:
    world.add("odd", ("<script>alert(1)</script>", ["<b>alert</b>"]), comment="<script>alert</script>")
    for address in ("/larkspur/search/", "/larkspur/search/palette/"):
        answer = ana.get(address, {"q": hostile})
        assert answer.status_code == 200
        assert b"<script>alert" not in answer.content
        assert b"<img" not in answer.content
        assert b"<b>alert" not in answer.content


def test_the_palette_goes_to_hits_and_to_all_of_them(ana: Client) -> None:
    page = body(ana, "/larkspur/search/palette/?q=inv+am")
    assert "<h3>Go to</h3>" in page
    assert "See all 2 results" in page
    assert 'href="/larkspur/search/?q=inv+am"' in page
    assert "Home" in body(ana, "/larkspur/search/palette/")


def test_the_palette_inspects_a_datastore_that_is_found(ana: Client) -> None:
    assert "Inspect warehouse now" in body(ana, "/larkspur/search/palette/?q=wareh")


def test_the_box_is_on_every_page(ana: Client) -> None:
    page = body(ana, "/larkspur/")
    assert 'action="/larkspur/search/"' in page
    assert 'hx-get="/larkspur/search/palette/"' in page


def test_a_search_costs_a_constant_number_of_queries(
    ana: Client, world: World, django_assert_max_num_queries: object
) -> None:
    world.add("wide", ("ledger", [f"amount_{number}" for number in range(40)]))
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        ana.get("/larkspur/search/?q=amount+schema:wide")


def test_a_long_comment_is_cut_to_what_was_found() -> None:
    text = "x" * 500 + " needle " + "y" * 500
    cut = excerpt(Marked(text, ((501, 507),)))
    [(start, end)] = cut.ranges
    assert cut.text[start:end] == "needle"
    assert len(cut.text) <= LONGEST + 4
    assert cut.text.startswith("… ")
    assert cut.text.endswith(" …")


def test_marks_are_escaped_around_and_within() -> None:
    assert highlighted(Marked("a<b>&c", ((1, 4),))) == "a<mark>&lt;b&gt;</mark>&amp;c"
