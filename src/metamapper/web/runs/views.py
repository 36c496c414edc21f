"""Runs: the list of a workspace or a datastore, and the page of one, live while it goes on."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from metamapper.connectors.base import StepState
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import test_stored
from metamapper.runs import services
from metamapper.runs.models import Run, State
from metamapper.runs.timing import timing
from metamapper.web.doors import DatastoreVisit, Visit, in_datastore, in_workspace
from metamapper.web.errors import Forgotten
from metamapper.web.paging import page_of
from metamapper.web.runs.reading import about, lines
from metamapper.web.runs.words import ACTIVE, BAD
from metamapper.web.stores import schedule_of

PER_PAGE = 50
DAY = 86_400
PASSED = frozenset({StepState.OK, StepState.WARNING})
FILTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "active": ("Under way", ACTIVE),
    "success": ("Success", (State.SUCCEEDED,)),
    "partial": ("Partial", (State.PARTIAL,)),
    "failure": ("Failed", BAD),
}


@require_safe
@in_workspace
def workspace_runs(request: Visit) -> HttpResponse:
    """Every run of every datastore, newest first."""
    found = Run.objects.visible_to(request.user).filter(datastore__workspace=request.workspace)
    return _listed(request, "runs/list.html", found, {})


@require_safe
@in_datastore
def datastore_runs(request: DatastoreVisit) -> HttpResponse:
    found = Run.objects.visible_to(request.user).filter(datastore=request.datastore)
    return _listed(request, "runs/datastore.html", found, {"datastore": request.datastore, "place": "runs"})


def _listed(request: Visit, template: str, found: QuerySet[Run], extra: dict[str, Any]) -> HttpResponse:
    chosen = request.GET.get("state", "")
    states = FILTERS.get(chosen, FILTERS[""])[1]
    found = found.filter(state__in=states) if states else found
    found = found.select_related("datastore", "requested_by", "cancel_requested_by").defer("statements")
    page = page_of(found, ("-created_at", "-id"), request.GET.get("after", ""), limit=PER_PAGE)
    context = {
        "here": "runs" if not extra else "datastores",
        "runs": lines(page.rows),
        "next": page.next_address(request),
        "filters": [(value, word, value == chosen) for value, (word, _) in FILTERS.items()],
        "filtered": bool(states),
        **extra,
    }
    return render(request, template, context)


@require_safe
@in_datastore
def run(request: DatastoreVisit, *, number: int) -> HttpResponse:
    """One run. While it goes on, the page asks for its changing part every other second."""
    found = _run(request, number)
    whole, part = _templates(found)
    return render(request, part if request.htmx else whole, _about(request, found))


def _about(request: DatastoreVisit, found: Run) -> dict[str, Any]:
    return {"here": "runs", "datastore": request.datastore, "place": "runs", **about(request.user, found)}


def _templates(found: Run) -> tuple[str, str]:
    """The page, and the part of it that changes."""
    return (
        ("runs/failed.html", "runs/failed_part.html") if found.state in BAD else ("runs/run.html", "runs/run_part.html")
    )


@require_POST
@in_datastore
def diagnose(request: DatastoreVisit, *, number: int) -> HttpResponse:
    """The connection test from a failed run's page, with the settings as they are now; other runs have no such test."""
    found = _run(request, number)
    if found.state not in BAD:
        return redirect("run", request.workspace.slug, request.datastore.slug, number)
    steps = list(test_stored(request.datastore))
    tested = {"steps": steps, "tested_at": timezone.now(), "passed": all(step.state in PASSED for step in steps)}
    if request.htmx:
        return render(request, "runs/doctor.html", {"datastore": request.datastore, "run": found, **tested})
    return render(request, "runs/failed.html", _about(request, found) | tested)


@require_POST
@in_datastore
def cancel(request: DatastoreVisit, *, number: int) -> HttpResponse:
    """Ask a run to stop; the statement it runs in the datastore stops too."""
    services.cancel_run(_run(request, number), user=request.user)
    return redirect("run", request.workspace.slug, request.datastore.slug, number)


def _run(request: DatastoreVisit, number: int) -> Run:
    runs = Run.objects.visible_to(request.user).filter(datastore=request.datastore)
    chosen = runs.filter(number=number).select_related("requested_by", "cancel_requested_by").first()
    if chosen is None:
        raise _missing(request.datastore, number)
    chosen.datastore = request.datastore
    return chosen


def _missing(datastore: Datastore, number: int) -> Http404:
    schedule = schedule_of(datastore)
    if schedule is None or not 0 < number <= schedule.last_number:
        return Http404()
    days = int(timing().runs_kept // DAY)
    kept = f" Such runs are kept for {days} days; those that found changes always stay." if days else ""
    return Forgotten(f"Run {number} of {datastore.name} found no changes, and is too old to be kept.{kept}")
