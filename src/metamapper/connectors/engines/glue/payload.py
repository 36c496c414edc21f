"""From what Glue tells of a table to what is kept of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import RawColumn
from metamapper.connectors.sql.hive_relations import RawTable

Told = Mapping[str, Any]

_CURRENT, _FIELD_ID, _OPTIONAL = "iceberg.field.current", "iceberg.field.id", "iceberg.field.optional"


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
        "location": hive_tables.located(storage.get("Location")),
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
