"""Identity by evidence: each rule by the smallest history that needs it, and the next one that must not trigger it."""

from typing import Any

import pytest

from metamapper.diffing import KnownRelation, SeenRelation, match_relations
from metamapper.schema import Relation, RelationKind
from tests.diffing.build import OTHER, WIDE, match, relation, told, view

CERTAIN, INFERRED = "certain", "inferred"
TINY = "id:int name:text"
NEARLY = WIDE + " extra:text"  # 5 of 6 columns


def outcome(
    pairs: dict[int, tuple[int, str, str]] | None = None,
    *,
    appeared: tuple[int, ...] = (),
    vanished: tuple[int, ...] = (),
    suggested: tuple[tuple[int, int], ...] = (),
) -> dict[str, Any]:
    return {
        "pairs": pairs or {},
        "appeared": list(appeared),
        "vanished": list(vanished),
        "suggested": list(suggested),
    }


def t(name: str, oid: int | None = None, text: str = WIDE, **more: Any) -> Relation:
    return relation(name if "." in name else f"s.{name}", text, oid=oid, **more)


BY_ID: dict[str, tuple[list[Relation], list[Relation], dict[str, Any]]] = {
    "nothing happened": ([t("a", 1)], [t("a", 1)], outcome({1: (0, CERTAIN, "")})),
    "appeared": ([], [t("a", 1)], outcome(appeared=(0,))),
    "vanished": ([t("a", 1)], [], outcome(vanished=(1,))),
    "renamed": ([t("a", 1)], [t("b", 1)], outcome({1: (0, CERTAIN, "renamed")})),
    "renamed and changed beyond recognition": (
        [t("a", 1)],
        [t("b", 1, OTHER)],
        outcome({1: (0, CERTAIN, "renamed")}),
    ),
    "moved": ([t("s.a", 1)], [t("r.a", 1)], outcome({1: (0, CERTAIN, "moved")})),
    "moved and renamed": ([t("s.a", 1)], [t("r.b", 1)], outcome({1: (0, CERTAIN, "moved")})),
    "swapped, clearly different": (
        [t("a", 1), t("b", 2, OTHER)],
        [t("a", 2, OTHER), t("b", 1)],
        outcome({1: (1, CERTAIN, "renamed"), 2: (0, CERTAIN, "renamed")}),
    ),
    "swapped, nearly equal: what is written stays with the name": (
        [t("a", 1), t("a_new", 2, NEARLY)],
        [t("a", 2, NEARLY), t("a_new", 1)],
        outcome({1: (0, INFERRED, "rebuilt"), 2: (1, INFERRED, "rebuilt")}),
    ),
    "rotated": (
        [t("a", 1), t("b", 2, OTHER), t("c", 3, "x:int y:int z:int")],
        [t("b", 1), t("c", 2, OTHER), t("a", 3, "x:int y:int z:int")],
        outcome({1: (0, CERTAIN, "renamed"), 2: (1, CERTAIN, "renamed"), 3: (2, CERTAIN, "renamed")}),
    ),
    "rebuilt": ([t("a", 1)], [t("a", 2)], outcome({1: (0, CERTAIN, "rebuilt")})),
    "rebuilt with other columns": ([t("a", 1)], [t("a", 2, OTHER)], outcome({1: (0, CERTAIN, "rebuilt")})),
    "rebuilt as a view": (
        [t("a", 1)],
        [view("s.a", "select 1", oid=2)],
        outcome({1: (0, CERTAIN, "rebuilt")}),
    ),
    "replaced, the old one lives on": (
        [t("a", 1)],
        [t("a", 2, NEARLY), t("a_old", 1)],
        outcome({1: (0, INFERRED, "rebuilt")}, appeared=(1,)),
    ),
    "renamed, and an unlike one under the old name": (
        [t("a", 1)],
        [t("a", 2, OTHER), t("b", 1)],
        outcome({1: (1, CERTAIN, "renamed")}, appeared=(0,)),
    ),
    "replaced by one known before, the old one lives on": (
        [t("a", 1), t("a_new", 2)],
        [t("a", 2), t("a_old", 1)],
        outcome({1: (0, INFERRED, "rebuilt")}, appeared=(1,), vanished=(2,)),
    ),
    "replaced by one known before, the old one dropped": (
        [t("a", 1), t("a_new", 2)],
        [t("a", 2)],
        outcome({1: (0, INFERRED, "rebuilt")}, vanished=(2,)),
    ),
    "dropped, and an unlike one renamed to its name": (
        [t("a", 1), t("b", 2, OTHER)],
        [t("a", 2, OTHER)],
        outcome({2: (0, CERTAIN, "renamed")}, vanished=(1,)),
    ),
    "dropped, and another with the same columns made: two objects, says the engine": (
        [t("a", 1)],
        [t("b", 2)],
        outcome(appeared=(0,), vanished=(1,), suggested=((1, 0),)),
    ),
    "an id given to another sort of thing is no proof": (
        [t("a", 1)],
        [view("s.b", "select 1", oid=1)],
        outcome(appeared=(0,), vanished=(1,)),
    ),
    "a table became a partition": (
        [t("a", 1)],
        [t("b", 1, kind=RelationKind.PARTITION)],
        outcome({1: (0, CERTAIN, "renamed")}),
    ),
    "all ids count anew, as after a restore elsewhere": (
        [t("a", 1), t("b", 2, OTHER), t("c", 3, "x:int y:int z:int")],
        [t("a", 2), t("b", 3, OTHER), t("c", 1, "x:int y:int z:int")],
        outcome({1: (0, INFERRED, "rebuilt"), 2: (1, INFERRED, "rebuilt"), 3: (2, INFERRED, "rebuilt")}),
    ),
    "the old one lives on, beside others that came and went": (
        [t("a", 1), t("a_new", 2), t("z", 3, OTHER)],
        [t("a", 2), t("a_old", 1), t("y", 4, "k:int l:int m:int")],
        outcome({1: (0, INFERRED, "rebuilt")}, appeared=(1, 2), vanished=(2, 3)),
    ),
    "a name is all that is left": (
        [t("a", 1, OTHER), t("b", 2)],
        [t("b", 1), t("a", 2, "k:int l:int m:int")],
        outcome({1: (1, INFERRED, "rebuilt"), 2: (0, INFERRED, "rebuilt")}),
    ),
    "one id on two of them is given once": (
        [t("a", 1)],
        [t("b", 1), t("c", 1)],
        outcome({1: (0, CERTAIN, "renamed")}, appeared=(1,)),
    ),
    "ids were not known before": ([t("a")], [t("a", 1)], outcome({1: (0, CERTAIN, "")})),
    "ids are not known any more": ([t("a", 1)], [t("a")], outcome({1: (0, CERTAIN, "")})),
    "neither has an id: looks decide": ([t("a")], [t("b")], outcome({1: (0, INFERRED, "renamed")})),
}


