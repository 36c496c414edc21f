"""A table as Hive and its relatives keep it: as bytes that change if and only if the table does, and as a relation."""

from collections.abc import Iterable
from typing import Any

import msgspec

from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import RawColumn, columns_of
from metamapper.connectors.sql.hive_constraints import RawConstraint, constraints_of, ruled
from metamapper.connectors.sql.hive_spark import spark_columns
from metamapper.schema import Extras, Relation, RelationKind


class RawTable(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a table. Statistics, versions and times of access move by themselves and are no part of it."""

    schema: str
    name: str
    type: str | None = None
    comment: str | None = None
    columns: tuple[RawColumn, ...] = ()
    parameters: dict[str, str] = {}
    view: str | None = None
    facts: dict[str, Any] = {}
    constraints: tuple[RawConstraint, ...] = ()
    native_id: str | None = None


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(RawTable)


def encode(raw: RawTable) -> bytes:
    return _ENCODER.encode(raw)


def facts_of(*pairs: tuple[str, Any]) -> dict[str, Any]:
    """The facts that there are; what is blank, zero or missing is none."""
    return {name: fact for name, fact in pairs if fact}


def kind_of(raw: RawTable) -> RelationKind:
    is_partitioned = any(column.is_key for column in raw.columns)
    return hive_tables.kind_of(raw.type, raw.parameters, is_partitioned=is_partitioned)


def decode(payload: bytes) -> Relation:
    raw = _DECODER.decode(payload)
    columns = columns_of(spark_columns(raw.columns, raw.parameters))
    return Relation(
        schema=raw.schema,
        name=raw.name,
        kind=kind_of(raw),
        columns=ruled(columns, raw.constraints),
        constraints=constraints_of(raw.constraints),
        comment=hive_tables.comment_of(raw.comment, raw.parameters),
        definition=hive_tables.view_text(raw.view),
        native_id=raw.native_id,
        extras=_extras(raw),
    )


def _extras(raw: RawTable) -> Extras:
    facts = raw.facts
    told = {
        "format": hive_tables.format_of(raw.parameters, facts.get("serde"), facts.get("input_format")),
        "partitioned_by": [column.name for column in raw.columns if column.is_key],
        **facts,
        "parameters": hive_tables.shown(raw.parameters),
    }
    return {name: fact for name, fact in told.items() if fact}


def sorted_by(columns: Iterable[tuple[str, int | None]]) -> list[str]:
    """The columns that a table is sorted by; 0 descends, 1 or nothing ascends."""
    return [name if order != 0 else f"{name} DESC" for name, order in columns]
