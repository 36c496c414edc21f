"""A cursor is an address, so anybody may write one: what no metastore can compare with begins anew."""

import base64
import json
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.cast import Cast
from tests.web.clients import as_user
from tests.web.scenery import Scenery

pytestmark = pytest.mark.django_db

ID = str(uuid4())
MOMENTS = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-21T09:00:00", "yesterday"]


def packed(*values: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def lists() -> list[str]:
    home = "/larkspur/datastores/warehouse/"
    return [
        *(f"/larkspur/runs/?after={packed(moment, ID)}" for moment in MOMENTS),
        *(f"/larkspur/changes/?after={quote(f'{moment},{ID}')}" for moment in MOMENTS),
        f"/larkspur/datastores/?after={packed(chr(0))}",
        f"{home}changes/runs/{ID}/?fold={quote(f'added{chr(0)},table{chr(0)},{ID}')}",
        f"{home}tree/?open={ID}&after={quote(f'{ID},a{chr(0)}')}",
    ]


@pytest.mark.parametrize("number", range(len(lists())))
def test_a_cursor_of_nobodys_making_breaks_no_list(cast: Cast, scenery: Scenery, number: int) -> None:
    address = lists()[number]
    assert as_user(cast.ana).get(address).status_code == 200, address
