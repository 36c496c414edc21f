"""Typed settings of engines: described once, so that forms, documentation and validation are derived from them."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from metamapper.connectors.errors import SettingsInvalid

Condition = Mapping[str, Sequence[str]]
"""A field, and those of its choices with which something is so."""
NOT_ASKED = ""
"""The choice in a ``Condition`` that holds where the field itself is not asked for."""


def described(
    title: str,
    description: str = "",
    *,
    secret: bool = False,
    input: str = "text",  # noqa: A002 - the word that HTML has for it
    choices: Mapping[str, str] | None = None,
    example: str = "",
    when: Condition | None = None,
    needed: Condition | None = None,
    tuning: bool = False,
    **limits: Any,
) -> msgspec.Meta:
    """What a form and a docs page say of a field. ``limits`` are msgspec's own (``ge``, ``le``, ``min_length`` …).

    ``input`` is text, number, password, select or textarea; ``choices`` are the values of a select with their labels.
    ``when`` says with which choice of an earlier field this one belongs to the form: with another it is not asked for and
    not kept. ``needed`` says with which choice it must not be blank. ``tuning`` says that it has no say in whom a secret is
    shown to: a change of it alone lets a stored secret stay.
    """
    extra: dict[str, Any] = {
        "secret": secret,
        "input": input,
        "example": example,
        "when": _plain(when),
        "needed": _plain(needed),
        "tuning": tuning,
    }
    if choices is not None:
        extra["choices"] = dict(choices)
    return msgspec.Meta(title=title, description=description, extra=extra, **limits)


def _plain(condition: Condition | None) -> dict[str, tuple[str, ...]]:
    return {field: tuple(map(str, values)) for field, values in (condition or {}).items()}


@cache
def metas(settings: type) -> Mapping[str, msgspec.Meta]:
    """The descriptions of a settings class by field, in the order they are defined."""
    hints = get_type_hints(settings, include_extras=True)
    return {
        name: next(extra for extra in get_args(hint)[1:] if isinstance(extra, msgspec.Meta))
        for name, hint in hints.items()
        if get_origin(hint) is Annotated
    }


@cache
def secret_fields(settings: type) -> frozenset[str]:
    """The names of the fields that are encrypted at rest and never shown."""
    return frozenset(name for name, meta in metas(settings).items() if (meta.extra or {}).get("secret"))


LAST_PORT = 65535


def port_in(text: object) -> int:
    """The port that was typed, 0 where that is none: of any length, and in any script's digits."""
    typed = str(text).strip()
    port = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= len(str(LAST_PORT)) else 0
    return port if port <= LAST_PORT else 0


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of an engine's typed settings.

    Fields are ``Annotated[type, described(title, …)]``; forms, documentation and validation are derived from them.
    Unknown keys are refused. A field marked ``secret`` is encrypted at rest, never shown again, and blank in ``repr``.
    """

    def __repr__(self) -> str:
        hidden = secret_fields(type(self))
        shown = (
            f"{name}={'***' if name in hidden and getattr(self, name) else repr(getattr(self, name))}"
            for name in self.__struct_fields__
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def leads_to(cls, given: Mapping[str, Any]) -> tuple[str, int] | None:
        """The host and port that settings mean, as they are or as they were typed.

        None where there is not the one: a file, a socket of this machine, a service that has several hosts.
        """
        host, port = str(given.get("host") or "").strip(), cls.port_meant(given)
        return (host, port) if host and port and not host.startswith(("/", "@")) else None

    @classmethod
    def port_meant(cls, given: Mapping[str, Any]) -> int:
        """The port of these settings; 0 where there is none. For an engine that chooses one if none is given."""
        return port_in(given.get("port", 0))

    @property
    def real_port(self) -> int:
        return self.port_meant(self._given())

    @property
    def destination(self) -> tuple[str, int] | None:
        return self.leads_to(self._given())

    def _given(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in self.__struct_fields__}

    def secrets(self) -> tuple[str, ...]:
        """The secret values that are set, for redaction."""
        return tuple(str(value) for name in secret_fields(type(self)) if (value := getattr(self, name)))


_WORDS: Sequence[tuple[str, str]] = (
    (r"missing required field|of length >= 1$", "It is needed."),
    (r"of length <= (\d+)$", "At most {} characters."),
    (r"`(?:int|float)` <= ([\d.]+)$", "At most {}."),
    (r"`(?:int|float)` >= ([\d.]+)$", "At least {}."),
    (r"^Expected `int", "A whole number is needed."),
    (r"^Expected `float", "A number is needed."),
    (r"matching regex", "This is not how it is written."),
    (r"^Invalid enum value", "This is none of the choices."),
)


def in_words(said: str) -> str:
    """What msgspec says of a value, as people say it: ``Expected `int` <= 65535`` is ``At most 65535.``"""
    text = said.partition(" - at ")[0]
    for pattern, words in _WORDS:
        if found := re.search(pattern, text):
            return words.format(*found.groups())
    # It names types and limits, not values, but a choice that is not one would be repeated.
    return f"{text.partition(', got')[0].partition(' `')[0]}."


S = TypeVar("S", bound=EngineSettings)


def parse_settings(settings: type[S], values: Mapping[str, Any]) -> S:
    """Settings from a form's or a file's values; raises ``SettingsInvalid`` naming the field, never its value."""
    try:
        return msgspec.convert(dict(values), settings, strict=False)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`") if "$." in str(error) else ""
        meta = metas(settings).get(field)
        said = in_words(str(error))
        raise SettingsInvalid(f"{meta.title if meta else 'Settings'}: {said[:1].lower()}{said[1:]}") from None
