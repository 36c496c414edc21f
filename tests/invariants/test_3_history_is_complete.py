"""3. What is, is the sum of what was recorded: replaying everything from nothing gives the present, at every moment."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from metamapper.diffing.fields import settled_relation
from metamapper.diffing.replay import replay
from metamapper.schema import Completeness, Relation
from tests.support.following import Follower
from tests.support.world import Act, World, histories, seen

Looks = list[tuple[list[Act], Mapping[str, Completeness]]]
looks = st.lists(st.tuples(histories.map(lambda history: history[0]), seen), min_size=1, max_size=8)


def present(follower: Follower) -> dict[tuple[str, str], Relation]:
    return {
        (each.relation.schema, each.relation.name): settled_relation(each.observed())
        for each in follower.state.relations.values()
    }


@given(histories)
def test_the_catalog_is_what_was_seen_last(history: list[list[Act]]) -> None:
    world, follower = World(), Follower()
    for program in history:
        world.alter(program)
        follower.look(world.snapshot())
        assert present(follower) == {
            (each.schema, each.name): settled_relation(each) for each in world.snapshot().relations
        }


@given(looks)
def test_replaying_everything_gives_the_present(history: Looks) -> None:
    """Whatever each look could see."""
    world, follower = World(), Follower()
    for program, how in history:
        world.alter(program)
        follower.look(world.snapshot(how))
        again = replay(follower.changes)
        assert again.relations == follower.state.relations
        assert again.schemas == follower.state.schemas


@given(histories)
def test_a_prefix_of_the_record_is_the_catalog_of_that_moment(history: list[list[Act]]) -> None:
    world, follower = World(), Follower()
    moments = []
    for program in history:
        world.alter(program)
        follower.look(world.snapshot())
        moments.append((len(follower.changes), dict(follower.state.relations)))
    for length, then in moments:
        assert replay(follower.changes[:length]).relations == then


@given(looks)
def test_one_asset_has_one_change_at_a_time(history: Looks) -> None:
    world, follower = World(), Follower()
    for program, how in history:
        world.alter(program)
        told = [change.asset_id for change in follower.look(world.snapshot(how))]
        assert len(told) == len(set(told))
