"""What is listed before a datastore is saved: as much as a page bears, and everything counted."""

import random
import tracemalloc

from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.datastores.preview import IN_A_SCHEMA, IN_ALL, Listed, Preview, Tally
from metamapper.schema import Scope

NO_TEMPORARY = ScopeFilter(tables=Patterns.parse("-tmp_*"))


def previewed(within: ScopeFilter, *tables: tuple[str, str], schemas: tuple[str, ...] = ("shop",)) -> Preview:
    tally = Tally(within)
    for schema, name in tables:
        tally.add(schema, name)
    return tally.preview([Scope(name=each) for each in schemas], complete=True)


def test_tables_are_listed_in_their_order_and_those_left_out_apart() -> None:
    found = previewed(NO_TEMPORARY, ("shop", "orders"), ("shop", "tmp_b"), ("shop", "customers"), ("shop", "tmp_a"))
    [shop] = found.schemas
    assert (shop.tables, shop.seen) == (4, 2)
    assert shop.shown == Listed(("customers", "orders"))
    assert shop.left_out == Listed(("tmp_a", "tmp_b"))
    assert (found.seen, found.left_out) == (2, 2)


def test_of_a_schema_that_is_left_out_every_table_is() -> None:
    within = ScopeFilter(schemas=Patterns.parse("-archive"))
    found = previewed(within, ("shop", "orders"), ("archive", "orders"), schemas=("archive", "shop"))
    archive, shop = found.schemas
    assert (archive.in_scope, archive.shown, archive.left_out) == (False, Listed(), Listed(("orders",)))
    assert (shop.in_scope, shop.shown, shop.left_out) == (True, Listed(("orders",)), Listed())


def test_a_schema_without_tables_is_listed_too() -> None:
    [empty] = previewed(ScopeFilter()).schemas
    assert (empty.tables, empty.shown, empty.left_out) == (0, Listed(), Listed())


def test_the_first_of_a_large_schema_are_listed_in_whatever_order_they_come() -> None:
    names = [f"t_{number:05}" for number in range(3 * IN_A_SCHEMA)]
    mixed = random.Random(4).sample(names, len(names))
    [shop] = previewed(ScopeFilter(), *(("shop", name) for name in mixed)).schemas
    assert shop.shown == Listed(tuple(names[:IN_A_SCHEMA]), 2 * IN_A_SCHEMA)
    assert all(type(name) is str for name in shop.shown.names)


def test_what_is_listed_is_bounded_over_all_schemas_and_counted_beyond() -> None:
    schemas = tuple(f"s_{number}" for number in range(20))
    found = previewed(
        NO_TEMPORARY,
        *((schema, f"{start}{number}") for schema in schemas for start in ("t_", "tmp_") for number in range(150)),
        schemas=schemas,
    )
    listed = [each for schema in found.schemas for each in (schema.shown, schema.left_out)]
    assert sum(len(each.names) for each in listed) == IN_ALL
    assert [len(each.names) + each.more for each in listed] == [150] * 40
    assert (found.seen, found.left_out) == (3000, 3000)


def test_many_tables_take_no_more_memory_than_what_is_shown() -> None:
    tally = Tally(ScopeFilter())
    tracemalloc.start()
    try:
        for number in range(100_000):
            tally.add(f"s_{number % 10}", f"a table of a name that is rather long {number}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
