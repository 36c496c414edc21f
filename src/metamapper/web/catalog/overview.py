"""A datastore's first page: what is in it, how it stands, what changed lately."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from metamapper.annotations.selectors import descriptions
from metamapper.history import about, feed
from metamapper.history.listing import Within, count_by_schema
from metamapper.history.selectors import schemas_at
from metamapper.web.catalog import wording
from metamapper.web.catalog.asof import AsOf, as_of, without
from metamapper.web.catalog.holding import held
from metamapper.web.doors import DatastoreVisit, in_datastore

RECENT = 8
LATELY = timedelta(days=7)


@require_safe
@in_datastore
@as_of
def overview(request: DatastoreVisit, *, as_of: AsOf) -> HttpResponse:
    datastore, user = request.datastore, request.user
    schemas = schemas_at(user, datastore, as_of.moment, retired="retired" in request.GET)
    counts = count_by_schema(user, Within(datastore, as_of.moment))
    holds = [] if as_of else held(user, datastore)
    context: dict[str, Any] = {
        "here": "datastores",
        "place": "overview",
        "datastore": datastore,
        "as_of": as_of,
        "at": as_of.query,
        "editable": not as_of and request.membership.role != "readonly",
        "schemas": schemas,
        "counts": counts,
        "tables": sum(counts.values()),
        "texts": descriptions(user, [datastore.id, *(schema.id for schema in schemas)], as_of.moment),
        "holds": holds,
        "held": {each.hold.schema_id: each for each in holds},
        "last_look": about.last_look(user, datastore, as_of.moment),
        "forgotten": bool(as_of and about.forgotten_until(user, datastore)),
        "recent": _recent(request, as_of),
        "retired_shown": "retired" in request.GET,
        "toggle": without(request, retired="" if "retired" in request.GET else "1"),
    }
    return render(request, "catalog/overview.html", context | past_of(request, as_of))


def past_of(request: DatastoreVisit, as_of: AsOf, schema_id: UUID | None = None) -> dict[str, str]:
    """What the bar of the past says: what has changed since in the datastore or a schema, and where to compare."""
    if as_of.moment is None:
        return {}
    asked = feed.Asked(request.workspace, request.datastore, schema_id=schema_id, after=as_of.moment)
    query = {"mode": "difference", "from": as_of.moment.isoformat(), "schema": str(schema_id or "")}
    changes = reverse("datastore_changes", args=[request.workspace.slug, request.datastore.slug])
    told = wording.told_since(about.counts_since(request.user, asked))
    return {"told_since": told, "compare": f"{changes}?{urlencode({k: v for k, v in query.items() if v})}"}


def _recent(request: DatastoreVisit, as_of: AsOf) -> list[Any]:
    """The changes of the last days, the gravest first."""
    now = as_of.moment or timezone.now()
    asked = feed.Asked(request.workspace, request.datastore, after=now - LATELY, until=as_of.moment)
    return feed.gravest(request.user, asked, limit=RECENT)
