"""One relation as SQLite's pragmas describe it, and what it means in our vocabulary."""

from collections.abc import Iterator, Sequence

import msgspec

from metamapper.connectors.engines.sqlite.ddl import IndexText, TableText, read_index, read_table, read_view
from metamapper.connectors.engines.sqlite.types import parse_type
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Extras,
    Generated,
    Index,
    Reference,
    Relation,
    RelationKind,
)

SCHEMA = "main"
_HIDDEN = 1
_GENERATED = {2: Generated.VIRTUAL, 3: Generated.STORED}
_EXPRESSION = -2


class RawColumn(msgspec.Struct, frozen=True, array_like=True):
    place: int
    name: str
    type: str
    not_null: int
    default: str | None
    key_place: int
    hidden: int


class RawIndex(msgspec.Struct, frozen=True, array_like=True):
    """``origin`` is c (made by CREATE INDEX), u (a UNIQUE constraint) or pk."""

    name: str
    unique: int
    origin: str
    parts: tuple[tuple[int, str | None, int, str | None], ...]
    sql: str | None


class RawKey(msgspec.Struct, frozen=True, array_like=True):
    columns: tuple[str, ...]
    table: str
    references: tuple[str | None, ...]
    on_update: str
    on_delete: str


class RawRelation(msgspec.Struct, frozen=True, array_like=True):
    """``broken`` is what SQLite said where it could not tell the columns of a view or virtual table."""

    name: str
    type: str
    sql: str
    storage: str | None
    without_rowid: int
    strict: int
    columns: tuple[RawColumn, ...]
    indexes: tuple[RawIndex, ...] = ()
    keys: tuple[RawKey, ...] = ()
    broken: str | None = None

    @property
    def kind(self) -> RelationKind:
        return RelationKind.VIEW if self.type == "view" else RelationKind.TABLE

    @property
    def is_virtual(self) -> bool:
        return self.storage == "virtual" or self.sql[:14].upper() == "CREATE VIRTUAL"


_DECODER = msgspec.json.Decoder(RawRelation)


def decode(payload: bytes) -> Relation:
    raw = _DECODER.decode(payload)
    text = read_table(raw.sql) if raw.type == "table" and not raw.is_virtual else TableText()
    columns = [column for column in raw.columns if column.hidden != _HIDDEN]
    return Relation(
        schema=SCHEMA,
        name=raw.name,
        kind=raw.kind,
        columns=tuple(_column(column, raw, text) for column in columns),
        indexes=tuple(_index(index) for index in raw.indexes if index.origin == "c"),
        constraints=tuple(_named_apart(_constraints(raw, text))),
        definition=(read_view(raw.sql) or raw.sql) if raw.kind is RelationKind.VIEW else None,
        extras=_extras(raw),
    )


def _column(raw: RawColumn, relation: RawRelation, text: TableText) -> Column:
    family, length, precision, scale = parse_type(raw.type)
    generated = _GENERATED.get(raw.hidden)
    return Column(
        name=raw.name,
        position=raw.place + 1,
        type=raw.type,
        family=family,
        nullable=not raw.not_null and not _is_rowid(raw, relation),
        default=text.generated.get(raw.name) if generated else raw.default,
        generated=generated,
        length=length,
        precision=precision,
        scale=scale,
    )


def _is_rowid(raw: RawColumn, relation: RawRelation) -> bool:
    """The one column of an INTEGER PRIMARY KEY is the rowid and is never null, whatever its declaration says."""
    keys = sum(column.key_place > 0 for column in relation.columns)
    return raw.key_place == 1 and keys == 1 and raw.type.upper() == "INTEGER"


def _index(raw: RawIndex) -> Index:
    text = read_index(raw.sql) if raw.sql else IndexText()
    return Index(
        name=raw.name,
        keys=tuple(_key(place, number, name, text) for place, (number, name, _, _) in enumerate(raw.parts)),
        unique=bool(raw.unique),
        kind="btree",
        definition=text.definition,
        predicate=text.predicate,
    )


def _key(place: int, number: int, name: str | None, text: IndexText) -> str:
    if number == _EXPRESSION and place < len(text.keys):
        return text.keys[place]
    return name or "rowid"


def _constraints(raw: RawRelation, text: TableText) -> Iterator[Constraint]:
    primary = tuple(
        column.name for column in sorted(raw.columns, key=lambda each: each.key_place) if column.key_place > 0
    )
    if primary:
        yield _over(ConstraintKind.PRIMARY_KEY, primary, text)
    for index in raw.indexes:
        if index.origin == "u":
            yield _over(ConstraintKind.UNIQUE, tuple(name or "" for _, name, _, _ in index.parts), text)
    for key in raw.keys:
        yield _foreign_key(key, text)
    for clause in text.clauses:
        if clause.word == "CHECK":
            definition = f"CHECK ({clause.text})"
            yield Constraint(name=clause.name or definition, kind=ConstraintKind.CHECK, definition=definition)


def _over(kind: ConstraintKind, columns: tuple[str, ...], text: TableText) -> Constraint:
    """A key over columns. Without a name of its own it goes by what it says."""
    definition = f"{kind.upper()} ({_listed(columns)})"
    name = text.name_of(kind.upper(), columns)
    return Constraint(name=name or definition, kind=kind, columns=columns, definition=definition)


def _foreign_key(raw: RawKey, text: TableText) -> Constraint:
    target = tuple(column for column in raw.references if column is not None)
    base = f"FOREIGN KEY ({_listed(raw.columns)})"
    definition = f"{base} REFERENCES {_quoted(raw.table)}" + (f"({_listed(target)})" if target else "")
    for when, action in (("UPDATE", raw.on_update), ("DELETE", raw.on_delete)):
        definition += f" ON {when} {action}" if action != "NO ACTION" else ""
    return Constraint(
        name=text.name_of("FOREIGN KEY", raw.columns) or base,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=raw.columns,
        references=Reference(SCHEMA, raw.table, target),
        definition=definition,
    )


def _named_apart(constraints: Iterator[Constraint]) -> Iterator[Constraint]:
    """SQLite lets two constraints have one name; here a name is unique within its table."""
    seen: dict[str, int] = {}
    for constraint in constraints:
        seen[constraint.name] = count = seen.get(constraint.name, 0) + 1
        yield constraint if count == 1 else msgspec.structs.replace(constraint, name=f"{constraint.name} ({count})")


def _extras(raw: RawRelation) -> Extras:
    facts = {
        "without_rowid": bool(raw.without_rowid),
        "strict": bool(raw.strict),
        "virtual": raw.sql if raw.is_virtual else None,
        "broken": raw.broken,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    plain = name.isascii() and name.isidentifier()
    return name if plain else '"' + name.replace('"', '""') + '"'