@pytest.mark.parametrize(("known", "seen", "expected"), BY_ID.values(), ids=BY_ID.keys())
def test_with_stable_ids(known: list[Relation], seen: list[Relation], expected: dict[str, Any]) -> None:
    assert told(match(known, seen)) == expected


BY_LOOKS: dict[str, tuple[list[Relation], list[Relation], dict[str, Any]]] = {
    "nothing happened": ([t("a")], [t("a")], outcome({1: (0, CERTAIN, "")})),
    "the name comes first": (
        [t("a"), t("b", text=OTHER)],
        [t("a", text=OTHER), t("b")],
        outcome({1: (0, CERTAIN, ""), 2: (1, CERTAIN, "")}),
    ),
    "an id that is only a hint does not rebuild": ([t("a", 1)], [t("a", 2)], outcome({1: (0, CERTAIN, "")})),
    "renamed": ([t("a")], [t("b")], outcome({1: (0, INFERRED, "renamed")})),
    "renamed, columns in another order": (
        [t("a", text="x:int y:text z:date")],
        [t("b", text="z:date x:int y:text")],
        outcome({1: (0, INFERRED, "renamed")}),
    ),
    "moved": ([t("s.a")], [t("r.a")], outcome({1: (0, INFERRED, "moved")})),
    "renamed with one column more": ([t("a")], [t("b", text=NEARLY)], outcome({1: (0, INFERRED, "renamed")})),
    "too unlike": (
        [t("a", text="a:int b:int c:int d:int")],
        [t("b", text="a:int b:int c:int e:int")],
        outcome(appeared=(0,), vanished=(1,)),
    ),
    "another kind": (
        [t("a")],
        [t("b", kind=RelationKind.EXTERNAL_TABLE)],
        outcome(appeared=(0,), vanished=(1,)),
    ),
    "tiny": ([t("a", text=TINY)], [t("b", text=TINY)], outcome(appeared=(0,), vanished=(1,), suggested=((1, 0),))),
    "without columns": ([t("a", columns=())], [t("b", columns=())], outcome(appeared=(0,), vanished=(1,))),
    "two vanished": (
        [t("a"), t("b")],
        [t("c")],
        outcome(appeared=(0,), vanished=(1, 2), suggested=((1, 0), (2, 0))),
    ),
    "two appeared": (
        [t("a")],
        [t("b"), t("c")],
        outcome(appeared=(0, 1), vanished=(1,), suggested=((1, 0), (1, 1))),
    ),
    "an exact one beats a near one": (
        [t("a")],
        [t("b"), t("c", text=NEARLY)],
        outcome({1: (0, INFERRED, "renamed")}, appeared=(1,)),
    ),
    "two near ones": (
        [t("a")],
        [t("b", text=WIDE + " x:int"), t("c", text=WIDE + " y:int")],
        outcome(appeared=(0, 1), vanished=(1,), suggested=((1, 0), (1, 1))),
    ),
    "one in the schema beats one elsewhere": (
        [t("s.a")],
        [t("s.b"), t("r.c")],
        outcome({1: (0, INFERRED, "renamed")}, appeared=(1,)),
    ),
    "each schema its own rename": (
        [t("s.a"), t("r.a")],
        [t("r.b"), t("s.b")],
        outcome({1: (1, INFERRED, "renamed"), 2: (0, INFERRED, "renamed")}),
    ),
    "a common form: next month's table is not last month's": (
        [t("log_1"), t("log_2")],
        [t("log_2"), t("log_3")],
        outcome({2: (0, CERTAIN, "")}, appeared=(1,), vanished=(1,), suggested=((1, 1),)),
    ),
    "a common form with a column more": (
        [t("log_1"), t("log_2")],
        [t("log_2"), t("log_3", text=NEARLY)],
        outcome({2: (0, CERTAIN, "")}, appeared=(1,), vanished=(1,), suggested=((1, 1),)),
    ),
    "the same form in another schema says nothing against it": (
        [t("s.a"), t("r.a")],
        [t("s.b"), t("r.a")],
        outcome({1: (0, INFERRED, "renamed"), 2: (1, CERTAIN, "")}),
    ),
    "a crowd says nothing": (
        [t(f"a{number}") for number in range(4)],
        [t(f"b{number}") for number in range(4)],
        outcome(appeared=(0, 1, 2, 3), vanished=(1, 2, 3, 4)),
    ),
    "a hinted id decides between two": (
        [t("a", 1), t("b", 2)],
        [t("c", 2), t("d", 1)],
        outcome({1: (1, INFERRED, "renamed"), 2: (0, INFERRED, "renamed")}),
    ),
    "a hinted id with other columns is no hint": (
        [t("a", 1)],
        [t("b", 1, OTHER)],
        outcome(appeared=(0,), vanished=(1,)),
    ),
    "a hinted id makes up for changes": (
        [t("a", 1, "a:int b:int c:int d:int")],
        [t("b", 1, "a:int b:int c:int e:int")],
        outcome({1: (0, INFERRED, "renamed")}),
    ),
    "a view with the same query": (
        [view("s.a", "select 1  as x")],
        [view("s.b", "select 1 as x")],
        outcome({1: (0, INFERRED, "renamed")}),
    ),
    "a small view with the same query": (
        [view("s.a", "select 1 as x", "x:int")],
        [view("s.b", "select 1 as x", "x:int")],
        outcome({1: (0, INFERRED, "renamed")}),
    ),
    "a view with another query": (
        [view("s.a", "select 1")],
        [view("s.b", "select 2")],
        outcome(appeared=(0,), vanished=(1,), suggested=((1, 0),)),
    ),
    "the query tells two views apart": (
        [view("s.a", "select 1"), view("s.b", "select 2")],
        [view("s.c", "select 2"), view("s.d", "select 1")],
        outcome({1: (1, INFERRED, "renamed"), 2: (0, INFERRED, "renamed")}),
    ),
}


