"""From a field as the interface tells it to GoogleSQL's spelling of its type, its family and its measures.

See TableFieldSchema at https://cloud.google.com/bigquery/docs/reference/rest/v2/tables and the types at
https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types.
"""

import re

import msgspec

from metamapper.schema import TypeFamily

_WORDS = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
"""The interface tells some types by the words of the older dialect."""

_FAMILIES = {
    "INT64": TypeFamily.INTEGER,
    "NUMERIC": TypeFamily.DECIMAL,
    "BIGNUMERIC": TypeFamily.DECIMAL,
    "FLOAT64": TypeFamily.FLOAT,
    "BOOL": TypeFamily.BOOLEAN,
    "STRING": TypeFamily.STRING,
    "BYTES": TypeFamily.BINARY,
    "DATE": TypeFamily.DATE,
    "TIME": TypeFamily.TIME,
    "DATETIME": TypeFamily.TIMESTAMP,
    "TIMESTAMP": TypeFamily.TIMESTAMP,
    "INTERVAL": TypeFamily.INTERVAL,
    "GEOGRAPHY": TypeFamily.GEO,
    "JSON": TypeFamily.JSON,
    "STRUCT": TypeFamily.STRUCT,
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MICROSECONDS = 6


class Names(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    names: tuple[str, ...] = ()


class Element(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    type: str = ""


class Expression(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    generation_expression: str | None = None
    stored: bool = False


class Generation(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    generated_expression_info: Expression | None = None


class Field(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One field of a table's schema, as far as it is read."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple["Field", ...] = ()
    description: str | None = None
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    timestamp_precision: int | None = None
    default_value_expression: str | None = None
    generated_column: Generation | None = None
    range_element_type: Element | None = None
    foreign_type_definition: str | None = None
    collation: str | None = None
    rounding_mode: str | None = None
    policy_tags: Names | None = None

    @property
    def word(self) -> str:
        """The type's name in GoogleSQL."""
        return _WORDS.get(self.type.upper(), self.type.upper())

    @property
    def is_repeated(self) -> bool:
        return self.mode.upper() == "REPEATED"

    @property
    def family(self) -> TypeFamily:
        return TypeFamily.ARRAY if self.is_repeated else _FAMILIES.get(self.word, TypeFamily.OTHER)

    @property
    def spelling(self) -> str:
        """The whole type: ``ARRAY<STRUCT<sku STRING(12), price NUMERIC(12, 2)>>``."""
        return f"ARRAY<{self._single()}>" if self.is_repeated else self._single()

    def _single(self) -> str:
        if self.fields:
            inner = ", ".join(f"{quoted(field.name)} {field.spelling}" for field in self.fields)
            return f"{self.word}<{inner}>"
        if self.range_element_type is not None:
            return f"{self.word}<{self.range_element_type.type}>"
        if self.foreign_type_definition:
            return self.foreign_type_definition
        return self.word + self._measures()

    def _measures(self) -> str:
        if self.max_length is not None:
            return f"({self.max_length})"
        if self.precision is not None:
            return f"({self.precision}, {self.scale})" if self.scale else f"({self.precision})"
        if self.timestamp_precision not in {None, MICROSECONDS}:
            return f"({self.timestamp_precision})"
        return ""


def quoted(name: str) -> str:
    """A name as GoogleSQL writes it, in backquotes where it must be."""
    if _PLAIN.match(name):
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
