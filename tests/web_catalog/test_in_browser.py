"""What only a real browser shows: editing in place, filters while typing, the tree, the past, no error in the console."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from metamapper.annotations.selectors import description
from metamapper.annotations.services import describe
from metamapper.schema import AssetKind
from tests.web_catalog.conftest import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDTHS = (1440, 1024, 800, 390, 360)


@pytest.fixture
def page(chromium: str, live_server: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Rui's browser; whatever the console calls an error fails the test."""
    # Playwright runs a loop in this thread, which Django takes for asynchronous code.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        context = browser.new_context(base_url=live_server.url)
        session = shop.as_(shop.cast.rui).cookies["session"].value
        context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
        shown = context.new_page()
        errors: list[str] = []
        shown.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        shown.on("pageerror", lambda error: errors.append(str(error)))
        yield shown
        browser.close()
        assert errors == []


def settle(page: Page) -> None:
    """Wait until what was swapped in is bound: a key pressed before that follows the link as without scripts."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def test_a_description_is_written_left_and_kept(page: Page, shop: Shop) -> None:
    page.goto(shop.href("orders"))
    settle(page)
    page.get_by_role("link", name="Describe of note").click()
    field = page.locator("input[name=text]")
    expect(field).to_be_focused()
    field.fill("What the customer wrote")
    expect(page.locator(".mm-describing .mm-count")).to_have_text("23 / 140")
    field.press("Enter")
    edit = page.get_by_role("link", name="Edit the description of note")
    expect(edit).to_be_focused()
    settle(page)
    edit.press("Enter")
    expect(field).to_be_focused()
    settle(page)
    field.fill("Something else")
    field.press("Escape")
    expect(field).to_have_count(0)
    expect(page.locator("#columns")).to_contain_text("What the customer wrote")
    assert description(shop.cast.ana, shop.column("orders", "note").pk) == "What the customer wrote"


def test_columns_are_filtered_while_typing_and_unfold(page: Page, shop: Shop) -> None:
    page.goto(shop.href("orders"))
    names = page.locator("#columns .mm-colname")
    page.fill("#colfilter", "total")
    expect(names).to_have_count(1)
    expect(page.locator("#colfilter")).to_be_focused()
    page.get_by_role("link", name="Keys").click()
    expect(names).to_have_count(2)
    page.get_by_role("button", name="Details of customer_id").click()
    expect(page.locator(".mm-timeline")).to_contain_text("First seen as")


def test_the_tree_filters_and_opens(page: Page, shop: Shop) -> None:
    page.goto(shop.href("orders"))
    page.fill("#tree-filter", "cust")
    expect(page.locator("#tree li")).to_have_count(1)
    page.fill("#tree-filter", "")
    expect(page.locator("#tree li")).to_have_count(3)
    page.goto(shop.home)
    page.get_by_role("button", name="Tables of main").click()
    page.locator("#tree").get_by_role("link", name="orders", exact=True).click()
    expect(page.locator("h1")).to_have_text("orders")


def test_the_past_and_back(page: Page, shop: Shop) -> None:
    page.goto(shop.href("orders"))
    page.get_by_role("button", name="Now").click()
    page.get_by_label("As of", exact=True).fill("1 min ago")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("was not there yet")
    page.get_by_role("link", name="See it as it was first seen").click()
    expect(page.locator(".mm-past")).to_contain_text("Nothing has changed since")
    expect(page.locator(".mm-edit")).to_have_count(0)
    page.get_by_role("link", name="Back to now").click()
    expect(page.locator(".mm-past")).to_have_count(0)
    expect(page.locator(".mm-edit").first).to_be_attached()


def test_the_feed_follows_its_filters_and_its_address(page: Page, shop: Shop) -> None:
    shop.change("alter table orders add column paid integer", "alter table orders rename column note to remark")
    page.goto(f"{shop.home}changes/")
    page.select_option("select[name=kind]", "renamed")
    expect(page.locator("#feed .mm-change")).to_have_count(1)
    expect(page.locator("#severities")).to_contain_text("All 1")
    assert page.url.endswith("/changes/?kind=renamed")
    page.reload()
    expect(page.locator("#feed .mm-change")).to_have_count(1)


def test_nothing_scrolls_sideways(page: Page, shop: Shop) -> None:
    shop.change(
        "alter table orders rename column note to " + "a_very_long_name_" * 6, f"create table {'x' * 120} (id int)"
    )
    describe(shop.cast.ana, AssetKind.RELATION, shop.table("orders").pk, "w" * 140)
    describe(shop.cast.ana, AssetKind.COLUMN, shop.column("orders", "total").pk, "w" * 140)
    urls = [
        shop.home,
        f"{shop.home}changes/",
        "/larkspur/changes/",
        shop.href("orders"),
        shop.href("orders", "relations"),
        shop.href("x" * 120),
    ]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for url in urls:
            page.goto(url)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (url, width)
            assert page.evaluate("(main => main.scrollWidth - main.clientWidth)(document.querySelector('main'))") <= 0


def test_names_that_differ_by_their_spaces_look_different(page: Page, shop: Shop) -> None:
    shop.change('create table "a b" (id integer)', 'create table "a  b" (id integer)')
    page.goto(f"{shop.home}schemas/{shop.table('orders').schema_id}/")
    for place in ("main td .mm-name", "#tree .mm-mono"):
        shown = page.locator(place).all_inner_texts()
        assert {"a b", "a  b"} <= set(shown), place
