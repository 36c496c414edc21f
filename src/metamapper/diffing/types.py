"""What a column's new type means for readers: wider, narrower, or another thing altogether. One place for all engines.

Families are the engines' normalized ones; sizes are compared by length, precision and scale, and by the type's name where
only that tells them. What cannot be told is risky.
"""

import re
from collections.abc import Callable, Mapping

from metamapper.diffing.verdict import NO_DIFFERENCE, Verdict, breaking, risky, safe
from metamapper.schema import Column, TypeFamily

WIDER = safe("Only became wider; nothing can overflow.")
_UNTOLD = risky("Another type of the same family; comparisons and sorting may differ.")

_BASE = re.compile(r"\(.*?\)|\s+", re.DOTALL)
_QUOTED = re.compile(r"'((?:[^']|'')*)'")

_BITS: Mapping[str, int] = {
    "tinyint": 8, "byteint": 8, "int1": 8,
    "smallint": 16, "int2": 16, "smallserial": 16, "short": 16,
    "mediumint": 24, "int3": 24,
    "int": 32, "integer": 32, "int4": 32, "serial": 32,
    "bigint": 64, "int8": 64, "bigserial": 64, "long": 64, "int64": 64,
    "hugeint": 128,
    "real": 24, "float4": 24, "float": 53, "float8": 53, "double": 53, "double precision": 53, "float64": 53,
}  # fmt: skip
"""Bits of an integer, or of a float's exact digits."""

_FIXED = frozenset({"char", "character", "bpchar", "nchar"})


def compare_types(before: Column, after: Column) -> Verdict:
    """The verdict on two columns of different types, or of one type with another length, precision or scale."""
    if before.family is not after.family:
        return _between(before, after)
    return _WITHIN.get(before.family, _unknown)(before, after)


def _between(before: Column, after: Column) -> Verdict:
    special = _BETWEEN.get((before.family, after.family))
    if special is not None:
        return special(before, after)
    return breaking(f"Joins and comparisons on {_a(before.family)} key stop working.")


def _a(family: TypeFamily) -> str:
    return f"an {family}" if family[0] in "aeio" else f"a {family}"


def _base(column: Column) -> str:
    """The type's name without sizes: ``numeric(12,2)`` is ``numeric``, ``int unsigned`` ``int``."""
    words = [word for word in _BASE.split(column.type.lower()) if word and word not in {"unsigned", "signed"}]
    return " ".join(words)


def _sized(before: int | None, after: int | None) -> int:
    """-1, 0 or 1 for smaller, equal or larger; None is without limit."""
    if before == after:
        return 0
    if after is None:
        return 1
    return -1 if before is None or after < before else 1


def _unknown(before: Column, after: Column) -> Verdict:
    sizes = {_sized(before.length, after.length), _sized(before.precision, after.precision)}
    if _base(before) == _base(after) and sizes <= {0, 1} and 1 in sizes:
        return WIDER
    return _UNTOLD


def _string(before: Column, after: Column) -> Verdict:
    size = _sized(before.length, after.length)
    if (_base(before) in _FIXED) is not (_base(after) in _FIXED):
        return risky("Blanks at the end count differently now; comparisons may differ.")
    if size < 0:
        return risky(f"Became narrower: texts of more than {after.length} characters no longer fit.")
    return WIDER if size else NO_DIFFERENCE


def _binary(before: Column, after: Column) -> Verdict:
    size = _sized(before.length, after.length)
    if size < 0:
        return risky(f"Became narrower: more than {after.length} bytes no longer fit.")
    return WIDER if size else _UNTOLD


def _range(column: Column) -> tuple[int, int] | None:
    """The least and the greatest value as powers of two of an integer type; None where its name does not tell."""
    bits = _BITS.get(_base(column))
    if bits is None:
        return None
    return (0, bits) if "unsigned" in column.type.lower() else (bits - 1, bits - 1)


def _integer(before: Column, after: Column) -> Verdict:
    old, new = _range(before), _range(after)
    if old is None or new is None:
        return _UNTOLD
    if old == new:
        return NO_DIFFERENCE
    if new[0] >= old[0] and new[1] >= old[1]:
        return WIDER
    return risky("Became narrower: some numbers no longer fit.")


def _decimal(before: Column, after: Column) -> Verdict:
    whole = _sized(_digits(before), _digits(after))
    scale = _sized(before.scale, after.scale) if before.precision is not None else min(0, _sized(None, after.precision))
    if scale < 0:
        return risky("Became narrower: decimals are rounded or refused.")
    if whole < 0:
        return risky("Became narrower: large numbers no longer fit.")
    return WIDER if whole or scale else NO_DIFFERENCE


