"""The catalog's own parts of pages: ``{% load catalog %}``."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import template
from django.template import RequestContext
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from metamapper.history import about, feed
from metamapper.history.listing import Entry
from metamapper.history.models import Change
from metamapper.runs.models import Run, Trigger
from metamapper.schema import Completeness, Reference
from metamapper.web import addresses, differences, marks, moments
from metamapper.web.catalog import page, tree, when, wording
from metamapper.web.runs import words

if TYPE_CHECKING:
    from metamapper.datastores.models import Datastore

register = template.Library()

DAY = timedelta(days=1)
VIEWS = {"view", "materialized view"}
_WORDS = {
    Completeness.COMPLETE: ("success", "Complete"),
    Completeness.PARTIAL: ("partial", "Partial"),
    Completeness.UNREADABLE: ("failure", "Unreadable"),
}


@register.simple_tag(takes_context=True)
def recent_changes(context: RequestContext) -> int:
    """How many changes the datastore of this page saw in the last 24 hours."""
    datastore: Datastore = context["datastore"]
    user = context["request"].user
    asked = feed.Asked(datastore.workspace, datastore, after=timezone.now() - DAY)
    return sum(about.counts_since(user, asked).values())


@register.inclusion_tag("catalog/tree.html", takes_context=True)
def catalog_tree(context: RequestContext) -> dict[str, Any]:
    """The tree of the datastore that this page is about, open where the page is, at the page's moment."""
    as_of = context.get("as_of")
    standing = _standing(context)
    built = tree.build(context["request"].user, context["datastore"], as_of.moment if as_of else None, standing)
    return {
        "tree": built,
        "standing": standing,
        "current": standing.current.id if standing.current else None,
        "datastore": context["datastore"],
        "workspace": context["workspace"],
        "at": as_of.query if as_of else "",
        "also": as_of.also if as_of else "",
    }


def _standing(context: RequestContext) -> tree.Standing:
    shown = context.get("page")
    if isinstance(shown, page.RelationView):
        own = shown.record
        entry = Entry(own.id, own.schema_id, shown.name, own.relation.kind, shown.state.retired_at)
        return tree.Standing(own.schema_id, entry)
    schema = context.get("schema")
    return tree.Standing(schema.id if schema else None)


@register.simple_tag(takes_context=True)
def table_href(context: RequestContext, identity: UUID, name: str, tab: str = "") -> str:
    """The page of a table of this page's datastore, at the page's moment."""
    datastore, workspace = context["datastore"], context["workspace"]
    address = addresses.table(workspace.slug, datastore.slug, identity, name)
    return f"{address}{f'{tab}/' if tab else ''}{context.get('at', '')}"


@register.simple_tag(takes_context=True)
def column_href(context: RequestContext, identity: UUID) -> str:
    """How a column of this page's table came to be."""
    shown: page.RelationView = context["page"]
    own = shown.relation
    parts = [context["workspace"].slug, context["datastore"].slug, own.id, addresses.label(own.name), identity]
    return f"{reverse('column', args=parts)}{context.get('at', '')}"


@register.simple_tag(takes_context=True)
def target(context: RequestContext, reference: Reference) -> dict[str, Any]:
    """What a foreign key refers to: ``label`` leaves the schema out where it is the same, ``href`` is blank if unknown."""
    shown: page.RelationView = context["page"]
    identity = shown.targets.get((reference.schema, reference.relation))
    same = reference.schema == shown.schema
    return {
        "path": [reference.schema, reference.relation],
        "label": reference.relation if same else f"{reference.schema}.{reference.relation}",
        "href": table_href(context, identity, reference.relation) if identity else "",
    }


@register.simple_tag(takes_context=True)
def rest_href(context: RequestContext, group: feed.Group) -> str:
    """Where the rest of one run's changes is, under the same question; ready for more of a query."""
    question, slug = context["question"], context["workspace"].slug
    shown, datastore = context.get("page"), context.get("datastore")
    if isinstance(shown, page.RelationView) and datastore is not None:
        own = shown.relation
        parts = [slug, datastore.slug, own.id, addresses.label(own.name), group.run_id]
        address = reverse("table_history_of_run", args=parts)
    elif datastore is not None:
        address = reverse("datastore_changes_of_run", args=[slug, datastore.slug, group.run_id])
    else:
        address = reverse("changes_of_run", args=[slug, group.run_id])
    return f"{address}{question.query()}"


@register.simple_tag(takes_context=True)
def decision(context: RequestContext, change: Change) -> SafeString | str:
    """Accept and undo beside an inferred match that waits; what was decided, where it was; blank for all else."""
    if change.evidence is None:
        return ""
    return render_to_string("catalog/decision.html", _flat(context) | {"change": change})


def _flat(context: RequestContext) -> dict[str, Any]:
    return {str(name): value for name, value in context.flatten().items()}


@register.filter
def run_shape(run: Run) -> words.Shape:
    return words.shape_of(run)


@register.filter
def run_seconds(run: Run) -> float | None:
    return words.seconds(run)


@register.filter
def run_trigger(run: Run) -> str:
    return str(Trigger(run.trigger).label).lower()


@register.filter
def held_back(run: Run) -> int:
    return sum(int(scope.get("held") or 0) for scope in run.scopes)


@register.filter
def sign(kind: str) -> str:
    """The icon of a kind of change."""
    return differences.ICONS.get(kind, "tilde")


@register.filter
def engine_title(engine: str) -> str:
    return marks.title(engine)


@register.filter
def engine_letters(engine: str) -> str:
    return marks.mark(engine)


@register.filter
def spaced(name: str) -> str:
    """``sort_keys`` as ``Sort keys``."""
    return name.replace("_", " ").capitalize()


@register.filter
def as_text(value: Any) -> str:
    """A JSON value as a person reads it."""
    return differences.as_text(value) or ""


@register.simple_tag
def href(view: str, *parts: object) -> str:
    """An address by name; blank where this installation has no such page."""
    try:
        return reverse(view, args=parts)
    except NoReverseMatch:
        return ""


@register.simple_tag
def within(moment: datetime) -> SafeString:
    """A moment in the middle of a sentence: ``today 09:12``."""
    local = timezone.localtime(moment)
    said = moments.calendar(local, timezone.localtime())
    said = said.lower() if said.startswith(("Today", "Yesterday")) else said
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), moments.exact(local), said)


@register.filter
def kind_icon(kind: str) -> str:
    return "eye" if kind in VIEWS else "table"


@register.filter
def size(number: int | None) -> str:
    return page.size_in_words(number)


@register.simple_tag
def completeness(word: str) -> tuple[str, str]:
    """How a schema was seen: the state to show and its word."""
    return _WORDS.get(Completeness(word), ("", word))


@register.filter
def fold_words(fold: feed.Fold) -> str:
    return wording.told_fold(fold)


@register.filter
def nouns(count: int, asset: str) -> str:
    """``{{ 3|nouns:"relation" }}`` is ``3 tables``."""
    return wording.nouns(asset, count)


@register.filter
def typed(moment: Any) -> str:
    """A moment as it can be typed into a field: ``Mon 16 Nov, 09:00``."""
    return when.written(timezone.localtime(moment), timezone.localtime()) if moment else ""


@register.simple_tag
def asking(question: Any, name: str, value: str) -> str:
    """The address of the same question with one thing changed."""
    return str(question.query(**{name: value}))


@register.filter
def query(question: Any, change: str) -> str:
    """``{{ question|query:"severity=risky" }}``: the address of the same question with one thing changed."""
    name, _, value = change.partition("=")
    return str(question.query(**{name: value}))
