"""Home: what waits, what changed, how the datastores stand."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metamapper.web.doors import Visit, in_workspace
from metamapper.web.home.reading import FIRST_TIME, asks, bare, news, since
from metamapper.web.stores import stores, visible

STORES = 20


@require_safe
@in_workspace
def home(request: Visit) -> HttpResponse:
    datastores = list(visible(request.user, request.workspace).order_by("name")[: STORES + 1])
    if not datastores:
        return render(request, "home/empty.html", {"here": "home"})
    now = timezone.now()
    began = since(request.user, now)
    context = {
        "here": "home",
        "began": began,
        "asks": asks(request.user, request.workspace),
        "news": news(request.user, request.workspace, began or now - FIRST_TIME),
        "stores": stores(request.user, datastores[:STORES]),
        "more_stores": len(datastores) > STORES,
        "bare": bare(request.user, request.workspace),
    }
    return render(request, "home/home.html", context)
