"""Search: the page with its facets, and what the palette offers while somebody types."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metamapper.search import selectors
from metamapper.search.query import LONGEST_QUERY
from metamapper.web.doors import Visit, in_workspace
from metamapper.web.search.lines import line_of


@require_safe
@in_workspace
def search(request: Visit) -> HttpResponse:
    """A page of results; the one after it begins behind ``after``."""
    text = _asked(request)
    found = selectors.search(request.user, request.workspace, text, cursor=request.GET.get("after"))
    following = urlencode({"q": text, "after": found.next_cursor}) if found.next_cursor else ""
    context = {
        "here": "search",
        "query": text,
        "found": found,
        "lines": [line_of(hit) for hit in found.hits],
        "next": f"?{following}" if following else "",
    }
    return render(request, "search/search.html", context)


@require_safe
@in_workspace
def palette(request: Visit) -> HttpResponse:
    """The options of the palette: the best hits, or the places where nothing is typed yet."""
    text = _asked(request)
    found = selectors.suggest(request.user, request.workspace, text)
    context = {"query": text, "found": found, "lines": [line_of(hit) for hit in found.hits]}
    return render(request, "search/palette.html", context)


def _asked(request: Visit) -> str:
    # One character more than counts, so that the answer says that the rest does not.
    return request.GET.get("q", "").strip()[: LONGEST_QUERY + 1]
