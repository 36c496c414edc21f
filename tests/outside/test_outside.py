"""An engine of another package is equal to ours; one that cannot be used is told, and hinders nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metamapper.catalog.models import Column, Relation
from metamapper.connectors.registry import registry
from metamapper.inspection.services import execute
from metamapper.runs.models import Run
from tests.cast import Cast
from tests.web.clients import as_user

CONNECT = "/larkspur/datastores/connect/"
ORDER = {
    "type": "record",
    "name": "order",
    "doc": "What somebody bought",
    "fields": [{"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"], "doc": "For the packer"}],
}


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Schemas in a folder that the administrator allows."""
    (tmp_path / "order.avsc").write_text(json.dumps(ORDER))
    settings.METAMAPPER_ALLOWED_FOLDERS = [str(tmp_path)]
    return tmp_path


def command(*arguments: str, beside: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """A command where another package is installed beside us."""
    environment = os.environ | {"PYTHONPATH": str(beside), "METAMAPPER_HOME": str(home), "METAMAPPER_DATABASE_URL": ""}
    program = [sys.executable, "-c", "from metamapper.cli import main; main()", *arguments]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


# --- A good one ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_has_a_tile_and_a_form_of_its_own_settings(avro: None, cast: Cast) -> None:
    page = as_user(cast.ana).get(f"{CONNECT}?engine=avro").content.decode()
    tile = page.partition('value="avro"')[2].partition("</label>")[0]
    assert "Avro schemas" in tile
    assert "Folders of .avsc files" in tile
    row = page.partition('for="f-set_folder"')[2].partition('<div class="mm-row">')[0]
    assert 'placeholder="/srv/schemas"' in row
    assert "On the machine where the workers run." in row


@pytest.mark.django_db
def test_it_is_connected_inspected_and_shown(avro: None, cast: Cast, folder: Path) -> None:
    client = as_user(cast.ana)
    given = {"engine": "avro", "name": "schemas", "interval": "3600", "set_folder": str(folder)}
    tested = client.post(f"{CONNECT}test/", given, headers={"HX-Request": "true"}).content.decode()
    assert "1 schemas, each well-formed: 1" in tested
    proof = tested.partition('name="proof" value="')[2].partition('"')[0]
    run = client.post(CONNECT, given | {"proof": proof}, follow=True)
    assert run.status_code == 200
    execute(Run.objects.get().pk, owner="test/1")
    assert Run.objects.get().state == "succeeded"
    relation = Relation.objects.get()
    assert (relation.name, relation.comment) == ("order", "What somebody bought")
    assert set(Column.objects.filter(relation=relation).values_list("name", "type", "nullable")) == {
        ("id", "long", False),
        ("note", "string", True),
    }
    page = client.get("/larkspur/datastores/schemas/").content.decode()
    assert "avro" in page
    found = client.get("/larkspur/search/?q=packer").content.decode()
    assert "note" in found


@pytest.mark.django_db
def test_the_administrators_folders_hold_for_it_too(avro: None, cast: Cast, tmp_path: Path) -> None:
    given = {"engine": "avro", "name": "schemas", "interval": "3600", "set_folder": str(tmp_path)}
    page = as_user(cast.ana).post(f"{CONNECT}test/", given, headers={"HX-Request": "true"}).content.decode()
    assert 'data-step="failed"' in page
    assert "not in a folder from which datastores may be read" in page


def test_commands_know_it_by_its_urls(avro_package: Path, tmp_path: Path) -> None:
    (tmp_path / "order.avsc").write_text(json.dumps(ORDER))
    done = command("inspect", f"avro://{tmp_path}", "--format", "json", beside=avro_package, home=tmp_path)
    assert done.returncode == 0, done.stderr
    snapshot = json.loads(done.stdout)
    assert (snapshot["engine"], snapshot["relations"][0]["name"]) == ("avro", "order")
    assert command("doctor", f"avro://{tmp_path}", beside=avro_package, home=tmp_path).returncode == 0


# --- Broken ones -----------------------------------------------------------------------------------------------------

WHY = {
    "absent": "ModuleNotFoundError",
    "crashing": "RuntimeError: the moon is full",
    "leaving": "SystemExit: good bye",
    "mumbling": "What it says of views is no Capability.",
    "nothing": "is no Engine, but a dict",
    "other": "The engine is called “one”",
    "postgresql of metamapper-broken": "Another package offers an engine “postgresql” already.",
    "thief": "URLs that start with postgresql:// are those of PostgreSQL.",
    "wordless": "do not describe path",
}


def test_each_is_told_by_check_and_the_rest_is_good(broken_package: Path, tmp_path: Path) -> None:
    done = command("check", "--format", "json", beside=broken_package, home=tmp_path)
    assert done.returncode == 1, done.stderr
    found = {each["subject"]: each for each in json.loads(done.stdout)["findings"]}
    bad = {
        name: each["detail"] for name, each in found.items() if name.startswith("engine ") and each["state"] == "bad"
    }
    assert set(bad) == {f"engine {name}" for name in WHY}
    assert not {name for name, why in WHY.items() if why not in bad[f"engine {name}"]}
    assert found["engine postgresql"]["state"] == "good"
    assert all(found[name]["hint"] for name in bad)


def test_ours_are_untouched(broken_package: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()
    done = command("inspect", f"sqlite://{tmp_path}/empty.sqlite3", beside=broken_package, home=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_no_page_offers_them_and_none_fails(broken: None, cast: Cast) -> None:
    assert not set(registry().engines) & set(WHY)
    assert registry().engines["postgresql"].title == "PostgreSQL"
    client = as_user(cast.ana)
    assert client.get(CONNECT).status_code == 200
    assert client.get(f"{CONNECT}?engine=thief").status_code == 404


@pytest.mark.django_db
def test_a_datastore_whose_package_is_gone_says_so(cast: Cast, avro_package: Path, folder: Path) -> None:
    from tests.outside.packages import importable
    from tests.outside.subject import AvroSource

    with importable(avro_package):
        from metamapper.inspection.connecting import connect

        made = connect(
            cast.larkspur, name="schemas", engine="avro", settings=AvroSource(folder).settings, user=cast.ana
        )
    execute(Run.objects.get(datastore=made).pk, owner="test/1")
    run = Run.objects.get(datastore=made)
    assert (run.state, run.outcome_code) == ("failed", "driver.missing")
    page = as_user(cast.ana).get(f"/larkspur/datastores/schemas/runs/{run.number}/")
    assert page.status_code == 200
    assert "There is no engine “avro”" in page.content.decode()
