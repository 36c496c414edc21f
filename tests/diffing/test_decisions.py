"""A person undoes an inferred match, or makes a suggested one: identities are put right and replay still holds."""

from uuid import UUID

import pytest

from metamapper.diffing import (
    CatalogState,
    apply_change,
    counterparts,
    join_children,
    join_relations,
    settled,
    split_child,
    split_relation,
)
from metamapper.schema import (
    AssetKind,
    Certainty,
    Change,
    ChangeKind,
    Completeness,
    FieldChange,
    RelationRecord,
    Snapshot,
)
from tests.diffing.build import heads
from tests.diffing.keeper import Keeper
from tests.diffing.world import World

ROWS = [("id", "int"), ("name", "text"), ("made_at", "date"), ("note", "text")]


class Case:
    """A world, its catalog, and what an undo needs to look up."""

    def __init__(self, *, ids: bool) -> None:
        self.world = World(ids=ids)
        self.keeper = Keeper(stable_ids=ids)
        self.space = self.world.create_space("s")

    def look(self) -> list[Change]:
        return self.keeper.inspect(self.world.snapshot())

    def named(self, name: str) -> RelationRecord:
        (found,) = [each for each in self.keeper.relations.values() if each.relation.name == name]
        return found

    def settle(self, changes: tuple[Change, ...], records: tuple[RelationRecord, ...]) -> None:
        """The decision's changes lead exactly to its records."""
        for change in changes:
            apply_change(self.keeper.state, change)
        self.keeper.changes += changes
        for each in records:
            self.keeper.retired.pop(each.id, None)
            self.keeper.relations[each.id] = each

    def retire(self, retired: tuple[RelationRecord, ...]) -> None:
        for each in retired:
            self.keeper.relations.pop(each.id, None)
            self.keeper.retired[each.id] = each

    def undo(self, change: Change, before: RelationRecord, run: list[Change]) -> None:
        everything = {**self.keeper.retired, **self.keeper.relations}
        elsewhere, displaced = counterparts(change, run)
        decided = split_relation(
            self.keeper.relations[change.asset_id],
            before,
            elsewhere=elsewhere and everything[elsewhere],
            displaced=displaced and everything[displaced],
            new_ids=self.keeper.new_ids,
        )
        self.retire(decided.retired)
        self.settle(decided.changes, decided.records)
        self.keeper.check_replay()
        assert {change.certainty for change in decided.changes} <= {Certainty.ACCEPTED, Certainty.CERTAIN}


def test_undoing_an_inferred_rename_gives_both_an_identity_of_their_own() -> None:
    case = Case(ids=False)
    table = case.world.create(case.space, "a", ROWS)
    case.look()
    before = case.named("a")
    table.name = "b"
    run = case.look()
    (change,) = run
    assert (change.kind, change.certainty) == ("renamed", "inferred")
    case.undo(change, before, run)
    assert case.keeper.retired[before.id] == before
    fresh = case.named("b")
    assert fresh.id != before.id
    assert not {child.id for child in fresh.columns} & {child.id for child in before.columns}
    assert case.look() == []


def test_undoing_a_replacement_lets_the_old_identity_follow_its_object() -> None:
    case = Case(ids=True)
    table = case.world.create(case.space, "a", ROWS)
    case.look()
    before = case.named("a")
    table.name = "a_old"
    case.world.copy(table, "a")
    run = case.look()
    assert case.named("a").id == before.id
    case.undo(run[0], before, run)
    assert case.named("a_old").id == before.id
    assert [child.id for child in case.named("a_old").columns] == [child.id for child in before.columns]
    assert case.named("a").id not in {before.id, *(change.asset_id for change in run)}
    assert case.look() == []


def test_undoing_a_swap_swaps_back() -> None:
    case = Case(ids=True)
    one = case.world.create(case.space, "a", ROWS)
    other = case.world.copy(one, "a_new")
    case.look()
    a, a_new = case.named("a"), case.named("a_new")
    one.name, other.name = other.name, one.name
    run = case.look()
    change = next(change for change in run if change.asset_id == a.id)
    assert change.certainty == "inferred"
    case.undo(change, a, run)
    assert case.named("a_new").id == a.id
    assert case.named("a").id == a_new.id
    assert case.look() == []


def test_undoing_a_replacement_by_one_known_before_brings_that_back() -> None:
    case = Case(ids=True)
    one = case.world.create(case.space, "a", ROWS)
    other = case.world.copy(one, "a_new")
    case.look()
    a, a_new = case.named("a"), case.named("a_new")
    case.world.drop(one)
    other.name = "a"
    run = case.look()
    change = next(change for change in run if change.asset_id == a.id)
    assert set(case.keeper.retired) == {a_new.id}
    case.undo(change, a, run)
    assert case.named("a").id == a_new.id
    assert set(case.keeper.retired) == {a.id}
    assert case.look() == []


