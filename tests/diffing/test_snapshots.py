"""Two saved reads compared, as ``metamapper diff A B`` does."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from metamapper.diffing import diff_snapshots
from metamapper.schema import Completeness, Relation, Scope, Snapshot
from tests.diffing.build import OTHER, heads, relation


def snapshot(*relations: Relation, scopes: tuple[Scope, ...] | None = None, **more: Any) -> Snapshot:
    names = dict.fromkeys(each.schema for each in relations)
    listed = tuple(Scope(name=name) for name in names) if scopes is None else scopes
    return Snapshot(engine="test", scopes=listed, relations=relations, **more)


def test_equal_snapshots_do_not_differ() -> None:
    value = snapshot(relation("s.a"), relation("r.b", OTHER))
    assert diff_snapshots(value, value) == []


def test_from_and_to_nothing() -> None:
    empty, full = snapshot(), snapshot(relation("s.a"))
    assert heads(diff_snapshots(empty, full)) == [("added", "schema", "s"), ("added", "relation", "s.a")]
    assert heads(diff_snapshots(full, empty)) == [("removed", "relation", "s.a"), ("removed", "schema", "s")]


def test_a_rename_is_inferred_and_followed() -> None:
    before = snapshot(relation("s.a"), relation("s.b", OTHER))
    after = snapshot(relation("s.c"), relation("s.b", OTHER + " more:int"))
    assert heads(diff_snapshots(before, after)) == [("renamed", "relation", "s.c"), ("added", "column", "s.b.more")]


def test_native_ids_count_within_one_database_only() -> None:
    before = snapshot(relation("s.a", oid=1), relation("s.b", OTHER, oid=2))
    after = snapshot(relation("s.a", OTHER, oid=2), relation("s.b", oid=1))
    same = heads(diff_snapshots(before, after, stable_ids=True))
    assert same == [("renamed", "relation", "s.a"), ("renamed", "relation", "s.b")]
    assert {kind for kind, _, _ in heads(diff_snapshots(before, after))} == {"added", "removed"}


def test_what_could_not_be_read_is_not_gone() -> None:
    before = snapshot(relation("s.a"), relation("r.b", OTHER))
    partial = (Scope(name="s", completeness=Completeness.UNREADABLE), Scope(name="r"))
    assert heads(diff_snapshots(before, snapshot(scopes=partial))) == [("removed", "relation", "r.b")]
    assert diff_snapshots(before, snapshot(scopes=(), scopes_complete=False)) == []


def test_a_renamed_schema_carries_its_relations() -> None:
    before = snapshot(relation("s.a", oid=1), scopes=(Scope(name="s", native_id="9"),))
    after = snapshot(relation("z.a", oid=1), scopes=(Scope(name="z", native_id="9"),))
    assert heads(diff_snapshots(before, after, stable_ids=True)) == [("renamed", "schema", "z")]


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.lists(st.sampled_from(["id:int", "x:text", "y:date", "z:int"]), max_size=4, unique=True).map(" ".join)
SNAPSHOTS = st.lists(st.tuples(st.sampled_from("sr"), NAMES, TEXTS), max_size=4, unique_by=lambda each: each[:2]).map(
    lambda tables: snapshot(*(relation(f"{schema}.{name}", text) for schema, name, text in tables))
)


@given(SNAPSHOTS)
def test_any_snapshot_equals_itself(value: Snapshot) -> None:
    assert diff_snapshots(value, value) == []
    assert diff_snapshots(value, value, stable_ids=True) == []


@given(SNAPSHOTS, SNAPSHOTS)
def test_any_difference_is_found(before: Snapshot, after: Snapshot) -> None:
    same = {_key(each) for each in before.relations} == {_key(each) for each in after.relations}
    scopes = {scope.name for scope in before.scopes} == {scope.name for scope in after.scopes}
    assert (diff_snapshots(before, after) == []) is (same and scopes)


def _key(value: Relation) -> bytes:
    return msgspec.json.encode(value)
