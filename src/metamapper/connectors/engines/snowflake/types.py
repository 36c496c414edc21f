"""From a type as INFORMATION_SCHEMA tells it to Snowflake's spelling, its family and its measures.

See https://docs.snowflake.com/en/sql-reference/intro-summary-data-types.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from metamapper.connectors.engines.snowflake.names import spelled
from metamapper.schema import TypeFamily

_WORDS = {"TEXT": "VARCHAR"}
_LONGEST = frozenset({16_777_216, 134_217_728, 8_388_608, 67_108_864})
"""Characters or bytes that a text or binary may have where no length was given: the most there is, then and now."""

_FAMILIES = {
    "VARCHAR": TypeFamily.STRING,
    "FLOAT": TypeFamily.FLOAT,
    "REAL": TypeFamily.FLOAT,
    "DECFLOAT": TypeFamily.DECIMAL,
    "BOOLEAN": TypeFamily.BOOLEAN,
    "DATE": TypeFamily.DATE,
    "TIME": TypeFamily.TIME,
    "TIMESTAMP_NTZ": TypeFamily.TIMESTAMP,
    "TIMESTAMP_LTZ": TypeFamily.TIMESTAMP,
    "TIMESTAMP_TZ": TypeFamily.TIMESTAMP,
    "BINARY": TypeFamily.BINARY,
    "VARIANT": TypeFamily.JSON,
    "OBJECT": TypeFamily.JSON,
    "ARRAY": TypeFamily.ARRAY,
    "VECTOR": TypeFamily.ARRAY,
    "MAP": TypeFamily.MAP,
    "GEOGRAPHY": TypeFamily.GEO,
    "GEOMETRY": TypeFamily.GEO,
    "UUID": TypeFamily.UUID,
}
_MEASURED_IN_CHARACTERS = frozenset({"VARCHAR", "BINARY"})
_MOMENTS = frozenset({"TIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"})
NUMBER = "NUMBER"


class Told(msgspec.Struct, frozen=True, array_like=True):
    """A type as a row tells it; ``identifier`` leads to what is nested in it."""

    data_type: str
    length: int | None
    precision: int | None
    scale: int | None
    fraction: int | None = None
    identifier: str | None = None

    @property
    def word(self) -> str:
        return _WORDS.get(self.data_type, self.data_type)

    @property
    def limit(self) -> int | None:
        """The length that was given; None is the most there is."""
        known = self.word in _MEASURED_IN_CHARACTERS and self.length not in _LONGEST
        return self.length if known else None

    @property
    def digits(self) -> int | None:
        if self.word == NUMBER:
            return self.precision
        return self.fraction if self.word in _MOMENTS else None

    def plain(self) -> str:
        """The spelling without what is nested."""
        if self.limit is not None:
            return f"{self.word}({self.limit})"
        if self.word == NUMBER and self.precision is not None:
            return f"{NUMBER}({self.precision},{self.scale or 0})"
        return self.word if self.digits is None else f"{self.word}({self.digits})"


class NestedField(msgspec.Struct, frozen=True, array_like=True):
    within: str
    name: str
    place: int
    type: Told


class Element(msgspec.Struct, frozen=True, array_like=True):
    within: str
    type: Told


@dataclass(frozen=True, slots=True)
class Nest:
    """What is within the structured types of one relation."""

    fields: Mapping[str, Sequence[NestedField]] = field(default_factory=dict)
    elements: Mapping[str, Told] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: Sequence[NestedField], elements: Sequence[Element]) -> "Nest":
        grouped: dict[str, list[NestedField]] = {}
        for each in fields:
            grouped.setdefault(each.within, []).append(each)
        return cls(grouped, {each.within: each.type for each in elements})

    def spelling(self, told: Told) -> str:
        """The whole type: ``ARRAY(OBJECT(sku VARCHAR(12), price NUMBER(12,2)))``."""
        element, fields = self._element(told), self._fields(told)
        if element is not None:
            return f"{told.word}({self.spelling(element)})"
        if fields and told.word == "MAP":
            return f"MAP({', '.join(self.spelling(each.type) for each in fields)})"
        if fields:
            inner = ", ".join(f"{spelled(each.name)} {self.spelling(each.type)}" for each in fields)
            return f"{told.word}({inner})"
        return told.plain()

    def family(self, told: Told) -> TypeFamily:
        if told.word == NUMBER:
            return TypeFamily.DECIMAL if told.scale else TypeFamily.INTEGER
        if told.word == "OBJECT" and self._fields(told):
            return TypeFamily.STRUCT
        return _FAMILIES.get(told.word, TypeFamily.OTHER)

    def within(self, told: Told, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], NestedField]]:
        """The fields of an object, or of the objects that an array or a map holds, outermost first."""
        inner = self._element(told)
        if inner is not None:
            yield from self.within(inner, path)
        elif told.word == "MAP":
            for each in self._fields(told)[1:]:
                yield from self.within(each.type, path)
        else:
            for each in self._fields(told):
                yield path, each
                yield from self.within(each.type, (*path, each.name))

    def _fields(self, told: Told) -> Sequence[NestedField]:
        return self.fields.get(told.identifier or "", ())

    def _element(self, told: Told) -> Told | None:
        return self.elements.get(told.identifier or "") if told.word == "ARRAY" else None
