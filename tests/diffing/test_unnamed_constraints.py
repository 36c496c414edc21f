"""A constraint without a name of its own goes by its text, and follows the columns in it without a word."""

import msgspec
import pytest

from metamapper.diffing import Pair, diff_relation, first_record
from metamapper.schema import Constraint, ConstraintKind
from tests.diffing.build import SCHEMA, Ids, relation

KEYS = {ConstraintKind.UNIQUE: "UNIQUE ({})", ConstraintKind.PRIMARY_KEY: "PRIMARY KEY ({})"}


def keyed(kind: ConstraintKind, columns: str, key: str) -> object:
    text = KEYS[kind].format(key)
    constraint = Constraint(name=text, kind=kind, columns=(key,), definition=text)
    return msgspec.structs.replace(relation("s.t", columns), constraints=(constraint,))


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_follows_its_renamed_column(kind: ConstraintKind) -> None:
    before = first_record(keyed(kind, "id:int mail:text name:text", "mail"), schema_id=SCHEMA, new_ids=Ids())
    after = keyed(kind, "id:int email:text name:text", "email")
    diff = diff_relation(before, after, schema_id=SCHEMA, pair=Pair(before.id, 0), new_ids=Ids(100))
    assert [(change.asset, change.kind) for change in diff.changes if not change.quiet] == [("column", "renamed")]
    assert diff.record.constraints[0].id == before.constraints[0].id
    assert diff.record.constraints[0].value == after.constraints[0]


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_over_another_column_is_another_key(kind: ConstraintKind) -> None:
    before = first_record(keyed(kind, "id:int mail:text name:text", "mail"), schema_id=SCHEMA, new_ids=Ids())
    after = keyed(kind, "id:int mail:text name:text", "name")
    diff = diff_relation(before, after, schema_id=SCHEMA, pair=Pair(before.id, 0), new_ids=Ids(100))
    assert sorted(change.kind for change in diff.changes if not change.quiet) == ["added", "removed"]
