"""One recorded change in words and pieces, as ``parts/change.html`` shows it. Pure over the change's own values."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from metamapper.diffing.decisions import JOINED, UNDONE
from metamapper.history.models import Change
from metamapper.schema import Certainty, ChangeKind

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
    told: bool
    """Whether the evidence is laid out: it is where a match was not proved."""
    proof: str
    """Why a match is certain, where the engine says so."""

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
        told=_is_inferred(change),
        proof=_proof(change),
    )


def _is_inferred(change: Change) -> bool:
    """Whether a run inferred it; what a person decided carries their word as evidence, and its reason says so."""
    if not change.evidence or change.certainty == Certainty.CERTAIN:
        return False
    return change.evidence.get("rule") not in {UNDONE.rule, JOINED.rule}


def _proof(change: Change) -> str:
    if not change.evidence or change.certainty != Certainty.CERTAIN:
        return ""
    summary = str(change.evidence.get("summary", ""))
    # It goes on behind a colon.
    return summary[:1].lower() + summary[1:]


def _noun(asset: str, state: Mapping[str, Any]) -> str:
    if asset == "relation":
        return str(state.get("kind") or "table")
    return NOUNS.get(asset, asset)


def _words(change: Change, noun: str, state: Mapping[str, Any]) -> str:
    if change.kind == ChangeKind.ADDED and change.asset == "column":
        return column_words({**state, "default": None})
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
    return ", ".join(column_facts(state))


def column_facts(state: Mapping[str, Any]) -> list[str]:
    """The type, and what of null and default is worth a word."""
    facts = [str(state.get("type", ""))]
    if state.get("nullable") is False:
        facts.append("not null")
    if state.get("default") is not None:
        facts.append(f"default {state['default']}")
    return [fact for fact in facts if fact]


def _diffs(change: Change, state: Mapping[str, Any]) -> Sequence[Difference]:
    told = [each for each in change.fields if not each.get("quiet")]
    if told:
        return [
            Difference(_label(each["field"]), as_text(each.get("before")), as_text(each.get("after"))) for each in told
        ]
    if change.kind == ChangeKind.REMOVED and change.asset == "column" and state:
        return [Difference("was", " ".join(column_facts(state)), None)]
    if change.kind == ChangeKind.ADDED and change.asset == "column" and state.get("default") is not None:
        return [Difference("default", None, as_text(state["default"]))]
    if change.asset in {"index", "constraint"} and state.get("definition"):
        gone = change.kind == ChangeKind.REMOVED
        text = as_text(state["definition"])
        return [Difference("definition", text if gone else None, None if gone else text)]
    return []


def _label(field: str) -> str:
    return field.removeprefix("extras.").replace("_", " ")


def as_text(value: Any) -> str | None:
    """A JSON value as a person reads it: yes and no, lists by commas; long ones are cut with what was left out."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(as_text(each)) for each in value)
    if isinstance(value, dict) and {"schema", "relation"} <= value.keys():
        return f"{value['schema']}.{value['relation']} ({', '.join(value.get('columns', ()))})"
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
