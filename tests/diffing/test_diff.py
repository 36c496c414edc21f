"""One relation before and after, and what is told about it. Every case is also replayed onto its before."""

from typing import Any
from uuid import UUID

import pytest

from metamapper.diffing import (
    CatalogState,
    Pair,
    RelationDiff,
    added_relation,
    added_scope,
    apply_change,
    diff_relation,
    diff_scope,
    first_record,
    removed_relation,
    removed_scope,
    settled,
    settled_scope,
)
from metamapper.schema import (
    Certainty,
    Change,
    ChangeKind,
    Column,
    Completeness,
    Constraint,
    ConstraintKind,
    Generated,
    Identified,
    Index,
    Reference,
    Relation,
    RelationKind,
    RelationRecord,
    RetiredChildren,
    Scope,
    ScopeRecord,
    TypeFamily,
)
from tests.diffing.build import SCHEMA, Ids, columns, heads, quiet, record, relation, shown

ELSEWHERE = UUID(int=9001)


def diff(
    before: Relation,
    after: Relation,
    *,
    hint: ChangeKind | None = None,
    schema_id: UUID = SCHEMA,
    retired: RetiredChildren | None = None,
    certainty: Certainty = Certainty.CERTAIN,
    **more: Any,
) -> RelationDiff:
    """The diff, after proving that its changes lead from before to after."""
    known = record(before)
    pair = Pair(known.id, 0, certainty, kind_hint=hint)
    found = diff_relation(
        known, after, schema_id=schema_id, pair=pair, new_ids=Ids(500), retired=retired or RetiredChildren(), **more
    )
    state = CatalogState(relations={} if hint is ChangeKind.RESTORED else {known.id: settled(known)})
    for change in found.changes:
        apply_change(state, change)
    assert state.relations == {known.id: settled(found.record)}
    assert _bare(found.record.observed()) == _bare(after)
    return found


def _bare(value: Relation) -> Any:
    ordered = (sorted(value.columns, key=lambda each: each.position), sorted(value.indexes, key=lambda each: each.name))
    return value.name, value.kind, value.comment, value.definition, value.native_id, value.extras, ordered


def only(found: RelationDiff) -> Change:
    (change,) = found.changes
    return change


def test_equal_relations_have_no_changes() -> None:
    value = relation("s.a", oid=1)
    found = diff(value, value)
    assert found.changes == found.added == found.removed == found.restored == ()


def test_statistics_are_kept_and_are_no_change() -> None:
    found = diff(relation("s.a"), relation("s.a", row_estimate=7, size_bytes=8))
    assert found.changes == ()
    assert found.record.relation.row_estimate == 7


