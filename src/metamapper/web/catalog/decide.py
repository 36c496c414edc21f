"""What a person decides: an inferred match, what is held back, two things that may be one."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from metamapper.catalog.models import Hold
from metamapper.history.models import Change, Suggestion
from metamapper.inspection import decisions
from metamapper.web.catalog.wording import nouns
from metamapper.web.doors import DatastoreVisit, in_datastore, one_or_404


@require_POST
@in_datastore
def change(request: DatastoreVisit, *, change: UUID) -> HttpResponse:
    """Accept or undo an inferred match."""
    found = one_or_404(Change.objects.visible_to(request.user).filter(datastore=request.datastore, id=change))
    accept = _asked(request, {"accept": True, "undo": False})
    said = "Accepted: it stays one." if accept else "Undone: they are two now, each with what is its own."
    return _decide(request, lambda: decisions.decide_change(found, accept=accept, user=request.user), said)


@require_POST
@in_datastore
def hold(request: DatastoreVisit, *, hold: UUID) -> HttpResponse:
    """Retire what is held back, or keep it."""
    found = one_or_404(Hold.objects.visible_to(request.user).filter(datastore=request.datastore, id=hold))
    retire = _asked(request, {"retire": True, "keep": False})
    what = nouns("relation" if found.schema_id else "schema", len(found.vanished))
    said = f"Retired {what}. What was written stays with them." if retire else f"Kept {what} until they return."
    return _decide(request, lambda: decisions.decide_hold(found, retire_them=retire, user=request.user), said)


@require_POST
@in_datastore
def suggestion(request: DatastoreVisit, *, suggestion: UUID) -> HttpResponse:
    """Say whether what vanished is what appeared."""
    found = one_or_404(Suggestion.objects.visible_to(request.user).filter(datastore=request.datastore, id=suggestion))
    accept = _asked(request, {"accept": True, "dismiss": False})
    said = "They are one now, with everything that was written." if accept else "They stay two."
    return _decide(request, lambda: decisions.decide_suggestion(found, accept=accept, user=request.user), said)


def _asked(request: HttpRequest, answers: dict[str, bool]) -> bool:
    given = request.POST.get("decision", "")
    if given not in answers:
        raise SuspiciousOperation(f"A decision is one of: {', '.join(answers)}.")
    return answers[given]


def _decide(request: DatastoreVisit, act: Callable[[], object], said: str) -> HttpResponse:
    """Do it, say what is so now, and go back to where the person was."""
    try:
        act()
    except decisions.AlreadyDecided as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, said)
    return HttpResponseRedirect(_back(request))


def _back(request: DatastoreVisit) -> str:
    asked = request.META.get("HTTP_REFERER", "")
    if url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return str(asked)
    return reverse("datastore_changes", args=[request.workspace.slug, request.datastore.slug])
