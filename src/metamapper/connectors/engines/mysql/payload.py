"""What the server says of one relation, as it says it, and what it means in our vocabulary.

The structs follow ``JSON_ARRAY`` in ``queries.sql`` place by place.
"""

import re
from itertools import groupby
from operator import attrgetter

import msgspec

from metamapper.connectors.engines.mysql.constraints import RawCheck, RawKeyColumn, RawKeyRule, constraints_of
from metamapper.connectors.engines.mysql.indexes import RawIndexPart, indexes_of
from metamapper.connectors.engines.mysql.types import is_quoted, parse_type
from metamapper.connectors.sql.mysql.names import text, unescaped
from metamapper.schema import Column, Extras, Generated, Identity, Relation, RelationKind, TypeFamily

_NOW = re.compile(r"CURRENT_TIMESTAMP(\(\d*\))?\Z", re.IGNORECASE)
_ON_UPDATE = re.compile(r"on update (\w+(?:\(\d*\))?)", re.IGNORECASE)
_IS_JSON = re.compile(r"json_valid\(`(?P<column>(?:[^`]|``)*)`\)\Z", re.IGNORECASE)
_ELSEWHERE = frozenset({"FEDERATED", "CONNECT", "SPIDER"})
"""Storage engines whose rows are another server's, or in files of others."""
NO_COMMENT = "VIEW"
"""What stands for the comment of a view, which has none; if its query has become invalid, an error stands there."""


class RawTable(msgspec.Struct, frozen=True, array_like=True):
    schema: str
    name: str
    type: str
    engine: str | None
    comment: str | None
    collation: str | None

    @property
    def is_view(self) -> bool:
        return self.type == "VIEW"

    @property
    def broken(self) -> str | None:
        """What the server says instead of describing a view or a table."""
        if self.is_view:
            return self.comment if self.comment and self.comment != NO_COMMENT else None
        return None if self.engine else self.comment or "The server cannot open it."


class RawColumn(msgspec.Struct, frozen=True, array_like=True):
    name: str
    position: int
    type: str
    nullable: str
    default: str | None
    extra: str
    comment: str
    length: int | None
    collation: str | None
    expression: str | None
    srid: int | None


class RawView(msgspec.Struct, frozen=True, array_like=True):
    definition: str | None
    check_option: str
    security: str


class RawPartition(msgspec.Struct, frozen=True, array_like=True):
    name: str
    method: str
    expression: str | None
    description: str | None
    part: str | None
    part_method: str | None
    part_expression: str | None


class RawRelation(msgspec.Struct, frozen=True, array_like=True):
    """Where ``mariadb`` is true, the server spells expressions as MariaDB does."""

    mariadb: bool
    table: RawTable
    columns: tuple[RawColumn, ...]
    indexes: tuple[RawIndexPart, ...]
    key_columns: tuple[RawKeyColumn, ...]
    key_rules: tuple[RawKeyRule, ...]
    checks: tuple[RawCheck, ...]
    views: tuple[RawView, ...]
    partitions: tuple[RawPartition, ...]
    ids: tuple[tuple[int], ...]


_TABLES = msgspec.json.Decoder(RawTable)
_VIEWS = msgspec.json.Decoder(RawView)
_RELATIONS = msgspec.json.Decoder(RawRelation)


def table_of(part: str) -> RawTable:
    """What a row of ``part_table`` says, before it is known whether anybody wants the rest."""
    return _TABLES.decode(part)


def view_of(part: str) -> RawView:
    return _VIEWS.decode(part)


def kind_of(table: RawTable, *, partitioned: bool) -> RelationKind:
    if table.is_view:
        return RelationKind.VIEW
    if table.engine in _ELSEWHERE:
        return RelationKind.EXTERNAL_TABLE
    return RelationKind.PARTITIONED_TABLE if partitioned else RelationKind.TABLE


