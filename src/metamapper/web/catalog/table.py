"""A table's page and its tabs."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from metamapper.accounts.models import User
from metamapper.history import about, feed
from metamapper.web import addresses
from metamapper.web.catalog import columns as lines
from metamapper.web.catalog.asof import AsOf, without
from metamapper.web.catalog.doors import in_table, to_table
from metamapper.web.catalog.page import RelationView
from metamapper.web.doors import DatastoreVisit, in_datastore

DEFINITION_SHOWN = 100_000
"""Characters of a definition that a page shows before it is asked for all."""


def context_of(request: DatastoreVisit, page: RelationView, as_of: AsOf, tab: str, **more: Any) -> dict[str, Any]:
    """What every tab of a table knows."""
    return {
        "here": "datastores",
        "datastore": request.datastore,
        "page": page,
        "record": page.record,
        "as_of": as_of,
        "at": as_of.query,
        "tab": tab,
        "editable": not as_of and request.membership.role != "readonly",
        "compare": _compare(request, page, as_of),
        **more,
    }


def _compare(request: DatastoreVisit, page: RelationView, as_of: AsOf) -> str:
    """The table's difference between the moment that is shown and now."""
    if as_of.moment is None:
        return ""
    parts = [request.workspace.slug, request.datastore.slug, page.relation.id, addresses.label(page.relation.name)]
    query = urlencode({"mode": "difference", "from": as_of.moment.isoformat()})
    return f"{reverse('table_history', args=parts)}?{query}"


@require_safe
@in_datastore
def unlabelled(request: DatastoreVisit, *, table: UUID) -> HttpResponse:
    return to_table(request, table)


@in_table
def columns(request: DatastoreVisit, *, page: RelationView, as_of: AsOf) -> HttpResponse:
    """The columns, in pages of 200; a request by htmx is answered with their part alone."""
    asked = {"show": request.GET.get("show", ""), "text": request.GET.get("q", "").strip()}
    after = request.GET.get("after", "")
    listed = lines.listed(page.lines, **asked, after=int(after) if after.isdecimal() and len(after) < 7 else 0)  # noqa: PLR2004
    more = without(request, after=str(listed.next)) if listed.next else ""
    context = context_of(request, page, as_of, "columns", listed=listed, more=more, **asked)
    part = request.htmx and not request.htmx.boosted
    return render(request, "catalog/columns.html" if part else "catalog/table_columns.html", context)


@in_table
def column(request: DatastoreVisit, *, page: RelationView, as_of: AsOf, column: UUID) -> HttpResponse:
    """How one column came to be: its changes, the newest first, and its first form."""
    changes = feed.story(request.user, column, as_of.moment)
    first = about.first_form(request.user, page.relation, column)
    if not changes and first is None:
        raise Http404
    deciders = User.objects.filter(id__in={each.decided_by_id for each in changes if each.decided_by_id})
    context = context_of(
        request,
        page,
        as_of,
        "columns",
        changes=changes,
        runs=about.runs_of(request.user, changes),
        first=first and lines.words_of(first),
        people={person.id: str(person) for person in deciders},
        child=next((child for child in page.record.columns if child.id == column), None),
    )
    return render(request, "catalog/column.html", context)


@in_table
def relations(request: DatastoreVisit, *, page: RelationView, as_of: AsOf) -> HttpResponse:
    return render(request, "catalog/table_relations.html", context_of(request, page, as_of, "relations"))


@in_table
def indexes(request: DatastoreVisit, *, page: RelationView, as_of: AsOf) -> HttpResponse:
    return render(request, "catalog/table_indexes.html", context_of(request, page, as_of, "indexes"))


@in_table
def definition(request: DatastoreVisit, *, page: RelationView, as_of: AsOf) -> HttpResponse:
    text = page.record.relation.definition or ""
    shown = text if "all" in request.GET else text[:DEFINITION_SHOWN]
    more = without(request, all="1") if len(shown) < len(text) else ""
    context = context_of(request, page, as_of, "definition", definition=shown, left=len(text) - len(shown), more=more)
    return render(request, "catalog/table_definition.html", context)
