"""A hit as a line of a page: its icon and address, its name with what was searched for marked, and why it is there."""

import re
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from metamapper.lib.printable import printable
from metamapper.search.hits import Asset, Hit, Marked
from metamapper.search.query import Kind
from metamapper.web import addresses, marks, moments

ICONS = {
    Kind.DATASTORE: "database",
    Kind.SCHEMA: "database",
    Kind.TABLE: "table",
    Kind.VIEW: "eye",
    Kind.COLUMN: "table-column",
}
LONGEST = 200
"""Characters of a comment that are shown."""
BEFORE = 60
"""Of these, how many may stand before what was found."""

_BREAKS = re.compile(r"(?<=[._])(?=.)")


@dataclass(frozen=True, slots=True)
class Line:
    """``mark`` is the engine's, ``fact`` one more thing to know of it; ``reason`` why it is here, as HTML like the names and texts."""

    hit: Hit
    icon: str
    mark: str
    href: str
    name: SafeString
    description: SafeString
    comment: SafeString
    reason: SafeString
    fact: str


def line_of(hit: Hit) -> Line:
    asset = hit.asset
    return Line(
        hit=hit,
        icon=ICONS[asset.kind],
        mark=marks.mark(asset.datastore.engine),
        href=_href(asset),
        name=_name(hit.path),
        description=highlighted(hit.description),
        comment=highlighted(excerpt(hit.comment)),
        reason=_reason(hit),
        fact=_fact(hit),
    )


def _href(asset: Asset) -> str:
    datastore = asset.datastore
    slugs = datastore.workspace.slug, datastore.slug
    if asset.relation_id:
        page = addresses.table(*slugs, asset.relation_id, asset.path[1])
        return f"{page}#{asset.id}" if asset.kind is Kind.COLUMN else page
    if asset.schema_id:
        return addresses.schema(*slugs, asset.schema_id)
    return addresses.datastore(*slugs)


def _name(path: tuple[Marked, ...]) -> SafeString:
    """The path, marked; only its last step is bold, and it may break after dots and underscores alone."""
    *above, last = path
    steps = format_html_join("", "{}.<wbr>", ((highlighted(step, breakable=True),) for step in above))
    return format_html("{}<b>{}</b>", steps, highlighted(last, breakable=True))


def highlighted(marked: Marked, *, breakable: bool = False) -> SafeString:
    """A text with its ranges in ``<mark>``, everything escaped."""
    pieces: list[SafeString] = []
    done = 0
    for start, end in marked.ranges:
        pieces.append(_plain(marked.text[done:start], breakable=breakable))
        pieces.append(format_html("<mark>{}</mark>", marked.text[start:end]))
        done = end
    pieces.append(_plain(marked.text[done:], breakable=breakable))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _plain(text: str, *, breakable: bool) -> SafeString:
    if not breakable:
        return format_html("{}", text)
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in _BREAKS.split(printable(text))))


def excerpt(marked: Marked) -> Marked:
    """So much of a long text as shows what was found in it."""
    text = marked.text
    if len(text) <= LONGEST:
        return marked
    found = marked.ranges[0][0] if marked.ranges else 0
    start = max(0, min(found - BEFORE, len(text) - LONGEST))
    end = start + LONGEST
    before = "… " if start else ""
    shift = len(before) - start
    ranges = tuple((one + shift, two + shift) for one, two in marked.ranges if one >= start and two <= end)
    return Marked(f"{before}{text[start:end]}{' …' if end < len(text) else ''}", ranges)


def _reason(hit: Hit) -> SafeString:
    if hit.former:
        until = f", until {moments.calendar(localtime(hit.until), localtime())}" if hit.until else ""
        return format_html("former name <code>{}</code>{}", highlighted(hit.former), until)
    engine = marks.title(hit.asset.datastore.engine)
    reasons = (f"comment in {engine}" if each == "comment" else each for each in hit.why.reasons)
    return format_html_join(", ", "{}", ((each,) for each in reasons))


def _fact(hit: Hit) -> str:
    if hit.asset.retired_at:
        return "Retired"
    if hit.asset.rows is not None and hit.asset.rows >= 0:
        return f"{moments.number(hit.asset.rows)} rows"
    return "" if hit.description or hit.comment or hit.asset.kind is Kind.DATASTORE else "Undescribed"
