"""The administrator's page: workers, schedulers, what waits. For the founder; to everybody else there is no such page."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from metamapper.accounts.models import User
from metamapper.runs.health import Status
from metamapper.runs.overview import overview

WORDS = {
    Status.HEALTHY: ("success", "Well"),
    Status.UNHEALTHY: ("failure", "Not well"),
    Status.NOT_CONFIGURED: ("pending", "Not started yet"),
}


@require_safe
@login_required
def system(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx what changes on it."""
    user = request.user
    if not isinstance(user, User) or not user.is_founder:
        raise Http404
    found = overview()
    parts = (
        ("Metastore", found.health.metastore),
        ("Scheduler", found.health.scheduler),
        ("Workers", found.health.worker),
    )
    context = {
        "found": found,
        "parts": [(name, *WORDS[part["status"]]) for name, part in parts],
        "slots": sum(each.slots for each in found.workers if each.alive),
        "canary": found.health.worker.get("canary_seconds"),
    }
    # A part: the page around it stays.
    template = "system/main.html" if request.headers.get("HX-Request") else "system/page.html"
    return render(request, template, context)
