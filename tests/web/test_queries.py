"""A page costs a constant number of queries, whatever there is to show; lists go on by cursor."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metamapper.runs.models import Run, State
from tests.cast import Cast
from tests.web import scenery as scenes
from tests.web.clients import as_user
from tests.web.scenery import Scenery

PAGES = ["/larkspur/", "/larkspur/datastores/", "/larkspur/runs/", "/larkspur/datastores/warehouse/runs/", "/larkspur/datastores/warehouse/runs/20/", "/larkspur/datastores/crm-legacy/runs/4/"]  # fmt: skip


def queries(get: Callable[[], Any]) -> int:
    get()  # what is cached once for all is cached now
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert get().status_code == 200
    return len(found)


def test_more_to_show_costs_no_more_queries(cast: Cast, scenery: Scenery) -> None:
    client = as_user(cast.ana)
    before = {page: queries(lambda page=page: client.get(page)) for page in PAGES}  # type: ignore[misc]
    now = timezone.now()
    for number in range(12):
        store = scenes.store(cast.larkspur, f"more {number}", now)
        for run in range(1, 6):
            scenes.run(store, run, State.PARTIAL, now - timedelta(hours=run), scopes=scenes.scopes())
        scenes.populate(store, now)
        scenes.changes(store, Run.objects.filter(datastore=store).latest("number"), now)
    after = {page: queries(lambda page=page: client.get(page)) for page in PAGES}  # type: ignore[misc]
    assert after == before
    assert max(after.values()) < 25


def walk(cast: Cast, address: str, row: str) -> list[str]:
    """Every row of a list, page after page."""
    client, found = as_user(cast.ana), list[str]()
    while address:
        text = client.get(address).content.decode()
        found += re.findall(row, text)
        more = re.search(r'<p class="mm-after" id="more"><a href="([^"]+)"', text)
        address = address.partition("?")[0] + more[1].replace("&amp;", "&") if more else ""
    return found


def test_paging_shows_every_run_once_in_order(cast: Cast, scenery: Scenery) -> None:
    now = timezone.now()
    for number in range(21, 150):
        scenes.run(scenery.warehouse, number, State.SUCCEEDED, now)  # all at one moment: ties are broken by identity
    found = walk(cast, "/larkspur/datastores/warehouse/runs/", r"<td><a href=\"[^\"]+/runs/(\d+)/\">")
    assert sorted(map(int, found)) == list(range(1, 150))
    assert walk(cast, "/larkspur/datastores/warehouse/runs/?state=partial", r"<td><a href=\"[^\"]+/runs/(\d+)/\">") == [
        "20"
    ]


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyJhIl0=", "WyJhIiwiYiJd", "\x00", "%00", "'" * 300])
def test_a_strange_cursor_starts_anew(cast: Cast, scenery: Scenery, cursor: str) -> None:
    response = as_user(cast.ana).get("/larkspur/runs/", {"after": cursor, "state": "nonsense"})
    assert response.status_code == 200
    assert "/runs/20/" in response.content.decode()
