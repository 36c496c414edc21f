"""Changes as text and as JSON, for `diff` and `changes` alike."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from metamapper.cli.rendering import aligned, counted
from metamapper.cli.telling import shown
from metamapper.schema import Certainty, Change, ChangeKind, FieldChange, Severity

SIGNS: dict[ChangeKind, str] = {
    ChangeKind.ADDED: "+",
    ChangeKind.CHANGED: "~",
    ChangeKind.RENAMED: ">",
    ChangeKind.MOVED: ">",
    ChangeKind.REBUILT: "*",
    ChangeKind.REMOVED: "-",
    ChangeKind.RESTORED: "+",
}
RANK = (Severity.BREAKING, Severity.RISKY, Severity.SAFE)


def lines(changes: Iterable[Change]) -> Iterator[str]:
    """A line for each change and one for each of its fields; what only follows from another is left out."""
    changes = [change for change in changes if not change.quiet]
    heads = list(aligned([_head(change) for change in changes]))
    for head, change in zip(heads, changes, strict=True):
        yield head
        yield from aligned([_field(each) for each in change.fields if not each.quiet], indent=4)
        if change.certainty is not Certainty.CERTAIN and change.evidence:
            yield f"    {change.certainty}: {shown(change.evidence.summary)}"


def _head(change: Change) -> Sequence[str]:
    name = ".".join(map(shown, change.path))
    return f"{SIGNS[change.kind]} {change.kind}", change.asset, name, change.severity, shown(change.reason)


def _field(change: FieldChange) -> Sequence[str]:
    return change.field, f"{_value(change.before)} -> {_value(change.after)}"


def _value(value: Any) -> str:
    """None is "nothing": unlike a blank text, which is quoted."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and value.strip():
        return shown(value)
    return shown(msgspec.json.encode(value).decode())


def totals(changes: Sequence[Change]) -> str:
    """``3 changes: 1 breaking, 2 safe``."""
    found = Counter(change.severity for change in changes)
    parts = ", ".join(f"{found[severity]:,} {severity}" for severity in RANK if found[severity])
    return f"{counted(len(changes), 'change')}: {parts}" if parts else "No changes."


def as_json(change: Change) -> dict[str, Any]:
    """One change without the whole states that only a replay needs."""
    plain: dict[str, Any] = msgspec.to_builtins(change)
    defaults = {"severity": change.severity.value, "certainty": change.certainty.value, "reason": change.reason}
    return {name: value for name, value in (plain | defaults).items() if name not in {"before", "after"}}


def at_least(changes: Iterable[Change], severity: Severity) -> bool:
    """Whether one of them is as severe as this, or worse."""
    return any(RANK.index(change.severity) <= RANK.index(severity) for change in changes)
