"""What people decide about an inspection's findings: what is held back, what was inferred, what may be one.

Each decision is one transaction under the datastore's lock, writes history of its own, and can be made only once.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from metamapper.accounts.models import User
from metamapper.catalog.models import Hold, Relation
from metamapper.catalog.records import load_records, load_retired_children
from metamapper.datastores.models import Datastore
from metamapper.diffing.decisions import (
    ChildDecided,
    Decided,
    counterparts,
    join_children,
    join_relations,
    split_child,
    split_relation,
)
from metamapper.diffing.values import NONE_RETIRED
from metamapper.history import codec
from metamapper.history.models import Change, RelationVersion, Suggestion
from metamapper.history.services import Chronicle, as_change
from metamapper.inspection.relations import retire
from metamapper.inspection.rewriting import Rewriting
from metamapper.lib.ids import uuid7, uuid7s
from metamapper.lib.lookups import AnyOf
from metamapper.runs.services import metastore_now
from metamapper.schema import AssetKind, Column, Constraint, Identified, Index, RelationRecord


class AlreadyDecided(Exception):
    """Somebody else, or a run, was quicker: it does not wait any more."""

    def __init__(self, how: str) -> None:
        super().__init__(f"This was decided in the meantime: {how}.")
        self.how = how


@transaction.atomic
def decide_hold(hold: Hold, *, retire_them: bool, user: User) -> int:
    """Retire what is held back, or keep it until it returns; the number of relations concerned.

    Raises ``AlreadyDecided``.
    """
    chronicle = _begin(hold.datastore_id, user)
    hold.refresh_from_db()
    if hold.state not in {Hold.State.PENDING, Hold.State.KEPT}:
        raise AlreadyDecided(hold.get_state_display())
    waiting = _waiting(hold)
    if retire_them and waiting:
        retire(chronicle, waiting)
    hold.state = Hold.State.RETIRED if retire_them else Hold.State.KEPT
    hold.decided_at, hold.decided_by_id = chronicle.at, user.pk
    hold.save(update_fields=["state", "decided_at", "decided_by_id"])
    return len(waiting)


@transaction.atomic
def decide_change(change: Change, *, accept: bool, user: User) -> None:
    """Accept an inferred match, or undo it: what was one becomes two, each with what is its own.

    Raises ``AlreadyDecided``, also where later changes have made the match impossible to take apart.
    """
    chronicle = _begin(change.datastore_id, user)
    change.refresh_from_db()
    if change.decision or change.certainty != "inferred":
        raise AlreadyDecided(change.get_decision_display() or "nothing about it was inferred")
    if not accept:
        _undo(change, chronicle)
    change.decision = Change.Decision.ACCEPTED if accept else Change.Decision.UNDONE
    change.decided_at, change.decided_by_id = chronicle.at, user.pk
    change.save(update_fields=["decision", "decided_at", "decided_by_id"])


@transaction.atomic
def decide_suggestion(suggestion: Suggestion, *, accept: bool, user: User) -> None:
    """Say whether what vanished is what appeared. Raises ``AlreadyDecided``, also where one of them is no longer so."""
    chronicle = _begin(suggestion.datastore_id, user)
    suggestion.refresh_from_db()
    if suggestion.state != Suggestion.State.PENDING:
        raise AlreadyDecided(suggestion.get_state_display())
    if accept:
        _join(suggestion, chronicle)
    suggestion.state = Suggestion.State.ACCEPTED if accept else Suggestion.State.DISMISSED
    suggestion.decided_at, suggestion.decided_by_id = chronicle.at, user.pk
    suggestion.save(update_fields=["state", "decided_at", "decided_by_id"])


def _begin(datastore_id: UUID, user: User) -> Chronicle:
    """Wait for a run that applies its results, then write under an id of our own."""
    Datastore.objects.select_for_update(no_key=True).get(pk=datastore_id)
    return Chronicle.begin(datastore_id, uuid7(), metastore_now(), author_id=user.pk)


def _waiting(hold: Hold) -> dict[UUID, datetime]:
    """The relations that are still held back, with when their present state began."""
    ids = [UUID(each) for each in hold.vanished]
    return dict(Relation.objects.filter(AnyOf("id", ids), retired_at=None).values_list("id", "since"))


def _undo(change: Change, chronicle: Chronicle) -> None:
    relation_id = change.relation_id
    if relation_id is None:
        raise AlreadyDecided("schemas are never inferred")
    before = RelationVersion.objects.filter(relation_id=relation_id, valid_to=change.at).first()
    now = load_records([relation_id]).get(relation_id)
    if before is None or now is None or Relation.objects.get(pk=relation_id).retired_at:
        raise AlreadyDecided("the match cannot be taken apart any more")
    former = codec.unpack(before.record)
    if change.asset == AssetKind.RELATION:
        _write(_split(change, now, former, chronicle), chronicle)
    else:
        _write_child(_split_child(change, now, former), chronicle)


def _split(change: Change, now: RelationRecord, former: RelationRecord, chronicle: Chronicle) -> Decided:
    """Those whom the replacement touched are asked how they are today: the old object may be gone by now, and whoever
    had the new one may have another.
    """
    same_run = Change.objects.filter(run_id=change.run_id, asset=AssetKind.RELATION.value)
    old_at, new_from = counterparts(as_change(change), map(as_change, same_run.iterator()))
    records = load_records(filter(None, (old_at, new_from)))
    living = set(Relation.objects.filter(AnyOf("id", list(records)), retired_at=None).values_list("id", flat=True))
    elsewhere = records.get(old_at) if old_at in living else None
    swapped = new_from is not None and new_from == old_at
    displaced = records.get(new_from) if new_from and (swapped or new_from not in living) else None
    if old_at and swapped:
        # The other half of the swap: taken apart with this one, so that nobody takes it apart again.
        undone = {"decision": Change.Decision.UNDONE, "decided_at": chronicle.at, "decided_by_id": chronicle.author_id}
        same_run.filter(asset_id=old_at, certainty="inferred", decision=Change.Decision.NONE).update(**undone)
    return split_relation(now, former, elsewhere=elsewhere, displaced=displaced, new_ids=uuid7s)


def _split_child(change: Change, now: RelationRecord, former: RelationRecord) -> ChildDecided:
    try:
        return split_child(now, former, change.asset_id, new_ids=uuid7s)
    except KeyError:
        raise AlreadyDecided("it is gone since") from None


def _join(suggestion: Suggestion, chronicle: Chronicle) -> None:
    if suggestion.asset == AssetKind.RELATION:
        _join_relations(suggestion, chronicle)
    else:
        _join_children(suggestion, chronicle)


def _join_relations(suggestion: Suggestion, chronicle: Chronicle) -> None:
    ids = [suggestion.vanished_id, suggestion.appeared_id]
    gone = dict(Relation.objects.filter(AnyOf("id", ids)).values_list("id", "retired_at"))
    if gone.get(ids[0]) is None or gone.get(ids[1], chronicle.at) is not None:
        raise AlreadyDecided("one of the two has come or gone since")
    records, retired = load_records(ids), load_retired_children(ids[:1])
    decided = join_relations(
        records[ids[0]], records[ids[1]], retired=retired.get(ids[0], NONE_RETIRED), new_ids=uuid7s
    )
    _write(decided, chronicle)


def _join_children(suggestion: Suggestion, chronicle: Chronicle) -> None:
    model = {"column": "columns", "index": "indexes", "constraint": "constraints"}[suggestion.asset]
    appeared = {f"{model}__id": suggestion.appeared_id, f"{model}__retired_at": None}
    owner = Relation.objects.filter(**appeared, retired_at=None).first()
    former = load_retired_children([owner.pk]).get(owner.pk, NONE_RETIRED) if owner else NONE_RETIRED
    old = next((child for child in _all(former) if child.id == suggestion.vanished_id), None)
    if owner is None or old is None:
        raise AlreadyDecided("one of the two has come or gone since")
    now = load_records([owner.pk])[owner.pk]
    _write_child(join_children(now, old, suggestion.appeared_id), chronicle)


def _all(children: object) -> Iterable[Identified[Column] | Identified[Index] | Identified[Constraint]]:
    for family in ("columns", "indexes", "constraints"):
        yield from getattr(children, family)


def _write(decided: Decided, chronicle: Chronicle) -> None:
    Rewriting(chronicle).write(decided.records, decided.retired, decided.changes)


def _write_child(decided: ChildDecided, chronicle: Chronicle) -> None:
    rewriting = Rewriting(chronicle)
    rewriting.write([decided.record], [], decided.changes)
    rewriting.keep(decided.retired, relation_id=decided.record.id)
