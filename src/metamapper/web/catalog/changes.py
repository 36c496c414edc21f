"""The feed of changes: of a workspace, of a datastore, of a table; every change, or two moments compared."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metamapper.history import comparing, feed
from metamapper.history.selectors import schemas_at
from metamapper.web.catalog import asking, holding
from metamapper.web.catalog.asof import AsOf
from metamapper.web.catalog.doors import in_table
from metamapper.web.catalog.page import RelationView
from metamapper.web.catalog.table import context_of
from metamapper.web.doors import DatastoreVisit, Visit, in_datastore, in_workspace
from metamapper.web.paging import moment_of

COMPARED = 100
"""Differences on a page."""
COUNTED = 1_000
"""Up to so many changes the difference is counted while every change is shown; more would make the page wait."""
REST = 100


@require_safe
@in_workspace
def of_workspace(request: Visit) -> HttpResponse:
    question = asking.read(request.GET, feed.Asked(request.workspace))
    context = _feed(request, question) | {"here": "changes", "prefixed": True}
    return _answer(request, "catalog/changes_of_workspace.html", context)


@require_safe
@in_datastore
def of_datastore(request: DatastoreVisit) -> HttpResponse:
    question = asking.read(request.GET, feed.Asked(request.workspace, request.datastore))
    context = _feed(request, question) | {
        "here": "datastores",
        "place": "changes",
        "datastore": request.datastore,
        "schemas": schemas_at(request.user, request.datastore, retired=True),
        "holds": holding.held(request.user, request.datastore),
        "suggestions": holding.suggested(request.user, request.datastore),
    }
    return _answer(request, "catalog/changes_of_datastore.html", context)


@in_table
def of_table(request: DatastoreVisit, *, page: RelationView, as_of: AsOf) -> HttpResponse:
    """A table's history. As of a moment it ends there."""
    question = _of_table(request, page, as_of)
    context = _feed(request, question) | context_of(request, page, as_of, "history")
    return _answer(request, "catalog/table_history.html", context)


def _of_table(request: DatastoreVisit, page: RelationView, as_of: AsOf) -> asking.Question:
    query = request.GET.copy()
    if as_of.moment:
        query.setdefault("to", as_of.moment.isoformat())
    return asking.read(query, feed.Asked(request.workspace, request.datastore, page.relation.id))


def _answer(request: Visit, template: str, context: dict[str, Any]) -> HttpResponse:
    if not request.htmx or request.htmx.boosted:
        return render(request, template, context)
    answer = render(request, "catalog/feed.html", context | {"part": True})
    # The address to keep and to share has no blanks of the form's.
    answer.headers["HX-Push-Url"] = f"{request.path}{context['question'].query()}"
    return answer


def _feed(request: Visit, question: asking.Question) -> dict[str, Any]:
    """What the feed's part of a page knows."""
    context = {"question": question, "kinds": asking.KINDS, "severities": asking.SEVERITIES}
    if question.compares:
        return context | _difference(request, question)
    page = feed.page(request.user, question.asked, cursor=_cursor(request))
    tally = feed.tally(request.user, question.asked)
    return context | {
        "editable": request.membership.role != "readonly",
        "feed": page,
        "tally": tally,
        "every": tally.total,
        "left": _count_left(request, question, tally.total),
        "next": _next(question, page.cursor),
    }


def _cursor(request: Visit) -> tuple[datetime, UUID] | None:
    at, _, run_id = request.GET.get("after", "").partition(",")
    moment = moment_of(at)
    try:
        return (moment, UUID(run_id)) if moment else None
    except ValueError:
        return None


def _next(question: asking.Question, cursor: tuple[datetime, UUID] | None) -> str:
    return question.query(after=f"{cursor[0].isoformat()},{cursor[1]}") if cursor else ""


def _count_left(request: Visit, question: asking.Question, total: int) -> int | None:
    """How many differences are left between the moments, where that is quickly known."""
    if total > COUNTED:
        return None
    left = comparing.difference(request.user, question.asked)
    return len(comparing.narrowed(left, question.asked))


def _difference(request: Visit, question: asking.Question) -> dict[str, Any]:
    every = feed.tally(request.user, question.asked).total
    try:
        left = comparing.difference(request.user, question.asked)
    except comparing.TooManyChanges as error:
        return {"too_many": str(error), "every": every, "tally": feed.tally(request.user, question.asked)}
    seen = request.GET.get("after", "")
    start = int(seen) if seen.isdecimal() and len(seen) < 7 else 0  # noqa: PLR2004 - more digits than a page could have
    narrow = comparing.narrowed(left, question.asked)
    end = start + COMPARED
    return {
        "editable": request.membership.role != "readonly",
        "differences": comparing.shown(request.user, narrow[start:end]),
        "tally": comparing.tally_of(left, question.asked),
        "every": every,
        "left": len(narrow),
        "next": question.query(after=str(end)) if end < len(narrow) else "",
    }


@require_safe
@in_workspace
def rest_in_workspace(request: Visit, *, run: UUID) -> HttpResponse:
    return _rest(request, asking.read(request.GET, feed.Asked(request.workspace)), run, prefixed=True)


@require_safe
@in_datastore
def rest_in_datastore(request: DatastoreVisit, *, run: UUID) -> HttpResponse:
    return _rest(request, asking.read(request.GET, feed.Asked(request.workspace, request.datastore)), run)


@in_table
def rest_of_table(request: DatastoreVisit, *, page: RelationView, as_of: AsOf, run: UUID) -> HttpResponse:
    return _rest(request, _of_table(request, page, as_of), run)


def _rest(request: Visit, question: asking.Question, run_id: UUID, *, prefixed: bool = False) -> HttpResponse:
    """More of one run's changes: after the ``seen`` first ones, of a fold if one is named."""
    seen = request.GET.get("seen", "")
    start = int(seen) if seen.isdecimal() and len(seen) < 7 else 0  # noqa: PLR2004 - more digits than a run could have
    fold = _fold(request, run_id)
    changes = feed.rest_of_run(request.user, question.asked, run_id, seen=start, fold=fold, limit=REST + 1)
    query = request.GET.copy()
    query["seen"] = str(start + REST)
    more = f"{request.path}?{query.urlencode()}" if len(changes) > REST else ""
    context = {
        "changes": changes[:REST],
        "more": more,
        "prefixed": prefixed,
        "editable": request.membership.role != "readonly",
    }
    return render(request, "catalog/rest.html" if request.htmx else "catalog/rest_page.html", context)


def _fold(request: Visit, run_id: UUID) -> feed.Fold | None:
    kind, _, rest = request.GET.get("fold", "").replace("\0", "").partition(",")
    asset, _, parent = rest.partition(",")
    if not asset:
        return None
    try:
        return feed.Fold(run_id, kind, asset, UUID(parent) if parent else None, 0)
    except ValueError:
        return None
