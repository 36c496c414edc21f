"""2. Only a complete look may retire what it no longer lists, and retired is never deleted."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from metamapper.schema import ChangeKind, Completeness, Snapshot
from tests.support.following import Follower
from tests.support.world import Act, World, histories, seen

Looks = list[tuple[list[Act], Mapping[str, Completeness]]]
looks = st.lists(st.tuples(histories.map(lambda history: history[0]), seen), min_size=1, max_size=8)


@given(looks)
def test_nothing_is_retired_from_a_schema_that_was_not_read_whole(history: Looks) -> None:
    world, follower = World(), Follower()
    for program, how in history:
        world.alter(program)
        before = dict(follower.state.relations)
        removed = [each for each in follower.look(world.snapshot(how)) if each.kind is ChangeKind.REMOVED]
        places = {before[each.asset_id].relation.schema for each in removed if each.asset_id in before}
        assert all(how[schema] is Completeness.COMPLETE for schema in places)


@given(looks)
def test_nothing_is_retired_that_is_there(history: Looks) -> None:
    """Whoever was known, and whose object this look shows, lives on: under whatever name, wherever it moved."""
    world, follower = World(), Follower()
    for program, how in history:
        world.alter(program)
        before = {each.relation.native_id: each.id for each in follower.state.relations.values()}
        shown = world.snapshot(how)
        follower.look(shown)
        there = {
            identity for number, identity in before.items() if number in {each.native_id for each in shown.relations}
        }
        assert there <= follower.state.relations.keys()


@given(looks)
def test_what_was_ever_known_is_known_for_ever(history: Looks) -> None:
    world, follower = World(), Follower()
    ever: set[object] = set()
    for program, how in history:
        world.alter(program)
        follower.look(world.snapshot(how))
        ever |= follower.state.relations.keys()
        assert ever == follower.state.relations.keys() | follower.retired.keys()


@given(histories)
def test_a_list_of_schemas_that_is_not_whole_retires_no_schema(history: list[list[Act]]) -> None:
    world, follower = World(), Follower()
    for program in history:
        world.alter(program)
    follower.look(world.snapshot())
    before = set(follower.state.relations)
    follower.look(Snapshot(engine="world", scopes_complete=False))
    assert set(follower.state.relations) == before
