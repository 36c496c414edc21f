"""`metamapper inspect`: a database goes in, text comes out; awkward names and wrong URLs included."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from metamapper.cli.commands import metamapper
from metamapper.cli.rendering import aligned, escaped, markdown, table
from metamapper.schema import (
    Column,
    Completeness,
    Constraint,
    ConstraintKind,
    Index,
    Reference,
    Relation,
    RelationKind,
    Scope,
    Snapshot,
)
from tests.support.databases import run_sql

SHOP = Snapshot(
    engine="postgresql",
    server_version="15.4",
    scopes=(Scope(name="sales"), Scope(name="audit", completeness=Completeness.UNREADABLE)),
    relations=(
        Relation(
            schema="sales",
            name="orders",
            comment="One row per checkout",
            row_estimate=1200,
            columns=(
                Column(name="id", position=1, type="bigint", nullable=False),
                Column(name="customer", position=2, type="bigint", comment="who paid"),
                Column(name="at", position=3, type="timestamptz", default="now()"),
            ),
            indexes=(Index(name="orders_pkey", keys=("id",), unique=True, primary=True),),
            constraints=(
                Constraint(name="orders_pkey", kind=ConstraintKind.PRIMARY_KEY, columns=("id",)),
                Constraint(
                    name="fk",
                    kind=ConstraintKind.FOREIGN_KEY,
                    columns=("customer",),
                    references=Reference("crm", "people", ("id",)),
                ),
            ),
        ),
        Relation(schema="sales", name="a_view", kind=RelationKind.VIEW, definition="SELECT '```' AS x"),
    ),
)


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(metamapper, ["inspect", *arguments], input=given)


def test_a_table_for_people() -> None:
    assert list(table(SHOP)) == [
        "postgresql 15.4: 2 schemas, 2 relations, 3 columns, 1 index, 2 constraints",
        "",
        "sales.a_view  view, 0 columns",
        "",
        "sales.orders  table, 3 columns, about 1,200 rows",
        "  One row per checkout",
        "  id        bigint       not null  primary key",
        "  customer  bigint                 -> crm.people  who paid",
        "  at        timestamptz            default now()",
        "  index orders_pkey  (id)  unique",
    ]


def test_a_markdown_page_keeps_a_view_in_its_fence() -> None:
    page = "\n".join(markdown(SHOP))
    assert "| customer | bigint |  | -> crm.people | who paid |" in page
    assert "````sql\nSELECT '```' AS x\n````" in page


def test_wide_characters_stay_aligned() -> None:
    assert list(aligned([("名前", "x"), ("name", "y")])) == ["名前  x", "name  y"]


def test_markdown_shows_names_as_they_are() -> None:
    assert escaped("a|b_c<d>[x]\n") == r"a\|b\_c\<d>\[x\]" + r"\\n"


@pytest.mark.live
def test_a_postgresql_is_read_and_printed(postgresql_url: str) -> None:
    run_sql(postgresql_url, 'CREATE SCHEMA "Sales"', 'CREATE TABLE "Sales"."odd ""name"" 🙂" (id int PRIMARY KEY)')
    result = run(postgresql_url)
    assert result.exit_code == 0, result.output
    assert 'Sales.odd "name" 🙂  table, 1 column' in result.output
    assert re.search(r"id +integer +not null +primary key", result.output)


@pytest.mark.live
def test_json_is_a_snapshot_that_can_be_read_again(postgresql_url: str, tmp_path: Path) -> None:
    run_sql(postgresql_url, "CREATE TABLE orders (id int, note text DEFAULT 'none')")
    file = tmp_path / "shop.json"
    assert run(postgresql_url, "--output", str(file)).output == ""
    snapshot = msgspec.json.decode(file.read_bytes(), type=Snapshot)
    [relation] = snapshot.relations
    assert [column.name for column in relation.columns] == ["id", "note"]
    assert json.loads(file.read_text())["engine"] == "postgresql"


@pytest.mark.live
def test_only_what_is_asked_for(postgresql_url: str) -> None:
    run_sql(
        postgresql_url, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.x (i int)", "CREATE TABLE b.x (i int)"
    )
    output = run(postgresql_url, "--schemas", "a").output
    assert "a.x" in output
    assert "b.x" not in output


@pytest.mark.live
def test_the_url_may_come_from_standard_input(postgresql_url: str) -> None:
    assert run("-", given=f"{postgresql_url}\n").exit_code == 0
    assert run("-").exit_code == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ana:hunter2@127.0.0.1:1/shop", "Nothing listens on this port"),
        ("postgresql://ana:hunter2@nowhere.invalid/shop", "The host name is not known"),
        ("nosuch://ana:hunter2@host/shop", "The URL starts with one of"),
        ("hunter2", "is not the URL of a datastore"),
    ],
)
def test_what_cannot_be_read_is_told_without_the_password(url: str, said: str) -> None:
    result = run(url)
    assert result.exit_code == 2
    assert said in result.output
    assert "hunter2" not in result.output or url == "hunter2"
    assert "Traceback" not in result.output


# --- Recordings ------------------------------------------------------------------------------------------------------


@pytest.mark.live
def test_what_was_recorded_is_printed_alike_by_a_replay(postgresql_url: str, tmp_path: Path) -> None:
    run_sql(
        postgresql_url,
        "CREATE SCHEMA sales",
        "CREATE TABLE sales.orders (id int PRIMARY KEY)",
        "CREATE TABLE x (i int)",
    )
    file = str(tmp_path / "shop.recording")
    recorded = run(postgresql_url, "--record", file)
    assert recorded.exit_code == 0, recorded.output
    assert f"Recorded in {file}." in recorded.stderr
    assert run("--replay", file).stdout == recorded.stdout
    assert "sales.orders" not in run("--replay", file, "--schemas", "public").stdout


def test_a_failure_is_recorded_and_replayed(tmp_path: Path) -> None:
    file = str(tmp_path / "shop.recording")
    failed = run("postgresql://ana:hunter2!x@127.0.0.1:1/shop", "--record", file)
    assert failed.exit_code == 2
    assert f"Recorded in {file}." in failed.stderr
    again = run("--replay", file)
    assert again.exit_code == 2
    words = failed.stderr.partition("Error: ")[2].partition(": ")[2]
    assert again.stderr == f"Error: {file}: {words}"
    assert b"hunter2" not in Path(file).read_bytes()


def test_a_url_and_a_replay_are_one_too_many_and_none_is_one_too_few(tmp_path: Path) -> None:
    for arguments in ((), ("sqlite:a", "--replay", "b"), ("--replay", "b", "--record", "c")):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Give either a URL" in result.output


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()
    result = run(f"sqlite://{tmp_path}/empty.sqlite3", "--record", str(tmp_path / "no" / "folder"))
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert "Recorded in" not in result.output
