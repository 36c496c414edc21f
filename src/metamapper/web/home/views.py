"""Home: what waits, what changed, how the datastores stand."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metamapper.web.doors import Visit, in_workspace
from metamapper.web.home.reading import asks, bare, news, note_visit
from metamapper.web.stores import stores, visible

STORES = 20
KEY = "here_since"


@require_safe
@in_workspace
def home(request: Visit) -> HttpResponse:
    datastores = list(visible(request.user, request.workspace).order_by("name")[: STORES + 1])
    if not datastores:
        return render(request, "home/empty.html", {"here": "home"})
    before = request.user.seen_at
    began = note_visit(request.user, timezone.now(), request.session.get(KEY))
    request.session[KEY] = began.isoformat()
    context = {
        "here": "home",
        "began": began if before else None,
        "asks": asks(request.user, request.workspace),
        "news": news(request.user, request.workspace, began),
        "stores": stores(request.user, datastores[:STORES]),
        "more_stores": len(datastores) > STORES,
        "bare": bare(request.user, request.workspace),
    }
    return render(request, "home/home.html", context)
