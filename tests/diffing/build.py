"""Values in few words, for before -> after -> expected tests."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any
from uuid import UUID

from metamapper.diffing import (
    KnownRelation,
    Pair,
    RelationMatching,
    SeenRelation,
    first_record,
    match_relations,
    shape_of,
)
from metamapper.schema import Change, Column, FieldChange, Relation, RelationKind, RelationRecord, TypeFamily

SCHEMA = UUID(int=9000)
WIDE = "id:bigint name:text price:numeric(10,2) made_at:timestamp note:text"
OTHER = "code:text country:text zip:text street:text"

_FAMILIES = {
    "int": TypeFamily.INTEGER,
    "bigint": TypeFamily.INTEGER,
    "smallint": TypeFamily.INTEGER,
    "text": TypeFamily.STRING,
    "numeric": TypeFamily.DECIMAL,
    "timestamp": TypeFamily.TIMESTAMP,
}


class Ids:
    """New identities that count from a number, so that a test can name them."""

    def __init__(self, start: int = 1) -> None:
        self.numbers = count(start)

    def __call__(self, wanted: int) -> list[UUID]:
        return [UUID(int=next(self.numbers)) for _ in range(wanted)]


def column(text: str, position: int, **more: Any) -> Column:
    """``name:type``, ``name:type!`` is not null; dots in the name nest."""
    path, _, type_ = text.partition(":")
    *parents, name = path.split(".")
    return Column(
        name=name,
        position=more.pop("position", position),
        type=type_.rstrip("!"),
        family=more.pop("family", _FAMILIES.get(type_.rstrip("!").partition("(")[0], TypeFamily.OTHER)),
        nullable=not type_.endswith("!"),
        nested_in=tuple(parents),
        **more,
    )


def columns(text: str, *, numbers: Iterable[int] | None = None) -> tuple[Column, ...]:
    """Columns from words; ``numbers`` are their native ids."""
    ids = [None] * 2000 if numbers is None else [str(number) for number in numbers]
    return tuple(
        column(word, place, native_id=native_id)
        for place, (word, native_id) in enumerate(zip(text.split(), ids, strict=False), 1)
    )


def relation(path: str, text: str = WIDE, *, oid: int | None = None, **more: Any) -> Relation:
    """``schema.name`` with columns from words; with an ``oid`` the columns are numbered too."""
    schema, _, name = path.partition(".")
    own = more.pop("columns") if "columns" in more else columns(text, numbers=None if oid is None else range(1, 2000))
    return Relation(schema=schema, name=name, columns=own, native_id=None if oid is None else str(oid), **more)


def record(value: Relation, *, start: int = 1, schema_id: UUID = SCHEMA) -> RelationRecord:
    """A record whose ids count from ``start``: the relation, its columns, its indexes, its constraints."""
    return first_record(value, schema_id=schema_id, new_ids=Ids(start))


def match(
    known: Sequence[Relation],
    seen: Sequence[Relation],
    *,
    retired: Sequence[Relation] = (),
    stable_ids: bool = True,
    unreadable: Iterable[str] = (),
) -> RelationMatching:
    """Match relations whose ids are 1000, 2000 … for the known and 100000, 101000 … for the retired ones."""
    active = [record(value, start=1000 * number) for number, value in enumerate(known, 1)]
    gone = [record(value, start=100_000 + 1000 * number) for number, value in enumerate(retired)]
    records = {each.id: each for each in (*active, *gone)}
    closed = set(unreadable)
    return match_relations(
        [_known(each, retired=False) for each in active] + [_known(each, retired=True) for each in gone],
        [
            SeenRelation(ordinal, each.schema, each.name, each.kind, each.native_id, b"")
            for ordinal, each in enumerate(seen)
        ],
        relation_of=seen.__getitem__,
        record_of=records.__getitem__,
        stable_ids=stable_ids,
        readable=lambda schema: schema not in closed,
    )


def _known(each: RelationRecord, *, retired: bool) -> KnownRelation:
    own = each.relation
    return KnownRelation(
        each.id, each.schema_id, own.schema, own.name, own.kind, own.native_id, b"", shape_of(each.observed()), retired
    )


def view(path: str, query: str, text: str = WIDE, **more: Any) -> Relation:
    return relation(path, text, kind=RelationKind.VIEW, definition=query, **more)


def told(matching: RelationMatching) -> dict[str, Any]:
    """A matching in short: known number to (ordinal, certainty, what happened), where 1 is the id 1000."""
    return {
        "pairs": {_short(pair.known_id): _pair(pair) for pair in matching.pairs},
        "appeared": matching.appeared,
        "vanished": sorted(map(_short, matching.vanished)),
        "suggested": sorted((_short(each.known_id), each.ordinal) for each in matching.suggestions),
    }


def _pair(pair: Pair) -> tuple[int, str, str]:
    return pair.ordinal, str(pair.certainty), str(pair.kind_hint or "")


def _short(known_id: UUID) -> int:
    return known_id.int // 1000


def shown(change: Change) -> dict[str, tuple[Any, Any]]:
    """The fields that people get to see."""
    return {each.field: (each.before, each.after) for each in change.fields if not each.quiet}


def quiet(change: Change) -> list[FieldChange]:
    return [each for each in change.fields if each.quiet]


def heads(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """(kind, asset, path) of each change that is not quiet."""
    return [(str(each.kind), str(each.asset), ".".join(each.path)) for each in changes if not each.quiet]