def test_undoing_a_replacement_whose_old_one_lives_on_and_whose_new_one_was_known() -> None:
    case = Case(ids=True)
    one = case.world.create(case.space, "a", ROWS)
    other = case.world.copy(one, "a_new")
    case.look()
    a, a_new = case.named("a"), case.named("a_new")
    one.name, other.name = "a_old", "a"
    run = case.look()
    change = next(change for change in run if change.asset_id == a.id)
    case.undo(change, a, run)
    assert case.named("a_old").id == a.id
    assert case.named("a").id == a_new.id
    assert case.look() == []


def test_undoing_an_inferred_column() -> None:
    case = Case(ids=False)
    table = case.world.create(case.space, "a", ROWS)
    case.look()
    before = case.named("a")
    table.cols[1].name = "title"
    (change,) = case.look()
    assert (change.kind, change.certainty) == ("renamed", "inferred")
    decided = split_child(case.named("a"), before, change.asset_id, new_ids=case.keeper.new_ids)
    case.settle(decided.changes, (decided.record,))
    case.keeper.check_replay()
    assert decided.retired == next(child for child in before.columns if child.id == change.asset_id)
    assert change.asset_id not in {child.id for child in decided.record.columns}
    assert heads(decided.changes) == [("removed", "column", "s.a.name"), ("added", "column", "s.a.title")]
    assert case.look() == []


def test_undoing_what_a_record_does_not_have() -> None:
    case = Case(ids=False)
    case.world.create(case.space, "a", ROWS)
    case.look()
    with pytest.raises(KeyError):
        split_child(case.named("a"), case.named("a"), UUID(int=0), new_ids=case.keeper.new_ids)


def test_accepting_a_suggested_relation() -> None:
    case = Case(ids=True)
    table = case.world.create(case.space, "a", ROWS)
    case.look()
    before = case.named("a")
    case.world.copy(table, "b").cols[0].comment = "words"
    case.world.drop(table)
    case.look()
    new = case.named("b")
    decided = join_relations(case.keeper.retired[before.id], new, new_ids=case.keeper.new_ids)
    case.retire(decided.retired)
    case.settle(decided.changes, decided.records)
    case.keeper.check_replay()
    assert case.named("b").id == before.id
    assert [child.id for child in case.named("b").columns] == [child.id for child in before.columns]
    assert decided.retired == (new,)
    kinds = [(change.kind, change.asset_id) for change in decided.changes]
    assert kinds[:2] == [(ChangeKind.REMOVED, new.id), (ChangeKind.RESTORED, before.id)]
    assert case.look() == []


def test_accepting_a_suggested_column() -> None:
    case = Case(ids=False)
    table = case.world.create(case.space, "a", [("a", "int"), ("b", "text"), ("c", "text"), ("d", "int")])
    case.look()
    old = case.named("a").columns[1]
    table.cols[1].name, table.cols[2].name = "x", "y"
    case.look()
    now = case.named("a")
    decided = join_children(now, old, now.columns[1].id)
    case.settle(decided.changes, (decided.record,))
    case.keeper.check_replay()
    assert (decided.record.columns[1].id, decided.record.columns[1].value.name) == (old.id, "x")
    assert decided.retired == now.columns[1]
    assert case.look() == []


def test_a_rename_has_no_counterparts() -> None:
    case = Case(ids=False)
    table = case.world.create(case.space, "a", ROWS)
    case.world.create(case.space, "other", [("x", "int")])
    case.look()
    table.name = "b"
    case.world.create(case.space, "c", [("y", "int")])
    run = case.look()
    assert counterparts(run[0], run) == (None, None)


def test_only_relations_are_counterparts() -> None:
    """A column's number may be any relation's."""
    own = Change(
        kind=ChangeKind.REBUILT,
        asset=AssetKind.RELATION,
        asset_id=UUID(int=1),
        fields=(FieldChange("native_id", "5", "6"),),
    )
    numbered = FieldChange("native_id", "6", "5")
    column = Change(kind=ChangeKind.REBUILT, asset=AssetKind.COLUMN, asset_id=UUID(int=2), fields=(numbered,))
    table = Change(kind=ChangeKind.REBUILT, asset=AssetKind.RELATION, asset_id=UUID(int=3), fields=(numbered,))
    assert counterparts(own, [own, column]) == (None, None)
    assert counterparts(own, [own, column, table]) == (UUID(int=3), UUID(int=3))


def test_what_was_decided_stays_decided_when_a_schema_cannot_be_read() -> None:
    case = Case(ids=False)
    table = case.world.create(case.space, "a", ROWS)
    case.look()
    before = case.named("a")
    table.name = "b"
    run = case.look()
    case.undo(run[0], before, run)
    state = CatalogState(dict(case.keeper.state.schemas), dict(case.keeper.state.relations))
    closed: Snapshot = case.world.snapshot(states={case.space: Completeness.UNREADABLE})
    assert case.keeper.inspect(closed) == []
    assert case.keeper.state == state
    assert settled(case.named("b")) in state.relations.values()
