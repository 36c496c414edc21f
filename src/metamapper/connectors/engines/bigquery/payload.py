"""One table as it is kept, and what it means in our vocabulary.

What moves without anybody changing the table (rows, bytes, etag, times of creation and of the last change) is left out:
a table that a job replaces every night by an equal one has not changed.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from metamapper.connectors.engines.bigquery.told import Constraints, Elsewhere, ForeignKey, Table, kept, told
from metamapper.connectors.engines.bigquery.types import Field, quoted
from metamapper.schema import Column, Constraint, ConstraintKind, Extras, Generated, Reference, Relation

PRIMARY_KEY = "pk$"
"""BigQuery's own name of the one primary key, without the table's."""

_DECODER = msgspec.json.Decoder(Table)


def table(resource: Mapping[str, Any], dataset: str, name: str) -> Table:
    return told({**resource, "dataset": dataset, "name": name}, Table)


def encoded(found: Table) -> bytes:
    """The statistics left out: they are no part of what a table is."""
    return msgspec.json.encode(msgspec.structs.replace(found, num_rows=None, num_bytes=None), order="deterministic")


def decode(payload: bytes) -> Relation:
    table = _DECODER.decode(payload)
    return Relation(
        schema=table.dataset,
        name=table.name,
        kind=table.kind,
        columns=tuple(_columns(table.schema.fields)),
        constraints=tuple(_constraints(table.table_constraints)),
        comment=table.description or None,
        definition=_definition(table),
        extras=dict(_facts(table)),
    )


def _columns(fields: tuple[Field, ...]) -> list[Column]:
    """Every field and what is nested in it, outermost first; places are counted through the whole table."""
    return [_column(field, place, path) for place, (path, field) in enumerate(_walked(fields, ()), start=1)]


def _walked(fields: tuple[Field, ...], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Field]]:
    for field in fields:
        yield path, field
        yield from _walked(field.fields, (*path, field.name))


def _column(field: Field, place: int, path: tuple[str, ...]) -> Column:
    generation = field.generated_column.generated_expression_info if field.generated_column else None
    generated = None
    if generation is not None:
        generated = Generated.STORED if generation.stored else Generated.VIRTUAL
    return Column(
        name=field.name,
        position=place,
        type=field.spelling,
        family=field.family,
        nullable=field.mode.upper() == "NULLABLE",  # an array is never null
        default=generation.generation_expression if generation else field.default_value_expression,
        generated=generated,
        comment=field.description or None,
        length=field.max_length,
        precision=field.precision,
        scale=field.scale,
        nested_in=path,
        extras=kept(
            policy_tags=list(field.policy_tags.names) if field.policy_tags else None,
            collation=field.collation,
            rounding_mode=field.rounding_mode,
        ),
    )


def _constraints(told: Constraints) -> Iterator[Constraint]:
    if told.primary_key is not None:
        columns = told.primary_key.columns
        yield Constraint(
            name=PRIMARY_KEY,
            kind=ConstraintKind.PRIMARY_KEY,
            columns=columns,
            definition=f"PRIMARY KEY ({_listed(columns)}) NOT ENFORCED",
        )
    for key in told.foreign_keys:
        yield _foreign_key(key)


def _foreign_key(key: ForeignKey) -> Constraint:
    columns = tuple(pair.referencing_column for pair in key.column_references)
    target = key.referenced_table
    reference = Reference(
        target.dataset_id, target.table_id, tuple(pair.referenced_column for pair in key.column_references)
    )
    what = f"FOREIGN KEY ({_listed(columns)})"
    where = f"{quoted(reference.schema)}.{quoted(reference.relation)} ({_listed(reference.columns)})"
    return Constraint(
        name=key.name or what,
        kind=ConstraintKind.FOREIGN_KEY,
        columns=columns,
        references=reference,
        definition=f"{what} REFERENCES {where} NOT ENFORCED",
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))


def _definition(table: Table) -> str | None:
    view = table.view or table.materialized_view
    return (view.query or None) if view else None


def _facts(table: Table) -> Iterator[tuple[str, Any]]:
    """What only BigQuery has to tell."""
    external = table.external_data_configuration
    iceberg = table.biglake_configuration
    snapshot, clone, stored = table.snapshot_definition, table.clone_definition, table.materialized_view
    yield from kept(
        friendly_name=table.friendly_name,
        labels=dict(table.labels),
        tags=dict(table.resource_tags),
        partitioning=_partitioning(table),
        partition_filter_required=_filtered(table),
        clustering=list(table.clustering.fields),
        external=_external(external) if external else None,
        iceberg=msgspec.structs.asdict(iceberg) if iceberg else None,
        snapshot_of=str(snapshot.base_table_reference) if snapshot else None,
        snapshot_at=snapshot.snapshot_time if snapshot else None,
        clone_of=str(clone.base_table_reference) if clone else None,
        cloned_at=clone.clone_time if clone else None,
        legacy_sql=table.view is not None and table.view.use_legacy_sql,
        refreshes_by_itself=stored.enable_refresh if stored else None,
        refresh_interval_ms=stored.refresh_interval_ms if stored else None,
        max_staleness=(stored.max_staleness if stored else None) or table.max_staleness,
        encryption_key=table.encryption_configuration.kms_key_name,
        expires_at=_moment(table.expiration_time),
        default_collation=table.default_collation,
        default_rounding_mode=table.default_rounding_mode,
        location=table.location,
    ).items()


def _partitioning(table: Table) -> Extras | None:
    time, numbers = table.time_partitioning, table.range_partitioning
    if time is not None:
        return kept(column=time.field, by=time.type, expiration_ms=time.expiration_ms)
    if numbers is not None:
        return {"column": numbers.field, **msgspec.structs.asdict(numbers.range)}
    return None


def _filtered(table: Table) -> bool:
    time = table.time_partitioning
    return table.require_partition_filter or (time is not None and time.require_partition_filter)


def _external(told: Elsewhere) -> Extras:
    return kept(
        format=told.source_format,
        uris=list(told.source_uris),
        connection=told.connection_id,
        partitioned_by=list(told.hive_partitioning_options.fields),
    )


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
