"""What the parameters and texts of a table mean to Hive and its relatives: statistics, secrets, views, formats."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping

import msgspec

from metamapper.connectors.sql.hive_spark import PREFIX as SPARK_SCHEMA
from metamapper.lib.masking import MASK, masked
from metamapper.schema import RelationKind

Parameters = Mapping[str, str]

# Written by whoever writes rows, analyzes or crawls: they move without anybody changing the schema.
_MOVING = re.compile(
    r"(transient_lastDdlTime|last_modified_(by|time)|COLUMN_STATS_ACCURATE|STATS_GENERATED(_VIA_STATS_TASK)?|num(Files|Rows"
    r"|Partitions|FilesErasureCoded)|totalSize|rawDataSize|recordCount|objectCount|sizeKey|averageRecordSize"
    r"|(previous_)?metadata_location|current-snapshot-.*|snapshot-count|previous_snapshot_id"
    r"|numDVs|spark\.sql\.statistics\..*|delta\.last(Update|Commit).*|UPDATED_BY_CRAWLER|Crawler\w*|last_commit_.*)\Z",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"passw|secret|token|credential|private|access.?key|api.?key|account\.key|\bsas\b|signature", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"(password|pwd|secret|sig)=|://[^/@\s]*:[^/@\s]*@", re.IGNORECASE)
"""Within an address or a connection string."""
_USERINFO = re.compile(r"(?<=://)[^/@\s:]+:(?!\d+(?:/|$))\S*@")
"""Keys before the host: ``s3a://KEY:SECRET@bucket``. A port is none, nor is a container alone: ``abfss://raw@account``."""
_ROWS = ("numRows", "recordCount", "spark.sql.statistics.numRows")
_BYTES = ("totalSize", "sizeKey", "spark.sql.statistics.totalSize")
_PRESTO = re.compile(r"\s*/\* Presto (?:Materialized )?View: (?P<text>[A-Za-z0-9+/=]*) \*/\s*\Z")
_PRESTO_COMMENTS = {"Presto View", "Trino View", "Presto Materialized View", "Trino Materialized View"}
_FORMATS = ("iceberg", "delta", "hudi", "parquet", "orc", "avro", "json", "csv", "regex", "hbase", "lazysimple", "text")


def settled(parameters: Parameters) -> dict[str, str]:
    """The parameters that only a change of the table changes, and that hold no secret."""
    return {
        name: value
        for name, value in parameters.items()
        if not (_MOVING.match(name) or _SECRET.search(name) or _SECRET_VALUE.search(value) or _USERINFO.search(value))
    }


def located(location: str | None) -> str | None:
    """A location without the credentials that some write into it; a secret key may have slashes."""
    if not location:
        return location
    place, mark, parameters = location.partition("?")
    return _USERINFO.sub(f"{MASK}@", place) + masked(mark + parameters)


def shown(parameters: Parameters) -> dict[str, str]:
    """Those of the settled parameters that say something which nothing else says."""
    hidden = {"comment", "EXTERNAL", "presto_view"}
    return {
        name: value for name, value in parameters.items() if name not in hidden and not name.startswith(SPARK_SCHEMA)
    }


def row_estimate(parameters: Parameters) -> int | None:
    return _count(parameters, _ROWS)


def size_bytes(parameters: Parameters) -> int | None:
    return _count(parameters, _BYTES)


def _count(parameters: Parameters, names: Iterable[str]) -> int | None:
    """The first that is a number; Hive writes -1 where it does not know."""
    found = (parameters.get(name, "") for name in names)
    return next((int(text) for text in found if text.isdecimal() and len(text) < 19), None)  # noqa: PLR2004 - 64 bits


def comment_of(description: str | None, parameters: Parameters) -> str | None:
    """What people wrote about a table; what Presto writes about its views is nobody's comment."""
    said = description or parameters.get("comment")
    return said if said and said not in _PRESTO_COMMENTS else None


def kind_of(table_type: str | None, parameters: Parameters, *, is_partitioned: bool) -> RelationKind:
    """A table in an open table format is a table, though Hive has to call it external."""
    word = (table_type or "").upper()
    if word == "MATERIALIZED_VIEW" or parameters.get("comment", "").endswith(" Materialized View"):
        return RelationKind.MATERIALIZED_VIEW
    if word == "VIRTUAL_VIEW" or parameters.get("presto_view") == "true":
        return RelationKind.VIEW
    if word == "EXTERNAL_TABLE" and parameters.get("table_type", "").upper() != "ICEBERG":
        return RelationKind.EXTERNAL_TABLE
    return RelationKind.PARTITIONED_TABLE if is_partitioned else RelationKind.TABLE


def view_text(text: str | None) -> str | None:
    """The query of a view. Presto and Athena keep theirs as JSON, encoded within a comment."""
    if not text:
        return None
    found = _PRESTO.match(text)
    if found is None:
        return None if text.strip() == "/* Presto View */" else text
    try:
        said = msgspec.json.decode(base64.b64decode(found["text"], validate=True))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
    query = said.get("originalSql") if isinstance(said, dict) else None
    return query if isinstance(query, str) else text


def format_of(parameters: Parameters, *names: str | None) -> str | None:
    """``parquet``, ``iceberg`` …: what a table's rows are kept as, by its parameters or the names of its classes."""
    told = (parameters.get("table_type"), parameters.get("spark.sql.sources.provider"), *names)
    known = next((word for name in told for word in _FORMATS if name and word in name.lower()), None)
    return {"lazysimple": "text"}.get(known or "", known) or parameters.get("classification") or None
