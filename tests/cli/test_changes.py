"""`metamapper changes`: what the history holds, for people and for scripts."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from metamapper.accounts.models import User
from metamapper.cli.commands import metamapper
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change
from metamapper.workspaces.models import Membership, Role, Workspace

NOW = datetime(2026, 5, 4, 10, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Result:
    return CliRunner().invoke(metamapper, ["changes", *arguments])


def workspace(slug: str = "home") -> Workspace:
    made = Workspace.objects.create(name=slug.title(), slug=slug)
    owner = User.objects.create_user(f"owner@{slug}.invalid", name="Olga Owner")
    Membership.objects.create(workspace=made, user=owner, role=Role.OWNER)
    return made


def datastore(where: Workspace, slug: str = "shop") -> Datastore:
    return Datastore.objects.create(workspace=where, name=slug.title(), slug=slug, engine="sqlite")


def record(store: Datastore, *path: str, at: datetime = NOW, order: int = 0, **facts: object) -> Change:
    given = {"kind": "added", "asset": "relation", "severity": "safe", "subject": path[-1]} | facts
    return Change.objects.create(
        datastore=store, run_id=uuid4(), at=at, order=order, asset_id=uuid4(), path=list(path), **given
    )


def test_the_newest_is_last_and_says_what_it_means() -> None:
    shop = datastore(workspace())
    renamed = {"field": "name", "before": "purchases", "after": "orders"}
    record(
        shop,
        "main",
        "orders",
        at=NOW,
        kind="renamed",
        severity="breaking",
        reason="the old name fails",
        fields=[renamed],
    )
    record(shop, "main", "purchases", at=NOW - timedelta(days=1))
    result = run("shop")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines.index("  + added  relation  main.purchases  safe") < lines.index(
        "  > renamed  relation  main.orders  breaking  the old name fails"
    )
    assert "      name  purchases -> orders" in lines
    assert lines[-1] == "2 changes: 1 breaking, 1 safe"


def test_json_for_scripts() -> None:
    record(datastore(workspace()), "main", "orders", "id", asset="column")
    [change] = json.loads(run("shop", "--format", "json").output)
    assert change["path"] == ["main", "orders", "id"]
    assert (change["kind"], change["asset"], change["severity"], change["certainty"]) == (
        "added",
        "column",
        "safe",
        "certain",
    )


def test_since_a_moment() -> None:
    shop = datastore(workspace())
    record(shop, "main", "late", at=NOW)
    record(shop, "main", "early", at=NOW - timedelta(days=2))
    output = run("shop", "--since", (NOW - timedelta(days=1)).isoformat()).output
    assert "late" in output
    assert "early" not in output


def test_the_limit_keeps_the_newest() -> None:
    shop = datastore(workspace())
    for day in range(3):
        record(shop, "main", f"day{day}", at=NOW + timedelta(days=day))
    output = run("shop", "--limit", "1").output
    assert "day2" in output
    assert "day1" not in output


def test_a_name_from_outside_cannot_move_the_cursor() -> None:
    record(datastore(workspace()), "main", "evil\x1b[2J")
    output = run("shop").output
    assert "\x1b" not in output
    assert "evil\\x1b[2J" in output


@pytest.mark.parametrize("moment", ["yesterday-ish", "d", "2026-13-01", ""])
def test_what_is_no_moment_is_refused(moment: str) -> None:
    datastore(workspace())
    result = run("shop", "--since", moment)
    assert result.exit_code == 2
    assert "is no moment" in result.output


def test_an_unknown_datastore_names_those_that_are_known() -> None:
    datastore(workspace())
    result = run("shoop")
    assert result.exit_code == 2
    assert result.output == "Error: There is no datastore “shoop”.\nKnown are: shop.\n"


def test_several_workspaces_ask_for_one() -> None:
    datastore(workspace("one"))
    datastore(workspace("two"), "mart")
    assert "--workspace" in run("shop").output
    assert run("shop", "--workspace", "one").exit_code == 0
    assert run("shop", "--workspace", "two").exit_code == 2


def test_without_a_workspace_the_next_step_is_said() -> None:
    assert "first visit" in run("shop").output
