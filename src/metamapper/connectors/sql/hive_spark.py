"""The schema that Spark hides in a table's parameters, because Hive cannot say it (``spark.sql.sources.schema``, in parts).

Spark's JSON of types: https://github.com/apache/spark, ``sql/api/.../types/DataType.scala``. The columns of such a table
may be a placeholder, or the same in lower case.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from metamapper.connectors.sql.hive_columns import RawColumn

PREFIX = "spark.sql.sources.schema"
_PLACEHOLDER = [("col", "array<string>")]
_WORDS = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}
_ODD = frozenset("`:,<>() '\"")


def spark_columns(raws: Sequence[RawColumn], parameters: Mapping[str, str]) -> Sequence[RawColumn]:
    """The columns as Spark knows them, where it does and they are still the table's; else what the table says."""
    fields = _fields(parameters)
    if not fields:
        return raws
    own = [(raw.name, raw.type) for raw in raws if not raw.is_key]
    if own != _PLACEHOLDER and {raw.name.lower() for raw in raws} != {str(field["name"]).lower() for field in fields}:
        return raws
    keys = {raw.name.lower() for raw in raws if raw.is_key}
    return tuple(_column(field, is_key=str(field["name"]).lower() in keys) for field in fields)


def _fields(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(_text(parameters) or "{}")
        fields = found.get("fields", []) if isinstance(found, dict) else []
        return [field for field in fields if isinstance(field, dict) and field.get("name")]
    except msgspec.DecodeError:
        return []


def _text(parameters: Mapping[str, str]) -> str:
    """In one piece, or in as many as Spark says; nothing where one of them is missing."""
    if PREFIX in parameters:
        return parameters[PREFIX]
    number = parameters.get(f"{PREFIX}.numParts", "0")
    parts = [parameters.get(f"{PREFIX}.part.{place}") for place in range(int(number) if number.isdecimal() else 0)]
    return "".join(part for part in parts if part) if all(parts) else ""


def _column(field: Mapping[str, Any], *, is_key: bool) -> RawColumn:
    return RawColumn(
        str(field["name"]), _spelled(field.get("type")), _comment(field), is_key, field.get("nullable") is not False
    )


def _comment(field: Mapping[str, Any]) -> str | None:
    metadata = field.get("metadata")
    said = metadata.get("comment") if isinstance(metadata, dict) else None
    return said if isinstance(said, str) else None


def _spelled(kind: Any) -> str:
    """Spark's JSON of a type in Hive's spelling."""
    if isinstance(kind, str):
        return _WORDS.get(kind, kind)
    if not isinstance(kind, dict):
        return ""
    word = str(kind.get("type", ""))
    if word == "array":
        return f"array<{_spelled(kind.get('elementType'))}>"
    if word == "map":
        return f"map<{_spelled(kind.get('keyType'))},{_spelled(kind.get('valueType'))}>"
    if word == "struct":
        return f"struct<{','.join(_members(kind))}>"
    return _spelled(kind.get("sqlType")) or word


def _members(kind: Mapping[str, Any]) -> Iterator[str]:
    for field in kind.get("fields") or ():
        name = str(field.get("name", ""))
        if _ODD & set(name):
            name = "`" + name.replace("`", "``") + "`"
        yield f"{name}:{_spelled(field.get('type'))}"