COLUMNS: dict[str, tuple[str, str, list[tuple[str, str, str]]]] = {
    "added at the end": ("a:int", "a:int b:text", [("added", "column", "s.t.b")]),
    "added before others: they only make room": ("b:int c:int", "a:text b:int c:int", [("added", "column", "s.t.a")]),
    "removed before others": ("a:text b:int c:int", "b:int c:int", [("removed", "column", "s.t.a")]),
    "retyped": ("a:int", "a:bigint", [("changed", "column", "s.t.a")]),
    "moved to the end: one moved, the others made room": (
        "a:int b:int c:int d:int",
        "b:int c:int d:int a:int",
        [("changed", "column", "s.t.a")],
    ),
    "renamed in its place": (
        "a:int b:text c:int",
        "a:int x:text c:int",
        [("renamed", "column", "s.t.x")],
    ),
    "renamed while one was added before": (
        "a:int b:text c:int",
        "z:date a:int x:text c:int",
        [("added", "column", "s.t.z"), ("renamed", "column", "s.t.x")],
    ),
    "renamed and retyped is another column": (
        "a:int b:text c:int",
        "a:int x:date c:int",
        [("added", "column", "s.t.x"), ("removed", "column", "s.t.b")],
    ),
    "renamed and not null is another column": (
        "a:int b:text c:int",
        "a:int x:text! c:int",
        [("added", "column", "s.t.x"), ("removed", "column", "s.t.b")],
    ),
    "another place is another column": (
        "a:int b:text c:int d:int",
        "a:int c:int d:int x:text",
        [("added", "column", "s.t.x"), ("removed", "column", "s.t.b")],
    ),
    "two of one type are doubtful": (
        "a:int b:text c:text d:int",
        "a:int x:text y:text d:int",
        [
            ("added", "column", "s.t.x"),
            ("added", "column", "s.t.y"),
            ("removed", "column", "s.t.b"),
            ("removed", "column", "s.t.c"),
        ],
    ),
    "where most went, one that fits is chance": (
        "a:int b:text c:date",
        "a:int x:text y:time z:json",
        [
            ("added", "column", "s.t.x"),
            ("added", "column", "s.t.y"),
            ("added", "column", "s.t.z"),
            ("removed", "column", "s.t.b"),
            ("removed", "column", "s.t.c"),
        ],
    ),
    "a field of a struct added": (
        "a:struct a.x:int",
        "a:struct a.x:int a.y:int",
        [("added", "column", "s.t.a.y")],
    ),
    "a renamed struct takes its fields along": (
        "id:int a:struct a.x:int a.y:row a.y.z:text",
        "id:int b:struct b.x:int b.y:row b.y.z:text",
        [("renamed", "column", "s.t.b")],
    ),
    "a renamed field in a renamed struct": (
        "id:int a:struct a.x:int a.y:text",
        "id:int b:struct b.x:int b.z:text",
        [("renamed", "column", "s.t.b"), ("renamed", "column", "s.t.b.z")],
    ),
    "a renamed field in a struct": (
        "a:struct a.x:int a.y:text b:struct b.x:int b.y:text",
        "a:struct a.x:int a.z:text b:struct b.x:int b.y:text",
        [("renamed", "column", "s.t.a.z")],
    ),
    "a field that went to another struct is another": (
        "a:struct a.x:int a.y:text b:struct b.x:int",
        "a:struct a.x:int b:struct b.x:int b.z:text",
        [("added", "column", "s.t.b.z"), ("removed", "column", "s.t.a.y")],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), COLUMNS.values(), ids=COLUMNS.keys())
def test_columns(before: str, after: str, expected: list[tuple[str, str, str]]) -> None:
    assert heads(diff(relation("s.t", before), relation("s.t", after)).changes) == expected


def test_a_pure_shift_is_one_quiet_field_of_the_relation() -> None:
    found = diff(relation("s.t", "b:int c:int"), relation("s.t", "a:int b:int c:int"))
    own, added = found.changes
    assert own.quiet
    assert shown(own) == {}
    assert [field.field for field in quiet(own)] == ["layout"]
    assert (added.kind, added.asset_id) == ("added", found.added[0])


def test_a_moved_column_says_where_it_was() -> None:
    found = diff(relation("s.t", "a:int b:int c:int"), relation("s.t", "c:int a:int b:int"))
    (moved,) = [change for change in found.changes if not change.quiet]
    assert shown(moved) == {"position": (3, 1)}


def numbered(text: str, *numbers: int, oid: int = 1) -> Relation:
    return relation("s.t", columns=columns(text, numbers=numbers), oid=oid)


