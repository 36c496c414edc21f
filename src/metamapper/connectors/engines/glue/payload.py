"""From what Glue tells of a table to bytes that change if and only if the table does, and from them to a relation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import RawColumn, columns_of
from metamapper.connectors.sql.hive_spark import spark_columns
from metamapper.schema import Extras, Relation

Told = Mapping[str, Any]

_CURRENT, _FIELD_ID, _OPTIONAL = "iceberg.field.current", "iceberg.field.id", "iceberg.field.optional"


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


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(RawTable)


def encode(raw: RawTable) -> bytes:
    return _ENCODER.encode(raw)


def raw_of(schema: str, told: Told) -> RawTable:
    """``schema`` is the database that was asked: behind a resource link, a table names its own."""
    storage: Told = told.get("StorageDescriptor") or {}
    parameters = told.get("Parameters") or {}
    return RawTable(
        schema=schema,
        name=told["Name"],
        type=told.get("TableType"),
        comment=told.get("Description"),
        columns=tuple(_columns(storage, told)),
        parameters=hive_tables.settled(parameters),
        view=told.get("ViewOriginalText") or _first_dialect(told),
        facts=_facts(told, storage),
    )


def _columns(storage: Told, told: Told) -> list[RawColumn]:
    """Partition keys follow the columns. Iceberg leaves columns that were dropped in the list."""
    columns = [each for each in storage.get("Columns") or () if (each.get("Parameters") or {}).get(_CURRENT) != "false"]
    return [
        *(_column(each, is_key=False) for each in columns),
        *(_column(each, is_key=True) for each in told.get("PartitionKeys") or ()),
    ]


def _column(told: Told, *, is_key: bool) -> RawColumn:
    parameters: Told = told.get("Parameters") or {}
    return RawColumn(
        told["Name"],
        told.get("Type") or "",
        told.get("Comment") or None,
        is_key,
        parameters.get(_OPTIONAL) != "false",
        {"field_id": parameters[_FIELD_ID]} if _FIELD_ID in parameters else {},
    )


def _first_dialect(told: Told) -> str | None:
    """The text of a view that is written for several engines: https://docs.aws.amazon.com/glue/latest/webapi/API_ViewDefinition.html."""
    representations = (told.get("ViewDefinition") or {}).get("Representations") or ()
    return next((each["ViewOriginalText"] for each in representations if each.get("ViewOriginalText")), None)


def _facts(told: Told, storage: Told) -> dict[str, Any]:
    serde = storage.get("SerdeInfo") or {}
    target = told.get("TargetTable") or {}
    created = told.get("CreateTime")
    facts = {
        "created_at": created.astimezone(UTC).isoformat() if isinstance(created, datetime) else None,
        "owner": told.get("Owner"),
        "location": storage.get("Location"),
        "input_format": storage.get("InputFormat"),
        "output_format": storage.get("OutputFormat"),
        "serde": serde.get("SerializationLibrary"),
        "serde_parameters": hive_tables.settled(serde.get("Parameters") or {}),
        "bucketed_by": list(storage.get("BucketColumns") or ()),
        "buckets": max(storage.get("NumberOfBuckets") or 0, 0),
        "sorted_by": [each.get("Column") for each in storage.get("SortColumns") or ()],
        "link_to": ".".join(filter(None, (target.get(part) for part in ("CatalogId", "DatabaseName", "Name")))),
        "dialects": [each.get("Dialect") for each in (told.get("ViewDefinition") or {}).get("Representations") or ()],
    }
    return {name: fact for name, fact in facts.items() if fact}


def kind_of(raw: RawTable) -> Any:
    is_partitioned = any(column.is_key for column in raw.columns)
    return hive_tables.kind_of(raw.type, raw.parameters, is_partitioned=is_partitioned)


def decode(payload: bytes) -> Relation:
    raw = _DECODER.decode(payload)
    return Relation(
        schema=raw.schema,
        name=raw.name,
        kind=kind_of(raw),
        columns=columns_of(spark_columns(raw.columns, raw.parameters)),
        comment=hive_tables.comment_of(raw.comment, raw.parameters),
        definition=hive_tables.view_text(raw.view),
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
