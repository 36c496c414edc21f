"""Documents equal the catalog: after any sequence of changes they are what a rebuild makes."""

import random
from collections.abc import Callable

import pytest

from metamapper.catalog.models import Column, Relation, Schema
from metamapper.search.services import reindex
from tests.search.world import World, contents

pytestmark = pytest.mark.django_db

WORDS = ["invoice", "amount", "customer", "date", "id", "total"]


def name(chance: random.Random) -> str:
    return "_".join(chance.choices(WORDS, k=chance.randint(1, 3)))


def a_table(world: World, chance: random.Random) -> None:
    columns = list({name(chance) for _ in range(4)})
    world.add(name(chance) + str(chance.random()), (name(chance), columns), comment=f"About {name(chance)}")


def renamed(world: World, chance: random.Random) -> None:
    model = chance.choice([Schema, Relation, Column])
    if found := list(model.objects.order_by("name", "id")):
        world.rename(model, chance.choice(found).pk, name(chance))


def retired(world: World, chance: random.Random) -> None:
    model = chance.choice([Schema, Relation, Column])
    if found := list(model.objects.filter(retired_at=None).order_by("name", "id")):
        world.retire(model, chance.choice(found).pk)


def returned(world: World, chance: random.Random) -> None:
    if gone := Relation.objects.filter(retired_at__isnull=False).order_by("name", "id").first():
        Relation.objects.filter(pk=gone.pk).update(retired_at=None)
        world.changed(gone.pk)


def described(world: World, chance: random.Random) -> None:
    if found := list(Column.objects.order_by("name", "id")):
        world.describe("column", chance.choice(found).pk, chance.choice(["", f"The {name(chance)}"]))


def commented(world: World, chance: random.Random) -> None:
    if found := list(Column.objects.order_by("name", "id")):
        each = chance.choice(found)
        Column.objects.filter(pk=each.pk).update(comment=chance.choice([None, "", name(chance)]))
        world.changed(each.pk)


ACTS: list[Callable[[World, random.Random], None]] = [a_table, renamed, retired, returned, described, commented]


@pytest.mark.parametrize("seed", range(8))
def test_after_any_changes_documents_are_what_a_rebuild_makes(seed: int) -> None:
    chance = random.Random(seed)
    world = World()
    for act in [a_table, a_table, *chance.choices(ACTS, k=25)]:
        act(world, chance)
    left = contents()
    assert reindex(world.datastore) == Relation.objects.count()
    assert contents() == left


def test_a_rebuild_touches_no_other_datastore() -> None:
    one, other = World("one"), World("other")
    for world in (one, other):
        world.add("billing", ("invoices", ["id", "amount"]), comment="Issued")
    before = contents()
    reindex(one.datastore)
    assert contents() == before


def test_nothing_stays_of_a_datastore_that_is_deleted() -> None:
    one, other = World("one"), World("other")
    other.add("billing", ("invoices", ["id"]), comment="Issued")
    before = contents()
    [record] = one.add("billing", ("invoices", ["id", "amount"]), comment="Issued")
    one.describe("relation", record.id, "What was billed")
    assert contents() != before
    one.datastore.delete()
    assert contents() == before


def test_a_renamed_schema_takes_its_relations_along() -> None:
    world = World()
    [record] = world.add("billing", ("invoices", ["id"]))
    world.rename(Schema, record.schema_id, "accounts")
    left = contents()
    assert not [row for row in left["search_word"] if "billing" in row and "accounts" in row]
    reindex(world.datastore)
    assert contents() == left


@pytest.mark.parametrize("hostile", ['"; drop table x; --', "a'b\\c", "🎉", "%s {x} %(y)s", "x" * 3000, "ß\u0301"])
def test_hostile_names_and_texts_are_data(hostile: str) -> None:
    world = World()
    [record] = world.add(hostile, (hostile, [hostile, "id"]), comment=f"{hostile}\t\n{hostile} \\N")
    world.describe("relation", record.id, hostile[:140])
    left = contents()
    reindex(world.datastore)
    assert contents() == left


def test_a_comment_of_a_megabyte_is_kept() -> None:
    world = World()
    world.add("billing", ("invoices", ["id"]), comment=" ".join(f"wort{number}" for number in range(100_000)))
    assert len(contents()["search_document"]) == 3
