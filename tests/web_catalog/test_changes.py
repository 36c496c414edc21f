"""The feed's pages: what changed, compared, filtered, shared, decided."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metamapper.catalog.models import Hold, Relation
from metamapper.history.models import Change
from tests.web_catalog.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def text(shop: Shop, url: str, person: object = None, **headers: str) -> str:
    answer = shop.as_(person or shop.cast.ana).get(url, headers=headers)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode().replace("<wbr>", "")


def feeds(shop: Shop, table: str) -> list[str]:
    return ["/larkspur/changes/", f"{shop.home}changes/", shop.href(table, "history")]


def test_every_feed_shows_what_changed_field_by_field(shop: Shop) -> None:
    shop.change("alter table orders add column paid integer not null default 0", "drop index ix_orders_total")
    for url in feeds(shop, "orders"):
        page = text(shop, url)
        assert "orders.<b>paid</b>" in page
        assert "<ins>0</ins>" in page
        assert "<b>ix_orders_total</b>" in page
        assert "Run 2" in page
    assert "shop.main.orders.<b>paid</b>" in text(shop, "/larkspur/changes/")


def test_a_difference_leaves_out_what_was_changed_back(shop: Shop) -> None:
    start = quote(timezone.now().isoformat())
    shop.change("alter table orders rename column note to remark")
    shop.change("alter table orders rename column remark to note", "alter table orders add column paid integer")
    every = text(shop, f"{shop.home}changes/?from={start}")
    assert every.count('data-kind="renamed"') == 2
    difference = text(shop, f"{shop.home}changes/?mode=difference&from={start}")
    assert 'data-kind="renamed"' not in difference
    assert "orders.<b>paid</b>" in difference
    assert 'Difference <span class="mm-count">1</span>' in every


def test_nothing_left_is_said(shop: Shop) -> None:
    page = text(shop, f"{shop.home}changes/?mode=difference&from={quote(timezone.now().isoformat())}")
    assert "Nothing is different between the two moments" in page


def test_filters_narrow_and_their_links_can_be_shared(shop: Shop) -> None:
    shop.change("alter table orders add column paid integer", "drop view v_orders")
    added = text(shop, f"{shop.home}changes/?kind=added&q=paid")
    assert "<b>paid</b>" in added
    assert "<b>v_orders</b>" not in added
    assert "?kind=added&amp;q=paid&amp;severity=breaking" in added.replace(
        "?q=paid&amp;kind=added", "?kind=added&amp;q=paid"
    )
    assert "No change matches" in text(shop, f"{shop.home}changes/?q=nothing-like-it")


def test_a_run_leads_to_its_own_changes(shop: Shop) -> None:
    run = shop.change("alter table orders add column paid integer")
    shop.change("alter table orders add column due integer")
    page = text(shop, f"{shop.home}runs/{run.number}/")
    assert "Everything in scope was seen. <a" in page
    url = page.split("Everything in scope was seen. <a")[1].split('href="')[1].split('"')[0]
    found = text(shop, url)
    assert "orders.<b>paid</b>" in found
    assert "orders.<b>due</b>" not in found
    assert "one run only" in found


def test_a_run_that_ends_renews_the_rail(shop: Shop) -> None:
    run = shop.change("create table invoices (id integer)")
    part = text(shop, f"{shop.home}runs/{run.number}/", **{"HX-Request": "true"})
    assert "<html" not in part
    assert 'hx-swap-oob="innerHTML:.mm-rail > .mm-pinned"' in part
    assert "Filter 4 tables" in part


BROKEN = [
    "run=x", "from=soonish", "kind=nope", "severity=%00", "schema=x", "after=x,y", "after=2026-01-01,x", "mode=x", "q=%00", "certainty=x",
    "mode=difference&after=-1",
]  # fmt: skip


def test_broken_questions_are_no_errors(shop: Shop) -> None:
    for query in BROKEN:
        for url in feeds(shop, "orders"):
            text(shop, f"{url}?{query}")
    assert "is not a moment we understand" in text(shop, f"{shop.home}changes/?from=soonish")


def test_a_filter_is_answered_with_the_feed_and_its_counts(shop: Shop) -> None:
    page = text(shop, f"{shop.home}changes/?severity=safe", **{"HX-Request": "true"})
    assert "<html" not in page
    assert page.count("hx-swap-oob") == 2


def test_much_alike_is_told_in_a_line_and_opened_on_request(shop: Shop) -> None:
    shop.change(*(f"alter table orders add column extra_{number} integer" for number in range(9)))
    page = text(shop, f"{shop.home}changes/")
    assert "9 columns added to" in page
    assert "extra_3" not in page
    url = page.split("9 columns added to")[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    for headers in ({}, {"HX-Request": "true"}):
        opened = text(shop, url, **headers)
        assert all(f"extra_{number}" in opened for number in range(9))
    assert "extra_3" in text(shop, shop.href("orders", "history"))


def test_a_run_with_thousands_of_changes_comes_in_pages(shop: Shop) -> None:
    run = Change.objects.first()
    assert run is not None
    rows = [
        Change(datastore=shop.datastore, run_id=run.run_id, at=run.at, order=1000 + number, kind="changed", asset="column",
               asset_id=run.pk, path=["main", "t", f"c{number}"], subject=f"main.t.c{number}", severity="risky")
        for number in range(400)
    ]  # fmt: skip
    Change.objects.bulk_create(rows)
    page = text(shop, f"{shop.home}changes/")
    seen = numbered(page)
    assert seen == 50
    while "hx-get" in page and "seen=" in page:
        url = [part.split('"')[0] for part in page.split('hx-get="')[1:] if "seen=" in part.split('"')[0]][-1]
        page = text(shop, url.replace("&amp;", "&"), **{"HX-Request": "true"})
        seen += numbered(page)
    assert seen == 400


def numbered(page: str) -> int:
    return len(re.findall(r"<b>c\d+</b>", page))


def test_feeds_cost_the_same_however_much_there_is(shop: Shop) -> None:
    def cost(url: str) -> int:
        client = shop.as_(shop.cast.ana)
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    before = {url: cost(url) for url in feeds(shop, "orders")}
    for number in range(12):
        shop.change(f"alter table orders add column c{number} integer", f"create table t{number} (id integer)")
    # Folds and a second page add their constant few.
    for url, was in before.items():
        assert cost(url) <= was + 2
        assert cost(url) <= 40


def test_only_who_may_see_changes_sees_them(shop: Shop) -> None:
    for url in feeds(shop, "orders"):
        assert shop.as_(None).get(url).status_code == 302
        assert shop.as_(shop.cast.oskar).get(url).status_code == 404
    assert "orders" not in text(shop, "/elsewhere/changes/", shop.cast.oskar)


def hold(shop: Shop) -> Hold:
    shop.change(*(f"create table bulk_{number} (id integer)" for number in range(12)))
    shop.change(*(f"drop table bulk_{number}" for number in range(12)))
    return Hold.objects.get(state="pending")


def test_what_is_held_back_is_shown_where_it_concerns_and_decided_there(shop: Shop) -> None:
    held = hold(shop)
    schema = f"{shop.home}schemas/{held.schema_id}/"
    for url in (shop.home, f"{shop.home}changes/", schema):
        page = text(shop, url)
        assert "12 of" in page
        assert "Retire 12 tables" in page
        assert "bulk_11" in page
        assert "Retire 12 tables</button>" not in text(shop, url, shop.cast.kim)
    assert "12 of" not in text(shop, f"{shop.home}?as_of={quote(timezone.now().isoformat())}")
    decide = f"{shop.home}holds/{held.pk}/decide/"
    assert shop.as_(shop.cast.kim).post(decide, {"decision": "retire"}).status_code == 403
    assert shop.as_(shop.cast.oskar).post(decide, {"decision": "retire"}).status_code == 404
    assert shop.as_(shop.cast.rui).post(decide, {"decision": "everything"}).status_code == 400
    assert Hold.objects.get().state == "pending"
    answer = shop.as_(shop.cast.rui).post(decide, {"decision": "retire"}, follow=True)
    assert "Retired 12 tables" in answer.content.decode()
    assert Relation.objects.filter(name__startswith="bulk_", retired_at=None).count() == 0
    again = shop.as_(shop.cast.rui).post(decide, {"decision": "keep"}, follow=True)
    assert "decided in the meantime" in again.content.decode()


def test_what_is_kept_can_still_be_retired(shop: Shop) -> None:
    held = hold(shop)
    decide = f"{shop.home}holds/{held.pk}/decide/"
    shop.as_(shop.cast.rui).post(decide, {"decision": "keep"})
    for url in (shop.home, f"{shop.home}changes/", f"{shop.home}schemas/{held.schema_id}/"):
        page = text(shop, url)
        assert "Rui Costa kept them <time" in page
        assert "No run retires them" in page
        assert "Keep, they will return" not in page
        assert "Retire 12 tables</button>" in page
        assert "Retire 12 tables</button>" not in text(shop, url, shop.cast.kim)
    shop.as_(shop.cast.rui).post(decide, {"decision": "retire"})
    assert "No run retires them" not in text(shop, f"{shop.home}changes/")


def test_an_inferred_match_is_accepted_or_undone(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop("inferred", "create table contacts (id integer primary key, a text, phone varchar(32), b text)")
    shop.change(
        "drop table contacts", "create table contacts (id integer primary key, a text, phone_e164 varchar(32), b text)"
    )
    change = Change.objects.get(certainty="inferred", asset="column")
    page = text(shop, f"{shop.home}changes/")
    assert "Inferred to be the same column" in page
    assert "Undo, they are two columns" in page
    assert "Undo, they are two columns" not in text(shop, f"{shop.home}changes/", shop.cast.kim)
    decide = f"{shop.home}changes/{change.pk}/decide/"
    assert shop.as_(shop.cast.oskar).post(decide, {"decision": "undo"}).status_code == 404
    answer = shop.as_(shop.cast.rui).post(decide, {"decision": "undo"}, follow=True)
    assert "they are two now" in answer.content.decode()
    change.refresh_from_db()
    assert change.decision == "undone"
    page = text(shop, f"{shop.home}changes/")
    assert "Undone" in page
    assert "A person said that these are two." in page
    assert page.count("Inferred to be the same column") == 1