BY_NUMBER: dict[str, tuple[Relation, Relation, list[tuple[str, str, str]]]] = {
    "renamed and retyped": (
        numbered("a:int b:int", 1, 2),
        numbered("a:int x:text", 1, 2),
        [("renamed", "column", "s.t.x")],
    ),
    "swapped names": (
        numbered("a:int b:text", 1, 2),
        numbered("b:int a:text", 1, 2),
        [("renamed", "column", "s.t.b"), ("renamed", "column", "s.t.a")],
    ),
    "two renamed at once": (
        numbered("a:int b:int", 1, 2),
        numbered("x:int y:int", 1, 2),
        [("renamed", "column", "s.t.x"), ("renamed", "column", "s.t.y")],
    ),
    "dropped, and another made in its place: two columns, says the engine": (
        numbered("a:int b:text c:int", 1, 2, 3),
        numbered("a:int x:text c:int", 1, 4, 3),
        [("added", "column", "s.t.x"), ("removed", "column", "s.t.b")],
    ),
    "dropped and made anew under its name": (
        numbered("a:int b:text", 1, 2),
        numbered("a:int b:text", 1, 3),
        [("rebuilt", "column", "s.t.b")],
    ),
    "a rebuilt table's numbers count anew and mean nothing": (
        numbered("a:int b:int c:int", 1, 2, 3),
        numbered("c:int a:int b:int", 1, 2, 3, oid=2),
        [("rebuilt", "relation", "s.t"), ("changed", "column", "s.t.c")],
    ),
    "inferred where the table was rebuilt": (
        numbered("a:int phone:text c:int", 1, 2, 3),
        numbered("a:int phone_e164:text c:int", 4, 5, 6, oid=2),
        [("rebuilt", "relation", "s.t"), ("renamed", "column", "s.t.phone_e164")],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), BY_NUMBER.values(), ids=BY_NUMBER.keys())
def test_numbered_columns(before: Relation, after: Relation, expected: list[tuple[str, str, str]]) -> None:
    hint = ChangeKind.REBUILT if before.native_id != after.native_id else None
    assert heads(diff(before, after, hint=hint).changes) == expected


def test_numbers_mean_nothing_where_the_table_has_none() -> None:
    before = relation("s.t", columns=columns("a:int b:text c:date", numbers=(1, 2, 3)))
    after = relation("s.t", columns=columns("a:int b:text c:date", numbers=(3, 1, 2)))
    assert [change.quiet for change in diff(before, after).changes] == [True]


def test_a_rebuilt_table_tells_its_new_id_once() -> None:
    found = diff(numbered("a:int b:int", 1, 2), numbered("a:int b:int", 7, 8, oid=2), hint=ChangeKind.REBUILT)
    change = only(found)
    assert (change.kind, shown(change)) == ("rebuilt", {"native_id": ("1", "2")})
    assert change.reason == "Rebuilt under the same name; readers see no difference."


def test_an_id_that_is_only_a_hint_changes_quietly() -> None:
    assert only(diff(relation("s.a", oid=1), relation("s.a", oid=2))).quiet
    assert only(diff(relation("s.a"), relation("s.a", oid=2))).quiet


def test_an_inferred_column_carries_its_evidence() -> None:
    found = diff(relation("s.t", "a:int phone:text c:int"), relation("s.t", "a:int phone_e164:text c:int"))
    change = only(found)
    assert change.certainty is Certainty.INFERRED
    assert change.evidence
    assert change.evidence.summary == "The only candidate: the same type in the same place."
    assert [(item.label, item.vanished, item.appeared, item.agrees) for item in change.evidence.items] == [
        ("Position", "2", "2", True),
        ("Type", "text", "text", True),
        ("Nullable", "yes", "yes", True),
        ("Default", "none", "none", True),
    ]


def test_the_evidence_says_that_the_numbers_no_longer_agree() -> None:
    before, after = (numbered("a:int phone:text c:int", 1, 2, 3), numbered("a:int mobile:text c:int", 4, 5, 6, oid=2))
    renamed = diff(before, after, hint=ChangeKind.REBUILT).changes[1]
    assert renamed.evidence
    last = renamed.evidence.items[-1]
    assert (last.label, last.vanished, last.appeared, last.agrees) == (
        "Native id, the table was rebuilt",
        "2",
        "5",
        False,
    )


