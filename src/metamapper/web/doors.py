"""Doors into a workspace: the one place where an address becomes a workspace or datastore that this person may see.

To everybody else there is no page: a workspace of others and one that does not exist are answered alike.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from metamapper.accounts.models import User
from metamapper.datastores.models import Datastore
from metamapper.workspaces.models import Membership, Role, Workspace
from metamapper.workspaces.selectors import membership

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Visit(HttpRequest):
    """A request within a workspace, by a person who belongs to it."""

    user: User
    htmx: HtmxDetails
    workspace: Workspace
    membership: Membership


class DatastoreVisit(Visit):
    """A request about one datastore."""

    datastore: Datastore


View: TypeAlias = Callable[..., HttpResponse]


def in_workspace(view: View) -> View:
    """Resolve ``/<workspace>/…``. Strangers sign in first, outsiders get 404, those who may only read cannot change."""

    @wraps(view)
    def door(request: HttpRequest, *, workspace: str, **rest: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _sign_in(request)
        visit = cast("Visit", request)
        visit.membership = _membership(visit.user, workspace)
        visit.workspace = visit.membership.workspace
        if request.method not in SAFE_METHODS and visit.membership.role == Role.READONLY:
            raise PermissionDenied("Changing it takes the role member or owner.")
        return view(visit, **rest)

    return door


def in_datastore(view: View) -> View:
    """Resolve ``/<workspace>/datastores/<datastore>/…`` through the gate."""

    @in_workspace
    @wraps(view)
    def door(request: Visit, *, datastore: str, **rest: Any) -> HttpResponse:
        visit = cast("DatastoreVisit", request)
        found = Datastore.objects.visible_to(visit.user).filter(workspace=visit.workspace, slug=datastore)
        visit.datastore = one_or_404(found.select_related("schedule", "schedule__paused_by"))
        visit.datastore.workspace = visit.workspace
        return view(visit, **rest)

    return door


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, or None where it is only shown; an empty one was sent all the same."""
    return request.POST if request.method == "POST" else None


def one_or_404(queryset: Any) -> Any:
    """The only row of a queryset that has passed the gate."""
    found = queryset.first()
    if found is None:
        raise Http404
    return found


def _membership(user: User, address: str) -> Membership:
    found = membership(user, address)
    if found is None:
        raise Http404
    return found


def _sign_in(request: HttpRequest) -> HttpResponse:
    """Then back to the page; a part of one that htmx asked for is no page to come back to."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(redirect_to_login(_page_of(request)).url)
    return redirect_to_login(request.get_full_path())


def _page_of(request: HttpRequest) -> str:
    """The page that asked for a part, if it is one of this site."""
    asked = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(asked)
    return urlunsplit(("", "", parts.path, parts.query, ""))
