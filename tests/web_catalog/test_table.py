"""A table's page: now and as it was, one path; for whoever may see it; at one cost."""

from collections.abc import Callable
from html import escape
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metamapper.annotations.services import describe
from metamapper.catalog.models import Column, Relation
from metamapper.schema import AssetKind
from tests.web_catalog.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
TABS = ("", "columns", "relations", "indexes", "definition", "history")
HOSTILE = [
    '"; drop table x; --',
    "<script>alert(1)</script>",
    "a.b'c`d",
    "\u202eevil",
    "👩‍🔬 table",
    "%s{{x}}",
    "ÄÖ ß",
    "x" * 200,
]


def text(shop: Shop, url: str, person: object = None) -> str:
    answer = shop.as_(person or shop.cast.ana).get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()


def test_the_page_shows_what_the_engine_and_people_say(shop: Shop) -> None:
    describe(shop.cast.ana, AssetKind.RELATION, shop.table("orders").pk, "One row per order")
    describe(shop.cast.ana, AssetKind.COLUMN, shop.column("orders", "note").pk, "What the customer <b>wrote</b>")
    page = text(shop, shop.href("orders"))
    assert "One row per order" in page
    assert "What the customer &lt;b&gt;wrote&lt;/b&gt;" in page
    assert "→ customers" in page
    assert f'href="{shop.href("customers")}"' in page
    for mark in ("PK", "FK", "IX"):
        assert f">{mark}</span>" in page


def test_every_tab_of_every_kind_of_relation_opens(shop: Shop) -> None:
    for name in ("customers", "orders", "v_orders"):
        for tab in TABS:
            text(shop, shop.href(name, tab))
    assert "select id, total from orders" in text(shop, shop.href("v_orders", "definition"))
    assert "ix_orders_total" in text(shop, shop.href("orders", "indexes")).replace("<wbr>", "")
    assert "orders" in text(shop, shop.href("customers", "relations"))


def test_a_rename_keeps_the_address_the_description_and_says_what_it_was(shop: Shop) -> None:
    describe(shop.cast.ana, AssetKind.RELATION, shop.table("orders").pk, "One row per order")
    old = shop.href("orders")
    before = timezone.now()
    shop.change("alter table orders rename to sales")
    client = shop.as_(shop.cast.ana)
    for tab in TABS:
        suffix = f"{tab}/" if tab else ""
        answer = client.get(f"{old}{suffix}?q=1&x=%C3%A9")
        assert answer.status_code == 301
        assert answer.headers["Location"] == f"{shop.href('sales', tab)}?q=1&x=%C3%A9"
    page = text(shop, shop.href("sales"))
    assert "One row per order" in page
    assert "Before" in page
    past = text(shop, f"{shop.href('sales')}?as_of={before.isoformat().replace('+', '%2B')}")
    assert '<h1 class="mm-mono">orders</h1>' in past


def test_an_address_under_another_datastore_leads_to_its_own(shop: Shop, open_shop: Callable[..., Shop]) -> None:
    open_shop("other")
    answer = shop.as_(shop.cast.ana).get(shop.href("orders").replace("/shop/", "/other/"))
    assert (answer.status_code, answer.headers["Location"]) == (301, shop.href("orders"))


def test_an_address_without_a_label_leads_to_the_one_with_it(shop: Shop) -> None:
    bare = f"{shop.home}tables/{shop.table('orders').pk}/"
    answer = shop.as_(shop.cast.ana).get(f"{bare}?as_of=now")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{shop.href('orders')}?as_of=now")


def test_the_past_is_the_same_page_without_anything_to_edit(shop: Shop) -> None:
    describe(shop.cast.ana, AssetKind.RELATION, shop.table("orders").pk, "As it was said")
    before = timezone.now().isoformat().replace("+", "%2B")
    shop.change("alter table orders add column paid integer", "alter table orders rename column note to remark")
    describe(shop.cast.ana, AssetKind.RELATION, shop.table("orders").pk, "As it is said")
    now, then = text(shop, shop.href("orders")), text(shop, f"{shop.href('orders')}?as_of={before}")
    assert "mm-past" not in now
    assert "mm-edit" in now
    assert "<b>remark</b>" in now
    assert "mm-past" in then
    assert "2 changes since: 1 column added, 1 renamed" in then
    assert "mm-edit" not in then
    assert "<b>note</b>" in then
    assert "<b>paid</b>" not in then
    assert "As it was said" in then
    assert "As it is said" not in then
    for link in (f"{shop.home}?as_of=", f"{shop.href('orders', 'history')}?as_of=", f"{shop.href('customers')}?as_of="):
        assert link in then


def test_before_it_was_known_the_page_says_so(shop: Shop) -> None:
    page = text(shop, f"{shop.href('orders')}?as_of=2001-01-01T00:00:00%2B00:00")
    assert "was not there yet" in page


def test_a_moment_that_cannot_be_read_is_said_and_the_present_shown(shop: Shop) -> None:
    answer = shop.as_(shop.cast.ana).get(f"{shop.href('orders')}?as_of=soonish", follow=True)
    assert "is not a moment we understand" in answer.content.decode()
    assert answer.redirect_chain == [(shop.href("orders"), 302)]


