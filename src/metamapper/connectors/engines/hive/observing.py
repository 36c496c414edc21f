"""What both doors of a metastore tell alike, and how it is shown."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from metamapper.connectors.base import Observation
from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import named_apart
from metamapper.connectors.sql.hive_relations import RawTable, encode, facts_of, kind_of, sorted_by
from metamapper.schema import Extras

READER = b"hive-1"
"""Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""

DEFAULT_CATALOG = "hive"
"""Databases of this one are shown by their own names, those of others as ``catalog.database``."""

_LATEST = 253_402_300_799
"""The last second of the year 9999."""


def shown_names(databases: Iterable[tuple[str | None, str]]) -> list[str]:
    """The names of the schemas, from catalogs and databases; two never share one."""
    names = (name if catalog in {None, "", DEFAULT_CATALOG} else f"{catalog}.{name}" for catalog, name in databases)
    return list(named_apart(names))


def observation(raw: RawTable, parameters: Mapping[str, str]) -> Observation:
    payload = encode(raw)
    return Observation(
        schema=raw.schema,
        name=raw.name,
        kind=kind_of(raw),
        fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
        payload=payload,
        native_id=raw.native_id,
        row_estimate=hive_tables.row_estimate(parameters),
        size_bytes=hive_tables.size_bytes(parameters),
    )


def created_at(seconds: int | None) -> str | None:
    """The moment as ISO 8601; what is no moment of this era is none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds and 0 < seconds <= _LATEST else None


def storage_facts(
    *,
    location: str | None,
    input_format: str | None,
    output_format: str | None,
    serde: str | None,
    serde_parameters: Mapping[str, str],
    bucketed_by: Sequence[str],
    buckets: int | None,
    order: Sequence[tuple[str, int | None]],
) -> dict[str, Any]:
    return facts_of(
        ("location", hive_tables.located(location)),
        ("input_format", input_format),
        ("output_format", output_format),
        ("serde", serde),
        ("serde_parameters", hive_tables.settled(serde_parameters)),
        ("bucketed_by", list(bucketed_by)),
        ("buckets", max(buckets or 0, 0)),
        ("sorted_by", sorted_by(order)),
    )


def database_extras(
    *,
    location: str | None,
    owner: str | None,
    parameters: Mapping[str, str],
    catalog: str | None = None,
    connector: str | None = None,
) -> Extras:
    return facts_of(
        ("catalog", catalog if catalog != DEFAULT_CATALOG else None),
        ("location", hive_tables.located(location)),
        ("owner", owner),
        ("connector", connector),
        ("parameters", hive_tables.shown(hive_tables.settled(parameters))),
    )
