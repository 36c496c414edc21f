"""Severity and reason of each change, in the words that people read."""

from typing import Any

import pytest

from metamapper.diffing import Pair, diff_relation, worst
from metamapper.schema import (
    Change,
    Column,
    Constraint,
    ConstraintKind,
    Identity,
    Index,
    Reference,
    Relation,
    RelationKind,
    Severity,
    TypeFamily,
)
from tests.diffing.build import SCHEMA, Ids, record, relation

PLAIN = "Readers see no difference."


def table(text: str = "a:int b:int c:int", **more: Any) -> Relation:
    return relation("s.t", text, **more)


def with_column(**more: Any) -> Relation:
    first = Column(name="a", position=1, type="integer", family=TypeFamily.INTEGER)
    return relation("s.t", columns=(first, Column(**{"name": "b", "position": 2, "type": "integer", **more})))


def indexed(*indexes: Index) -> Relation:
    return table(indexes=indexes)


def bound(*constraints: Constraint) -> Relation:
    return table(constraints=constraints)


def key(kind: ConstraintKind, **more: Any) -> Constraint:
    return Constraint(name="k", kind=kind, columns=("a",), **more)


FK = key(ConstraintKind.FOREIGN_KEY, references=Reference("s", "orders", ("id",)))
DOUBLES = "Duplicates of a become possible; joins may return more rows."

