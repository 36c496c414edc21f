"""Flower, as anybody would run it, sees our workers on the brokers that can tell it of them."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest

from tests.runs.processes import Site, site
from tests.support.servers import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.either_metastore, pytest.mark.timeout(180)]


@pytest.fixture(params=["redis_url", "rabbitmq_url"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, request.getfixturevalue(request.param)) as place:
        yield place


def workers(port: int) -> list[str]:
    """Those that Flower lists; none while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/workers?refresh=true", timeout=10) as answer:
            return list(json.load(answer))
    except (URLError, TimeoutError, ConnectionError):
        return []


def test_flower_sees_a_worker(place: Site) -> None:
    port = free_port()
    worker = place.ready_worker("seen")
    flower = place.celery("flower", "--address=127.0.0.1", f"--port={port}", FLOWER_UNAUTHENTICATED_API="true")
    names = place.until(lambda: workers(port), worker, flower, within=60)
    assert [name.partition("@")[0] for name in names] == ["seen"]
