"""Two moments compared: what is left of all changes between them when what cancelled out is left out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from metamapper.schema import AssetKind, Certainty, Change, ChangeKind, FieldChange, Severity

_BORN = {ChangeKind.ADDED, ChangeKind.RESTORED}
_RANK = {Severity.SAFE: 0, Severity.RISKY: 1, Severity.BREAKING: 2}
_CHILDREN = {AssetKind.COLUMN, AssetKind.INDEX, AssetKind.CONSTRAINT}


@dataclass(frozen=True, slots=True)
class Net:
    """One asset's difference between two moments.

    ``source`` is the place (among what was given) of the change that carries the whole state; ``later`` are the fields
    that changed after that state was recorded.
    """

    change: Change
    source: int
    later: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Story:
    """One asset's changes, the oldest first, each with its place."""

    steps: list[tuple[int, Change]] = field(default_factory=list)

    @property
    def existed(self) -> bool:
        return self.steps[0][1].kind not in _BORN

    @property
    def exists(self) -> bool:
        alive = self.existed
        for _, change in self.steps:
            alive = change.kind in _BORN or (alive and change.kind is not ChangeKind.REMOVED)
        return alive


def net(changes: Sequence[Change]) -> list[Net]:
    """The differences that remain, in the order in which their assets were first touched.

    ``changes`` are all changes after one moment until another, the oldest first, without their states. Children that
    came or went with their relation are left to it.
    """
    stories: dict[UUID, _Story] = {}
    for place, change in enumerate(changes):
        stories.setdefault(change.asset_id, _Story()).steps.append((place, change))
    found = [each for story in stories.values() if (each := _net(story)) is not None]
    whole = {
        each.change.asset_id
        for each in found
        if each.change.asset is AssetKind.RELATION and each.change.kind in _BORN | {ChangeKind.REMOVED}
    }
    return [each for each in found if each.change.asset not in _CHILDREN or each.change.parent_id not in whole]


def _net(story: _Story) -> Net | None:
    if not story.existed:
        return _came(story) if story.exists else None
    return _stayed(story) if story.exists else _went(story)


def _came(story: _Story) -> Net:
    place, first = story.steps[0]
    # It may have gone and come again: the last state recorded whole is the one to show.
    for at, change in story.steps:
        if change.kind in _BORN:
            place, state = at, change
    later = {each.field: each.after for at, change in story.steps if at > place for each in change.fields}
    return Net(msgspec.structs.replace(state, kind=first.kind, path=story.steps[-1][1].path, fields=()), place, later)


def _went(story: _Story) -> Net:
    place, change = next(step for step in reversed(story.steps) if step[1].kind is ChangeKind.REMOVED)
    return Net(change, place)


def _stayed(story: _Story) -> Net | None:
    fields = _net_fields(story)
    place, told = _telling(story, {each.field for each in fields})
    if not fields and told.kind is not ChangeKind.REBUILT:
        return None
    inferred = next((change for _, change in story.steps if change.certainty is Certainty.INFERRED), told)
    change = msgspec.structs.replace(
        told,
        kind=_kind(fields),
        path=story.steps[-1][1].path,
        fields=fields,
        certainty=inferred.certainty,
        evidence=inferred.evidence,
        before=None,
        after=None,
    )
    return Net(change, place)


def _telling(story: _Story, fields: set[str]) -> tuple[int, Change]:
    """The change whose severity and reason stand for all: the gravest of those whose fields are left."""
    left = [step for step in story.steps if fields & {each.field for each in step[1].fields}]
    rebuilt = [step for step in story.steps if step[1].kind is ChangeKind.REBUILT]
    return max(left or rebuilt or story.steps, key=lambda step: _RANK[step[1].severity])


def _kind(fields: Sequence[FieldChange]) -> ChangeKind:
    names = {each.field for each in fields}
    if "schema" in names:
        return ChangeKind.MOVED
    if "name" in names:
        return ChangeKind.RENAMED
    return ChangeKind.CHANGED if names else ChangeKind.REBUILT


def _net_fields(story: _Story) -> tuple[FieldChange, ...]:
    """Each field from the first before to the last after. What was quiet in every step says nothing here either.

    A restored change carries what differs from when it went, so going and coming back needs no care of its own.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    every = [each for _, change in story.steps for each in change.fields]
    for each in every:
        before.setdefault(each.field, each.before)
        after[each.field] = each.after
    told = dict.fromkeys(each.field for each in every if not each.quiet)
    return tuple(FieldChange(name, before[name], after[name]) for name in told if before[name] != after[name])
