"""Where a thing has its page. Addresses carry identities; the label behind them is only for people."""

from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.text import slugify

from metamapper.datastores.models import Datastore
from metamapper.history.models import Change


def label(name: str) -> str:
    """The readable end of an address; a name without a letter of its own still has one."""
    return slugify(name, allow_unicode=True)[:80] or "table"


def table(workspace: str, datastore: str, identity: UUID, name: str) -> str:
    return _reverse("table", workspace, datastore, identity, label(name))


def schema(workspace: str, datastore: str, identity: UUID) -> str:
    return _reverse("schema", workspace, datastore, identity)


def datastore(workspace: str, slug: str) -> str:
    return _reverse("datastore", workspace, slug)


def of_change(change: Change, datastore: Datastore) -> str:
    """The page of what a change is about: its table, its schema, or the datastore itself."""
    slugs = datastore.workspace.slug, datastore.slug
    if change.relation_id:
        page = table(*slugs, change.relation_id, change.path[1] if len(change.path) > 1 else "")
        return page if change.asset == "relation" or not page else f"{page}#{change.asset_id}"
    if change.schema_id or change.asset == "schema":
        return schema(*slugs, change.schema_id or change.asset_id)
    return _reverse("datastore", *slugs)


def _reverse(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
