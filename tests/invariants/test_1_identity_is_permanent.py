"""1. Every asset has an identity that never changes. A name is an attribute.

What people wrote hangs on the identity, so whoever keeps it keeps everything.
"""

from uuid import UUID

from hypothesis import given

from metamapper.schema import ChangeKind
from tests.support.following import Follower
from tests.support.world import Act, World, histories


@given(histories)
def test_whatever_happens_to_a_table_it_stays_itself(history: list[list[Act]]) -> None:
    """Renamed, moved, swapped, retyped, made again under its name: the identity follows the truth."""
    world, follower = World(), Follower()
    known: dict[int, UUID] = {}
    for program in history:
        before = follower.ids()
        world.alter(program)
        follower.look(world.snapshot())
        ids = follower.ids()
        now = {number: ids[path] for number, path in world.truth().items()}
        stayed = known.keys() & now.keys()
        assert {number: now[number] for number in stayed} == {number: known[number] for number in stayed}
        for new in world.made_again:
            path = world.truth().get(new)
            if path in before and before[path] not in {known.get(number) for number in stayed}:
                assert now[new] == before[path]
        known |= now


@given(histories)
def test_identities_neither_fork_nor_merge(history: list[list[Act]]) -> None:
    """At every moment there is exactly one asset for each table, and one table for each asset."""
    world, follower = World(), Follower()
    for program in history:
        world.alter(program)
        follower.look(world.snapshot())
        ids = follower.ids()
        assert set(ids) == set(world.truth().values())
        assert len(set(ids.values())) == len(ids)
        assert set(ids.values()) == set(follower.state.relations)


@given(histories)
def test_nor_without_any_id_of_the_engine(history: list[list[Act]]) -> None:
    """Then names and looks must do, and doubt makes two assets of one rather than one of two."""
    world, follower = World(), Follower(stable_ids=False)
    for program in history:
        world.alter(program)
        follower.look(world.snapshot(ids=False))
        ids = follower.ids()
        assert set(ids) == set(world.truth().values())
        assert len(set(ids.values())) == len(ids)


@given(histories)
def test_a_column_stays_itself_while_its_table_does(history: list[list[Act]]) -> None:
    world, follower = World(), Follower()
    known: dict[str, UUID] = {}
    for program in history:
        world.alter([act for act in program if act[0] != "again"])
        follower.look(world.snapshot())
        now = {
            str(child.value.native_id): child.id
            for record in follower.state.relations.values()
            for child in record.columns
        }
        assert all(known[number] == now[number] for number in known.keys() & now.keys())
        assert len(set(now.values())) == len(now)
        known |= now


@given(histories)
def test_the_same_twice_is_no_change(history: list[list[Act]]) -> None:
    world, follower = World(), Follower()
    for program in history:
        world.alter(program)
        follower.look(world.snapshot())
        assert follower.look(world.snapshot()) == []


@given(histories)
def test_what_is_retired_and_returns_is_who_it_was(history: list[list[Act]]) -> None:
    """Everything vanishes at once, and is back at the next look: restored, each under its own identity."""
    world, follower = World(), Follower()
    for program in history:
        world.alter(program)
    follower.look(world.snapshot())
    before = follower.ids()
    follower.look(World().snapshot())
    assert follower.ids() == {}
    back = follower.look(world.snapshot())
    assert follower.ids() == before
    assert {change.kind for change in back} <= {ChangeKind.RESTORED}


def test_equal_native_ids_of_two_datastores_never_meet() -> None:
    """Each datastore has a catalog of its own: what one learns, the other does not know."""
    one, other = Follower(), Follower()
    world = World()
    world.alter([("create", 0, 0)])
    one.look(world.snapshot())
    other.look(World().snapshot())
    assert other.state.relations == {}
