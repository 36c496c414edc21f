"""The guard against mass disappearance: what vanishes in bulk is held back until a person or a second look agrees."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from metamapper.catalog.models import Hold

MANY = 5
LARGE_SHARE = 0.3
"""Five relations or more, and three in ten of their schema: more than anybody drops on an ordinary day."""


@dataclass(frozen=True, slots=True)
class Vanished:
    """The relations that one completely read schema no longer lists, of how many it had."""

    schema_id: UUID
    ids: frozenset[UUID]
    known: int

    @property
    def is_mass(self) -> bool:
        everything = len(self.ids) == self.known > 1
        return everything or (len(self.ids) >= MANY and len(self.ids) >= self.known * LARGE_SHARE)


@dataclass(frozen=True, slots=True)
class Verdict:
    retire: frozenset[UUID]
    held: frozenset[UUID]


def sift(
    datastore_id: UUID, run_id: UUID, at: datetime, groups: Iterable[Vanished], *, seen: Container[UUID]
) -> Verdict:
    """Part what may be retired now from what is held back, and write down which.

    A group is given for every schema that was read completely, also where nothing vanished, so that a hold whose
    relations are back can be closed. ``seen`` are the relations that this run saw, wherever: no hold speaks of them.
    """
    standing = _standing(datastore_id, seen, at)
    groups = list(groups)
    nothing_left = sum(group.known for group in groups) > 1 and all(len(group.ids) == group.known for group in groups)
    retire: set[UUID] = set()
    held: set[UUID] = set()
    for group in groups:
        agreed, kept = _settle(standing.get(group.schema_id, ()), group, run_id, at)
        fresh = Vanished(group.schema_id, group.ids - agreed - kept, group.known)
        retire |= agreed
        held |= kept
        if fresh.ids and (fresh.is_mass or nothing_left):
            _hold(datastore_id, run_id, at, fresh)
            held |= fresh.ids
        else:
            retire |= fresh.ids
    return Verdict(frozenset(retire), frozenset(held))


def _standing(datastore_id: UUID, seen: Container[UUID], at: datetime) -> Mapping[UUID | None, Sequence[Hold]]:
    """The open holds of each schema: there are several where more vanished while a person keeps what did before."""
    found: dict[UUID | None, list[Hold]] = defaultdict(list)
    states = [Hold.State.PENDING, Hold.State.KEPT]
    for hold in Hold.objects.filter(datastore_id=datastore_id, state__in=states).order_by("created_at", "id"):
        if _narrow(hold, seen, at):
            found[hold.schema_id].append(hold)
    return found


def _narrow(hold: Hold, seen: Container[UUID], at: datetime) -> bool:
    """Let go of what is back, for a decision about the rest must not reach it; whether anything is left."""
    left = [each for each in hold.vanished if UUID(each) not in seen]
    if not left:
        _close(hold, Hold.State.RETURNED, at)
    elif len(left) < len(hold.vanished):
        hold.vanished = left
        hold.save(update_fields=["vanished"])
    return bool(left)


def _settle(
    holds: Iterable[Hold], group: Vanished, run_id: UUID, at: datetime
) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """What standing holds let go of, and what they still keep, now that a run has looked again."""
    agreed: set[UUID] = set()
    kept: set[UUID] = set()
    for hold in holds:
        still = group.ids & {UUID(each) for each in hold.vanished}
        if not still:
            _close(hold, Hold.State.RETURNED, at)
        elif hold.state == Hold.State.PENDING and hold.run_id != run_id:
            _close(hold, Hold.State.RETIRED, at)
            agreed |= still
        else:
            kept |= still
    return frozenset(agreed - kept), frozenset(kept)


def _hold(datastore_id: UUID, run_id: UUID, at: datetime, group: Vanished) -> None:
    Hold.objects.create(
        datastore_id=datastore_id,
        schema_id=group.schema_id,
        run_id=run_id,
        vanished=sorted(str(each) for each in group.ids),
        known=group.known,
        created_at=at,
    )


def _close(hold: Hold, state: Hold.State, at: datetime) -> None:
    hold.state = state
    hold.decided_at = at
    hold.save(update_fields=["state", "decided_at"])
