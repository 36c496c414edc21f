"""Descriptions, edited in place: the text becomes an input, and a text again when it is saved or left."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from metamapper.annotations import services
from metamapper.annotations.models import DESCRIPTION_LENGTH
from metamapper.annotations.selectors import description
from metamapper.catalog.selectors import paths_of, place_of
from metamapper.schema import AssetKind
from metamapper.web.doors import DatastoreVisit, in_datastore

_LOOKS = {"lede", "cell"}


@require_http_methods(["GET", "HEAD", "POST"])
@in_datastore
def describe(request: DatastoreVisit, *, kind: str, asset: UUID) -> HttpResponse:
    """GET gives the form (or with ``shown`` the text), POST saves. Without htmx each is a whole page or a redirect."""
    known = _kind_or_404(request, kind, asset)
    if request.method == "POST":
        return _save(request, known, asset)
    text = description(request.user, asset)
    return _answer(request, known, asset, text, editing="shown" not in request.GET)


def _save(request: DatastoreVisit, kind: AssetKind, asset_id: UUID) -> HttpResponse:
    text = request.POST.get("text", "")
    try:
        services.describe(request.user, kind, asset_id, text)
    except services.DescriptionTooLong as error:
        return _answer(request, kind, asset_id, text, editing=True, error=str(error))
    except services.AssetUnknown as error:
        raise Http404 from error
    if not request.htmx:
        return HttpResponseRedirect(_back(request))
    return _answer(request, kind, asset_id, description(request.user, asset_id), editing=False, saved=True)


def _kind_or_404(request: DatastoreVisit, kind: str, asset_id: UUID) -> AssetKind:
    if kind not in set(AssetKind):
        raise Http404
    place = place_of(request.user, AssetKind(kind), asset_id)
    if place is None or place.datastore_id != request.datastore.id:
        raise Http404
    return AssetKind(kind)


def _answer(
    request: DatastoreVisit,
    kind: AssetKind,
    asset_id: UUID,
    text: str,
    *,
    editing: bool,
    error: str = "",
    saved: bool = False,
) -> HttpResponse:
    look = request.GET.get("look", "cell")
    # In a list of many, a button says whose description it edits.
    path = paths_of(request.user, kind, [asset_id]).get(asset_id, ()) if look == "cell" else ()
    context = {
        "here": "datastores",
        "datastore": request.datastore,
        "kind": kind.value,
        "asset_id": asset_id,
        "text": text,
        "name": path[-1] if path else "",
        "look": look if look in _LOOKS else "cell",
        "limit": DESCRIPTION_LENGTH,
        "error": error,
        "saved": saved,
        "editable": request.membership.role != "readonly",
        "back": _back(request),
    }
    if not request.htmx:
        return render(request, "catalog/describe.html", context, status=422 if error else 200)
    # A refused text is swapped in like any other answer; htmx would leave it out under another status.
    return render(request, "catalog/describing.html" if editing else "catalog/described.html", context)


def _back(request: HttpRequest) -> str:
    """Where the person was, if that is a page of this site."""
    asked = request.POST.get("back") or request.META.get("HTTP_REFERER", "")
    if url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return asked
    assert request.resolver_match is not None  # noqa: S101 - a view is only ever reached through an address
    kwargs = request.resolver_match.kwargs
    return reverse("datastore", args=[kwargs["workspace"], kwargs["datastore"]])
