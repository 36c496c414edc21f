"""`metamapper datastore`: from a URL to an inspected catalog, without a browser."""

import json
import threading
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from django.db import connections

from metamapper.catalog.models import Relation
from metamapper.cli.commands import metamapper
from metamapper.datastores.models import Datastore
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, State
from tests.cast import Cast
from tests.support.databases import run_sql, with_database


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(metamapper, ["datastore", *arguments], input=given)


@pytest.fixture(autouse=True)
def no_bell(settings: object) -> None:
    """No broker is asked to wake anybody: these tests have a worker of their own, or none."""
    settings.METAMAPPER_PUBLISHER = ""  # type: ignore[attr-defined]  # pytest-django's own type


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """A worker in a thread: it takes what is queued until the test is over."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            for run_id in Run.objects.filter(state=State.QUEUED).values_list("pk", flat=True):
                execute(run_id, owner="thread/1")
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def larkspur(*arguments: str, given: str | None = None) -> Result:
    return run(*arguments, "--workspace", "larkspur", given=given)


@pytest.mark.live
def test_a_database_is_connected_and_due_at_once(cast: Cast, postgresql_url: str) -> None:
    result = larkspur("add", "Shop", postgresql_url, "--every", "6h", "--schemas", "sales*")
    assert result.exit_code == 0, result.output
    made = Datastore.objects.get(slug="shop")
    assert (made.engine, made.include_schemas, made.schedule.interval_seconds) == ("postgresql", "sales*", 6 * 3600)
    assert made.tested_at is not None
    assert [each.trigger for each in made.runs.all()] == ["initial"]


@pytest.mark.live
def test_waiting_sees_the_run_to_its_end(worker: None, cast: Cast, postgresql_url: str) -> None:
    run_sql(postgresql_url, "CREATE TABLE orders (id int)")
    assert larkspur("add", "shop", postgresql_url).exit_code == 0
    result = larkspur("inspect", "shop", "--wait")
    assert result.exit_code == 0, result.output
    assert "succeeded" in result.output
    assert Relation.objects.filter(name="orders").exists()


@pytest.mark.live
def test_a_run_that_fails_is_2_and_says_what_the_server_said(worker: None, cast: Cast, postgresql_url: str) -> None:
    gone = with_database(postgresql_url, "mm_src_no_such_database")
    assert larkspur("add", "shop", gone, "--untested").exit_code == 0
    result = larkspur("inspect", "shop", "--wait")
    assert result.exit_code == 2
    assert "mm_src_no_such_database" in result.output


@pytest.mark.django_db
def test_what_cannot_be_reached_is_not_saved(cast: Cast) -> None:
    result = larkspur("add", "shop", "postgresql://ana:hunter2@127.0.0.1:1/shop")
    assert result.exit_code == 2
    assert "--untested" in result.output
    assert "hunter2" not in result.output
    assert not Datastore.objects.filter(name="shop").exists()


@pytest.mark.django_db
def test_it_may_be_saved_knowingly_untested_and_its_password_is_sealed(cast: Cast) -> None:
    url = "postgresql://ana:hunter2@127.0.0.1:1/shop\n"
    assert larkspur("add", "shop", "-", "--untested", given=url).exit_code == 0
    made = Datastore.objects.get(slug="shop")
    assert made.tested_at is None
    assert "hunter2" not in json.dumps(made.public_settings)
    assert b"hunter2" not in bytes(made.sealed_secrets)


@pytest.mark.django_db
def test_a_name_is_taken_once(cast: Cast) -> None:
    arguments = ("add", "shop", "postgresql://ana@127.0.0.1:1/shop", "--untested")
    assert larkspur(*arguments).exit_code == 0
    result = larkspur(*arguments)
    assert result.exit_code == 2
    assert "Choose another name" in result.output


@pytest.mark.django_db
def test_the_list_for_people_and_for_scripts(cast: Cast) -> None:
    larkspur("add", "shop", "postgresql://ana@127.0.0.1:1/shop", "--untested")
    assert "queued" in larkspur("list").output
    rows = json.loads(larkspur("list", "--format", "json").output)
    [row] = [each for each in rows if each["slug"] == "shop"]
    assert row["latest_run"]["state"] == "queued"
    assert row["interval_seconds"] == 3600


@pytest.mark.django_db
def test_another_workspace_is_another_world(cast: Cast) -> None:
    larkspur("add", "shop", "postgresql://ana@127.0.0.1:1/shop", "--untested")
    assert run("inspect", "shop", "--workspace", "elsewhere").exit_code == 2
    assert "shop" not in run("list", "--workspace", "elsewhere").output
    assert run("list").exit_code == 2


@pytest.mark.django_db
def test_forgetting_asks_first(cast: Cast) -> None:
    larkspur("add", "shop", "postgresql://ana@127.0.0.1:1/shop", "--untested")
    assert larkspur("remove", "shop", given="n\n").exit_code == 1
    assert Datastore.objects.filter(slug="shop").exists()
    assert larkspur("remove", "shop", "--yes").exit_code == 0
    assert not Datastore.objects.filter(slug="shop").exists()
