"""What a person's decision about a match means: undoing one that was inferred, making one that was only suggested.

Each function returns what the identities are afterwards and the changes that lead there, so that replay holds: the
decision's changes are recorded after those they correct, never in their place.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from metamapper.diffing.childdiff import NewIds
from metamapper.diffing.diff import added_relation, diff_relation, first_record, removed_relation
from metamapper.diffing.fields import differences
from metamapper.diffing.values import NONE_RETIRED, Pair
from metamapper.schema import (
    AssetKind,
    Certainty,
    Change,
    ChangeKind,
    Column,
    Constraint,
    Evidence,
    FieldChange,
    Identified,
    Index,
    RelationRecord,
    RetiredChildren,
    Severity,
)

Child = Identified[Column] | Identified[Index] | Identified[Constraint]

UNDONE = Evidence("undone", "A person said that these are two.")
JOINED = Evidence("accepted", "A person said that these are one.")

_FAMILIES: Mapping[AssetKind, str] = {
    AssetKind.COLUMN: "columns",
    AssetKind.INDEX: "indexes",
    AssetKind.CONSTRAINT: "constraints",
}


class Decided(msgspec.Struct, frozen=True):
    """``records`` are the relations that are there now, ``retired`` those that are not, as they are to be kept."""

    records: tuple[RelationRecord, ...]
    retired: tuple[RelationRecord, ...] = ()
    changes: tuple[Change, ...] = ()


class ChildDecided(msgspec.Struct, frozen=True):
    """``record`` is the relation now; ``retired`` is the child that is no longer there, as it is to be kept."""

    record: RelationRecord
    retired: Child
    changes: tuple[Change, ...]


def counterparts(change: Change, run: Iterable[Change]) -> tuple[UUID | None, UUID | None]:
    """Who else an inferred replacement touched: who has the name's old object now, and who had its new one before.

    ``run`` are the changes of the same run, whole states included. Both are None for an inferred rename.
    """
    old, new = _ids(change)
    elsewhere = displaced = None
    for other in run:
        if other.asset is AssetKind.RELATION and other.asset_id != change.asset_id:
            before, after = _ids(other)
            elsewhere = other.asset_id if old is not None and after == old else elsewhere
            displaced = other.asset_id if new is not None and before == new else displaced
    return elsewhere, displaced


def _ids(change: Change) -> tuple[Any, Any]:
    """A relation's native ids before and after a change that carries any."""
    for field in change.fields:
        if field.field == "native_id":
            return field.before, field.after
    return tuple((state or {}).get("relation", {}).get("native_id") for state in (change.before, change.after))


def split_relation(
    now: RelationRecord,
    before: RelationRecord,
    *,
    elsewhere: RelationRecord | None = None,
    displaced: RelationRecord | None = None,
    new_ids: NewIds,
) -> Decided:
    """Undo an inferred match of a relation: ``now`` is its record, ``before`` what it was when the match was made.

    After a rename the old identity is retired as it was, and what was seen is a new one. After a replacement
    (``counterparts``) the old identity follows its object, which is ``elsewhere``; the object under the name goes to
    ``displaced``, which had it before and may be retired or be ``elsewhere`` itself, or to a new identity.
    """
    records: list[RelationRecord] = []
    retired: list[RelationRecord] = []
    changes: list[Change] = []
    swapped = elsewhere is not None and displaced is not None and elsewhere.id == displaced.id
    if elsewhere is None:
        retired.append(before)
        changes.append(_said(removed_relation(before), UNDONE))
    else:
        if not swapped:
            retired.append(elsewhere)
            changes.append(_said(removed_relation(elsewhere), UNDONE))
        _become(now, elsewhere, records, changes, back=False, new_ids=new_ids)
    if displaced is None:
        fresh = first_record(now.observed(), schema_id=now.schema_id, new_ids=new_ids)
        records.append(fresh)
        changes.append(_said(added_relation(fresh), UNDONE))
    else:
        _become(displaced, now, records, changes, back=not swapped, new_ids=new_ids)
    return Decided(tuple(records), tuple(retired), tuple(changes))


