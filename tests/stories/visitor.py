"""A person at the pages of the running product, in their words."""

import re

from playwright.sync_api import Page, expect

from tests.support.product import Product

PASSWORD = "correct-horse-battery-staple"


class Visitor:
    """What a person does on the pages, in their words."""

    def __init__(self, page: Page, site: Product) -> None:
        self.page, self.site = page, site

    def goes_to(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def sees(self, text: str | re.Pattern[str], *, within: float = 15) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(text, timeout=within * 1000)

    def fills(self, **fields: str) -> None:
        for label, value in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def follows(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def waits_for(self, path: str) -> None:
        self.page.wait_for_url(re.compile(path))

    def founds_a_workspace(self) -> None:
        """The first visit: account, workspace, and the choice of what to look at."""
        self.goes_to("/")
        self.fills(Name="Ana Duarte", **{"E-mail": "ana@larkspur.example"}, Password=PASSWORD)
        self.presses("Create the account")
        self.waits_for("/welcome/workspace/")
        self.fills(Name="Larkspur")
        self.presses("Create the workspace")
        self.waits_for("/welcome/datastore/")

    def connects(self, url: str) -> None:
        """A real PostgreSQL, tested step by step before it is saved."""
        host, port, database, user = parts_of(url)
        self.goes_to("/larkspur/datastores/connect/?engine=postgresql")
        self.fills(Name_here="Billing", Host=host, Port=port, Database=database, User=user)
        self.presses("Test")
        expect(self.page.get_by_role("button", name="Save and inspect")).to_be_enabled()
        self.sees("billing")
        self.presses("Save and inspect")
        self.waits_for(r"/larkspur/datastores/billing/")

    def opens_the_table(self, name: str) -> None:
        self.goes_to("/larkspur/datastores/billing/")
        self.page.get_by_role("main").get_by_role("link", name="billing", exact=True).first.click()
        self.page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(name)

    def describes(self, what: re.Pattern[str], text: str) -> None:
        """In place: the text becomes an input of the same size, Enter saves."""
        self.page.get_by_role("link", name=what).first.click()
        field = self.page.get_by_role("textbox", name="Description")
        field.fill(text)
        field.press("Enter")
        self.sees(text)

    def inspects_now(self) -> None:
        """Press the button and wait until that run's page says how it went."""
        self.goes_to("/larkspur/datastores/billing/")
        self.presses("Inspect now")
        self.waits_for(r"/runs/\d+/")
        self.sees("Success after", within=30)

    def reads_the_changes(self) -> str:
        self.goes_to("/larkspur/datastores/billing/changes/")
        return self.page.get_by_role("main").inner_text()


def parts_of(url: str) -> tuple[str, str, str, str]:
    found = re.fullmatch(r"postgresql://([^@:]+)@([^:/]+):(\d+)/(\w+)", url)
    assert found, url
    user, host, port, database = found.groups()
    return host, port, database, user
