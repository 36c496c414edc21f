"""``/health`` for orchestrators: by any name, without a session, and silent about who and what is here."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from metamapper.runs import health, metrics
from metamapper.runs.models import SchedulerLease, WorkerHeartbeat
from metamapper.runs.services import metastore_now
from metamapper.web.middleware import HEADERS

pytestmark = pytest.mark.django_db


JSON, TEXT = "application/json", "text/plain; version=1.0.0; charset=utf-8"


@pytest.mark.parametrize(
    ("address", "kind"),
    [("/health", JSON), ("/health/", JSON), ("/health/live", JSON), ("/health/ready", JSON), ("/metrics", TEXT)],
)
def test_any_host_may_ask_over_plain_http(client: Client, settings: Any, address: str, kind: str) -> None:
    settings.ALLOWED_HOSTS = ["metamapper.example"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get(address, headers={"host": "10.0.3.7:5050"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == kind
    assert response.headers["Cache-Control"] == "no-store"
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert not response.cookies


def test_the_parts_are_told(client: Client) -> None:
    found = client.get("/health").json()
    assert found["metastore"] == {"status": "healthy"}
    assert found["scheduler"] == {"status": "not_configured", "latest_scheduler_heartbeat": None}
    assert found["worker"]["status"] == "not_configured"


def test_what_is_not_well_is_503(client: Client) -> None:
    SchedulerLease.objects.create(pk=1, ticked_at=metastore_now().replace(year=2020))
    response = client.get("/health")
    assert (response.status_code, response.json()["scheduler"]["status"]) == (503, "unhealthy")
    assert client.get("/health/ready").status_code == 200


def test_without_a_metastore_only_the_process_is_well(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("could not connect to secret-host.internal")

    monkeypatch.setattr(health, "metastore_now", away)
    monkeypatch.setattr(health.Run.objects, "exists", away)
    monkeypatch.setattr(metrics, "metastore_now", away)
    answers = {each: client.get(each) for each in ("/health", "/health/ready", "/health/live", "/metrics")}
    assert [each.status_code for each in answers.values()] == [503, 503, 200, 503]
    assert not [each for each in answers.values() if b"secret-host" in each.content]


def test_a_stranger_learns_no_name(client: Client) -> None:
    WorkerHeartbeat.objects.create(
        name="celery@secret-host", slots=2, started_at=metastore_now(), heard_at=metastore_now()
    )
    text = json.dumps(client.get("/health").json())
    assert "secret-host" not in text


def test_it_asks_little(client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(10):
        client.get("/health")


def test_nothing_else_is_taken_for_it(client: Client) -> None:
    assert client.post("/health/").status_code == 405
    assert client.get("/health/other").status_code == 404