@pytest.mark.parametrize(("known", "seen", "expected"), BY_LOOKS.values(), ids=BY_LOOKS.keys())
def test_without_stable_ids(known: list[Relation], seen: list[Relation], expected: dict[str, Any]) -> None:
    assert told(match(known, seen, stable_ids=False)) == expected


RETURNED: dict[str, tuple[list[Relation], list[Relation], list[Relation], bool, dict[str, Any]]] = {
    "under its name": ([], [t("a")], [t("a")], False, outcome({100: (0, CERTAIN, "restored")})),
    "under its name with another id": ([], [t("a", 1)], [t("a", 2)], True, outcome({100: (0, CERTAIN, "restored")})),
    "under another name with its id": ([], [t("a", 1)], [t("b", 1)], True, outcome({100: (0, CERTAIN, "restored")})),
    "an old number on an unlike thing": ([], [t("a", 1)], [t("b", 1, OTHER)], True, outcome(appeared=(0,))),
    "an old number on another sort of thing": (
        [],
        [t("a", 1)],
        [view("s.b", "select 1", oid=1)],
        True,
        outcome(appeared=(0,)),
    ),
    "an old number on two of them is given once": (
        [],
        [t("a", 1)],
        [t("b", 1), t("c", 1)],
        True,
        outcome({100: (0, CERTAIN, "restored")}, appeared=(1,)),
    ),
    "an old number where ids are no proof": ([], [t("a", 1)], [t("b", 1)], False, outcome(appeared=(0,))),
    "the living go first": ([t("a", 1)], [t("a", 2)], [t("a", 1)], True, outcome({1: (0, CERTAIN, "")})),
    "its name is taken back before a rename is guessed": (
        [t("b")],
        [t("a")],
        [t("a")],
        False,
        outcome({100: (0, CERTAIN, "restored")}, vanished=(1,)),
    ),
    "the latest of two": ([], [t("a"), t("a", text=OTHER)], [t("a")], False, outcome({100: (0, CERTAIN, "restored")})),
    "by id first, then by name": (
        [],
        [t("a", 1), t("b", 2, OTHER)],
        [t("b", 1), t("a", 3)],
        True,
        outcome({100: (0, CERTAIN, "restored")}, appeared=(1,)),
    ),
}


