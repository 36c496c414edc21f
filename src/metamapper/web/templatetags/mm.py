"""The small parts of every page, as tags: ``{% load mm %}``."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from metamapper.catalog.models import Relation
from metamapper.history.models import Change
from metamapper.lib.printable import printable
from metamapper.web import addresses, differences, marks, moments
from metamapper.web.icons import sprite

register = template.Library()

_BREAKS = re.compile(r"(?<=[._])(?=.)")


class IconMissing(LookupError):
    """A template names an icon that is not among the vendored files."""


@register.simple_tag
def icon(name: str) -> SafeString:
    """One icon of the sprite; it says nothing to a screen reader, so a word or a label stands beside it."""
    found = sprite()
    if name not in found.names:
        raise IconMissing(name)
    address = f"{reverse('icons')}?{found.digest}#i-{name}"
    return format_html('<svg class="mm-icon" aria-hidden="true"><use href="{}"/></svg>', address)


@register.simple_tag
def ago(moment: datetime | None, never: str = "never") -> SafeString | str:
    """How long ago, with the exact moment in the title; ``never`` where there is none."""
    return _time(moment, moments.relative(moment, timezone.now())) if moment else never


@register.simple_tag(name="moment")
def moment_tag(moment: datetime | None, unset: str = "not set") -> SafeString | str:
    """The day and hour as a person says it, with the exact moment in the title."""
    if moment is None:
        return unset
    return _time(moment, moments.calendar(timezone.localtime(moment), timezone.localtime()))


@register.simple_tag
def clock(moment: datetime | None, unset: str = "not set") -> SafeString | str:
    """The time of day to the second, with the exact moment in the title."""
    return _time(moment, f"{timezone.localtime(moment):%H:%M:%S}") if moment else unset


def _time(moment: datetime, text: str) -> SafeString:
    exact = moments.exact(timezone.localtime(moment))
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, text)


@register.simple_tag
def number(value: int | None, unset: str = "") -> str:
    return unset if value is None else moments.number(value)


@register.simple_tag
def duration(seconds: float | None, unset: str = "") -> str:
    return unset if seconds is None else moments.span(seconds)


@register.filter
def plural(count: int, words: str) -> str:
    """``{{ 3|plural:"table,tables" }}`` is ``3 tables``."""
    one, many = words.split(",")
    return f"{moments.number(count)} {one if count == 1 else many}"


@register.filter
def breakable(text: str) -> SafeString:
    """The text, which may break after ``.`` and ``_`` and nowhere else; what cannot be seen is spelled out."""
    return _breakable(text)


register.filter("printable", printable)


def _breakable(text: str) -> SafeString:
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in _BREAKS.split(printable(text))))


@register.simple_tag
def name(path: str | Sequence[str], href: str = "", prefix: str = "", *, retired: bool = False) -> SafeString:
    """A path whose last step is the name: ``billing.invoices.<b>amount_due</b>``, a link if there is somewhere to go.

    ``path`` is a list of steps, or one step as text (a name may hold dots of its own); ``prefix`` stands before them.
    """
    steps = [path] if isinstance(path, str) else list(path)
    before = list(chain([prefix] if prefix else [], steps[:-1]))
    inner = format_html(
        "{}<b>{}</b>",
        format_html_join("", "{}.<wbr>", ((_breakable(step),) for step in before)),
        _breakable(steps[-1] if steps else ""),
    )
    kind = "mm-name is-retired" if retired else "mm-name"
    if href:
        return format_html('<a class="{}" href="{}">{}</a>', kind, href, inner)
    return format_html('<span class="{}">{}</span>', kind, inner)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """``mapping[key]``, or None."""
    return mapping.get(key)


@register.simple_tag
def engine_mark(engine: str, version: str = "") -> SafeString:
    """An engine's two letters, with its full name and version in the title."""
    return format_html('<span class="mm-engine" title="{}">{}</span>', marks.title(engine, version), marks.mark(engine))


@register.simple_tag
def change_facts(change: Change) -> differences.Facts:
    return differences.facts_of(change)


@register.simple_tag
def change_href(change: Change) -> str:
    """The page of what the change is about; its ``datastore`` and ``datastore.workspace`` are loaded."""
    return addresses.of_change(change, change.datastore)


@register.simple_tag(takes_context=True)
def table_href(context: template.Context, relation: Relation) -> str:
    """The page of a table of the open workspace; its ``datastore`` is loaded."""
    return addresses.table(context["workspace"].slug, relation.datastore.slug, relation.pk, relation.name)
