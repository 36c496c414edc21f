"""What only a real browser shows: no sideways scrolling, no refused script or style, keys, and forms that keep what was typed."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from metamapper.datastores.models import SshKey
from metamapper.runs.models import Run, State
from metamapper.search.services import reindex
from metamapper.workspaces.models import Workspace
from tests.cast import PASSWORD, Cast
from tests.support.databases import run_sql
from tests.support.sshd import started as started_sshd
from tests.web.clients import as_user
from tests.web.scenery import Scenery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDTHS = (1440, 1100, 800, 390, 360)
PAGES = (
    "/larkspur/",
    "/larkspur/datastores/",
    "/larkspur/datastores/connect/",
    "/larkspur/datastores/connect/?engine=sqlite",
    "/larkspur/datastores/connect/?engine=snowflake",
    "/larkspur/runs/",
    "/larkspur/search/",
    "/larkspur/search/?q=pay+zzz&after=none",
    "/larkspur/search/?q=type:table",
    "/larkspur/datastores/warehouse/settings/",
    "/larkspur/datastores/warehouse/delete/",
    "/larkspur/ssh-keys/",
    "/larkspur/datastores/warehouse/runs/20/",
    "/larkspur/datastores/crm-legacy/runs/4/",
    "/larkspur/datastores/ledger/runs/1/",
    "/system/",
    "/account/password/",
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """While it is open its loop runs in this thread, where Django would otherwise refuse every query."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained about: refused scripts and styles, errors, missing files."""
    return []


