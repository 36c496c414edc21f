"""A real application's schema history is followed: every migration of Wagtail, with an inspection after each.

What our inspections found is compared, step by step, with what Django's schema editor was told to do in another process.
"""

from collections.abc import Collection, Iterable
from typing import Any

import pytest

from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.registry import from_url
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from metamapper.diffing.replay import replay
from metamapper.history.models import Change
from metamapper.history.services import as_change
from metamapper.inspection.services import execute
from metamapper.runs.models import Run, Trigger
from metamapper.runs.services import request_run, set_schedule
from metamapper.schema import Relation
from tests.cast import Cast
from tests.stories.wagtail import Effect, Tables, effects, wagtail_site

IN_THEIR_OWN_SQL: dict[str, set[Effect]] = {
    "wagtailcore.0027_fix_collection_path_collation": {("changed", "column", "wagtailcore_collection.path")},
}
"""Migrations that speak SQL past the schema editor, and what they say there."""


@pytest.fixture
def shop(cast: Cast, postgresql_url: str) -> Datastore:
    """The site's database, connected."""
    engine, settings = from_url(postgresql_url)
    datastore = create_datastore(
        cast.larkspur,
        name="site",
        engine=engine.name,
        settings=settings,
        user=cast.ana,
        interval_seconds=3600,
        tested=True,
    )
    set_schedule(datastore, enabled=False)
    return datastore


@pytest.mark.live
@pytest.mark.timeout(900)
def test_every_migration_of_wagtail_is_told_as_what_it_did(shop: Datastore, postgresql_url: str) -> None:
    site_tables = Tables()
    told: dict[str, int] = {}
    with wagtail_site(postgresql_url) as site:
        look(shop)
        for step in site.migrate():
            before = site_tables.copy()
            altered = site_tables.follow(step.acts)
            found = found_by(look(shop), site_tables.indexes.keys() | before.indexes.keys())
            expected = effects(before, site_tables, altered) | IN_THEIR_OWN_SQL.get(step.migration, set())
            assert found == expected, step.migration
            for kind, asset, _ in found:
                told[f"{kind} {asset}"] = told.get(f"{kind} {asset}", 0) + 1
    assert told["renamed column"] > 3
    assert told["renamed relation"] > 0
    assert told["removed relation"] > 3
    assert_replay_is_the_database(shop, postgresql_url)


def look(datastore: Datastore) -> Run:
    """One inspection, as a worker would do it; the run as it ended."""
    run = request_run(datastore, trigger=Trigger.MANUAL)
    execute(run.pk, owner="story/1")
    run = Run.objects.get(pk=run.pk)
    assert run.state == "succeeded", run.outcome
    return run


def found_by(run: Run, indexes: Collection[str]) -> set[Effect]:
    """What a run recorded about tables, columns and the indexes that the oracle knows, in its words.

    Others (those of constraints) come and go with what they serve, which the editor is told in a different way.
    """

    changes = [as_change(row) for row in Change.objects.filter(run_id=run.pk)]
    return {
        (str(change.kind), str(change.asset), ".".join(change.path[1:]))
        for change in changes
        if not change.quiet and (change.asset in {"relation", "column"} or change.path[-1] in indexes)
        if change.asset != "constraint"
    }


def assert_replay_is_the_database(datastore: Datastore, url: str) -> None:
    """The sum of everything recorded is what the database holds, name by name and type by type."""
    recorded = replay(as_change(row) for row in Change.objects.filter(datastore=datastore).order_by("at", "order"))
    present = read_snapshot(*from_url(url))
    assert shape(record.observed() for record in recorded.relations.values()) == shape(present.relations)


def shape(relations: Iterable[Relation]) -> dict[str, Any]:
    return {
        f"{each.schema}.{each.name}": (
            [(column.name, column.type, column.nullable, column.default) for column in each.columns],
            sorted((index.name, index.keys, index.unique) for index in each.indexes),
            sorted((constraint.name, constraint.kind, constraint.columns) for constraint in each.constraints),
        )
        for each in relations
    }
