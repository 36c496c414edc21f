"""The connection test from a failed run's page: with what is stored now, by whoever may change things."""

from typing import Any
from unittest.mock import Mock

import pytest

from metamapper.connectors.base import Step, StepState
from metamapper.connectors.errors import PermissionMissing
from metamapper.datastores.models import Datastore
from tests.cast import Cast
from tests.support.databases import with_database
from tests.web.clients import as_user
from tests.web.scenery import PASSWORD, Scenery

HTMX = {"HX-Request": "true"}


def test_a_failed_run_is_tested_again_with_the_settings_of_now(
    cast: Cast, scenery: Scenery, postgresql_url: str
) -> None:
    client, address = as_user(cast.ana), f"/larkspur/datastores/crm-legacy/runs/{scenery.failed.number}/"
    page = client.get(address).content.decode()
    assert f'action="{address}test/"' in page
    assert "which key an SSH host takes is noted" in page, "it writes no more than it says"
    assert "Nothing is saved" not in page
    _aim(scenery.crm, with_database(postgresql_url, "mm_src_no_such_database"))
    failed = client.post(f"{address}test/", headers=HTMX).content.decode()
    assert failed.startswith('<section class="mm-section mm-measure-s" id="doctor"')
    assert "It still fails" in failed
    assert failed.count('data-step="failed"') == 1
    _aim(scenery.crm, postgresql_url)
    passed = client.post(f"{address}test/", headers=HTMX).content.decode()
    assert "Every step passes now" in passed
    assert 'data-step="failed"' not in passed
    assert PASSWORD not in failed + passed


def _aim(datastore: Datastore, url: str) -> None:
    from metamapper.connectors.registry import from_url

    settings: Any = from_url(url)[1]
    where = {"host": settings.host, "port": settings.port, "database": settings.database, "user": settings.user}
    Datastore.objects.filter(pk=datastore.pk).update(
        public_settings={**datastore.public_settings, **where, "tls": "off"}
    )


def test_without_scripts_the_whole_page_comes_back(
    cast: Cast, scenery: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = PermissionMissing("No USAGE on sales", remedy="GRANT USAGE ON SCHEMA sales;", unseen="what is in sales")
    step = Step("Schemas visible", StepState.WARNING, "1 of 2", 0.1, error)
    monkeypatch.setattr("metamapper.web.runs.views.test_stored", lambda _: iter([step]))
    answer = as_user(cast.ana).post(f"/larkspur/datastores/crm-legacy/runs/{scenery.failed.number}/test/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "How far it came" in page
    assert "Not seen until then: what is in sales." in page
    assert "GRANT USAGE ON SCHEMA sales;" in page


def test_who_may_only_read_tests_nothing_and_a_good_run_has_no_test(
    cast: Cast, scenery: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = Mock(return_value=iter(()))
    monkeypatch.setattr("metamapper.web.runs.views.test_stored", tested)
    address = f"/larkspur/datastores/crm-legacy/runs/{scenery.failed.number}/test/"
    assert as_user(cast.kim).post(address).status_code == 403
    assert as_user(cast.oskar).post(address).status_code == 404
    assert as_user(None).post(address).status_code == 302
    good = as_user(cast.ana).post("/larkspur/datastores/warehouse/runs/20/test/")
    assert (good.status_code, good.headers["Location"]) == (302, "/larkspur/datastores/warehouse/runs/20/")
    tested.assert_not_called()