@pytest.mark.parametrize(("known", "retired", "seen", "stable", "expected"), RETURNED.values(), ids=RETURNED.keys())
def test_what_returns(
    known: list[Relation], retired: list[Relation], seen: list[Relation], stable: bool, expected: dict[str, Any]
) -> None:
    assert told(match(known, seen, retired=retired, stable_ids=stable)) == expected


UNREAD: dict[str, tuple[list[Relation], list[Relation], bool, dict[str, Any]]] = {
    "nothing vanishes": ([t("s.a", 1), t("r.b", 2)], [], True, outcome(vanished=(2,))),
    "its id is proof that it moved": (
        [t("s.a", 1)],
        [t("r.a", 1)],
        True,
        outcome({1: (0, CERTAIN, "moved")}),
    ),
    "without ids nobody knows that it moved": ([t("s.a")], [t("r.a")], False, outcome(appeared=(0,))),
    "it may be the one that appeared elsewhere": (
        [t("s.a"), t("q.b")],
        [t("r.c")],
        False,
        outcome(appeared=(0,), vanished=(2,), suggested=((2, 0),)),
    ),
    "a rename within a schema needs no look elsewhere": (
        [t("s.a"), t("r.b")],
        [t("r.c")],
        False,
        outcome({2: (0, INFERRED, "renamed")}),
    ),
    "a name is not kept at the price of one that cannot vanish": (
        [t("r.a", 1), t("s.a_new", 2)],
        [t("r.a", 2)],
        True,
        outcome({2: (0, CERTAIN, "moved")}, vanished=(1,)),
    ),
    "swapped with its like, and only one was listed: its id is proof": (
        [t("s.a", 1), t("s.b", 2)],
        [t("s.a", 2)],
        True,
        outcome({2: (0, CERTAIN, "renamed")}),
    ),
    "what a partial read did list is matched": (
        [t("s.a", 1), t("s.b", 2)],
        [t("s.c", 1)],
        True,
        outcome({1: (0, CERTAIN, "renamed")}),
    ),
}


