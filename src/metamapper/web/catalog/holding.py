"""What waits for a person: what is held back, and what may be one, with what is needed to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from metamapper.accounts.models import User
from metamapper.annotations.selectors import descriptions
from metamapper.catalog.models import Hold
from metamapper.catalog.selectors import paths_of, relations_of, schemas_of, standing_holds
from metamapper.datastores.models import Datastore
from metamapper.history.models import Suggestion
from metamapper.history.selectors import pending_suggestions
from metamapper.runs.models import Run, Schedule
from metamapper.schema import AssetKind

SUGGESTED = 20
NAMED = 100
"""Of so many that vanished the banner gives the names."""


@dataclass(frozen=True, slots=True)
class Held:
    """A hold with the first names of what vanished, how many people wrote about, and when a run decides by itself.

    What ``keeper`` keeps no run decides about.
    """

    hold: Hold
    names: Sequence[tuple[UUID, str]]
    described: int
    run: int | None
    next_due_at: datetime | None
    keeper: User | None = None

    @property
    def number(self) -> int:
        return len(self.hold.vanished)

    @property
    def unnamed(self) -> int:
        return self.number - len(self.names)

    @property
    def asset(self) -> str:
        return "relation" if self.hold.schema_id else "schema"


def held(user: User, datastore: Datastore, *, schema_id: UUID | None = None) -> list[Held]:
    """What is held back in a datastore, or in one schema of it. Four queries for each of the few that are."""
    holds = standing_holds(user, datastore)
    return [_held(user, hold) for hold in (holds.filter(schema_id=schema_id) if schema_id else holds)]


def _held(user: User, hold: Hold) -> Held:
    ids = [UUID(each) for each in hold.vanished]
    names = relations_of(user, ids, limit=NAMED) if hold.schema_id else schemas_of(user, ids, limit=NAMED)
    run = Run.objects.visible_to(user).filter(id=hold.run_id).values_list("number", flat=True).first()
    schedule = Schedule.objects.visible_to(user).filter(datastore=hold.datastore_id, enabled=True).first()
    keeper = User.objects.filter(id=hold.decided_by_id).first() if hold.decided_by_id else None
    return Held(hold, names, len(descriptions(user, ids)), run, schedule.next_due_at if schedule else None, keeper)


@dataclass(frozen=True, slots=True)
class Suggested:
    """Two assets that may be one, by their present names."""

    suggestion: Suggestion
    vanished: Sequence[str]
    appeared: Sequence[str]


def suggested(user: User, datastore: Datastore) -> list[Suggested]:
    """The newest suggestions that wait. One query, and one for each kind of asset among them."""
    waiting = list(pending_suggestions(user, datastore)[:SUGGESTED])
    paths: dict[UUID, tuple[str, ...]] = {}
    for kind in {each.asset for each in waiting}:
        alike = [each for each in waiting if each.asset == kind]
        ids = [identity for each in alike for identity in (each.vanished_id, each.appeared_id)]
        paths |= paths_of(user, AssetKind(kind), ids)
    return [
        Suggested(each, paths[each.vanished_id], paths[each.appeared_id])
        for each in waiting
        if each.vanished_id in paths and each.appeared_id in paths
    ]