def test_what_is_typed_becomes_an_exact_moment_that_can_be_shared(shop: Shop) -> None:
    client = shop.as_(shop.cast.ana)
    for typed in ("1 min ago", "yesterday 18:00", "2026-01-01"):
        answer = client.get(shop.href("orders"), {"as_of": typed, "q": "x"})
        assert answer.status_code == 302
        again = client.get(answer.headers["Location"])
        assert again.status_code == 200
        assert "q=x" in answer.headers["Location"]


def test_a_retired_table_was_last_seen_by_the_run_before(shop: Shop) -> None:
    gone = shop.change("drop view v_orders")
    relation = shop.table("v_orders")
    assert relation.retired_at is not None
    page = shop.as_(shop.cast.ana).get(shop.href("v_orders")).content.decode()
    assert f">run {gone.number - 1}</a>" in page
    assert f">run {gone.number}</a>" not in page


def test_a_retired_table_says_so_and_keeps_everything(shop: Shop) -> None:
    describe(shop.cast.ana, AssetKind.RELATION, shop.table("orders").pk, "Kept")
    shop.change("drop view v_orders", "drop table orders")
    assert shop.table("orders").retired_at is not None
    page = text(shop, shop.href("orders"))
    assert "It is not in the datastore any more" in page
    assert "Kept" in page
    assert "<b>customer_id</b>" in page
    before = page.split("See it before")[0].rsplit('href="', 1)[1].split('"')[0]
    assert "It is not in the datastore any more" not in text(shop, before)


def test_a_column_tells_how_it_came_to_be(shop: Shop) -> None:
    column = shop.column("orders", "note")
    shop.change("alter table orders rename column note to remark")
    url = f"{shop.href('orders')}columns/{column.pk}/"
    page = text(shop, url)
    assert "<del>note</del>" in page
    assert "First seen as <span" in page
    assert "note text" in page.lower()
    other = shop.column("customers", "name")
    assert shop.as_(shop.cast.ana).get(url.replace(str(column.pk), str(other.pk))).status_code == 404


def quoted(name: str, mark: str) -> str:
    return mark + name.replace(mark, mark * 2) + mark


def test_hostile_names_are_data(open_shop: Callable[..., Shop]) -> None:
    made = (
        f"""create table {quoted(name, '"')} ({quoted(name, '"')} text default {quoted(name, "'")})"""
        for name in HOSTILE
    )
    shop = open_shop("hostile", *made)
    assert set(Relation.objects.values_list("name", flat=True)) == set(HOSTILE)
    for name in HOSTILE:
        for tab in TABS:
            page = text(shop, shop.href(name, tab))
            assert "<script>alert" not in page
            assert escape(name)[:20].replace("&#x27;", "'") in page.replace("<wbr>", "").replace("&#x27;", "'")
        assert "<script>alert" not in text(shop, f"{shop.home}tree/?q={quote(name)}")
    for url in (shop.home, f"{shop.home}changes/", "/larkspur/changes/"):
        assert "<script>alert" not in text(shop, url)


def queries(shop: Shop, url: str) -> int:
    client = shop.as_(shop.cast.ana)
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_two_thousand_columns_cost_no_query_more_and_come_in_pages(shop: Shop) -> None:
    few = {tab: queries(shop, shop.href("orders", tab)) for tab in TABS}
    relation = shop.table("orders")
    columns = [
        Column(relation=relation, name=f"c{number}", position=number + 10, type="text", family="string", nullable=True)
        for number in range(2000)
    ]
    Column.objects.bulk_create(columns)
    assert {tab: queries(shop, shop.href("orders", tab)) for tab in TABS} == few
    assert max(few.values()) <= 40
    page = text(shop, shop.href("orders"))
    assert page.count("mm-colname") == 200
    assert "after=200" in page
    last = text(shop, f"{shop.href('orders')}?after=2000")
    assert last.count("mm-colname") == 4
    assert "c1999" in text(shop, f"{shop.href('orders')}?q=C1999")


def test_a_filter_is_answered_with_the_part_alone(shop: Shop) -> None:
    answer = shop.as_(shop.cast.ana).get(f"{shop.href('orders')}?q=total", headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "<html" not in page
    assert "<b>total</b>" in page
    assert "<b>note</b>" not in page
    assert "No column mentions" in text(shop, f"{shop.href('orders')}?q=zzz")


def test_only_who_may_see_it_sees_it_and_readers_cannot_edit(shop: Shop) -> None:
    for tab in TABS:
        url = shop.href("orders", tab)
        assert shop.as_(None).get(url).status_code == 302
        assert shop.as_(shop.cast.oskar).get(url).status_code == 404
        theirs = url.replace("/larkspur/", "/elsewhere/")
        assert shop.as_(shop.cast.oskar).get(theirs).status_code == 404
        assert "mm-edit" not in text(shop, url, shop.cast.kim)
        assert "mm-edit" in text(shop, url, shop.cast.rui)


def test_broken_numbers_and_ids_are_no_errors(shop: Shop) -> None:
    for query in ("after=x", "after=-1", "after=99999999999999999999", "show=nope", "q=%00", "as_of=%00"):
        assert shop.as_(shop.cast.ana).get(f"{shop.href('orders')}?{query}").status_code in {200, 302}
