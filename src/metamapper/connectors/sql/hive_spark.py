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


DIGITS = 10


class _Field(msgspec.Struct):
    name: str
    type: Any = ""
    nullable: bool = True
    metadata: Any = None


class _Schema(msgspec.Struct):
    fields: list[_Field] = []


def spark_columns(raws: Sequence[RawColumn], parameters: Mapping[str, str]) -> Sequence[RawColumn]:
    """The columns as Spark knows them, where it does and they are still the table's; else what the table says."""
    try:
        fields = msgspec.json.decode(_text(parameters) or "{}", type=_Schema).fields
        own = [(raw.name, raw.type) for raw in raws if not raw.is_key]
        known = {raw.name.lower() for raw in raws} == {field.name.lower() for field in fields}
        if not fields or not (known or own == _PLACEHOLDER):
            return raws
        keys = {raw.name.lower() for raw in raws if raw.is_key}
        return tuple(_column(field, is_key=field.name.lower() in keys) for field in fields)
    except (msgspec.DecodeError, RecursionError):
        return raws


def _text(parameters: Mapping[str, str]) -> str:
    """In one piece, or in as many as Spark says; nothing where one of them is missing."""
    if PREFIX in parameters:
        return parameters[PREFIX]
    said = parameters.get(f"{PREFIX}.numParts", "0")
    # Whoever writes parameters may write any number; there cannot be more parts than parameters.
    number = said if said.isdecimal() and len(said) < DIGITS and int(said) <= len(parameters) else "0"
    parts = [parameters.get(f"{PREFIX}.part.{place}") for place in range(int(number) if number.isdecimal() else 0)]
    return "".join(part for part in parts if part) if all(parts) else ""


def _column(field: _Field, *, is_key: bool) -> RawColumn:
    said = field.metadata.get("comment") if isinstance(field.metadata, dict) else None
    comment = said if isinstance(said, str) else None
    return RawColumn(field.name, _spelled(field.type), comment, is_key, field.nullable)


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
    fields = kind.get("fields")
    for field in fields if isinstance(fields, list) else ():
        if not isinstance(field, dict):
            continue
        name = str(field.get("name", ""))
        if _ODD & set(name):
            name = "`" + name.replace("`", "``") + "`"
        yield f"{name}:{_spelled(field.get('type'))}"
