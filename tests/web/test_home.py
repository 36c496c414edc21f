"""Home tells how much waits, also where it shows a handful."""

import pytest

from metamapper.history.models import Change
from tests.cast import Cast
from tests.web.clients import as_user
from tests.web.scenery import Scenery

pytestmark = pytest.mark.django_db


def test_everything_that_waits_is_counted(cast: Cast, scenery: Scenery) -> None:
    change = Change.objects.get(datastore=scenery.warehouse, certainty="inferred")
    before = Change.objects.filter(certainty="inferred", decision="").count()
    for number in range(9):
        change.pk, change.order = None, 100 + number
        change._state.adding = True
        change.id = Change._meta.pk.get_default()
        change.save()
    page = as_user(cast.ana).get("/larkspur/").content.decode()
    waiting = page.split("Waiting for a decision")[1]
    number = int(waiting.split('mm-count">')[1].split("<")[0])
    shown = waiting.split("</ul>")[0].count("mm-ask")
    assert number >= before + 9
    assert f"And {number - shown} others" in waiting
