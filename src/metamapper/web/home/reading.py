"""What is worth a person's time since they were here: what waits for them, and what changed, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from metamapper.accounts.models import User
from metamapper.annotations.models import Description
from metamapper.catalog.models import Constraint, Hold, Relation
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change, Suggestion
from metamapper.runs.models import Run, Trigger
from metamapper.web import moments
from metamapper.workspaces.models import Workspace

SHOWN = 8
ASKED = 5
BARE = 6
FIRST_TIME = timedelta(days=7)
AWAY = timedelta(minutes=30)
"""Somebody who comes back within this time is still here: the list stays as it was."""
NOUNS = {"relation": "tables", "index": "indexes"}
_WEIGHT = Case(
    When(severity="breaking", then=Value(0)),
    When(severity="risky", then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class Asks:
    """What waits for a decision: the newest of each sort, and how many there are in all."""

    holds: Sequence[Hold]
    inferred: Sequence[Change]
    suggestions: Sequence[Suggestion]
    number: int

    @property
    def rest(self) -> int:
        return self.number - len(self.holds) - len(self.inferred) - len(self.suggestions)


@dataclass(frozen=True, slots=True)
class News:
    """The changes since a moment: those that weigh most, and how many there are of which kind besides."""

    shown: Sequence[Change]
    number: int
    others: str
    others_are_safe: bool

    @property
    def rest(self) -> int:
        return self.number - len(self.shown)


@dataclass(frozen=True, slots=True)
class Bare:
    """A table that others point to and nobody has described."""

    relation: Relation
    read_by: int


def asks(user: User, workspace: Workspace) -> Asks:
    """A handful of each, and their number. Six queries."""
    mine = Q(datastore__workspace=workspace)
    holds = Hold.objects.visible_to(user).filter(mine, state=Hold.State.PENDING)
    inferred = Change.objects.visible_to(user).filter(mine, certainty="inferred", decision="", quiet=False)
    suggestions = Suggestion.objects.visible_to(user).filter(mine, state=Suggestion.State.PENDING)
    return Asks(
        list(holds.select_related("datastore", "datastore__schedule", "schema").order_by("-created_at")[:ASKED]),
        list(inferred.select_related("datastore__workspace").order_by("-at", "-order")[:ASKED]),
        list(suggestions.select_related("datastore").order_by("-at")[:ASKED]),
        holds.count() + inferred.count() + suggestions.count(),
    )


def since(user: User, now: datetime) -> datetime | None:
    """The moment that "since you were last here" means, or None for somebody new; notes that they are here now.

    A new visit begins after half an hour away; within one the moment stays, however often the page is loaded.
    """
    if user.seen_at is not None and now - user.seen_at >= AWAY:
        user.away_since = user.seen_at
    user.seen_at = now
    user.save(update_fields=["seen_at", "away_since"])
    return user.away_since


def news(user: User, workspace: Workspace, began: datetime) -> News:
    """What changed since; a first look is no news, for then everything is new. Three queries."""
    first_looks = Run.objects.visible_to(user).filter(
        datastore__workspace=workspace, trigger=Trigger.INITIAL, created_at__gte=began - timedelta(days=1)
    )
    found = (
        Change.objects.visible_to(user)
        .filter(datastore__in=datastores(user, workspace), at__gte=began, quiet=False)
        .exclude(run_id__in=list(first_looks.values_list("id", flat=True)))
    )
    shown = list(found.select_related("datastore__workspace").order_by(_WEIGHT, "-at", "-order")[:SHOWN])
    kinds = _kinds(found)
    for change in shown:
        kinds[change.asset, change.kind, change.severity] -= 1
    rest = {key: number for key, number in kinds.items() if number}
    return News(shown, len(shown) + sum(rest.values()), _said(rest), all(key[2] == "safe" for key in rest))


def _kinds(found: QuerySet[Change]) -> dict[tuple[str, str, str], int]:
    rows = found.order_by().values_list("asset", "kind", "severity").annotate(number=Count("id"))
    return {(asset, kind, severity): number for asset, kind, severity, number in rows}


def _said(kinds: dict[tuple[str, str, str], int]) -> str:
    """``45 columns added, 20 columns changed``, the three most frequent."""
    together: dict[tuple[str, str], int] = {}
    for (asset, kind, _), number in kinds.items():
        together[asset, kind] = together.get((asset, kind), 0) + number
    ranked = sorted(together.items(), key=lambda item: -item[1])
    words = [f"{moments.number(number)} {_noun(asset, number)} {kind}" for (asset, kind), number in ranked[:3]]
    return ", ".join(words) + (" and others" if len(ranked) > len(words) else "")


def _noun(asset: str, number: int) -> str:
    if number == 1:
        return "table" if asset == "relation" else asset
    return NOUNS.get(asset, f"{asset}s")


def datastores(user: User, workspace: Workspace) -> Sequence[UUID]:
    return list(Datastore.objects.visible_to(user).filter(workspace=workspace).values_list("pk", flat=True))


def bare(user: User, workspace: Workspace) -> Sequence[Bare]:
    """Tables that the most foreign keys of others point to, without a word from a person or from the engine."""
    described = Description.objects.visible_to(user).filter(asset="relation", superseded_at=None).exclude(text="")
    keys = Constraint.objects.visible_to(user).filter(
        relation__datastore__workspace=workspace, retired_at=None, target__retired_at=None, target__comment=None
    )
    rows = (
        keys.exclude(target=None)
        .exclude(target_id__in=described.values("asset_id"))
        .order_by()
        .values_list("target_id")
        .annotate(number=Count("relation_id", distinct=True))
        .order_by("-number", "target_id")[:BARE]
    )
    counts = dict(rows)
    found = Relation.objects.visible_to(user).filter(pk__in=counts).select_related("schema", "datastore")
    return sorted((Bare(each, counts[each.pk]) for each in found), key=lambda each: (-each.read_by, each.relation.name))