def _become(
    identity: RelationRecord,
    observed: RelationRecord,
    records: list[RelationRecord],
    changes: list[Change],
    *,
    back: bool,
    new_ids: NewIds,
) -> None:
    """Give an identity what another record shows: ``back`` if the identity is retired."""
    hint = ChangeKind.RESTORED if back else ChangeKind.REBUILT
    diff = diff_relation(
        identity,
        observed.observed(),
        schema_id=observed.schema_id,
        pair=Pair(identity.id, 0, Certainty.ACCEPTED, UNDONE, hint),
        new_ids=new_ids,
    )
    records.append(diff.record)
    changes += diff.changes


def join_relations(
    old: RelationRecord, new: RelationRecord, *, retired: RetiredChildren = NONE_RETIRED, new_ids: NewIds
) -> Decided:
    """Accept the suggestion that the retired ``old`` is what appeared as ``new``: the old identity is back as it looks."""
    diff = diff_relation(
        old,
        new.observed(),
        schema_id=new.schema_id,
        pair=Pair(old.id, 0, Certainty.ACCEPTED, JOINED, ChangeKind.RESTORED),
        retired=retired,
        new_ids=new_ids,
    )
    return Decided((diff.record,), (new,), (_said(removed_relation(new), JOINED), *diff.changes))


def split_child(now: RelationRecord, before: RelationRecord, child_id: UUID, *, new_ids: NewIds) -> ChildDecided:
    """Undo an inferred match of a column, index or constraint: the old one is retired as it was in ``before``, what was
    seen gets a new identity. Raises ``KeyError`` where either record lacks the child.
    """
    asset, seen = _find(now, child_id)
    _, old = _find(before, child_id)
    fresh = msgspec.structs.replace(seen, id=new_ids(1)[0])
    changes = (
        _child_change(ChangeKind.REMOVED, asset, before, old, UNDONE),
        _child_change(ChangeKind.ADDED, asset, now, fresh, UNDONE),
    )
    return ChildDecided(_exchanged(now, asset, seen.id, fresh), old, changes)


def join_children(now: RelationRecord, old: Child, appeared_id: UUID) -> ChildDecided:
    """Accept the suggestion that the retired ``old`` is what appeared in ``now`` as ``appeared_id``.

    Raises ``KeyError`` where the record lacks that child.
    """
    asset, seen = _find(now, appeared_id)
    back = msgspec.structs.replace(seen, id=old.id)
    changes = (
        _child_change(ChangeKind.REMOVED, asset, now, seen, JOINED),
        _child_change(ChangeKind.RESTORED, asset, now, back, JOINED, fields=_differences(old, back)),
    )
    return ChildDecided(_exchanged(now, asset, seen.id, back), seen, changes)


def _differences(old: Identified[Any], back: Identified[Any]) -> list[FieldChange]:
    return differences(old.value, back.value)


def _find(record: RelationRecord, child_id: UUID) -> tuple[AssetKind, Child]:
    for asset, children in _children(record):
        for child in children:
            if child.id == child_id:
                return asset, child
    raise KeyError(child_id)


def _children(record: RelationRecord) -> Iterator[tuple[AssetKind, tuple[Child, ...]]]:
    for asset, family in _FAMILIES.items():
        yield asset, getattr(record, family)


def _exchanged(record: RelationRecord, asset: AssetKind, child_id: UUID, new: Child) -> RelationRecord:
    family = _FAMILIES[asset]
    children = tuple(new if child.id == child_id else child for child in getattr(record, family))
    return msgspec.structs.replace(record, **{family: children})


def _child_change(
    kind: ChangeKind,
    asset: AssetKind,
    record: RelationRecord,
    child: Child,
    why: Evidence,
    *,
    fields: Iterable[FieldChange] = (),
) -> Change:
    value = child.value
    label = ".".join(value.path) if isinstance(value, Column) else value.name
    state = msgspec.to_builtins(child)
    return Change(
        kind=kind,
        asset=asset,
        asset_id=child.id,
        parent_id=record.id,
        path=(record.relation.schema, record.relation.name, label),
        fields=tuple(fields),
        severity=Severity.SAFE,
        reason=why.summary,
        certainty=Certainty.ACCEPTED,
        evidence=why,
        before=state if kind is ChangeKind.REMOVED else None,
        after=None if kind is ChangeKind.REMOVED else state,
    )


def _said(change: Change, why: Evidence) -> Change:
    """The change as a person's word: nothing happened in the datastore, so readers have nothing to follow."""
    return msgspec.structs.replace(
        change, severity=Severity.SAFE, reason=why.summary, certainty=Certainty.ACCEPTED, evidence=why
    )