@pytest.fixture
def page(browser: Browser, live_server: Any, cast: Cast, complaints: list[str]) -> Iterator[Page]:
    """A window in which Ana is signed in."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    sign_in(context, cast, live_server.url)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()


def sign_in(context: BrowserContext, cast: Cast, url: str) -> None:
    session = as_user(cast.ana).cookies["session"].value
    context.add_cookies([{"name": "session", "value": session, "url": url}])


WIDE = """[...document.querySelectorAll('*')]
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth)
    .map(e => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 40)}`)"""
"""What reaches over the right edge."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_scrolls_sideways_and_nothing_is_refused(
    page: Page, scenery: Scenery, complaints: list[str], theme: Any
) -> None:
    reindex(scenery.warehouse)
    page.emulate_media(color_scheme=theme)
    for address in PAGES:
        page.goto(address)
        # As it is just after midnight, when everything recent bears the longest word for a time.
        page.evaluate("document.querySelectorAll('.mm-change time').forEach(e => e.textContent = 'Yesterday 23:57')")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            wide = page.evaluate(WIDE)
            assert over <= 0, f"{address} at {width} px is {over} px too wide: {wide}"
    assert complaints == []


@pytest.mark.parametrize("width", [1440, 1280, 1100, 1025])
def test_the_box_covers_no_place_in_the_bar(page: Page, cast: Cast, width: int) -> None:
    """Not even where the workspace has the longest name there is."""
    for name in ("Larkspur", "W" * 60):
        Workspace.objects.update(name=name)
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/larkspur/")
        last, box = page.locator(".mm-nav a").last.bounding_box(), page.locator(".mm-box").bounding_box()
        assert last
        assert box
        assert last["x"] + last["width"] <= box["x"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bar_is_one_line_also_outside_a_workspace(page: Page, scenery: Scenery, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/system/")
    assert page.evaluate("document.querySelector('.mm-top').scrollHeight") <= 50
    tops = page.evaluate(
        "['.mm-brand', '.mm-top-end'].map((each) => document.querySelector(each).getBoundingClientRect().top)"
    )
    assert all(0 <= top < 30 for top in tops)


def test_the_theme_is_chosen_once_for_all_pages(page: Page, scenery: Scenery) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/larkspur/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_response("**/theme/"):
        page.get_by_label("Light or dark").first.click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/larkspur/runs/")
    assert page.evaluate(ground) == dark
    page.get_by_label("Ana Duarte, your account").click()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="As the system").click()
    assert page.evaluate(ground) == light


def test_a_slash_goes_to_the_box_and_the_skip_link_to_the_content(page: Page, scenery: Scenery) -> None:
    page.goto("/larkspur/")
    page.keyboard.press("Tab")
    expect(page.locator(".mm-skip")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.locator("[data-search]")).to_have_value("a/b")


def test_the_menu_of_a_narrow_screen(page: Page, scenery: Scenery) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/larkspur/")
    expect(page.get_by_role("link", name="Datastores").first).to_be_hidden()
    page.get_by_label("Menu").click()
    page.get_by_role("link", name="Datastores").first.click()
    expect(page).to_have_url(re.compile("/larkspur/datastores/$"))


def test_a_failed_test_keeps_the_password_and_a_good_one_opens_the_way(
    page: Page, postgresql_url: str, complaints: list[str]
) -> None:
    parts = urlsplit(postgresql_url)
    run_sql(postgresql_url, "CREATE TABLE orders (id int)")
    page.goto("/larkspur/datastores/connect/?engine=postgresql")
    fill = {"Name here": "warehouse", "Host": str(parts.hostname), "Port": str(parts.port), "Database": "no_such_database", "User": str(parts.username), "Password": "typed-once"}  # fmt: skip
    for label, value in fill.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Test", exact=True).click()
    failed = page.locator('.mm-step[data-step="failed"]')
    expect(failed).to_contain_text("Database")
    expect(page.get_by_label("Database", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Password", exact=True)).to_have_value("typed-once")
    expect(page.get_by_role("button", name="Save and inspect")).to_be_disabled()
    page.get_by_label("Database", exact=True).fill(parts.path.removeprefix("/"))
    page.get_by_role("button", name="Test again").click()
    expect(page.get_by_role("button", name="Save and inspect")).to_be_enabled()
    expect(failed).to_have_count(0)
    preview = page.locator("#preview")
    expect(preview).to_contain_text("public")
    preview.locator("summary").filter(has_text="public").click()
    expect(preview.get_by_text("orders")).to_be_visible()
    page.get_by_label("Schemas").fill("-public")
    expect(preview).to_contain_text("hidden")
    # What was unfolded stays so: the effect of a pattern is seen while it is typed.
    expect(preview.get_by_text("orders")).to_be_visible()
    expect(preview).to_contain_text("Left out by the patterns")
    page.get_by_role("button", name="Save and inspect").click()
    expect(page.get_by_role("heading", name="Run 1")).to_be_visible()
    assert complaints == []


def test_only_fields_that_fit_the_choice_are_shown_and_what_was_typed_stays(
    page: Page, cast: Cast, complaints: list[str]
) -> None:
    page.goto("/larkspur/datastores/connect/?engine=snowflake")
    page.get_by_label("Private key", exact=True).fill("half a key")
    for label, value in {"Name here": "sf", "Account": "acme", "User": "u"}.items():
        page.get_by_label(label, exact=True).fill(value)
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    page.get_by_label("Sign-in", exact=True).select_option("password")
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(page.get_by_label("Private key", exact=True)).to_be_hidden()
    expect(page.get_by_label("Passphrase", exact=True)).to_be_hidden()
    with page.expect_request("**/test/") as sent:
        page.get_by_role("button", name="Test", exact=True).click()
    assert "private_key" not in (sent.value.post_data or "")
    expect(page.locator("#e-set_password")).to_contain_text("It is needed")
    page.get_by_label("Sign-in", exact=True).select_option("key_pair")
    expect(page.get_by_label("Private key", exact=True)).to_have_value("half a key")
    expect(page.get_by_label("Account", exact=True)).to_have_value("acme")
    assert complaints == []


def test_a_change_after_the_test_needs_another(page: Page, postgresql_url: str) -> None:
    parts = urlsplit(postgresql_url)
    page.goto("/larkspur/datastores/connect/?engine=postgresql")
    fill = {
        "Name here": "w",
        "Host": str(parts.hostname),
        "Port": str(parts.port),
        "Database": parts.path[1:],
        "User": str(parts.username),
    }
    for label, value in fill.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Test", exact=True).click()
    page.get_by_label("Database", exact=True).fill("another")
    page.get_by_role("button", name="Save and inspect").click()
    expect(page.locator("#problems")).to_contain_text("Test the connection first")


@pytest.mark.live
def test_an_ssh_host_is_added_its_key_accepted_and_gone_through(
    page: Page, openssh: str, postgresql_url: str, complaints: list[str]
) -> None:
    parts = urlsplit(postgresql_url)
    page.goto("/larkspur/datastores/connect/?engine=postgresql")
    fill = {"Name here": "w", "Host": str(parts.hostname), "Port": str(parts.port), "Database": parts.path[1:], "User": str(parts.username)}  # fmt: skip
    for label, value in fill.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_text("Reach it through SSH").click()
    page.get_by_role("button", name="Add an SSH host").click()
    expect(page.get_by_label("SSH port")).to_be_visible()
    with started_sshd(SshKey.objects.get().public, permit=[parts.port or 0]) as host:
        page.get_by_placeholder("bastion.example.com").fill("127.0.0.1")
        page.get_by_label("SSH port").fill(str(host.port))
        page.get_by_label("SSH user").fill(host.user)
        page.get_by_label("SSH user").press("Enter")  # tests; it removes no host
        expect(page.locator('.mm-step[data-step="failed"]')).to_contain_text("SHA256:")
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate(WIDE) == []
        page.get_by_role("button", name="This is its key").click()
        expect(page.get_by_role("button", name="Forget")).to_be_visible()
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_role("button", name="Save and inspect")).to_be_enabled()
        page.get_by_role("button", name="Save and inspect").click()
        expect(page.get_by_role("heading", name="Run 1")).to_be_visible()
    page.goto("/larkspur/ssh-keys/")
    assert page.evaluate(WIDE) == []
    assert complaints == []


def test_another_engine_brings_its_own_form(page: Page) -> None:
    page.goto("/larkspur/datastores/connect/")
    page.get_by_text("SQLite", exact=True).click()
    expect(page.get_by_role("heading", name="SQLite")).to_be_visible()
    expect(page.get_by_label("Host", exact=True)).to_have_count(0)


def test_a_run_is_followed_to_its_end_without_a_reload(page: Page, scenery: Scenery, complaints: list[str]) -> None:
    page.goto("/larkspur/datastores/ledger/runs/1/")
    expect(page.get_by_role("status")).to_contain_text("Running for")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "84")
    Run.objects.filter(pk=scenery.running.pk).update(progress={"phase": "compare"})
    expect(page.locator('[aria-current="step"]')).to_contain_text("Compare")
    started = scenery.running.started_at
    Run.objects.filter(pk=scenery.running.pk).update(state=State.SUCCEEDED, lease_owner=None, lease_expires_at=None, finished_at=started, counts={"changes": 3})  # fmt: skip
    expect(page.get_by_role("status")).to_contain_text("Success")
    expect(page.get_by_role("button", name="Inspect now")).to_be_visible()
    assert page.locator("[hx-trigger='every 2s']").count() == 0
    assert complaints == []


def test_forgetting_waits_for_the_name(page: Page, scenery: Scenery) -> None:
    page.goto("/larkspur/datastores/shop/delete/")
    button = page.get_by_role("button", name="Forget shop")
    page.get_by_label("Type its name").fill("sho")
    expect(button).to_be_disabled()
    page.get_by_label("Type its name").fill("shop")
    button.click()
    expect(page.get_by_role("status")).to_contain_text("shop is forgotten")


def test_the_first_visit_by_hand(browser: Browser, live_server: Any, settings: Any, tmp_path: Any) -> None:
    settings.METAMAPPER_HOME = tmp_path
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Name").fill("Ana Duarte")
    page.get_by_label("E-mail").fill("ana@larkspur.example")
    page.get_by_label("Password").fill("abc")
    expect(page.locator("#strength-word")).to_have_text("Too short")
    page.get_by_label("Password").fill(PASSWORD)
    expect(page.locator("#strength-word")).to_have_text("Strong")
    page.get_by_role("button", name="Create the account").click()
    page.get_by_label("Name").fill("Lärkspur & Söhne")
    expect(page.get_by_label("Address")).to_have_value("larkspur-sohne")
    page.get_by_role("button", name="Create the workspace").click()
    page.get_by_role("link", name="Look at the built-in example").click()
    expect(page.get_by_role("heading", name="Datastores")).to_be_visible()
    context.close()


def test_searching_takes_no_pointer(page: Page, scenery: Scenery, complaints: list[str]) -> None:
    """The box by a slash, results while typing, arrows to choose; the palette by Ctrl-K."""
    reindex(scenery.warehouse)
    page.goto("/larkspur/search/")
    page.keyboard.press("/")
    page.keyboard.type("schema:billing type:table")
    expect(page.locator(".mm-result")).to_have_count(4)
    expect(page).to_have_url(re.compile(r"q=schema.+billing.+type.+table$"))
    first = page.locator(".mm-result[aria-current]").inner_text()
    page.keyboard.press("ArrowDown")
    assert page.locator(".mm-result[aria-current]").inner_text() != first
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("invoi")
    expect(page.locator('[role="option"][aria-selected="true"]')).to_contain_text("billing.invoices")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=invoi$"))
    expect(page.locator(".mm-result mark").first).to_have_text("invoi")
    assert complaints == []


def test_a_facet_is_spelled_out_in_the_box(page: Page, scenery: Scenery) -> None:
    reindex(scenery.warehouse)
    page.goto("/larkspur/search/?q=type:table")
    page.locator(".mm-facet label", has_text="billing").click()
    expect(page.locator(".mm-tag", has_text="schema: billing")).to_be_visible()
    expect(page.locator("[data-search]")).to_have_value("type:table schema:billing")