CASES: dict[str, tuple[Relation, Relation, str, str]] = {
    "comment": (table(), table(comment="x"), "safe", "Only the comment changed."),
    "renamed": (
        table(),
        relation("s.u", "a:int b:int c:int"),
        "risky",
        "Readers that ask for the old name must follow.",
    ),
    "query": (
        table(kind=RelationKind.VIEW, definition="select 1"),
        table(kind=RelationKind.VIEW, definition="select 2"),
        "risky",
        "Its query changed; the same columns may mean something else.",
    ),
    "table to view": (
        table(),
        table(kind=RelationKind.VIEW),
        "risky",
        "A view answers now in place of a table; writers may fail.",
    ),
    "view to materialized view": (
        table(kind=RelationKind.VIEW),
        table(kind=RelationKind.MATERIALIZED_VIEW),
        "risky",
        "Rows are as old as the last refresh now.",
    ),
    "table to external table": (
        table(),
        table(kind=RelationKind.EXTERNAL_TABLE),
        "risky",
        "Rows come from outside now; they may be slower or missing.",
    ),
    "table to partitioned table": (table(), table(kind=RelationKind.PARTITIONED_TABLE), "safe", PLAIN),
    "extras": (table(), table(extras={"storage": "orc"}), "safe", PLAIN),
    "column added": (
        table("a:int"),
        table("a:int b:int"),
        "safe",
        "May be empty; existing writers keep working.",
    ),
    "column added with a default": (
        with_column(),
        relation(
            "s.t",
            columns=(
                *with_column().columns,
                Column(name="c", position=3, type="boolean", nullable=False, default="false"),
            ),
        ),
        "safe",
        "Has a default; existing writers keep working.",
    ),
    "column added that counts by itself": (
        with_column(),
        relation(
            "s.t",
            columns=(
                *with_column().columns,
                Column(name="c", position=3, type="int", nullable=False, identity=Identity.ALWAYS),
            ),
        ),
        "safe",
        "Has a default; existing writers keep working.",
    ),
    "column added that must be given": (
        table("a:int"),
        table("a:int b:int!"),
        "risky",
        "Has no default; writers that leave it out fail.",
    ),
    "column added to a view": (
        table("a:int", kind=RelationKind.VIEW),
        table("a:int b:int!", kind=RelationKind.VIEW),
        "safe",
        "Readers by name see no difference.",
    ),
    "column removed": (table("a:int b:int"), table("a:int"), "breaking", "Readers that ask for it fail."),
    "column renamed": (
        table("a:int b:text c:int"),
        table("a:int x:text c:int"),
        "risky",
        "Readers that ask for the old name must follow.",
    ),
    "nullable": (
        with_column(nullable=False),
        with_column(nullable=True),
        "risky",
        "Inner joins will drop rows without b; readers meet nulls.",
    ),
    "not nullable": (with_column(), with_column(nullable=False), "safe", "Always has a value from now on."),
    "nullable and commented: the gravest speaks": (
        with_column(nullable=False),
        with_column(nullable=True, comment="x"),
        "risky",
        "Inner joins will drop rows without b; readers meet nulls.",
    ),
    "two risks: both speak": (
        with_column(nullable=False, type="bigint", family=TypeFamily.INTEGER),
        with_column(nullable=True, type="smallint", family=TypeFamily.INTEGER),
        "risky",
        "Became narrower: some numbers no longer fit. Inner joins will drop rows without b; readers meet nulls.",
    ),
    "default": (with_column(), with_column(default="1"), "safe", "Only rows written from now on differ."),
    "order": (
        table("a:int b:int c:int"),
        table("c:int a:int b:int"),
        "safe",
        "Readers by name see no difference; only the order of columns changed.",
    ),
    "index added": (indexed(), indexed(Index(name="i", keys=("a",))), "safe", PLAIN),
    "unique index added": (
        indexed(),
        indexed(Index(name="i", keys=("a",), unique=True)),
        "safe",
        "Readers see no difference; writers of duplicates fail.",
    ),
    "index removed": (
        indexed(Index(name="i", keys=("gateway", "gateway_ref"))),
        indexed(),
        "safe",
        "Readers see no difference; lookups by gateway get slower.",
    ),
    "unique index removed": (
        indexed(Index(name="i", keys=("a",), unique=True)),
        indexed(),
        "risky",
        f"{DOUBLES} Lookups by a get slower.",
    ),
    "index no longer unique": (
        indexed(Index(name="i", keys=("a",), unique=True)),
        indexed(Index(name="i", keys=("a",))),
        "risky",
        DOUBLES,
    ),
    "index on something else": (
        indexed(Index(name="i", keys=("a",))),
        indexed(Index(name="i", keys=("b",))),
        "safe",
        "Readers see no difference; lookups by a get slower.",
    ),
    "index widened": (indexed(Index(name="i", keys=("a",))), indexed(Index(name="i", keys=("a", "b"))), "safe", PLAIN),
    "index commented": (
        indexed(Index(name="i")),
        indexed(Index(name="i", comment="x")),
        "safe",
        "Only the comment changed.",
    ),
    "primary key removed": (bound(key(ConstraintKind.PRIMARY_KEY)), bound(), "risky", DOUBLES),
    "foreign key removed": (
        bound(FK),
        bound(),
        "risky",
        "Rows without a match in orders become possible; inner joins may drop them.",
    ),
    "foreign key added": (
        bound(),
        bound(FK),
        "safe",
        "Readers see no difference; every value has its match from now on.",
    ),
    "foreign key elsewhere": (
        bound(FK),
        bound(key(ConstraintKind.FOREIGN_KEY, references=Reference("s", "other", ("id",)))),
        "risky",
        "Points to another table or other columns now.",
    ),
    "check removed": (bound(key(ConstraintKind.CHECK)), bound(), "risky", "Values that were refused become possible."),
    "check added": (
        bound(),
        bound(key(ConstraintKind.CHECK)),
        "safe",
        "Readers see no difference; writers that break it fail.",
    ),
    "check changed": (
        bound(key(ConstraintKind.CHECK, definition="a > 0")),
        bound(key(ConstraintKind.CHECK, definition="a > 1")),
        "risky",
        "The rule changed; other values may be possible.",
    ),
    "key on other columns": (
        bound(key(ConstraintKind.UNIQUE)),
        bound(Constraint(name="k", kind=ConstraintKind.UNIQUE, columns=("a", "b"))),
        "risky",
        DOUBLES,
    ),
}


@pytest.mark.parametrize(("before", "after", "severity", "reason"), CASES.values(), ids=CASES.keys())
def test_verdicts(before: Relation, after: Relation, severity: str, reason: str) -> None:
    change = _only(before, after)
    assert (change.severity, change.reason) == (severity, reason)


def _only(before: Relation, after: Relation) -> Change:
    known = record(before)
    found = diff_relation(known, after, schema_id=SCHEMA, pair=Pair(known.id, 0), new_ids=Ids(500))
    (change,) = [change for change in found.changes if not change.quiet]
    return change


def test_the_worst() -> None:
    safe, risky, breaking = Severity.SAFE, Severity.RISKY, Severity.BREAKING
    assert worst([safe, breaking, risky]) is breaking
    assert worst([safe, risky]) is risky
    assert worst([]) is None
