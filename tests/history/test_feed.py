"""The feed: everything once, in order, folded where it says nothing new, counted under every filter."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metamapper.accounts.models import User
from metamapper.datastores.models import Datastore
from metamapper.history import comparing, feed
from metamapper.history.codec import pack_state, unpack_state
from metamapper.history.feed import Asked
from metamapper.history.models import Change
from metamapper.lib.ids import uuid7, uuid7s
from metamapper.runs.models import Run, State, Trigger
from tests.catalog.factories import MORNING, make_datastore, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return User.objects.create_user("ana@example.com", name="Ana")


@pytest.fixture
def datastore(ana: User) -> Datastore:
    return make_datastore(make_workspace("larkspur", "ana"))


def make_run(datastore: Datastore, number: int) -> Run:
    at = MORNING + timedelta(hours=number)
    return Run.objects.create(
        datastore=datastore,
        number=number,
        trigger=Trigger.SCHEDULED,
        state=State.SUCCEEDED,
        available_at=at,
        created_at=at,
        started_at=at,
        finished_at=at,
    )


def record(run: Run, *changes: dict) -> list[Change]:
    rows = [
        Change(
            id=identity,
            datastore=run.datastore,
            run_id=run.id,
            at=run.finished_at,
            order=order,
            **{
                "kind": "changed",
                "asset": "column",
                "asset_id": uuid7(),
                "path": ["billing", "invoices", f"c{order}"],
                "subject": f"billing.invoices.c{order}",
                "severity": "safe",
                **change,
            },
        )
        for order, (identity, change) in enumerate(zip(uuid7s(len(changes)), changes, strict=True), 1)
    ]
    return Change.objects.bulk_create(rows)


def everything(user: User, asked: Asked) -> list[UUID]:
    """Every change that the feed shows when each "more" and each fold is opened, in order of appearance."""
    found, cursor = [], None
    while True:
        page = feed.page(user, asked, cursor=cursor)
        for group in page.groups:
            shown = [each.id for each in group.changes]
            while group.more > len(shown) - len(group.changes):
                shown += [each.id for each in feed.rest_of_run(user, asked, group.run_id, seen=len(shown), limit=30)]
            found += shown
            for fold in group.folds:
                folded = feed.rest_of_run(user, asked, group.run_id, fold=fold, limit=1000)
                assert len(folded) == fold.number
                found += [each.id for each in folded]
        cursor = page.cursor
        if cursor is None:
            return found


def test_every_change_is_shown_exactly_once(ana: User, datastore: Datastore) -> None:
    parent = uuid7()
    for number in range(1, 24):
        record(
            make_run(datastore, number),
            *({"severity": "risky"} for _ in range(number * 9)),
            *({"parent_id": parent, "kind": "added"} for _ in range(number)),
        )
    found = everything(ana, Asked(datastore.workspace))
    assert len(found) == len(set(found)) == Change.objects.count()


def test_newest_run_first_and_breaking_first_within_it(ana: User, datastore: Datastore) -> None:
    record(make_run(datastore, 1), {}, {"severity": "breaking"}, {"severity": "risky"})
    record(make_run(datastore, 2), {})
    page = feed.page(ana, Asked(datastore.workspace))
    assert [group.run.number for group in page.groups if group.run] == [2, 1]
    assert [each.severity for each in page.groups[1].changes] == ["breaking", "risky", "safe"]
    assert page.cursor is None


def test_alike_and_safe_changes_are_told_in_a_line(ana: User, datastore: Datastore) -> None:
    table = uuid7()
    added = {"kind": "added", "parent_id": table}
    record(make_run(datastore, 1), *[added] * 8, {**added, "severity": "risky"}, {**added, "certainty": "inferred"})
    (group,) = feed.page(ana, Asked(datastore.workspace)).groups
    assert [(fold.number, fold.kind, fold.path[:2]) for fold in group.folds] == [(8, "added", ["billing", "invoices"])]
    assert len(group.changes) == 2
    assert group.more == 0


def test_a_person_s_decision_is_a_group_without_a_run(ana: User, datastore: Datastore) -> None:
    run = make_run(datastore, 1)
    record(run, {})
    Change.objects.update(run_id=uuid7())
    (group,) = feed.page(ana, Asked(datastore.workspace)).groups
    assert group.run is None


def test_what_is_quiet_is_kept_and_not_shown(ana: User, datastore: Datastore) -> None:
    asset = uuid7()
    record(make_run(datastore, 1), {"quiet": True, "asset_id": asset}, {})
    assert len(everything(ana, Asked(datastore.workspace))) == feed.tally(ana, Asked(datastore.workspace)).total == 1
    assert feed.story(ana, asset) == []


def test_counts_are_under_all_other_filters(ana: User, datastore: Datastore) -> None:
    record(
        make_run(datastore, 1),
        {"severity": "breaking", "kind": "removed"},
        {"severity": "risky", "kind": "renamed"},
        {"severity": "risky", "kind": "changed"},
        {"severity": "safe", "kind": "changed"},
    )
    asked = Asked(datastore.workspace, kind="changed", severity="risky")
    tally = feed.tally(ana, asked)
    assert tally.total == 1
    assert dict(tally.severities) == {"risky": 1, "safe": 1}
    assert dict(tally.kinds) == {"renamed": 1, "changed": 1}
    assert (tally.every_severity, tally.every_kind) == (2, 2)


def test_each_filter_narrows(ana: User, datastore: Datastore) -> None:
    schema, table = uuid7(), uuid7()
    record(make_run(datastore, 1), {"schema_id": schema}, {"relation_id": table}, {"subject": "crm.CONTACTS.Phone"})
    record(make_run(datastore, 2), {"certainty": "inferred"}, {"severity": "breaking"})
    base = Asked(datastore.workspace, datastore)
    first = MORNING + timedelta(hours=1)
    for asked, number in [
        (base, 5),
        (replace(base, schema_id=schema), 1),
        (replace(base, relation_id=table), 1),
        (replace(base, text="contacts.ph"), 1),
        (replace(base, certainty="inferred"), 1),
        (replace(base, severity="breaking"), 1),
        (replace(base, after=first), 2),
        (replace(base, until=first), 3),
        (replace(base, datastore=make_datastore(datastore.workspace, "other")), 0),
    ]:
        assert len(everything(ana, asked)) == number == feed.tally(ana, asked).total


def test_strangers_and_other_workspaces_see_nothing(ana: User, datastore: Datastore) -> None:
    record(make_run(datastore, 1), {})
    bob = User.objects.create_user("bob@example.com")
    other = make_workspace("elsewhere", "ana")
    assert feed.page(bob, Asked(datastore.workspace)).groups == []
    assert feed.tally(bob, Asked(datastore.workspace)).total == 0
    assert feed.page(ana, Asked(other)).groups == []


def test_a_page_costs_the_same_however_much_there_is(ana: User, datastore: Datastore) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            page = feed.page(ana, Asked(datastore.workspace))
            assert sum(len(group.changes) for group in page.groups) <= feed.RUNS * feed.SHOWN
        return len(queries)

    record(make_run(datastore, 1), *[{"parent_id": uuid7()}] * 4)
    few = cost()
    for number in range(2, 14):
        record(make_run(datastore, number), *({} for _ in range(200)), *[{"parent_id": uuid7(), "kind": "added"}] * 9)
    assert cost() == few


def test_difference_leaves_out_what_cancelled_out(ana: User, datastore: Datastore) -> None:
    column, other = uuid7(), uuid7()
    there = {"fields": [{"field": "type", "before": "int", "after": "text"}], "asset_id": column}
    back = {"fields": [{"field": "type", "before": "text", "after": "int"}], "asset_id": column}
    record(make_run(datastore, 1), there, {"kind": "added", "asset_id": other, "after": pack_state({"type": "int"})})
    later = {"fields": [{"field": "type", "before": "int", "after": "uuid"}], "asset_id": other, "severity": "breaking"}
    record(make_run(datastore, 2), back, later)
    asked = Asked(datastore.workspace, datastore)
    left = comparing.difference(ana, asked)
    assert [each.change.kind for each in left] == ["added"]
    (row,) = comparing.shown(ana, left)
    assert row.after is not None
    assert unpack_state(row.after) == {"type": "uuid"}
    half = comparing.difference(ana, replace(asked, until=MORNING + timedelta(hours=1)))
    assert comparing.tally_of(half, asked).total == 2
    assert [each.change.kind for each in comparing.narrowed(half, replace(asked, kind="changed"))] == ["changed"]
    assert comparing.shown(User.objects.create_user("bob@example.com"), left) == []


def test_too_much_to_compare_is_said(ana: User, datastore: Datastore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LIMIT", 3)
    record(make_run(datastore, 1), {}, {}, {}, {})
    with pytest.raises(comparing.TooManyChanges):
        comparing.difference(ana, Asked(datastore.workspace, datastore))


def test_story_of_one_asset_is_newest_first(ana: User, datastore: Datastore) -> None:
    column = uuid7()
    record(make_run(datastore, 1), {"asset_id": column, "kind": "added"}, {})
    record(make_run(datastore, 2), {"asset_id": column})
    assert [each.kind for each in feed.story(ana, column)] == ["changed", "added"]
    assert [each.kind for each in feed.story(ana, column, MORNING + timedelta(hours=1))] == ["added"]
