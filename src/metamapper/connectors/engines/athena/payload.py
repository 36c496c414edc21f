"""From what Athena tells of a table to bytes that change if and only if the table does, and from them to a relation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import RawColumn, columns_of
from metamapper.connectors.sql.hive_spark import spark_columns
from metamapper.schema import Extras, Relation, RelationKind

Told = Mapping[str, Any]

_PLACES = {
    "location": "location",
    "inputformat": "input_format",
    "outputformat": "output_format",
    "serde.serialization.lib": "serde",
}
"""Facts of storage, which Athena puts among the parameters."""
_SERDE = "serde.param."


class RawTable(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a table, without what moves by itself."""

    schema: str
    name: str
    type: str | None = None
    columns: tuple[RawColumn, ...] = ()
    parameters: dict[str, str] = {}
    created_at: str | None = None


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(RawTable)


def encode(raw: RawTable) -> bytes:
    return _ENCODER.encode(raw)


def raw_of(schema: str, told: Told) -> RawTable:
    created = told.get("CreateTime")
    return RawTable(
        schema=schema,
        name=told["Name"],
        type=told.get("TableType"),
        columns=(
            *(_column(each, is_key=False) for each in told.get("Columns") or ()),
            *(_column(each, is_key=True) for each in told.get("PartitionKeys") or ()),
        ),
        parameters=hive_tables.settled(told.get("Parameters") or {}),
        created_at=created.astimezone(UTC).isoformat() if isinstance(created, datetime) else None,
    )


def _column(told: Told, *, is_key: bool) -> RawColumn:
    return RawColumn(told["Name"], told.get("Type") or "", told.get("Comment") or None, is_key)


def kind_of(raw: RawTable) -> RelationKind:
    is_partitioned = any(column.is_key for column in raw.columns)
    return hive_tables.kind_of(raw.type, raw.parameters, is_partitioned=is_partitioned)


def decode(payload: bytes) -> Relation:
    raw = _DECODER.decode(payload)
    return Relation(
        schema=raw.schema,
        name=raw.name,
        kind=kind_of(raw),
        columns=columns_of(spark_columns(raw.columns, raw.parameters)),
        comment=hive_tables.comment_of(None, raw.parameters),
        extras=_extras(raw),
    )


def _extras(raw: RawTable) -> Extras:
    parameters = raw.parameters
    places = {name: parameters.get(key) for key, name in _PLACES.items()}
    serde = {key.removeprefix(_SERDE): value for key, value in parameters.items() if key.startswith(_SERDE)}
    rest = {key: value for key, value in parameters.items() if key not in _PLACES and not key.startswith(_SERDE)}
    facts = {
        "format": hive_tables.format_of(parameters, places["serde"], places["input_format"]),
        "partitioned_by": [column.name for column in raw.columns if column.is_key],
        "created_at": raw.created_at,
        **places,
        "serde_parameters": serde,
        "parameters": hive_tables.shown(rest),
    }
    return {name: fact for name, fact in facts.items() if fact}
