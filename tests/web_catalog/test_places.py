"""A datastore's overview, a schema's page, the rail's tree, descriptions edited in place."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metamapper.annotations.models import Description
from metamapper.annotations.selectors import description
from metamapper.catalog.models import Relation, Schema
from metamapper.web.catalog import schema as schema_page
from metamapper.web.catalog import tree
from tests.web_catalog.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}


def text(shop: Shop, url: str, person: object = None, **headers: str) -> str:
    answer = shop.as_(person or shop.cast.ana).get(url, headers=headers)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode().replace("<wbr>", "")


def main_schema(shop: Shop) -> Schema:
    return Schema.objects.get(datastore=shop.datastore, name="main")


def crowd(shop: Shop, count: int) -> None:
    like = shop.table("customers")
    Relation.objects.bulk_create(
        Relation(
            datastore=shop.datastore, schema_id=like.schema_id, name=f"t{number:04}", kind="table", fingerprint=b"", shape=b"",
            first_seen_at=like.first_seen_at, since=like.since,
        )
        for number in range(count)
    )  # fmt: skip


def test_the_overview_says_what_is_there_and_what_changed(shop: Shop) -> None:
    then = quote(timezone.now().isoformat())
    shop.change("drop table orders", "drop view v_orders", "create table a (id integer)")
    now = text(shop, shop.home)
    assert ">main</b>" in now
    assert "orders</b>" in now
    past = text(shop, f"{shop.home}?as_of={then}")
    assert "<b>3</b> tables" in past
    assert "<b>2</b> tables" in now
    assert "changes since: 1 table added, 2 removed" in past


def test_a_datastore_that_nobody_has_seen_says_what_comes(shop: Shop, open_shop: object) -> None:
    empty = open_shop("empty")  # type: ignore[operator]
    assert "Nothing is known of it yet" in text(empty, empty.home)


def test_a_schema_lists_its_tables_and_the_retired_on_request(shop: Shop) -> None:
    url = f"{shop.home}schemas/{main_schema(shop).pk}/"
    shop.change("drop view v_orders")
    assert "<b>v_orders</b>" not in text(shop, url)
    assert "<b>v_orders</b>" in text(shop, f"{url}?retired=1")
    assert "No table has" in text(shop, f"{url}?q=zzz")
    assert "<html" not in text(shop, f"{url}?q=ord", **HTMX)


def test_a_schema_with_thousands_of_tables_comes_in_pages_at_one_cost(shop: Shop) -> None:
    url = f"{shop.home}schemas/{main_schema(shop).pk}/"
    client = shop.as_(shop.cast.ana)

    def cost() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    few = cost()
    crowd(shop, 1000)
    assert cost() == few
    seen, page = 0, text(shop, url)
    while True:
        rows = page.split('id="tables"')[1]
        seen += rows.count('<td class="mm-namecol"')
        assert rows.count('<td class="mm-namecol"') <= schema_page.PAGE
        if 'id="more"' not in rows:
            break
        page = text(shop, rows.split('id="more"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&"))
    assert seen == 1003


def test_the_tree_opens_one_schema_keeps_the_current_table_in_sight_and_goes_on(shop: Shop) -> None:
    crowd(shop, 120)
    page = text(shop, shop.href("v_orders"))
    rail = page.split('id="tree"')[1].split("</nav>")[0]
    assert rail.count("<li>") == tree.SHOWN + 2
    assert 'aria-current="page"' in rail
    assert "72 more" in rail
    url = rail.rsplit('hx-get="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = text(shop, url, **HTMX)
    assert second.count("<li>") == tree.SHOWN + 1
    assert "23 more" in second


def test_the_tree_is_filtered_by_the_server_now_and_then(shop: Shop) -> None:
    then = quote(timezone.now().isoformat())
    shop.change("drop view v_orders")
    crowd(shop, 300)
    found = text(shop, f"{shop.home}tree/?q=ORDERS", **HTMX)
    assert 'title="orders"' in found
    assert 'title="v_orders"' not in found
    assert 'title="v_orders"' in text(shop, f"{shop.home}tree/?q=orders&as_of={then}", **HTMX)
    assert "No table has" in text(shop, f"{shop.home}tree/?q=zzz")
    assert 'title="customers"' in text(shop, f"{shop.home}tree/?open={main_schema(shop).pk}")
    here = shop.table("orders").pk
    cleared = text(shop, f"{shop.home}tree/?q=&schema={main_schema(shop).pk}&current={here}", **HTMX)
    assert cleared.count('aria-current="page"') == 1
    for query in ("open=x", "open=&after=x", "q=%00", f"open={main_schema(shop).pk}&after=x,y&seen=-3"):
        text(shop, f"{shop.home}tree/?{query}")


def describe_url(shop: Shop, kind: str = "relation") -> str:
    asset = shop.table("orders").pk if kind == "relation" else shop.column("orders", "note").pk
    return f"{shop.home}describe/{kind}/{asset}/"


def test_a_description_is_edited_in_place(shop: Shop) -> None:
    url = describe_url(shop)
    client = shop.as_(shop.cast.rui)
    form = client.get(url, headers=HTMX).content.decode()
    assert 'name="text"' in form
    assert "0 / 140" in form
    saved = client.post(url, {"text": "One <b>row</b> per order"}, headers=HTMX).content.decode()
    assert "One &lt;b&gt;row&lt;/b&gt; per order" in saved
    assert 'role="status"' in saved
    assert 'name="text"' not in saved
    assert 'name="text"' not in client.get(f"{url}?shown", headers=HTMX).content.decode()
    assert description(shop.cast.ana, shop.table("orders").pk) == "One <b>row</b> per order"


def test_it_works_without_scripts_too_and_goes_back(shop: Shop) -> None:
    url, client = describe_url(shop), shop.as_(shop.cast.rui)
    assert "<html" in client.get(url).content.decode()
    answer = client.post(url, {"text": "Said", "back": shop.href("orders")})
    assert (answer.status_code, answer.headers["Location"]) == (302, shop.href("orders"))
    answer = client.post(url, {"text": "Said again", "back": "https://evil.example/"})
    assert answer.headers["Location"] == shop.home


def test_too_long_is_refused_with_what_was_typed(shop: Shop) -> None:
    url, client = describe_url(shop), shop.as_(shop.cast.rui)
    for headers, status in ((HTMX, 200), ({}, 422)):
        answer = client.post(url, {"text": "x" * 141}, headers=headers)
        assert answer.status_code == status
        assert "x" * 141 in answer.content.decode()
        assert "this one has 141" in answer.content.decode()
    assert not Description.objects.exists()


def test_who_may_describe(shop: Shop, open_shop: object) -> None:
    url = describe_url(shop, "column")
    assert shop.as_(shop.cast.kim).post(url, {"text": "x"}).status_code == 403
    assert shop.as_(shop.cast.oskar).post(url, {"text": "x"}).status_code == 404
    assert shop.as_(None).post(url, {"text": "x"}).status_code == 302
    rui = shop.as_(shop.cast.rui)
    assert rui.post(url.replace("/column/", "/index/"), {"text": "x"}).status_code == 404
    assert rui.post(url.replace("/column/", "/nonsense/"), {"text": "x"}).status_code == 404
    other = open_shop("other")  # type: ignore[operator]
    assert rui.post(url.replace("/shop/", f"/{other.datastore.slug}/"), {"text": "x"}).status_code == 404
    assert not Description.objects.exists()
    assert rui.post(url, {"text": "x"}).status_code == 302