def decode(payload: bytes) -> Relation:
    """The relation that a payload describes. Statistics are no part of it."""
    raw = _RELATIONS.decode(payload)
    table = raw.table
    view = raw.views[0] if raw.views else None
    return Relation(
        schema=table.schema,
        name=table.name,
        kind=kind_of(table, partitioned=bool(raw.partitions)),
        columns=_columns(raw),
        indexes=indexes_of(raw.indexes),
        constraints=constraints_of(raw.indexes, raw.key_columns, raw.key_rules, raw.checks, mariadb=raw.mariadb),
        comment=None if table.is_view else table.comment or None,
        definition=view.definition if view else None,
        native_id=str(raw.ids[0][0]) if raw.ids else None,
        extras=_relation_extras(raw, view),
    )


def _columns(raw: RawRelation) -> tuple[Column, ...]:
    """MariaDB's JSON is an alias of longtext, told by the check that comes with it."""
    documents = {
        found["column"].replace("``", "`")
        for check in raw.checks
        if (found := _IS_JSON.match(check.clause)) is not None
    }
    return tuple(
        _column(column, raw, is_json=raw.mariadb and column.type == "longtext" and column.name in documents)
        for column in raw.columns
    )


def _column(raw: RawColumn, relation: RawRelation, *, is_json: bool) -> Column:
    parsed = parse_type(raw.type)
    return Column(
        name=raw.name,
        position=raw.position,
        type=raw.type,
        family=TypeFamily.JSON if is_json else parsed.family,
        nullable=raw.nullable == "YES",
        default=_default(raw, parsed.family, mariadb=relation.mariadb),
        generated=_generated(raw),
        identity=Identity.BY_DEFAULT if "auto_increment" in raw.extra.lower() else None,
        comment=raw.comment or None,
        length=raw.length if parsed.measured else None,
        precision=parsed.precision,
        scale=parsed.scale,
        extras=_column_extras(raw, relation.table, parsed.values),
    )


def _generated(raw: RawColumn) -> Generated | None:
    if not raw.expression:
        return None
    return Generated.VIRTUAL if "VIRTUAL" in raw.extra.upper() else Generated.STORED


def _default(raw: RawColumn, family: TypeFamily, *, mariadb: bool) -> str | None:
    """An expression, as SQL writes it. MariaDB tells expressions, and a literal NULL where there is no default; MySQL
    tells the bare value of a literal, and flags what is an expression.
    """
    if raw.expression:
        return raw.expression if mariadb else unescaped(raw.expression)
    if raw.default is None or (mariadb and raw.default == "NULL"):
        return None
    if mariadb:
        return raw.default
    if "DEFAULT_GENERATED" in raw.extra:
        return unescaped(raw.default)
    if family is TypeFamily.TIMESTAMP and _NOW.match(raw.default):
        return raw.default
    is_bytes = family is TypeFamily.BINARY and raw.default.startswith(("0x", "b'"))
    return text(raw.default) if is_quoted(family) and not is_bytes else raw.default


def _column_extras(raw: RawColumn, table: RawTable, values: tuple[str, ...]) -> Extras:
    on_update = _ON_UPDATE.search(raw.extra)
    facts = {
        "values": list(values) or None,
        "collation": raw.collation if raw.collation != table.collation and not table.is_view else None,
        "on_update": on_update[1] if on_update else None,
        "invisible": "INVISIBLE" in raw.extra.upper() or None,
        "srid": raw.srid,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _relation_extras(raw: RawRelation, view: RawView | None) -> Extras:
    table = raw.table
    facts = {
        "engine": table.engine,
        "collation": table.collation,
        "system_versioned": table.type == "SYSTEM VERSIONED",
        "partition_key": _partition_key(raw.partitions),
        "partitions": _partitions(raw.partitions),
        "check_option": view.check_option if view and view.check_option != "NONE" else None,
        "security": view.security if view and view.security != "DEFINER" else None,
        "broken": table.broken,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _partition_key(partitions: tuple[RawPartition, ...]) -> str | None:
    if not partitions:
        return None
    first = partitions[0]
    key = f"{first.method} ({first.expression or ''})"
    if first.part_method is None:
        return key
    return f"{key} SUBPARTITION BY {first.part_method} ({first.part_expression or ''})"


def _partitions(partitions: tuple[RawPartition, ...]) -> list[str]:
    """``p0: 2000``: the name of each, and what the server says of its bounds."""
    names = ((name, next(group).description) for name, group in groupby(partitions, key=attrgetter("name")))
    return [name if description is None else f"{name}: {description}" for name, description in names]
