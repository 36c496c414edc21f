"""A schema's page: its tables, paged by name, filtered by the metastore."""

from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from metamapper.annotations.selectors import descriptions
from metamapper.catalog import selectors
from metamapper.history.listing import Cursor, Entry, Within, count_by_schema, relations_at, summaries
from metamapper.history.selectors import schema_at
from metamapper.web.catalog.asof import AsOf, as_of, without
from metamapper.web.catalog.doors import unknown_then
from metamapper.web.catalog.holding import held
from metamapper.web.catalog.overview import past_of
from metamapper.web.doors import DatastoreVisit, in_datastore

PAGE = 100


@require_safe
@in_datastore
@as_of
def schema(request: DatastoreVisit, *, schema: UUID, as_of: AsOf) -> HttpResponse:
    row = selectors.schema(request.user, schema)
    if row is None or row.datastore.workspace_id != request.workspace.id:
        raise Http404
    if row.datastore_id != request.datastore.id:
        now = reverse("schema", args=[request.workspace.slug, row.datastore.slug, row.id])
        return HttpResponsePermanentRedirect(f"{now}{as_of.query}")
    state = schema_at(request.user, row, as_of.moment)
    if state is None:
        return unknown_then(request, row.name, row.first_seen_at, as_of)
    within = _within(request, schema, as_of)
    entries = relations_at(request.user, within, after=_cursor(request), limit=PAGE + 1)
    shown = entries[:PAGE]
    holds = [] if as_of else held(request.user, request.datastore, schema_id=schema)
    context = {
        "here": "datastores",
        "datastore": request.datastore,
        "schema": state,
        "first_seen_at": row.first_seen_at,
        "as_of": as_of,
        "at": as_of.query,
        "editable": not as_of and request.membership.role != "readonly",
        "holds": holds,
        "tables": shown,
        "count": count_by_schema(request.user, Within(request.datastore, as_of.moment, schema))[schema],
        "summaries": summaries(request.user, shown),
        "texts": descriptions(request.user, [schema, *(each.id for each in shown)], as_of.moment),
        "text_asked": within.text,
        "retired_shown": within.retired,
        "toggle": without(request, "after", retired="" if within.retired else "1"),
        "more": _more(request, shown) if len(entries) > PAGE else "",
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "catalog/tables.html", context)
    return render(request, "catalog/schema.html", context | past_of(request, as_of, schema))


def _within(request: DatastoreVisit, identity: UUID, as_of: AsOf) -> Within:
    text = request.GET.get("q", "").strip().replace("\0", "")
    return Within(request.datastore, as_of.moment, identity, text, retired="retired" in request.GET)


def _cursor(request: DatastoreVisit) -> Cursor | None:
    identity, _, name = request.GET.get("after", "").partition(",")
    try:
        return (name, UUID(identity)) if identity else None
    except ValueError:
        return None


def _more(request: DatastoreVisit, shown: list[Entry]) -> str:
    return without(request, after=f"{shown[-1].id},{shown[-1].name}")
