"""Keys and checks. A unique index is a constraint to MySQL, so keys are told from indexes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from metamapper.connectors.engines.mysql.indexes import PRIMARY, RawIndexPart, by_index, spelled
from metamapper.connectors.sql.mysql.names import listed, quoted, unescaped
from metamapper.schema import Constraint, ConstraintKind, Reference

_UNSAID = frozenset({"NO ACTION", "RESTRICT"})
"""The same to InnoDB, and what holds where nothing was said; servers differ in which of the two they tell."""


class RawKeyColumn(msgspec.Struct, frozen=True, array_like=True):
    constraint: str
    column: str
    schema: str
    relation: str
    target: str


class RawKeyRule(msgspec.Struct, frozen=True, array_like=True):
    constraint: str
    match: str
    on_update: str
    on_delete: str


class RawCheck(msgspec.Struct, frozen=True, array_like=True):
    constraint: str
    clause: str
    enforced: str


def constraints_of(
    indexes: Sequence[RawIndexPart],
    columns: Iterable[RawKeyColumn],
    rules: Iterable[RawKeyRule],
    checks: Iterable[RawCheck],
    *,
    mariadb: bool,
) -> tuple[Constraint, ...]:
    by_name = {rule.constraint: rule for rule in rules}
    keys = (_foreign_key(list(group), by_name) for _, group in groupby(columns, key=attrgetter("constraint")))
    found = [*_keys(indexes), *keys, *(_check(check, mariadb=mariadb) for check in checks)]
    return tuple(_apart(found))


def _keys(indexes: Sequence[RawIndexPart]) -> list[Constraint]:
    found = [_key(name, parts) for name, parts in by_index(indexes) if not parts[0].not_unique]
    return sorted(found, key=lambda each: each.kind is not ConstraintKind.PRIMARY_KEY)


def _key(name: str, parts: list[RawIndexPart]) -> Constraint:
    kind = ConstraintKind.PRIMARY_KEY if name == PRIMARY else ConstraintKind.UNIQUE
    columns = tuple(part.column for part in parts if part.column is not None)
    return Constraint(name=name, kind=kind, columns=columns, definition=f"{kind.upper()} {spelled(parts)}")


def _foreign_key(parts: list[RawKeyColumn], rules: dict[str, RawKeyRule]) -> Constraint:
    first, columns = parts[0], tuple(part.column for part in parts)
    reference = Reference(first.schema, first.relation, tuple(part.target for part in parts))
    target = f"{quoted(first.schema)}.{quoted(first.relation)} ({listed(reference.columns)})"
    return Constraint(
        name=first.constraint,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=columns,
        references=reference,
        definition=f"FOREIGN KEY ({listed(columns)}) REFERENCES {target}{_actions(rules.get(first.constraint))}",
    )


def _actions(rule: RawKeyRule | None) -> str:
    if rule is None:
        return ""
    update = "" if rule.on_update in _UNSAID else f" ON UPDATE {rule.on_update}"
    return update if rule.on_delete in _UNSAID else f"{update} ON DELETE {rule.on_delete}"


def _check(raw: RawCheck, *, mariadb: bool) -> Constraint:
    clause = raw.clause if mariadb else unescaped(raw.clause)
    enforced = "" if raw.enforced == "YES" else " NOT ENFORCED"
    definition = f"CHECK ({clause}){enforced}"
    return Constraint(name=raw.constraint, kind=ConstraintKind.CHECK, definition=definition)


def _apart(found: Iterable[Constraint]) -> Iterator[Constraint]:
    """Names that tell constraints apart: keys and checks of one table may share a name, for checks of MariaDB bear
    their columns' names.
    """
    taken: set[str] = set()
    for each in found:
        name = each.name
        for number in range(1, len(taken) + 2):
            if name not in taken:
                break
            name = f"{each.name} ({each.kind})" if number == 1 else f"{each.name} ({each.kind} {number})"
        taken.add(name)
        yield each if name == each.name else msgspec.structs.replace(each, name=name)
