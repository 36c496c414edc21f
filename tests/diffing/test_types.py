"""What each change of a type means for readers."""

from typing import Any

import pytest

from metamapper.diffing.types import compare_types
from metamapper.schema import Column, TypeFamily

F = TypeFamily


def c(type_: str, family: TypeFamily, **more: Any) -> Column:
    return Column(name="a", position=1, type=type_, family=family, **more)


def text(length: int | None) -> Column:
    return c("text" if length is None else f"varchar({length})", F.STRING, length=length)


def number(precision: int | None = None, scale: int | None = None) -> Column:
    return c("numeric", F.DECIMAL, precision=precision, scale=scale)


def integer(type_: str) -> Column:
    return c(type_, F.INTEGER)


WIDER = ("safe", "Only became wider; nothing can overflow.")
SAME = ("safe", "Readers see no difference.")
UNTOLD = ("risky", "Another type of the same family; comparisons and sorting may differ.")

CASES: list[tuple[Column, Column, tuple[str, str]]] = [
    (text(10), text(20), WIDER),
    (text(10), text(None), WIDER),
    (text(20), text(10), ("risky", "Became narrower: texts of more than 10 characters no longer fit.")),
    (text(None), text(10), ("risky", "Became narrower: texts of more than 10 characters no longer fit.")),
    (c("varchar", F.STRING), text(None), SAME),
    (
        c("character(5)", F.STRING, length=5),
        text(5),
        ("risky", "Blanks at the end count differently now; comparisons may differ."),
    ),
    (integer("integer"), integer("bigint"), WIDER),
    (integer("smallint"), integer("int"), WIDER),
    (integer("bigint"), integer("integer"), ("risky", "Became narrower: some numbers no longer fit.")),
    (integer("int"), integer("integer"), SAME),
    (integer("int(11)"), integer("int"), SAME),
    (integer("int"), integer("int unsigned"), ("risky", "Became narrower: some numbers no longer fit.")),
    (integer("int unsigned"), integer("int"), ("risky", "Became narrower: some numbers no longer fit.")),
    (integer("int unsigned"), integer("bigint"), WIDER),
    (integer("odd"), integer("odder"), UNTOLD),
    (number(10, 2), number(14, 2), WIDER),
    (number(10, 2), number(12, 4), WIDER),
    (number(10, 2), number(), WIDER),
    (number(14, 2), number(10, 2), ("risky", "Became narrower: large numbers no longer fit.")),
    (number(14, 2), number(14, 4), ("risky", "Became narrower: large numbers no longer fit.")),
    (number(14, 4), number(14, 2), ("risky", "Became narrower: decimals are rounded or refused.")),
    (number(), number(10, 2), ("risky", "Became narrower: decimals are rounded or refused.")),
    (c("real", F.FLOAT), c("double precision", F.FLOAT), WIDER),
    (c("double precision", F.FLOAT), c("real", F.FLOAT), ("risky", "Became narrower: numbers lose digits.")),
    (c("float8", F.FLOAT), c("double precision", F.FLOAT), SAME),
    (c("bytea", F.BINARY, length=4), c("bytea", F.BINARY), WIDER),
    (
        c("varbinary(9)", F.BINARY, length=9),
        c("varbinary(5)", F.BINARY, length=5),
        ("risky", "Became narrower: more than 5 bytes no longer fit."),
    ),
    (
        c("timestamp without time zone", F.TIMESTAMP),
        c("timestamp with time zone", F.TIMESTAMP),
        ("risky", "Moments are read in another time zone than before."),
    ),
    (c("timestamp(3)", F.TIMESTAMP, precision=3), c("timestamp(6)", F.TIMESTAMP, precision=6), WIDER),
    (
        c("timestamp(6)", F.TIMESTAMP, precision=6),
        c("timestamp(0)", F.TIMESTAMP, precision=0),
        ("risky", "Became narrower: fractions of seconds are rounded."),
    ),
    (c("datetime", F.TIMESTAMP), c("datetime2", F.TIMESTAMP), UNTOLD),
    (
        c("enum('a','b')", F.ENUM),
        c("enum('a','b','c')", F.ENUM),
        ("safe", "More values are possible; none was taken away."),
    ),
    (
        c("enum('card','giropay','sofort')", F.ENUM),
        c("enum('card')", F.ENUM),
        ("breaking", "Values giropay and sofort are no longer possible."),
    ),
    (c("enum('a','it''s')", F.ENUM), c("enum('a')", F.ENUM), ("breaking", "The value it's is no longer possible.")),
    (
        c("pay_method", F.ENUM),
        c("pay_way", F.ENUM),
        ("risky", "Another list of values; some may no longer be possible."),
    ),
    (c("integer[]", F.ARRAY), c("text[]", F.ARRAY), ("risky", "What it holds is of another type.")),
    (c("json", F.JSON), c("jsonb", F.JSON), UNTOLD),
    (c("bit(4)", F.OTHER, length=4), c("bit(8)", F.OTHER, length=8), WIDER),
    (integer("int64"), c("STRING", F.STRING), ("breaking", "Joins and comparisons on an integer key stop working.")),
    (c("uuid", F.UUID), text(None), ("breaking", "Joins and comparisons on a uuid key stop working.")),
    (integer("integer"), number(), WIDER),
    (integer("integer"), number(10, 0), WIDER),
    (integer("bigint"), number(10, 0), ("risky", "Large numbers may no longer fit.")),
    (number(10, 2), integer("bigint"), ("risky", "Decimals are gone, and large numbers may no longer fit.")),
    (
        number(10, 2),
        c("real", F.FLOAT),
        ("risky", "Numbers are no longer exact; comparisons for equality may fail."),
    ),
    (c("timestamp", F.TIMESTAMP), c("date", F.DATE), ("breaking", "The time of day is gone.")),
    (
        c("pay_method", F.ENUM),
        text(12),
        ("risky", "Any text is possible now; readers that list the values must follow."),
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES, ids=lambda case: getattr(case, "type", ""))
def test_types(before: Column, after: Column, expected: tuple[str, str]) -> None:
    assert compare_types(before, after) == expected


@pytest.mark.parametrize("before", F)
@pytest.mark.parametrize("after", F)
def test_every_pair_of_families_has_a_verdict(before: TypeFamily, after: TypeFamily) -> None:
    severity, reason = compare_types(c("x", before), c("y", after))
    assert severity in {"safe", "risky", "breaking"}
    assert reason.endswith(".")
