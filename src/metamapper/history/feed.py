"""The feed of changes: grouped by run, newest first, paged by cursor, filtered and counted by the metastore."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from metamapper.datastores.models import Datastore
from metamapper.history.models import Change
from metamapper.lib.lookups import AnyOf
from metamapper.runs.models import Run
from metamapper.schema import Certainty, Severity
from metamapper.workspaces.models import Workspace

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person

RUNS = 10
"""Runs on a page."""
SHOWN = 50
"""Changes of one run on a page; the rest come on request."""
FOLDED = 4
"""From so many on, safe and certain changes of one kind to one parent are told in a line."""
FOLDS = 40

_RANK = Case(
    When(severity=Severity.BREAKING, then=Value(0)),
    When(severity=Severity.RISKY, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which changes: ``after`` is exclusive and ``until`` inclusive; blanks and None ask for everything."""

    workspace: Workspace
    datastore: Datastore | None = None
    relation_id: UUID | None = None
    schema_id: UUID | None = None
    run_id: UUID | None = None
    after: datetime | None = None
    until: datetime | None = None
    severity: str = ""
    kind: str = ""
    certainty: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes there are by severity and by kind, each under all other filters."""

    total: int
    severities: Mapping[str, int]
    kinds: Mapping[str, int]
    every_severity: int
    every_kind: int


@dataclass(frozen=True, slots=True)
class Fold:
    """Changes that are told in one line. ``path`` is that of the first; its parent is what they have in common."""

    run_id: UUID
    kind: str
    asset: str
    parent_id: UUID | None
    number: int
    path: Sequence[str] = ()

    @property
    def parent_path(self) -> Sequence[str]:
        """The names of what they have in common; empty for schemas, which belong to the datastore itself."""
        return self.path[:-1]

    def matching(self) -> Q:
        common = Q(kind=self.kind, asset=self.asset, parent_id=self.parent_id, run_id=self.run_id)
        return common & Q(severity=Severity.SAFE, certainty=Certainty.CERTAIN)


@dataclass(slots=True)
class Group:
    """One run's changes. ``run`` is None where a person's decision made them; ``more`` are left out of the page."""

    at: datetime
    run_id: UUID
    total: int
    run: Run | None = None
    changes: list[Change] = field(default_factory=list)
    folds: list[Fold] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.total - len(self.changes) - sum(fold.number for fold in self.folds)


@dataclass(frozen=True, slots=True)
class Page:
    groups: Sequence[Group]
    cursor: tuple[datetime, UUID] | None
    """Where the next page begins, None on the last."""


def matching(user: "Person", asked: Asked) -> QuerySet[Change]:
    """The changes that are asked for, in no order, without the quiet ones."""
    found = Change.objects.visible_to(user).filter(datastore__workspace=asked.workspace, quiet=False)
    exact = {
        "datastore": asked.datastore,
        "relation_id": asked.relation_id,
        "schema_id": asked.schema_id,
        "run_id": asked.run_id,
        "at__gt": asked.after,
        "at__lte": asked.until,
        "severity": asked.severity,
        "kind": asked.kind,
        "certainty": asked.certainty,
        "subject__icontains": asked.text,
    }
    return found.filter(**{name: value for name, value in exact.items() if value})


def tally(user: "Person", asked: Asked) -> Tally:
    """One query for every count that the filters show."""
    rows = (
        matching(user, replace(asked, severity="", kind=""))
        .values_list("severity", "kind")
        .annotate(number=Count("id"))
        .order_by()
    )
    severities: dict[str, int] = defaultdict(int)
    kinds: dict[str, int] = defaultdict(int)
    total = 0
    for severity, kind, number in rows:
        if asked.kind in {"", kind}:
            severities[severity] += number
        if asked.severity in {"", severity}:
            kinds[kind] += number
        if asked.kind in {"", kind} and asked.severity in {"", severity}:
            total += number
    return Tally(total, severities, kinds, sum(severities.values()), sum(kinds.values()))


def page(user: "Person", asked: Asked, *, cursor: tuple[datetime, UUID] | None = None) -> Page:
    """Up to ``RUNS`` runs with their changes, breaking first. Six queries, whatever they hold."""
    found = matching(user, asked)
    groups = _groups(found, cursor)
    shown = groups[:RUNS]
    wanted = found.filter(AnyOf("run_id", [group.run_id for group in shown]))
    folds = [] if asked.relation_id else _folds(wanted)
    changes = _first_of_each(wanted, folds)
    runs = _runs(user, shown)
    for group in shown:
        group.run = runs.get(group.run_id)
        group.folds = [fold for fold in folds if fold.run_id == group.run_id]
        group.changes = [each for each in changes if each.run_id == group.run_id and each.at == group.at]
    last = shown[-1] if len(groups) > RUNS else None
    return Page(shown, (last.at, last.run_id) if last else None)


def _groups(found: QuerySet[Change], cursor: tuple[datetime, UUID] | None) -> list[Group]:
    if cursor is not None:
        at, run_id = cursor
        found = found.filter(Q(at__lt=at) | Q(at=at, run_id__lt=run_id))
    rows = found.values_list("at", "run_id").annotate(number=Count("id")).order_by("-at", "-run_id")
    return [Group(at, run_id, number) for at, run_id, number in rows[: RUNS + 1]]


def _folds(wanted: QuerySet[Change]) -> list[Fold]:
    quiet = wanted.filter(severity=Severity.SAFE, certainty=Certainty.CERTAIN)
    alike = quiet.values("run_id", "kind", "asset", "parent_id").annotate(number=Count("id"), first=Min("order"))
    rows = list(alike.filter(number__gte=FOLDED).order_by("-number", "first")[:FOLDS])
    firsts = Q(pk__in=[])
    for row in rows:
        firsts |= Q(run_id=row["run_id"], order=row["first"])
    paths = {(run, order): path for run, order, path in wanted.filter(firsts).values_list("run_id", "order", "path")}
    return [
        Fold(
            row["run_id"],
            row["kind"],
            row["asset"],
            row["parent_id"],
            row["number"],
            paths[row["run_id"], row["first"]],
        )
        for row in rows
    ]


def _first_of_each(wanted: QuerySet[Change], folds: Sequence[Fold]) -> list[Change]:
    for fold in folds:
        wanted = wanted.exclude(fold.matching())
    place = Window(RowNumber(), partition_by=[F("at"), F("run_id")], order_by=[_RANK.asc(), F("order").asc()])
    ids = wanted.annotate(place=place).filter(place__lte=SHOWN).values_list("id", flat=True)
    return list(_in_order(Change.objects.filter(AnyOf("id", ids))))


def _in_order(found: QuerySet[Change]) -> QuerySet[Change]:
    return (
        found.annotate(rank=_RANK).select_related("datastore", "datastore__workspace").order_by("rank", "order", "id")
    )


def _runs(user: "Person", groups: Sequence[Group]) -> dict[UUID, Run]:
    found = Run.objects.visible_to(user).filter(AnyOf("id", [group.run_id for group in groups]))
    return {run.id: run for run in found.select_related("datastore").defer("statements", "progress")}


def rest_of_run(
    user: "Person", asked: Asked, run_id: UUID, *, seen: int = 0, fold: Fold | None = None, limit: int = 100
) -> list[Change]:
    """Changes of one run after the ``seen`` first ones: of a fold, or else all that no line tells. Three queries.

    What a run recorded never changes, so counting what was seen is a cursor here.
    """
    wanted = matching(user, asked).filter(run_id=run_id)
    if fold is not None:
        wanted = wanted.filter(fold.matching())
    else:
        for each in [] if asked.relation_id else _folds(wanted):
            wanted = wanted.exclude(each.matching())
    return list(_in_order(wanted)[seen : seen + limit])


def gravest(user: "Person", asked: Asked, *, limit: int) -> list[Change]:
    """The first of the asked changes when the gravest come first, then the newest. One query."""
    found = matching(user, asked).annotate(rank=_RANK).select_related("datastore", "datastore__workspace")
    return list(found.order_by("rank", "-at", "order")[:limit])


def story(user: "Person", asset_id: UUID, until: datetime | None = None) -> list[Change]:
    """What people should know of one asset's changes, the newest first."""
    found = Change.objects.visible_to(user).filter(asset_id=asset_id, quiet=False)
    if until is not None:
        found = found.filter(at__lte=until)
    return list(found.select_related("datastore", "datastore__workspace").order_by("-at", "-order")[:200])
