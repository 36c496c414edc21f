"""The administrator's page tells who works and what waits; nobody else has it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from metamapper.runs.auditing import audit
from metamapper.runs.leases import claim
from metamapper.runs.models import Audit, Run, SchedulerHeartbeat, SchedulerLease, Trigger, WorkerHeartbeat
from metamapper.runs.scheduler import Ledger
from metamapper.runs.services import metastore_now, request_run
from tests.cast import Cast
from tests.runs.ledger import make_datastore
from tests.web.clients import as_user

pytestmark = pytest.mark.django_db


def page(cast: Cast) -> str:
    response = as_user(cast.ana).get("/system/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_it_is_the_founders_alone(cast: Cast) -> None:
    assert as_user(cast.rui).get("/system/").status_code == 404
    assert as_user(None).get("/system/").status_code == 302
    assert "/system/" in as_user(cast.ana).get("/larkspur/").content.decode()
    assert "/system/" not in as_user(cast.rui).get("/larkspur/").content.decode()


def test_nothing_has_started_yet(cast: Cast) -> None:
    text = page(cast)
    assert text.count("Not started yet") == 2
    assert "metamapper scheduler" in text
    assert "No worker has been heard of" in text


def test_who_works_and_what_waits(cast: Cast) -> None:
    now = metastore_now()
    SchedulerLease.objects.create(pk=1, owner="host/1/<b>", ticked_at=now)
    WorkerHeartbeat.objects.create(name="celery@one", slots=4, started_at=now, heard_at=now)
    WorkerHeartbeat.objects.create(name="celery@gone", slots=4, started_at=now, heard_at=now - timedelta(minutes=9))
    run = request_run(make_datastore(), trigger=Trigger.SCHEDULED)
    Run.objects.filter(pk=run.pk).update(slot=now - timedelta(seconds=7))
    assert claim(run.pk, owner="celery@one/123")
    request_run(make_datastore(), trigger=Trigger.MANUAL)
    text = page(cast)
    assert "1 of 4 slots" in text
    assert (text.count(">Alive<"), text.count(">Silent<")) == (1, 1)
    assert "1 run, the oldest since" in text
    assert "of the latest 1 scheduled run" in text
    assert "&lt;b&gt;" in text


def test_what_is_renewed_is_only_what_changes(cast: Cast) -> None:
    part = as_user(cast.ana).get("/system/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="system"')
    assert "<html" not in part


def test_more_workers_cost_no_more_queries(cast: Cast, django_assert_max_num_queries: Any) -> None:
    now = metastore_now()
    for number in range(30):
        WorkerHeartbeat.objects.create(name=f"w{number}", slots=4, started_at=now, heard_at=now)
    client = as_user(cast.ana)
    with django_assert_max_num_queries(26):
        client.get("/system/")


def test_whether_the_promises_hold(cast: Cast) -> None:
    assert "Not checked yet" in page(cast)
    audit()
    assert f"All {Audit.objects.count()} hold" in page(cast)
    Audit.objects.filter(invariant="no_slot_twice").update(checked_at=None, broken=None)
    assert f"{Audit.objects.count() - 1} hold of the {Audit.objects.count()} to check" in page(cast)
    Audit.objects.filter(invariant="no_slot_twice").update(broken=2)
    assert re.search("no_slot_twice</strong> is broken by 2 rows", page(cast))


@pytest.mark.django_db(transaction=True)
def test_every_scheduler_is_shown_and_one_leads(cast: Cast) -> None:
    assert "No scheduler has been heard of" in page(cast)
    ledgers = [Ledger(name, lambda _: None) for name in ("host/1/a", "host/2/b")]
    for ledger in ledgers:
        ledger.tick()
    text = page(cast)
    assert (text.count(">Leads<"), text.count(">Stands by<")) == (1, 1)
    assert text.index("host/1/a") < text.index("host/2/b")
    SchedulerHeartbeat.objects.filter(name="host/2/b").update(heard_at=metastore_now() - timedelta(minutes=2))
    assert page(cast).count(">Silent<") == 1
    ledgers[1].stop()
    assert "host/2/b" not in page(cast)
