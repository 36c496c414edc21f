"""Replay: what a change leads to, and that a history that cannot be is refused."""

from uuid import UUID

import msgspec
import pytest

from metamapper.diffing import (
    CatalogState,
    added_relation,
    added_scope,
    apply_change,
    removed_relation,
    replay,
    settled,
)
from metamapper.schema import AssetKind, Change, ChangeKind, FieldChange, Scope, ScopeRecord
from tests.diffing.build import SCHEMA, record, relation

SCOPE = ScopeRecord(id=SCHEMA, scope=Scope(name="s"))


def change(asset: AssetKind, asset_id: int, *fields: FieldChange, parent: UUID | None = None) -> Change:
    return Change(kind=ChangeKind.CHANGED, asset=asset, asset_id=UUID(int=asset_id), parent_id=parent, fields=fields)


def test_nothing_leads_to_nothing() -> None:
    assert replay([]) == CatalogState()


def test_statistics_do_not_come_back() -> None:
    value = record(relation("s.a", row_estimate=5, size_bytes=6))
    added = added_relation(value, whole=False)
    whole = msgspec.structs.replace(added, after=msgspec.to_builtins(value))
    assert replay([whole]).relations == {value.id: settled(value)}
    assert settled(value).relation.row_estimate is None


def test_a_schema_s_new_name_stands_on_its_relations_only() -> None:
    mine = record(relation("s.a"))
    other = record(relation("r.b"), start=100, schema_id=UUID(int=9001))
    renamed = Change(
        kind=ChangeKind.RENAMED,
        asset=AssetKind.SCHEMA,
        asset_id=SCHEMA,
        fields=(FieldChange("name", "s", "z"),),
    )
    state = replay([added_scope(SCOPE), added_relation(mine), added_relation(other), renamed])
    assert [each.relation.schema for each in state.relations.values()] == ["z", "r"]


IMPOSSIBLE = {
    "an unknown schema": change(AssetKind.SCHEMA, 5, FieldChange("name", "a", "b")),
    "an unknown relation": change(AssetKind.RELATION, 5, FieldChange("name", "a", "b"), parent=SCHEMA),
    "an unknown column": change(AssetKind.COLUMN, 99, FieldChange("type", "a", "b"), parent=UUID(int=1)),
    "a column of an unknown relation": change(AssetKind.COLUMN, 2, FieldChange("type", "a", "b"), parent=UUID(int=5)),
    "an index without a relation": change(AssetKind.INDEX, 2),
    "a field that a relation has not": change(AssetKind.RELATION, 1, FieldChange("type", "a", "b"), parent=SCHEMA),
    "a removed relation that is not there": removed_relation(record(relation("s.b"), start=50)),
}


@pytest.mark.parametrize("impossible", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_cannot_have_happened_is_refused(impossible: Change) -> None:
    state = replay([added_scope(SCOPE), added_relation(record(relation("s.a")))])
    with pytest.raises(KeyError):
        apply_change(state, impossible)


def test_a_value_of_the_wrong_type_is_refused() -> None:
    state = replay([added_relation(record(relation("s.a")))])
    with pytest.raises(msgspec.ValidationError):
        apply_change(state, change(AssetKind.RELATION, 1, FieldChange("kind", "table", "nonsense"), parent=SCHEMA))
