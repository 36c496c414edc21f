"""Counts, kinds and sizes in words; columns as lines of a page."""

from uuid import UUID, uuid4

import pytest

from metamapper.history.feed import Fold
from metamapper.lib.ids import uuid7
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Generated,
    Identified,
    Identity,
    Index,
    Reference,
    Relation,
    RelationRecord,
)
from metamapper.web.catalog import columns, wording
from metamapper.web.catalog.page import size_in_words


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "Nothing has changed since"),
        ({("table", "added"): 1}, "1 change since: 1 table added"),
        (
            {("index", "added"): 1, ("column", "added"): 1, ("column", "changed"): 1},
            "3 changes since: 1 column added, 1 changed, 1 index added",
        ),
        ({("relation", "removed"): 2046}, "2\u202f046 changes since: 2\u202f046 tables removed"),
    ],
)
def test_what_changed_since(counts: dict[tuple[str, str], int], said: str) -> None:
    assert wording.told_since(counts) == said


def test_a_fold_is_told_before_its_name() -> None:
    assert wording.told_fold(Fold(uuid4(), "added", "column", uuid4(), 8)) == "8 columns added to"
    assert wording.told_fold(Fold(uuid4(), "changed", "index", uuid4(), 1)) == "1 index changed in"


@pytest.mark.parametrize(
    ("size", "said"),
    [(None, ""), (0, "0\u00a0B"), (999, "999\u00a0B"), (1000, "1\u00a0kB"), (612_345_678, "612\u00a0MB"), (1.5e9, "1.5\u00a0GB"), (10**18, "1000\u00a0PB")],
)  # fmt: skip
def test_sizes(size: int | None, said: str) -> None:
    assert size_in_words(size) == said


def a_record(
    *named: Column, indexes: tuple[Index, ...] = (), constraints: tuple[Constraint, ...] = ()
) -> RelationRecord:
    def identify(values: tuple) -> tuple:
        return tuple(Identified(uuid7(), value) for value in values)

    return RelationRecord(
        id=uuid7(),
        schema_id=uuid7(),
        relation=Relation(schema="billing", name="invoices"),
        columns=identify(named),
        indexes=identify(indexes),
        constraints=identify(constraints),
    )


def col(name: str, position: int = 1, **facts: object) -> Column:
    return Column(name=name, position=position, type="int", **facts)  # type: ignore[arg-type]


def marks(record: RelationRecord) -> dict[str, list[str]]:
    return {line.column.name: [key.mark for key in line.keys] for line in columns.lines(record, {}, {})}


def test_the_strongest_key_is_marked() -> None:
    record = a_record(
        col("id"),
        col("number"),
        col("customer"),
        col("status"),
        col("plain"),
        col("both"),
        indexes=(Index(name="a", keys=("status",)), Index(name="b", keys=("number",), unique=True)),
        constraints=(
            Constraint(name="pk", kind=ConstraintKind.PRIMARY_KEY, columns=("id", "both")),
            Constraint(name="fk", kind=ConstraintKind.FOREIGN_KEY, columns=("customer", "both"), references=Reference("crm", "c")),
        ),
    )  # fmt: skip
    assert marks(record) == {
        "id": ["PK"], "number": ["UQ"], "customer": ["FK"], "status": ["IX"], "plain": [], "both": ["PK", "FK"],
    }  # fmt: skip


def test_a_nested_field_does_not_inherit_the_keys_of_a_namesake() -> None:
    record = a_record(
        col("id"),
        col("id", nested_in=("payload",)),
        constraints=(Constraint(name="pk", kind=ConstraintKind.PRIMARY_KEY, columns=("id",)),),
    )
    assert [bool(line.keys) for line in columns.lines(record, {}, {})] == [True, False]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (col("a"), ""),
        (col("a", default="0"), "0"),
        (col("a", identity=Identity.ALWAYS), "identity, always"),
        (col("a", default="b * 2", generated=Generated.STORED), "= b * 2 (stored)"),
    ],
)
def test_how_a_value_comes_to_be(column: Column, said: str) -> None:
    (line,) = columns.lines(a_record(column), {}, {})
    assert line.default == said


def many(count: int) -> tuple[list[columns.Line], dict[UUID, str]]:
    record = a_record(*(col(f"c{number}", number) for number in range(1, count + 1)))
    texts = {child.id: "Said" for child in record.columns[::2]}
    return columns.lines(record, texts, {}), texts


def test_segments_count_and_narrow() -> None:
    every, texts = many(9)
    found = columns.listed(every, show="undescribed")
    assert len(found.lines) == 9 - len(texts)
    assert [(segment.word, segment.count, segment.current) for segment in found.segments] == [
        ("All", None, False), ("Keys", 0, False), ("Undescribed", 4, True), ("Changed lately", 0, False),
    ]  # fmt: skip
    assert columns.listed(every, show="nonsense").segments[0].current


def test_pages_of_two_hundred_join_without_gap() -> None:
    every, _ = many(2000)
    seen: list[columns.Line] = []
    after: int | None = 0
    while after is not None:
        found = columns.listed(every, after=after)
        assert len(found.lines) <= columns.PAGE
        seen += found.lines
        after = found.next
    assert seen == every


def test_the_filter_looks_at_all_that_is_shown_and_ignores_case() -> None:
    every, _ = many(30)
    assert columns.listed(every, text="C7").found == 1
    assert columns.listed(every, text="SAID").found == 15
    assert columns.listed(every, text="int").found == 30
