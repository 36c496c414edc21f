"""A table's columns as lines of a page: keys, targets, what was said, what changed lately. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from metamapper.history.models import Change
from metamapper.schema import Column, ConstraintKind, Generated, Identified, Reference, RelationRecord

PAGE = 200
"""Lines that are shown at once; above that the list is paged as one scrolls."""

_TITLES = {"PK": "Primary key", "FK": "Foreign key", "UQ": "Unique", "IX": "Indexed"}
_SHOWN_KEYS = ("PK", "FK", "UQ", "IX")


@dataclass(frozen=True, slots=True)
class Key:
    mark: str

    @property
    def title(self) -> str:
        return _TITLES[self.mark]


@dataclass(frozen=True, slots=True)
class Line:
    """One column. ``reference`` is what its foreign key points to; ``lately`` the last change of the last days."""

    id: UUID
    column: Column
    keys: Sequence[Key]
    reference: Reference | None
    text: str
    lately: Change | None

    @property
    def is_key(self) -> bool:
        return any(key.mark != "IX" for key in self.keys)

    @property
    def is_described(self) -> bool:
        return bool(self.text or self.column.comment)

    @property
    def default(self) -> str:
        """The default, or how the value comes to be."""
        column = self.column
        if column.identity:
            return f"identity, {column.identity.value}"
        if column.generated is None:
            return column.default or ""
        how = "stored" if column.generated is Generated.STORED else "virtual"
        return f"= {column.default or '…'} ({how})"


def lines(record: RelationRecord, texts: Mapping[UUID, str], lately: Mapping[UUID, Change]) -> list[Line]:
    marks = _marks(record)
    references = _references(record)
    return [
        Line(
            child.id,
            child.value,
            _keys(marks.get(child.value.name, set()) if not child.value.nested_in else set()),
            references.get(child.value.name) if not child.value.nested_in else None,
            texts.get(child.id, ""),
            lately.get(child.id),
        )
        for child in record.columns
    ]


def _marks(record: RelationRecord) -> Mapping[str, set[str]]:
    marks: dict[str, set[str]] = defaultdict(set)
    kinds = {ConstraintKind.PRIMARY_KEY: "PK", ConstraintKind.FOREIGN_KEY: "FK", ConstraintKind.UNIQUE: "UQ"}
    for constraint in record.constraints:
        for name in constraint.value.columns:
            if constraint.value.kind in kinds:
                marks[name].add(kinds[constraint.value.kind])
    for index in record.indexes:
        mark = "PK" if index.value.primary else "UQ" if index.value.unique and len(index.value.keys) == 1 else "IX"
        for name in index.value.keys:
            marks[name].add(mark)
    return marks


def _keys(marks: set[str]) -> tuple[Key, ...]:
    """The strongest mark; a primary key that is a foreign key too says both."""
    shown = [mark for mark in _SHOWN_KEYS if mark in marks]
    both = {"PK", "FK"} <= marks
    return tuple(Key(mark) for mark in shown[: 2 if both else 1])


def _references(record: RelationRecord) -> Mapping[str, Reference]:
    return {
        name: constraint.value.references
        for constraint in record.constraints
        if constraint.value.references is not None
        for name in constraint.value.columns
    }


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    word: str
    count: int | None
    current: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """What of the lines is shown. ``total`` is all columns, ``found`` those that match, ``next`` where to go on."""

    lines: Sequence[Line]
    total: int
    found: int
    next: int | None
    segments: Sequence[Segment]


_SEGMENTS = (("", "All"), ("keys", "Keys"), ("undescribed", "Undescribed"), ("lately", "Changed lately"))


def listed(every: Sequence[Line], *, show: str = "", text: str = "", after: int = 0) -> Listed:
    """One page of the lines: a segment of them, filtered by a text in name, type, comment or description."""
    parts = {name: [line for line in every if _in_segment(line, name)] for name, _ in _SEGMENTS}
    show = show if show in parts else ""
    found = [line for line in parts[show] if _mentions(line, text.casefold())]
    segments = [Segment(name, word, len(parts[name]) if name else None, name == show) for name, word in _SEGMENTS]
    rest = after + PAGE if len(found) > after + PAGE else None
    return Listed(found[after : after + PAGE], len(every), len(found), rest, segments)


def _in_segment(line: Line, name: str) -> bool:
    if name == "keys":
        return line.is_key
    if name == "undescribed":
        return not line.is_described
    return name != "lately" or line.lately is not None


def _mentions(line: Line, text: str) -> bool:
    column = line.column
    said: Iterable[str] = (".".join(column.path), column.type, column.comment or "", line.text)
    return not text or any(text in each.casefold() for each in said)


def words_of(child: Identified[Column]) -> str:
    """``amount_total numeric(10,2)``"""
    return f"{'.'.join(child.value.path)} {child.value.type}"
