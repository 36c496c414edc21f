"""The door to a table: its address becomes the relation, at the moment that is asked for, or a redirect to it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from metamapper.catalog import selectors
from metamapper.catalog.models import Relation
from metamapper.web import addresses
from metamapper.web.catalog.asof import AsOf, as_of
from metamapper.web.catalog.page import relation_page
from metamapper.web.doors import DatastoreVisit, in_datastore

View = Callable[..., HttpResponse]


def in_table(view: View) -> View:
    """Resolve ``…/tables/<id>/<label>/…`` for reading.

    The view gets ``page`` and ``as_of``. A stale label, and an address under another datastore than the table's own,
    redirect for good, with whatever followed.
    """

    @require_safe
    @in_datastore
    @as_of
    @wraps(view)
    def door(request: DatastoreVisit, *, table: UUID, label: str, as_of: AsOf, **rest: Any) -> HttpResponse:
        relation = relation_or_404(request, table)
        if moved := _moved(request, relation, label):
            return HttpResponsePermanentRedirect(moved)
        relation.datastore = request.datastore
        page = relation_page(request.user, relation, as_of.moment)
        if page is None:
            return unknown_then(request, relation.name, relation.first_seen_at, as_of)
        return view(request, page=page, as_of=as_of, **rest)

    return door


def relation_or_404(request: DatastoreVisit, identity: UUID) -> Relation:
    relation = selectors.relation(request.user, identity)
    if relation is None or relation.datastore.workspace_id != request.workspace.id:
        raise Http404
    return relation


def address_of(relation: Relation) -> str:
    datastore = relation.datastore
    return addresses.table(datastore.workspace.slug, datastore.slug, relation.id, relation.name)


def _moved(request: HttpRequest, relation: Relation, label: str) -> str:
    """Where the page is now, blank if it is here."""
    match = request.resolver_match
    assert match is not None  # noqa: S101 - a view is only ever reached through an address
    now = {"datastore": relation.datastore.slug, "label": addresses.label(relation.name)}
    if now == {"datastore": match.kwargs["datastore"], "label": label}:
        return ""
    query = request.META.get("QUERY_STRING", "")
    return reverse(match.view_name, kwargs={**match.kwargs, **now}) + (f"?{query}" if query else "")


def unknown_then(request: DatastoreVisit, name: str, first_seen_at: Any, as_of: AsOf) -> HttpResponse:
    """The page of something that was not known at the moment that is asked for: it says so and when it came."""
    context = {"datastore": request.datastore, "as_of": as_of, "name": name, "first_seen_at": first_seen_at}
    return render(request, "catalog/unknown.html", context | {"here": "datastores", "at": as_of.query})


def to_table(request: DatastoreVisit, identity: UUID) -> HttpResponse:
    """An address without a label goes to the one with it; for now only, for the name may change."""
    relation = relation_or_404(request, identity)
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(f"{address_of(relation)}{'?' if query else ''}{query}")