SUGGESTED: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "two at once, each in its place": (
        "a:int b:text c:text d:int",
        "a:int x:text y:text d:int",
        [("b", "x"), ("c", "y")],
    ),
    "one that moved": ("a:int b:text c:int d:int", "a:int c:int d:int x:text", [("b", "x")]),
    "another type is no candidate": ("a:int b:text", "a:int x:date", []),
    "a crowd": ("a:text b:text c:text d:text", "e:text f:text g:text h:text", []),
}


@pytest.mark.parametrize(("before", "after", "expected"), SUGGESTED.values(), ids=SUGGESTED.keys())
def test_doubtful_columns_are_suggested(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    old = record(relation("s.t", before))
    found = diff(relation("s.t", before), relation("s.t", after))
    names = {child.id: child.value.name for child in (*old.columns, *found.record.columns)}
    assert [(names[each.vanished_id], names[each.appeared_id]) for each in found.suggestions] == expected
    assert all(each.vanished_id in found.removed and each.appeared_id in found.added for each in found.suggestions)


def test_a_retired_column_comes_back_under_its_name() -> None:
    gone = Identified(UUID(int=77), Column(name="b", position=2, type="int"))
    older = Identified(UUID(int=78), Column(name="b", position=2, type="date"))
    found = diff(
        relation("s.t", "a:int"), relation("s.t", "a:int b:text"), retired=RetiredChildren(columns=(gone, older))
    )
    change = only(found)
    assert (change.kind, change.asset_id, found.restored) == ("restored", UUID(int=77), (UUID(int=77),))
    assert shown(change) == {"type": ("int", "text")}
    assert change.reason == "Back, with everything written on it."


def test_retired_indexes_and_constraints_come_back_under_their_names() -> None:
    index = Identified(UUID(int=77), Index(name="i", keys=("b",)))
    constraint = Identified(UUID(int=78), fk("v"))
    found = diff(
        relation("s.t"),
        relation("s.t", indexes=(Index(name="i", keys=("a",)),), constraints=(fk("u"),)),
        retired=RetiredChildren(indexes=(index,), constraints=(constraint,)),
    )
    assert found.restored == (index.id, constraint.id)
    assert [(change.kind, change.severity) for change in found.changes] == [("restored", "safe")] * 2


def test_a_name_that_is_free_again_goes_before_a_guess() -> None:
    gone = Identified(UUID(int=77), Column(name="x", position=2, type="text"))
    found = diff(
        relation("s.t", "a:int b:text c:int"),
        relation("s.t", "a:int x:text c:int"),
        retired=RetiredChildren(columns=(gone,)),
    )
    assert heads(found.changes) == [("restored", "column", "s.t.x"), ("removed", "column", "s.t.b")]


def test_each_field_of_a_column_is_told_and_sizes_are_quiet() -> None:
    before = Column(name="a", position=1, type="numeric(10,2)", family=TypeFamily.DECIMAL, precision=10, scale=2)
    after = Column(
        name="a",
        position=1,
        type="numeric(14,3)",
        family=TypeFamily.DECIMAL,
        precision=14,
        scale=3,
        nullable=False,
        default="0",
        comment="words",
        extras={"encode": "lzo"},
    )
    change = only(diff(relation("s.t", columns=(before,)), relation("s.t", columns=(after,))))
    assert shown(change) == {
        "type": ("numeric(10,2)", "numeric(14,3)"),
        "nullable": (True, False),
        "default": (None, "0"),
        "comment": (None, "words"),
        "extras.encode": (None, "lzo"),
    }
    assert [field.field for field in quiet(change)] == ["precision", "scale"]


def test_a_relation_s_own_fields() -> None:
    before = relation("s.a", oid=1, extras={"sort_keys": ["a"], "gone": 1, "same": 2})
    after = relation(
        "r.b",
        oid=1,
        kind=RelationKind.PARTITION,
        comment="words",
        extras={"sort_keys": ["b"], "same": 2, "new": {"x": None}},
    )
    change = only(diff(before, after, schema_id=ELSEWHERE))
    assert (change.kind, change.parent_id, change.path) == ("moved", ELSEWHERE, ("r", "b"))
    assert shown(change) == {
        "schema": ("s", "r"),
        "name": ("a", "b"),
        "kind": ("table", "partition"),
        "comment": (None, "words"),
        "extras.gone": (1, None),
        "extras.new": (None, {"x": None}),
        "extras.sort_keys": (["a"], ["b"]),
    }


def test_an_extra_without_a_value_is_not_a_missing_one() -> None:
    found = diff(relation("s.a", extras={"x": None}), relation("s.a", extras={}))
    assert shown(only(found)) == {"extras": ({"x": None}, {})}
    assert found.record.relation.extras == {}


@pytest.mark.parametrize(
    ("before", "after", "schema_id", "hint", "kind"),
    [
        (relation("s.a"), relation("s.b"), SCHEMA, None, "renamed"),
        (relation("s.a"), relation("r.a"), ELSEWHERE, None, "moved"),
        (relation("s.a"), relation("r.b"), ELSEWHERE, None, "moved"),
        (relation("s.a", oid=1), relation("s.b", oid=2), SCHEMA, ChangeKind.REBUILT, "renamed"),
        (relation("s.a", oid=1), relation("s.a", oid=2), SCHEMA, ChangeKind.REBUILT, "rebuilt"),
        (relation("s.a"), relation("s.a", comment="words"), SCHEMA, None, "changed"),
    ],
)
def test_the_kind_is_the_gravest(
    before: Relation, after: Relation, schema_id: UUID, hint: ChangeKind | None, kind: str
) -> None:
    assert only(diff(before, after, schema_id=schema_id, hint=hint)).kind == kind


def test_a_renamed_schema_is_no_change_of_its_relations() -> None:
    assert (
        diff_relation(
            record(relation("s.a")),
            relation("new_name.a"),
            schema_id=SCHEMA,
            pair=Pair(UUID(int=1), 0),
            new_ids=Ids(),
        ).changes
        == ()
    )


def test_a_replacement_is_risky_and_says_so() -> None:
    found = diff(relation("s.a", oid=1), relation("s.a", oid=2), hint=ChangeKind.REBUILT, certainty=Certainty.INFERRED)
    change = only(found)
    assert (change.severity, change.certainty) == ("risky", "inferred")
    assert change.reason == "Another relation took the name; what is read now comes from there."


def test_what_comes_back_carries_the_children_it_had_and_their_changes_follow() -> None:
    before = relation("s.a", "a:int b:text c:date")
    after = relation("s.a", "b:varchar d:int a:int", comment="words")
    found = diff(before, after, hint=ChangeKind.RESTORED)
    own, *children = found.changes
    assert (own.kind, shown(own)) == ("restored", {"comment": (None, "words")})
    assert own.after
    assert {child["value"]["name"] for child in own.after["columns"]} == {"a", "b", "c"}
    assert heads(children) == [
        ("changed", "column", "s.a.b"),
        ("added", "column", "s.a.d"),
        ("removed", "column", "s.a.c"),
    ]


def indexed(*indexes: Index, text: str = "a:int b:int", path: str = "s.t", oid: int | None = None) -> Relation:
    return relation(path, text, indexes=indexes, oid=oid)


INDEXES: dict[str, tuple[Relation, Relation, list[tuple[str, str, str]]]] = {
    "added": (indexed(), indexed(Index(name="i", keys=("a",))), [("added", "index", "s.t.i")]),
    "removed": (indexed(Index(name="i", keys=("a",))), indexed(), [("removed", "index", "s.t.i")]),
    "changed": (
        indexed(Index(name="i", keys=("a",))),
        indexed(Index(name="i", keys=("a", "b"), unique=True)),
        [("changed", "index", "s.t.i")],
    ),
    "renamed": (
        indexed(Index(name="i", keys=("a",))),
        indexed(Index(name="j", keys=("a",))),
        [("renamed", "index", "s.t.j")],
    ),
    "two that mean the same are doubtful": (
        indexed(Index(name="i", keys=("a",)), Index(name="j", keys=("a",))),
        indexed(Index(name="k", keys=("a",))),
        [("added", "index", "s.t.k"), ("removed", "index", "s.t.i"), ("removed", "index", "s.t.j")],
    ),
    "another meaning is another index": (
        indexed(Index(name="i", keys=("a",))),
        indexed(Index(name="j", keys=("a",), unique=True)),
        [("added", "index", "s.t.j"), ("removed", "index", "s.t.i")],
    ),
    "two objects, says the engine": (
        indexed(Index(name="i", keys=("a",), native_id="5"), oid=1),
        indexed(Index(name="j", keys=("a",), native_id="6"), oid=1),
        [("added", "index", "s.t.j"), ("removed", "index", "s.t.i")],
    ),
    "one object, says the engine": (
        indexed(Index(name="i", keys=("a",), native_id="5"), oid=1),
        indexed(Index(name="j", keys=("b",), native_id="5"), oid=1),
        [("renamed", "index", "s.t.j")],
    ),
    "made anew": (
        indexed(Index(name="i", keys=("a",), native_id="5"), oid=1),
        indexed(Index(name="i", keys=("a",), native_id="6"), oid=1),
        [("rebuilt", "index", "s.t.i")],
    ),
    "it only follows a renamed column": (
        indexed(Index(name="i", keys=("a", "lower(b)"), definition="btree (a, lower(b))"), text="a:int b:text c:int"),
        indexed(Index(name="i", keys=("a", "lower(x)"), definition="btree (a, lower(x))"), text="a:int x:text c:int"),
        [("renamed", "column", "s.t.x")],
    ),
    "it only follows a renamed table": (
        indexed(Index(name="i", definition='CREATE INDEX i ON s."t" (a)')),
        indexed(Index(name="i", definition="CREATE INDEX i ON s.u (a)"), path="s.u"),
        [("renamed", "relation", "s.u")],
    ),
    "renamed together with its column": (
        indexed(Index(name="i_b", keys=("b",)), text="a:int b:text c:int"),
        indexed(Index(name="i_x", keys=("x",)), text="a:int x:text c:int"),
        [("renamed", "column", "s.t.x"), ("renamed", "index", "s.t.i_x")],
    ),
    "more than the rename": (
        indexed(Index(name="i", keys=("b",), predicate="b > 0"), text="a:int b:int c:text"),
        indexed(Index(name="i", keys=("x",), predicate="x > 1"), text="a:int x:int c:text"),
        [("renamed", "column", "s.t.x"), ("changed", "index", "s.t.i")],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), INDEXES.values(), ids=INDEXES.keys())
def test_indexes(before: Relation, after: Relation, expected: list[tuple[str, str, str]]) -> None:
    assert heads(diff(before, after).changes) == expected


def fk(table: str = "u", *, column: str = "a", name: str = "fk") -> Constraint:
    return Constraint(
        name=name,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=(column,),
        references=Reference("s", table, ("id",)),
        definition=f"FOREIGN KEY ({column}) REFERENCES {table}(id)",
    )


def test_a_foreign_key_follows_the_table_it_points_to() -> None:
    before, after = relation("s.t", constraints=(fk("u"),)), relation("s.t", constraints=(fk("v"),))
    assert not diff(before, after).changes[0].quiet
    follows = diff(before, after, renames={"u": {"v"}})
    assert [change.quiet for change in follows.changes] == [True]


def test_a_renamed_constraint() -> None:
    before, after = relation("s.t", constraints=(fk(name="one"),)), relation("s.t", constraints=(fk(name="two"),))
    assert heads(diff(before, after).changes) == [("renamed", "constraint", "s.t.two")]


def test_a_view_s_query_that_only_follows_a_rename_is_quiet() -> None:
    before = relation("s.v", kind=RelationKind.VIEW, definition="SELECT u.id FROM u")
    after = relation("s.v", kind=RelationKind.VIEW, definition='SELECT "v".id FROM "v"')
    assert shown(only(diff(before, after))).keys() == {"definition"}
    assert only(diff(before, after, renames={"u": {"v"}})).quiet


def test_a_generated_column_follows_a_renamed_one_and_a_default_does_not() -> None:
    def value(name: str, **more: Any) -> Relation:
        total = Column(name="total", position=2, type="numeric", default=f"{name} * 2", **more)
        return relation("s.t", columns=(Column(name=name, position=1, type="int"), total))

    following = diff(value("a", generated=Generated.STORED), value("b", generated=Generated.STORED))
    assert heads(following.changes) == [("renamed", "column", "s.t.b")]
    assert heads(diff(value("a"), value("b")).changes) == [
        ("renamed", "column", "s.t.b"),
        ("changed", "column", "s.t.total"),
    ]


def test_columns_of_one_name_are_told_apart() -> None:
    """Some engines let a view have them."""
    both = tuple(Column(name="a", position=place, type="int") for place in (1, 2))
    assert diff(relation("s.v", columns=both), relation("s.v", columns=both)).changes == ()
    assert heads(diff(relation("s.v", columns=both), relation("s.v", columns=both[:1])).changes) == [
        ("removed", "column", "s.v.a")
    ]


def test_added_and_removed_relations_carry_their_whole_state() -> None:
    value: RelationRecord = first_record(relation("s.a", row_estimate=5), schema_id=SCHEMA, new_ids=Ids())
    added, removed = added_relation(value), removed_relation(value)
    assert (added.kind, added.path, added.parent_id) == ("added", ("s", "a"), SCHEMA)
    assert added.after == removed.before
    assert added.after
    assert len(added.after["columns"]) == 5
    assert "row_estimate" not in added.after["relation"]
    assert added_relation(value, whole=False).after is None
    assert (added.severity, removed.severity) == ("safe", "breaking")


def scope(name: str = "s", **more: Any) -> ScopeRecord:
    return ScopeRecord(id=UUID(int=1), scope=Scope(name=name, **more))


@pytest.mark.parametrize(
    ("before", "after", "hint", "expected"),
    [
        (scope(), Scope(name="s"), None, None),
        (scope(), Scope(name="s", completeness=Completeness.PARTIAL, reason="why", remedy="how"), None, None),
        (scope(native_id="1"), Scope(name="r", native_id="1"), None, ("renamed", {"name": ("s", "r")}, "risky")),
        (scope(), Scope(name="s", comment="words"), None, ("changed", {"comment": (None, "words")}, "safe")),
        (
            scope(native_id="1"),
            Scope(name="s", native_id="2"),
            ChangeKind.REBUILT,
            ("rebuilt", {"native_id": ("1", "2")}, "safe"),
        ),
        (scope(), Scope(name="s"), ChangeKind.RESTORED, ("restored", {}, "safe")),
        (scope(comment="words"), Scope(name="s", completeness=Completeness.UNREADABLE), None, None),
        (
            scope(comment="words"),
            Scope(name="s", completeness=Completeness.PARTIAL),
            None,
            ("changed", {"comment": ("words", None)}, "safe"),
        ),
    ],
)
def test_schemas(before: ScopeRecord, after: Scope, hint: ChangeKind | None, expected: Any) -> None:
    found = diff_scope(before, after, pair=Pair(before.id, 0, kind_hint=hint))
    change = found.change
    assert (change and (change.kind, shown(change), change.severity)) == expected
    state = CatalogState(schemas={before.id: settled_scope(before)})
    if change:
        apply_change(state, change)
    assert state.schemas == {before.id: settled_scope(found.record)}


def test_added_and_removed_schemas() -> None:
    state = CatalogState()
    apply_change(state, added_scope(scope(comment="words", completeness=Completeness.PARTIAL)))
    assert state.schemas == {UUID(int=1): scope(comment="words")}
    apply_change(state, removed_scope(scope()))
    assert state.schemas == {}