def _digits(column: Column) -> int | None:
    """Digits before the point; None is without limit."""
    return None if column.precision is None else column.precision - (column.scale or 0)


def _float(before: Column, after: Column) -> Verdict:
    old, new = _BITS.get(_base(before)), _BITS.get(_base(after))
    if old is None or new is None:
        return _UNTOLD
    if new < old:
        return risky("Became narrower: numbers lose digits.")
    return WIDER if new > old else NO_DIFFERENCE


def _moment(before: Column, after: Column) -> Verdict:
    if _zoned(before) is not _zoned(after):
        return risky("Moments are read in another time zone than before.")
    size = _sized(before.precision, after.precision)
    if size < 0:
        return risky("Became narrower: fractions of seconds are rounded.")
    return WIDER if size else _UNTOLD


def _zoned(column: Column) -> bool:
    name = column.type.lower()
    return ("with time zone" in name and "without" not in name) or "tz" in name or "datetimeoffset" in name


def _enum(before: Column, after: Column) -> Verdict:
    old, new = _values(before), _values(after)
    if not old or not new:
        return risky("Another list of values; some may no longer be possible.")
    gone = [value for value in old if value not in new]
    if gone:
        return breaking(_impossible(gone))
    return safe("More values are possible; none was taken away.") if len(new) > len(old) else NO_DIFFERENCE


def _values(column: Column) -> list[str]:
    return [value.replace("''", "'") for value in _QUOTED.findall(column.type)]


def _impossible(values: list[str]) -> str:
    if len(values) == 1:
        return f"The value {values[0]} is no longer possible."
    return f"Values {', '.join(values[:-1])} and {values[-1]} are no longer possible."


def _nested(before: Column, after: Column) -> Verdict:  # noqa: ARG001 - one signature for all
    return risky("What it holds is of another type.")


def _integer_to_decimal(before: Column, after: Column) -> Verdict:
    bits, digits = _BITS.get(_base(before)), _digits(after)
    if digits is None or (bits is not None and 2**bits < 10**digits):
        return WIDER
    return risky("Large numbers may no longer fit.")


def _says(verdict: Verdict) -> Callable[[Column, Column], Verdict]:
    return lambda before, after: verdict  # noqa: ARG005 - one signature for all


_INEXACT = risky("Numbers are no longer exact; comparisons for equality may fail.")
_ANY_TEXT = risky("Any text is possible now; readers that list the values must follow.")

_WITHIN: Mapping[TypeFamily, Callable[[Column, Column], Verdict]] = {
    TypeFamily.STRING: _string,
    TypeFamily.BINARY: _binary,
    TypeFamily.INTEGER: _integer,
    TypeFamily.DECIMAL: _decimal,
    TypeFamily.FLOAT: _float,
    TypeFamily.TIME: _moment,
    TypeFamily.TIMESTAMP: _moment,
    TypeFamily.ENUM: _enum,
    TypeFamily.ARRAY: _nested,
    TypeFamily.MAP: _nested,
    TypeFamily.STRUCT: _nested,
    TypeFamily.BOOLEAN: _says(NO_DIFFERENCE),
}

_BETWEEN: Mapping[tuple[TypeFamily, TypeFamily], Callable[[Column, Column], Verdict]] = {
    (TypeFamily.INTEGER, TypeFamily.DECIMAL): _integer_to_decimal,
    (TypeFamily.DECIMAL, TypeFamily.INTEGER): _says(risky("Decimals are gone, and large numbers may no longer fit.")),
    (TypeFamily.INTEGER, TypeFamily.FLOAT): _says(_INEXACT),
    (TypeFamily.DECIMAL, TypeFamily.FLOAT): _says(_INEXACT),
    (TypeFamily.FLOAT, TypeFamily.DECIMAL): _says(risky("Numbers are rounded to the decimals it holds.")),
    (TypeFamily.DATE, TypeFamily.TIMESTAMP): _says(
        risky("Values carry a time now; comparing for equality with a date finds midnight only.")
    ),
    (TypeFamily.TIMESTAMP, TypeFamily.DATE): _says(breaking("The time of day is gone.")),
    (TypeFamily.ENUM, TypeFamily.STRING): _says(_ANY_TEXT),
    (TypeFamily.STRING, TypeFamily.ENUM): _says(risky("Only listed values are possible now.")),
}
