"""What is unchanged costs next to nothing, and nothing costs more than in proportion: ratios, measured in one process."""

import gc
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from metamapper.diffing import KnownRelation, SeenRelation, first_record, match_relations
from metamapper.schema import Relation, RelationKind
from tests.diffing.build import SCHEMA, Ids, relation


def never(_: Any) -> Any:
    raise AssertionError("fetched")


def known(count: int, *, shape: bytes = b"") -> list[KnownRelation]:
    kind = RelationKind.TABLE
    return [
        KnownRelation(UUID(int=n), SCHEMA, f"s{n % 20}", f"t{n}", kind, str(n), b"print", shape) for n in range(count)
    ]


def seen(count: int, *, offset: int = 0, prefix: str = "t") -> list[SeenRelation]:
    kind = RelationKind.TABLE
    return [SeenRelation(n, f"s{n % 20}", f"{prefix}{n}", kind, str(n + offset), b"print") for n in range(count)]


def fastest(work: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of the best of some rounds, the collector held off: what the work itself costs."""
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            start = time.perf_counter()
            work()
            best = min(best, time.perf_counter() - start)
    finally:
        gc.enable()
    return best


def matching(
    before: list[KnownRelation], after: list[SeenRelation], *, stable_ids: bool = True
) -> Callable[[], object]:
    return lambda: match_relations(
        before, after, relation_of=never, record_of=never, stable_ids=stable_ids, readable=lambda _: True
    )


def test_matching_the_unmoved_costs_a_few_dictionary_operations_each() -> None:
    before, after = known(3_000), seen(3_000)

    def floor() -> dict[tuple[str, str], str | None]:
        index = {(each.schema, each.name): each.native_id for each in before}
        return {(each.schema, each.name): index[each.schema, each.name] for each in after}

    assert fastest(matching(before, after)) < 8 * fastest(floor)


def test_mass_renames_by_id_are_followed_without_a_fetch() -> None:
    before, after = known(3_000), seen(3_000, prefix="u")
    assert fastest(matching(before, after), 2) < 30 * fastest(matching(before, seen(3_000)))


def test_a_mass_disappearance_beside_a_mass_appearance_is_not_compared_pair_by_pair() -> None:
    """Thousands of one shape on each side: a common form, which says nothing, must not cost the square of them."""
    shape = relation("s.a")
    looked: list[int] = []

    def relation_of(ordinal: int) -> Relation:
        looked.append(ordinal)
        return shape

    before, after = known(3_000, shape=b"other"), seen(3_000, offset=10_000, prefix="u")
    result = match_relations(
        before, after, relation_of=relation_of, record_of=never, stable_ids=False, readable=lambda _: True
    )
    assert len(looked) == 3_000
    assert (len(result.vanished), len(result.appeared), result.suggestions) == (3_000, 3_000, [])


def test_first_records_cost_less_than_encoding_them() -> None:
    values = [relation(f"s.t{n}", " ".join(f"c{m}:text" for m in range(20)), oid=n) for n in range(300)]
    ids = [UUID(int=n) for n in range(21)]
    records = [first_record(each, schema_id=SCHEMA, new_ids=Ids()) for each in values]
    encode = msgspec.json.Encoder().encode
    made = fastest(lambda: [first_record(each, schema_id=SCHEMA, new_ids=lambda _: ids) for each in values])
    assert made < 3 * fastest(lambda: [encode(each) for each in records])
