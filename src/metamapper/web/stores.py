"""The list of datastores as home and the datastores' page show it: freshness, size, last runs, how each stands."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, QuerySet
from django.utils import timezone

from metamapper.accounts.models import User
from metamapper.catalog.models import Hold, Relation
from metamapper.datastores.models import Datastore
from metamapper.runs.models import Run, Schedule, State
from metamapper.web import moments
from metamapper.web.runs.words import BAD, ENDED, Shape, shape_of
from metamapper.workspaces.models import Workspace

TICKS = 20
OVERDUE = 3
"""A datastore is overdue when so many of its intervals have passed since it was last seen."""


@dataclass(frozen=True, slots=True)
class Store:
    """``ticks`` are the states of the last runs, oldest first."""

    datastore: Datastore
    tables: int
    ticks: Sequence[str]
    shape: Shape

    @property
    def trouble(self) -> str:
        number = sum(tick in {"partial", "failure"} for tick in self.ticks)
        return f"{number} of the last {len(self.ticks)} runs had trouble" if self.ticks else "No runs yet"


def visible(user: User, workspace: Workspace) -> QuerySet[Datastore]:
    return Datastore.objects.visible_to(user).filter(workspace=workspace).select_related("schedule__paused_by")


def stores(user: User, datastores: Sequence[Datastore]) -> list[Store]:
    """One line each, in four queries whatever their number."""
    ids = [datastore.pk for datastore in datastores]
    tables, runs, held = _tables(user, ids), _last_runs(user, ids), _held(user, ids)
    now = timezone.now()
    return [
        Store(
            datastore=each,
            tables=tables.get(each.pk, 0),
            ticks=[shape_of(run).state for run in runs[each.pk] if run.state in ENDED],
            shape=standing(each, schedule_of(each), runs[each.pk], held.get(each.pk, ""), now),
        )
        for each in datastores
    ]


def schedule_of(datastore: Datastore) -> Schedule | None:
    """The datastore's schedule, or None before it has one."""
    found: Schedule | None = getattr(datastore, "schedule", None)
    return found


def standing(datastore: Datastore, schedule: Schedule | None, runs: Sequence[Run], held: str, now: datetime) -> Shape:
    """How a datastore stands, from its runs (oldest first): what goes on, then what hinders, then how fresh it is."""
    running = next((run for run in runs if run.state == State.RUNNING), None)
    if running is not None:
        return Shape("running", f"Inspecting{_progress(running)}")
    if schedule is not None and not schedule.enabled:
        return Shape("pending", f"Paused by {schedule.paused_by}" if schedule.paused_by else "Paused")
    ended = [run for run in runs if run.state in ENDED and run.state not in {State.CANCELLED, State.SUPERSEDED}]
    last = ended[-1] if ended else None
    if last is None:
        return Shape("pending", "Waiting for its first look")
    if last.state in BAD:
        return Shape("failure", f"Failing: {_lowered(str(last.outcome.get('title') or last.outcome_code))}")
    if last.state == State.PARTIAL:
        return Shape("partial", f"Partial: {_partial(last, held)}")
    return _freshness(datastore, schedule, now)


def _freshness(datastore: Datastore, schedule: Schedule | None, now: datetime) -> Shape:
    if schedule is None or datastore.seen_at is None:
        return Shape("success", "Fresh")
    late = now - datastore.seen_at > OVERDUE * timedelta(seconds=schedule.interval_seconds)
    return Shape("pending", "Overdue") if late else Shape("success", "Fresh")


def _progress(run: Run) -> str:
    done, total = run.progress.get("done"), run.progress.get("total")
    if done is None:
        return ""
    about = f" of about {moments.number(total)}" if total else ""
    return f", {moments.number(done)}{about} tables"


def _partial(run: Run, held: str) -> str:
    if held:
        return f"{held} held back"
    names = [scope["name"] for scope in run.scopes if scope.get("completeness") not in {None, "complete"}]
    return f"{names[0]} not wholly seen" if len(names) == 1 else f"{len(names)} schemas not wholly seen"


def _lowered(title: str) -> str:
    """A title within a sentence; an abbreviation keeps its capitals."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _tables(user: User, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    found = Relation.objects.visible_to(user).filter(datastore__in=ids, retired_at=None)
    return dict(found.order_by().values_list("datastore").annotate(number=Count("pk")))


def _last_runs(user: User, ids: Sequence[UUID]) -> Mapping[UUID, list[Run]]:
    """The last runs of each by their numbers, which have no gaps: an index lookup per datastore, not a sort of all."""
    recent = Run.objects.visible_to(user).filter(
        datastore__in=ids, number__gt=F("datastore__schedule__last_number") - TICKS
    )
    found: dict[UUID, list[Run]] = defaultdict(list)
    for run in recent.order_by("number").defer("statements"):
        found[run.datastore_id].append(run)
    return found


def _held(user: User, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """The first schema of each datastore in which something is held back."""
    pending = Hold.objects.visible_to(user).filter(datastore__in=ids, state=Hold.State.PENDING)
    found = pending.order_by("-created_at").values_list("datastore_id", "schema__name")
    return {datastore: name or "a schema" for datastore, name in found}
