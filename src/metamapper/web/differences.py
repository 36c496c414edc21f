"""One recorded change in words and pieces, as ``parts/change.html`` shows it. Pure over the change's own values."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from metamapper.history.models import Change
from metamapper.schema import ChangeKind

ICONS: Mapping[str, str] = {
    ChangeKind.ADDED: "plus",
    ChangeKind.CHANGED: "tilde",
    ChangeKind.RENAMED: "arrow-right",
    ChangeKind.MOVED: "corner-down-right",
    ChangeKind.REBUILT: "refresh",
    ChangeKind.REMOVED: "minus",
    ChangeKind.RESTORED: "arrow-back-up",
}
NOUNS: Mapping[str, str] = {"relation": "table"}
_SHOWN = 400
_LINE = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after, as text; None is "had none"."""

    label: str
    before: str | None
    after: str | None

    @property
    def is_long(self) -> bool:
        """Whether it is too much to be read in a line."""
        return any(len(text) > _LINE for text in (self.before, self.after) if text)


@dataclass(frozen=True, slots=True)
class Facts:
    """``words`` follow the name in a feed, ``sentence`` stands below it where there is one line for all."""

    icon: str
    words: str
    sentence: str
    diffs: Sequence[Difference]
    inferred: bool

    @property
    def more(self) -> int:
        return max(0, len(self.diffs) - 1)


def facts_of(change: Change) -> Facts:
    state = _state(change)
    noun = _noun(change.asset, state)
    return Facts(
        icon=ICONS.get(change.kind, "tilde"),
        words=_words(change, noun, state),
        sentence=_sentence(change, noun, state),
        diffs=_diffs(change, state),
        inferred=change.certainty == "inferred",
    )


def _noun(asset: str, state: Mapping[str, Any]) -> str:
    if asset == "relation":
        return str(state.get("kind") or "table")
    return NOUNS.get(asset, asset)


def _words(change: Change, noun: str, state: Mapping[str, Any]) -> str:
    if change.kind == ChangeKind.ADDED and change.asset == "column":
        return column_words(state)
    if change.kind == ChangeKind.ADDED and change.asset != "relation":
        return noun
    if change.asset == "column" and change.kind in {ChangeKind.CHANGED, ChangeKind.RENAMED}:
        return str(change.kind)
    return f"{noun} {change.kind}"


def _sentence(change: Change, noun: str, state: Mapping[str, Any]) -> str:
    if change.kind == ChangeKind.ADDED and change.asset == "column":
        return column_words(state)
    if change.kind == ChangeKind.RESTORED:
        return f"{noun.capitalize()} is back, with everything written on it"
    return f"{noun.capitalize()} {change.kind}"


def column_words(state: Mapping[str, Any]) -> str:
    """``numeric(12,2), not null, default 0``"""
    return ", ".join(_column_facts(state))


def _column_facts(state: Mapping[str, Any]) -> list[str]:
    words = [str(state.get("type", ""))]
    if state.get("nullable") is False:
        words.append("not null")
    if state.get("default") is not None:
        words.append(f"default {state['default']}")
    return [word for word in words if word]


def _diffs(change: Change, state: Mapping[str, Any]) -> Sequence[Difference]:
    if change.fields:
        return [
            Difference(_label(each["field"]), _text(each.get("before")), _text(each.get("after")))
            for each in change.fields
        ]
    if change.kind == ChangeKind.REMOVED and change.asset == "column" and state:
        return [Difference("was", " ".join(_column_facts(state)), None)]
    if change.asset in {"index", "constraint"} and state.get("definition"):
        gone = change.kind == ChangeKind.REMOVED
        text = _text(state["definition"])
        return [Difference("definition", text if gone else None, None if gone else text)]
    return []


def _label(field: str) -> str:
    return field.replace("_", " ")


def _text(value: Any) -> str | None:
    """A JSON value as a person reads it: yes and no, lists by commas; long ones are cut with what was left out."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(_text(each)) for each in value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} … ({len(text) - _SHOWN} characters more)"


def _state(change: Change) -> Mapping[str, Any]:
    """The whole state that the change carries, if it does: its ``after``, or ``before`` of what is gone."""
    packed = change.after or change.before
    if not packed:
        return {}
    state = msgspec.json.decode(zlib.decompress(bytes(packed)))
    inner = state.get("value") or state.get("relation") or state.get("scope") or state
    return inner if isinstance(inner, dict) else state
