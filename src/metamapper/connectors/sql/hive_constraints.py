"""Keys, checks, defaults and NOT NULL, which Hive keeps as constraints of one kind each.

https://cwiki.apache.org/confluence/display/Hive/LanguageManual+DDL#LanguageManualDDL-Constraints; the numbers are the
metastore's own (``KEY_CONSTRAINTS``). Hive enforces few of them: each says whether it is enforced, validated, relied upon.
"""

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum

import msgspec

from metamapper.connectors.sql.hive_columns import named_apart
from metamapper.schema import Column, Constraint, ConstraintKind, Reference

_PLAIN = re.compile(r"[A-Za-z0-9_]+\Z")


class Rule(IntEnum):
    """``CONSTRAINT_TYPE``."""

    PRIMARY_KEY = 0
    FOREIGN_KEY = 1
    UNIQUE = 2
    NOT_NULL = 3
    DEFAULT = 4
    CHECK = 5


class State(IntEnum):
    """The bits of ``ENABLE_VALIDATE_RELY``."""

    RELY = 1
    VALIDATE = 2
    ENABLE = 4


_KINDS = {
    Rule.PRIMARY_KEY: ConstraintKind.PRIMARY_KEY,
    Rule.UNIQUE: ConstraintKind.UNIQUE,
    Rule.FOREIGN_KEY: ConstraintKind.FOREIGN_KEY,
    Rule.CHECK: ConstraintKind.CHECK,
}
"""In the order in which they are shown. The others are facts of their columns."""


class RawConstraint(msgspec.Struct, array_like=True, frozen=True):
    """``target`` are the schema, the relation and the columns that a foreign key points to; ``text`` a default or a check."""

    name: str
    rule: int
    state: int = 0
    columns: tuple[str, ...] = ()
    target: tuple[str, str, tuple[str, ...]] | None = None
    text: str | None = None


def constraints_of(raws: Iterable[RawConstraint]) -> tuple[Constraint, ...]:
    """Keys first. Nothing keeps two constraints of one table from having one name."""
    order = list(_KINDS)
    shown = sorted((raw for raw in raws if raw.rule in _KINDS), key=lambda raw: (order.index(Rule(raw.rule)), raw.name))
    names = named_apart(raw.name for raw in shown)
    return tuple(_constraint(raw, name) for raw, name in zip(shown, names, strict=True))


def _constraint(raw: RawConstraint, name: str) -> Constraint:
    kind, reference = _KINDS[Rule(raw.rule)], Reference(*raw.target) if raw.target else None
    return Constraint(
        name=name,
        kind=kind,
        columns=raw.columns,
        references=reference,
        definition=f"{_said(raw, kind)} {state_of(raw.state)}",
    )


def _said(raw: RawConstraint, kind: ConstraintKind) -> str:
    if kind is ConstraintKind.CHECK:
        return f"CHECK ({raw.text or ''})"
    text = f"{kind.upper()} ({_listed(raw.columns)})"
    if raw.target is None:
        return text
    schema, relation, columns = raw.target
    return f"{text} REFERENCES {_quoted(schema)}.{_quoted(relation)} ({_listed(columns)})"


def state_of(bits: int) -> str:
    """As Hive writes it: ``DISABLE NOVALIDATE RELY``."""
    words = (
        "ENABLE" if bits & State.ENABLE else "DISABLE",
        "VALIDATE" if bits & State.VALIDATE else "NOVALIDATE",
        "RELY" if bits & State.RELY else "NORELY",
    )
    return " ".join(words)


def ruled(columns: Sequence[Column], raws: Iterable[RawConstraint]) -> tuple[Column, ...]:
    """The columns with what NOT NULL and DEFAULT say of them; Spark may know a column in capitals that Hive has folded."""
    rules = [raw for raw in raws if raw.rule in {Rule.NOT_NULL, Rule.DEFAULT} and raw.columns]
    if not rules:
        return tuple(columns)
    by_name = {raw.columns[0].lower(): raw for raw in rules if raw.rule == Rule.NOT_NULL}
    defaults = {raw.columns[0].lower(): raw for raw in rules if raw.rule == Rule.DEFAULT}
    return tuple(
        each if each.nested_in else _ruled(each, by_name.get(each.name.lower()), defaults.get(each.name.lower()))
        for each in columns
    )


def _ruled(column: Column, not_null: RawConstraint | None, default: RawConstraint | None) -> Column:
    """What is not enforced is told beside the column, not as its rule."""
    extras = dict(column.extras)
    nullable, expression = column.nullable, column.default
    if not_null is not None:
        enforced = bool(not_null.state & State.ENABLE)
        nullable = nullable and not enforced
        extras |= {} if enforced else {"not_null": state_of(not_null.state)}
    if default is not None:
        enforced = bool(default.state & State.ENABLE)
        expression = default.text if enforced else expression
        extras |= {} if enforced else {"default": f"{default.text} {state_of(default.state)}"}
    return msgspec.structs.replace(column, nullable=nullable, default=expression, extras=extras)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    """With backticks where Hive needs them."""
    return name if _PLAIN.match(name) else "`" + name.replace("`", "``") + "`"
