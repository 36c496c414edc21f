"""What an engine's typed settings ask for, field by field: forms, documentation and sealing are derived from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.settings import NOT_ASKED, Condition


@dataclass(frozen=True, slots=True)
class SettingField:
    """``input`` is text, number, password, checkbox, select or textarea; ``choices`` are (value, label) pairs."""

    name: str
    title: str
    description: str
    input: str
    secret: bool
    required: bool
    default: Any
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""
    when: Condition = field(default_factory=dict)
    """With which choice of an earlier field it belongs to the form; always where there is none."""
    needed: Condition = field(default_factory=dict)
    """With which choice it must not be blank."""
    tuning: bool = False
    """Whether it has no say in whom a secret is shown to: how long to wait, how much to ask for at a time."""


def fitting(fields: Sequence[SettingField], values: Mapping[str, Any]) -> frozenset[str]:
    """The fields that belong to the form with these values; a blank one is its default."""
    chosen: dict[str, Any] = {}
    for each in fields:
        if _holds(each.when, chosen):
            value = values.get(each.name)
            chosen[each.name] = each.default if value in {None, ""} else value
    return frozenset(chosen)


def missing(fields: Sequence[SettingField], values: Mapping[str, Any]) -> list[str]:
    """The fields that must not be blank with these values, and are."""
    fit = fitting(fields, values)
    chosen = {each.name: values.get(each.name) or each.default for each in fields if each.name in fit}
    needed = (each for each in fields if each.name in fit and each.needed and _holds(each.needed, chosen))
    return [each.name for each in needed if not chosen[each.name]]


def _holds(condition: Condition, chosen: Mapping[str, Any]) -> bool:
    return all(str(chosen.get(name, NOT_ASKED)) in values for name, values in condition.items())


@cache
def fields_of(settings: type[EngineSettings]) -> tuple[SettingField, ...]:
    """The fields of an engine's settings, in the order they are declared."""
    described = inspect.type_info(settings)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - EngineSettings is a Struct; tells the type
    return tuple(_field(each) for each in described.fields)


def _field(found: inspect.Field) -> SettingField:
    kind, schema, extra = found.type, dict[str, Any](), dict[str, Any]()
    while isinstance(kind, inspect.Metadata):
        schema |= kind.extra_json_schema or {}
        extra |= kind.extra or {}
        kind = kind.type
    plain = _without_none(kind)
    choices = _choices(plain, extra.get("choices"))
    return SettingField(
        name=found.name,
        title=schema.get("title") or found.name.replace("_", " ").capitalize(),
        description=schema.get("description", ""),
        input=_input(plain, asked=extra.get("input", "text"), secret=bool(extra.get("secret")), choices=bool(choices)),
        secret=bool(extra.get("secret")),
        required=found.required,
        default=_default(found),
        choices=choices,
        example=str(extra.get("example") or ""),
        when=extra.get("when") or {},
        needed=extra.get("needed") or {},
        tuning=bool(extra.get("tuning")),
    )


def _without_none(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    rest = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
    return rest[0] if len(rest) == 1 else kind


def _input(kind: inspect.Type, *, asked: str, secret: bool, choices: bool) -> str:
    """What was asked for, unless the type knows better than plain text."""
    if asked != "text":
        return asked
    if secret:
        return "password"
    if choices:
        return "select"
    if isinstance(kind, inspect.BoolType):
        return "checkbox"
    return "number" if isinstance(kind, inspect.IntType | inspect.FloatType) else "text"


def _choices(kind: inspect.Type, labels: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """An enumeration's or a literal's values; ``labels`` say them in words."""
    if isinstance(kind, inspect.EnumType):
        values = [str(each.value) for each in kind.cls]
    elif isinstance(kind, inspect.LiteralType):
        values = [str(each) for each in kind.values]
    else:
        return tuple((labels or {}).items())
    said = labels or {}
    return tuple((value, said.get(value, value.replace("-", " ").replace("_", " ").capitalize())) for value in values)


def _default(found: inspect.Field) -> Any:
    if found.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(found.default)
    if found.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(found.default_factory())
    return None
