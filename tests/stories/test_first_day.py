"""The first day of a new user, in a real browser against the product as it is started: everything the README promises."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.stories.visitor import Visitor
from tests.support.browser import Troubles, chromium_page
from tests.support.databases import run_sql
from tests.support.eventually import eventually
from tests.support.product import Product, product

SCHEMA = (
    "CREATE SCHEMA billing",
    """CREATE TABLE billing.customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, born date)""",
    """CREATE TABLE billing.invoices (
        id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES billing.customers,
        amount numeric(12,2) DEFAULT 0, placed_at timestamptz)""",
    "CREATE INDEX invoices_by_day ON billing.invoices (placed_at)",
    "CREATE VIEW billing.recent AS SELECT id, amount FROM billing.invoices WHERE placed_at > now() - interval '7 days'",
    "COMMENT ON TABLE billing.invoices IS 'Straight from the checkout'",
    "COMMENT ON COLUMN billing.invoices.amount IS 'Gross'",
)
DESCRIPTION = "One row per invoice. Never deleted, only cancelled."
OF_THE_COLUMN = "What the customer owes, in euro."


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Product]:
    with product(tmp_path) as made:
        yield made


@pytest.fixture
def browser(chromium: str) -> Iterator[tuple[Page, Troubles]]:
    with chromium_page(chromium) as opened:
        yield opened


@pytest.mark.browser
@pytest.mark.live
@pytest.mark.timeout(600)
def test_the_first_day(site: Product, browser: tuple[Page, Troubles], postgresql_url: str) -> None:
    page, troubles = browser
    ana = Visitor(page, site)
    run_sql(postgresql_url, *SCHEMA)
    site.start()
    ana.founds_a_workspace()

    looks_at_the_example(ana)
    connects_and_browses(ana, postgresql_url)
    before = writes_and_renames(ana, postgresql_url)
    finds_it(ana)
    sees_it_as_it_was(ana, before)
    loses_the_table(ana, postgresql_url)
    stops_and_starts(ana)
    assert troubles.seen == []


def looks_at_the_example(ana: Visitor) -> None:
    """It is inspected already, and every kind of change is there to see."""
    ana.goes_to("/larkspur/changes/")
    for kind in ("added", "removed", "renamed", "changed", "restored"):
        ana.sees(re.compile(kind, re.IGNORECASE))


def connects_and_browses(ana: Visitor, url: str) -> None:
    """Inspected by a worker within seconds; schemas, tables, columns, keys, indexes, view definitions, comments."""
    ana.connects(url)
    eventually(lambda: has_been_seen(ana), within=20, every=0.5, what="the first inspection")
    ana.opens_the_table("invoices")
    for text in ("customer_id", "bigint", "numeric(12,2)", "customers", "Straight from the checkout", "Gross"):
        ana.sees(text)
    ana.follows("Indexes")
    ana.sees("invoices_by_day")
    ana.opens_the_table("recent")
    ana.follows("Definition")
    ana.sees("7 days")


def has_been_seen(ana: Visitor) -> bool:
    ana.goes_to("/larkspur/datastores/billing/")
    return ana.page.get_by_role("main").get_by_role("link", name="billing", exact=True).count() > 0


def writes_and_renames(ana: Visitor, url: str) -> datetime:
    """The description is still there under the new name; the moment before the rename is answered."""
    ana.opens_the_table("invoices")
    ana.describes(re.compile("^Describe$"), DESCRIPTION)
    ana.describes(re.compile("^Describe.* amount$"), OF_THE_COLUMN)
    old_address = ana.page.url
    before = datetime.now(UTC)
    run_sql(
        url,
        "ALTER TABLE billing.invoices RENAME TO bills",
        "ALTER TABLE billing.bills RENAME COLUMN amount TO amount_due",
    )
    ana.inspects_now()
    told = ana.reads_the_changes()
    assert re.search(r"renamed", told, re.IGNORECASE)
    assert "bills" in told
    assert "amount_due" in told
    ana.opens_the_table("bills")
    for text in (DESCRIPTION, OF_THE_COLUMN, "amount_due"):
        ana.sees(text)
    ana.page.goto(old_address)
    ana.waits_for("/bills/")
    ana.sees(DESCRIPTION)
    return before


def finds_it(ana: Visitor) -> None:
    """The box is everywhere, `/` focuses it, and results appear while one types."""
    ana.goes_to("/larkspur/")
    ana.page.keyboard.press("/")
    ana.page.keyboard.type("amount_du")
    found = ana.page.get_by_role("option", name=re.compile("amount_due"))
    found.or_(ana.page.get_by_role("link", name=re.compile("amount_due"))).first.click()
    ana.waits_for("/bills/")


def sees_it_as_it_was(ana: Visitor, moment: datetime) -> None:
    ana.opens_the_table("bills")
    ana.page.goto(f"{ana.page.url.partition('?')[0]}?as_of={moment:%Y-%m-%dT%H:%M:%SZ}")
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("invoices")
    ana.sees("amount")
    expect(ana.page.get_by_role("main")).not_to_contain_text("amount_due")
    expect(ana.page.get_by_role("link", name="Edit the description")).to_have_count(0)


def loses_the_table(ana: Visitor, url: str) -> None:
    """Retired, with its description, and still to be found."""
    ana.opens_the_table("bills")
    address = ana.page.url
    run_sql(url, "DROP TABLE billing.bills CASCADE")
    ana.inspects_now()
    ana.page.goto(address)
    ana.sees("Retired")
    ana.sees(DESCRIPTION)


def stops_and_starts(ana: Visitor) -> None:
    """Ctrl-C, and again: the same person is still signed in, and all is there."""
    address = ana.page.url
    assert ana.site.stop() == 0, ana.site.said()
    assert "Traceback" not in ana.site.said(), ana.site.said()
    ana.site.start()
    ana.page.goto(address)
    ana.sees(DESCRIPTION)
    ana.goes_to("/larkspur/changes/")
    ana.sees(re.compile("renamed", re.IGNORECASE))
    assert ana.site.stop() == 0
