"""`metamapper diff`: alike is 0, different is 1, anything else is 2; renames are renames within one database."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from metamapper.cli.commands import metamapper
from metamapper.cli.diff import share_ids
from metamapper.schema import Column, Relation, Scope, Snapshot
from tests.support.databases import fresh_postgresql, run_sql


def snapshot(*relations: Relation) -> Snapshot:
    return Snapshot(engine="postgresql", scopes=(Scope(name="s"),), relations=relations)


def relation(name: str, *columns: str, native_id: str | None = None) -> Relation:
    made = (Column(name=each, position=at, type="text") for at, each in enumerate(columns, start=1))
    return Relation(schema="s", name=name, columns=tuple(made), native_id=native_id)


ORDERS = relation("orders", "id", "note", "total", native_id="1")
PEOPLE = relation("people", "id", "email", native_id="2")
RENAMED = msgspec.structs.replace(ORDERS, name="purchases")


class Files:
    """Saves snapshots and compares them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def saved(self, name: str, value: Snapshot) -> str:
        path = self.folder / f"{name}.json"
        path.write_bytes(msgspec.json.encode(value))
        return str(path)

    def diff(self, old: Snapshot, new: Snapshot, *options: str) -> Result:
        return run(self.saved("old", old), self.saved("new", new), *options)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(metamapper, ["diff", *arguments])


def test_alike_is_0(files: Files) -> None:
    result = files.diff(snapshot(ORDERS), snapshot(ORDERS))
    assert (result.exit_code, result.output) == (0, "No changes.\n")


def test_different_is_1_and_says_how(files: Files) -> None:
    result = files.diff(snapshot(ORDERS), snapshot(ORDERS, PEOPLE))
    assert result.exit_code == 1
    assert "+ added  relation  s.people" in result.output


@pytest.mark.parametrize(
    ("fail_on", "code"), [("breaking", 1), ("risky", 1), ("safe", 1)], ids=["breaking", "risky", "safe"]
)
def test_a_lost_column_is_breaking_at_every_level(files: Files, fail_on: str, code: int) -> None:
    result = files.diff(
        snapshot(ORDERS), snapshot(relation("orders", "id", "note", native_id="1")), "--fail-on", fail_on
    )
    assert result.exit_code == code


def test_what_is_safe_does_not_fail_on_breaking(files: Files) -> None:
    result = files.diff(snapshot(ORDERS), snapshot(ORDERS, PEOPLE), "--fail-on", "breaking")
    assert result.exit_code == 0
    assert "people" in result.output


def test_within_one_database_a_rename_is_certain(files: Files) -> None:
    result = files.diff(snapshot(ORDERS, PEOPLE), snapshot(RENAMED, PEOPLE), "--format", "json")
    [change] = json.loads(result.output)
    assert (change["kind"], change["path"], change["certainty"]) == ("renamed", ["s", "purchases"], "certain")


def test_ids_of_two_databases_prove_nothing(files: Files) -> None:
    """The other database holds another table under the same number."""
    old, new = snapshot(ORDERS, PEOPLE), snapshot(relation("people", "id", "email", native_id="1"))
    assert not share_ids(old, new)
    result = files.diff(old, new, "--format", "json")
    assert [(each["kind"], each["path"]) for each in json.loads(result.output)] == [("removed", ["s", "orders"])]


def test_what_is_no_snapshot_is_2(tmp_path: Path, files: Files) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"engine": 5}')
    good = files.saved("good", snapshot(ORDERS))
    for arguments in (
        [good, str(broken)],
        [good, str(tmp_path / "missing.json")],
        [good, "postgresql://a:hunter2@127.0.0.1:1/x"],
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.output
        assert "hunter2" not in result.output


@pytest.mark.live
def test_a_saved_snapshot_against_the_database_as_it_is_now(postgresql_url: str, tmp_path: Path) -> None:
    run_sql(postgresql_url, "CREATE TABLE orders (id int PRIMARY KEY, note text)", "CREATE TABLE people (id int)")
    saved = tmp_path / "before.json"
    assert CliRunner().invoke(metamapper, ["inspect", postgresql_url, "--output", str(saved)]).exit_code == 0
    assert run(str(saved), postgresql_url).exit_code == 0
    run_sql(postgresql_url, "ALTER TABLE orders RENAME TO purchases", "ALTER TABLE purchases ADD COLUMN total numeric")
    result = run(str(saved), postgresql_url, "--format", "json")
    assert result.exit_code == 1
    found = {(each["kind"], ".".join(each["path"])) for each in json.loads(result.output)}
    assert {("renamed", "public.purchases"), ("added", "public.purchases.total")} <= found


@pytest.mark.live
def test_two_databases_are_compared_by_name(postgresql_server: str, postgresql_url: str) -> None:
    with fresh_postgresql(postgresql_server) as other:
        run_sql(postgresql_url, "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
        run_sql(other, "CREATE TABLE b (id int)", "CREATE TABLE a (id int)")
        assert run(postgresql_url, other).exit_code == 0