@pytest.mark.parametrize(("known", "seen", "stable", "expected"), UNREAD.values(), ids=UNREAD.keys())
def test_beside_an_unread_schema(
    known: list[Relation], seen: list[Relation], stable: bool, expected: dict[str, Any]
) -> None:
    """The schema ``s`` could not be read, or not wholly."""
    assert told(match(known, seen, stable_ids=stable, unreadable=["s"])) == expected


def test_two_schemas_of_one_name_share_no_tables() -> None:
    """A schema took the name of one that is not proved gone: native ids tell their relations apart."""
    gone, here = t("s.a", 1), t("s.a", 2, OTHER)
    for known in ([gone, here], [here, gone]):
        matching = match(known, [here], unreadable=["s"])
        (pair,) = matching.pairs
        assert pair.known_id.int // 1000 == known.index(here) + 1
        assert pair.kind_hint is None
        assert matching.appeared == matching.vanished == []


def test_one_that_stands_where_it_stood_stays_itself_beside_one_that_is_not_proved_gone() -> None:
    """A partial read left two under one path; the next look at the same thing must find nothing new."""
    for known in ([t("s.a", 1), t("s.a", 2)], [t("s.a", 2), t("s.a", 1)]):
        (pair,) = match(known, [t("s.a", 2)], unreadable=["s"]).pairs
        assert known[pair.known_id.int // 1000 - 1].native_id == "2"
        assert pair.certainty == "certain"


def test_an_unchanged_relation_says_so_and_nothing_is_fetched() -> None:
    known = KnownRelation(*_ids(), "s", "a", RelationKind.TABLE, "1", b"print", b"")
    seen = SeenRelation(0, "s", "a", RelationKind.TABLE, "1", b"print")
    (pair,) = _untouched([known], [seen]).pairs
    assert pair.unchanged


@pytest.mark.parametrize(
    "seen",
    [
        SeenRelation(0, "s", "a", RelationKind.TABLE, "1", b"other print"),
        SeenRelation(0, "s", "a", RelationKind.PARTITION, "1", b"print"),
    ],
)
def test_a_changed_relation_says_so(seen: SeenRelation) -> None:
    known = KnownRelation(*_ids(), "s", "a", RelationKind.TABLE, "1", b"print", b"")
    (pair,) = _untouched([known], [seen]).pairs
    assert not pair.unchanged


def _ids() -> tuple[Any, Any]:
    from uuid import UUID

    return UUID(int=1), UUID(int=2)


def _untouched(known: list[KnownRelation], seen: list[SeenRelation]) -> Any:
    def never(_: Any) -> Any:
        raise AssertionError("fetched")

    return match_relations(
        known, seen, relation_of=never, record_of=never, stable_ids=True, readable=lambda schema: True
    )


def test_evidence_says_why() -> None:
    (kept,) = match([t("a", 48211)], [t("b", 48211)]).pairs
    assert kept.evidence
    assert kept.evidence.summary == "The engine kept its id 48211."
    (replaced,) = match([t("a", 1)], [t("a", 2), t("a_old", 1)]).pairs
    assert replaced.evidence
    assert "lives on as s.a_old" in replaced.evidence.summary
    assert [(item.label, item.agrees) for item in replaced.evidence.items] == [
        ("Name", True),
        ("Kind", True),
        ("Native id", False),
    ]
    (alike,) = match([t("a")], [t("b")], stable_ids=False).pairs
    assert alike.evidence
    assert alike.evidence.summary == "The same 5 columns under another name."
    columns = alike.evidence.items[0]
    assert (columns.label, columns.vanished, columns.appeared) == ("Columns", "5", "5 of 5 alike")
