"""The rail's tree: schemas with their counts, the tables of the open one, a filter that the metastore answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metamapper.accounts.models import User
from metamapper.catalog import selectors
from metamapper.datastores.models import Datastore
from metamapper.history.listing import Entry, Within, count_by_schema, relations_at
from metamapper.history.selectors import SchemaState, schemas_at
from metamapper.web.catalog.asof import AsOf, as_of
from metamapper.web.doors import DatastoreVisit, in_datastore

SHOWN = 50
"""Tables of a schema that the rail shows before it is asked for more."""
FOUND = 60


@dataclass(slots=True)
class Branch:
    """A schema in the tree. ``tables`` are shown where it is open, after ``before`` others and before ``pinned``."""

    schema: SchemaState
    count: int
    held: bool = False
    is_open: bool = False
    tables: Sequence[Entry] = ()
    pinned: Entry | None = None
    before: int = 0

    @property
    def seen(self) -> int:
        return self.before + len(self.tables)

    @property
    def more(self) -> int:
        return self.count - self.seen - (self.pinned is not None)

    @property
    def last(self) -> Entry:
        return self.tables[-1]


@dataclass(frozen=True, slots=True)
class Tree:
    branches: Sequence[Branch]
    total: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where in the tree a page is: the open schema, and the table that is looked at."""

    schema_id: UUID | None = None
    current: Entry | None = None


def build(user: User, datastore: Datastore, moment: datetime | None, standing: Standing) -> Tree:
    """The tree with one schema open; the current table is in it, however far down. At most six queries."""
    counts = count_by_schema(user, Within(datastore, moment))
    branches = _branches(user, datastore, moment, counts)
    for branch in branches:
        if branch.schema.id == standing.schema_id:
            branch.is_open = True
            branch.tables = relations_at(user, Within(datastore, moment, branch.schema.id), limit=SHOWN)
            branch.pinned = _pinned(branch, standing.current)
    return Tree(branches, sum(counts.values()))


def _pinned(branch: Branch, current: Entry | None) -> Entry | None:
    if current is None or current.retired_at is not None or any(each.id == current.id for each in branch.tables):
        return None
    return current


def _branches(user: User, datastore: Datastore, moment: datetime | None, counts: Mapping[UUID, int]) -> list[Branch]:
    held = set() if moment else {hold.schema_id for hold in selectors.standing_holds(user, datastore)}
    schemas = schemas_at(user, datastore, moment)
    return [Branch(schema, counts.get(schema.id, 0), schema.id in held) for schema in schemas]


def search(user: User, datastore: Datastore, moment: datetime | None, text: str) -> Tree:
    """The tables with a text in their name, in their schemas. At most six queries."""
    within = Within(datastore, moment, text=text)
    counts = count_by_schema(user, within)
    found = relations_at(user, within, limit=FOUND)
    branches = [branch for branch in _branches(user, datastore, moment, counts) if branch.count]
    for branch in branches:
        branch.tables = [entry for entry in found if entry.schema_id == branch.schema.id]
        branch.is_open = bool(branch.tables)
    return Tree(branches, sum(counts.values()), text)


@require_safe
@in_datastore
@as_of
def tree(request: DatastoreVisit, *, as_of: AsOf) -> HttpResponse:
    """The tree alone, filtered by ``q``; or with ``open`` the tables of one schema, after ``after``."""
    opened = _uuid(request.GET.get("open", ""))
    standing = Standing(_uuid(request.GET.get("schema", "")))
    current = _uuid(request.GET.get("current", ""))
    context = {
        "datastore": request.datastore,
        "as_of": as_of,
        "at": as_of.query,
        "standing": standing,
        "current": current,
    }
    if opened is not None:
        return render(request, "catalog/tree_tables.html", context | {"branch": _opened(request, opened, as_of)})
    text = request.GET.get("q", "").strip().replace("\0", "")
    moment = as_of.moment
    found = (
        search(request.user, request.datastore, moment, text)
        if text
        else build(request.user, request.datastore, moment, standing)
    )
    return render(request, "catalog/tree_branches.html", context | {"tree": found})


def _opened(request: DatastoreVisit, schema_id: UUID, as_of: AsOf) -> Branch:
    """The tables of one schema: the first, or those after the ones that were seen."""
    within = Within(request.datastore, as_of.moment, schema_id)
    after, _, name = request.GET.get("after", "").replace("\0", "").partition(",")
    identity = _uuid(after)
    seen = request.GET.get("seen", "")
    tables = relations_at(request.user, within, after=(name, identity) if identity else None, limit=SHOWN)
    return Branch(
        SchemaState(schema_id, "", None),
        count_by_schema(request.user, within)[schema_id],
        is_open=True,
        tables=tables,
        before=int(seen) if seen.isdecimal() and len(seen) < 7 else 0,  # noqa: PLR2004 - no schema has a million tables
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
