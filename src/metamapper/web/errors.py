"""What is shown when there is no page: what is so, why, and one next step. Never what the fault said."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string

from metamapper.web.middleware import reference_of


@dataclass(frozen=True, slots=True)
class Trouble:
    status: int
    label: str
    title: str
    text: str


BAD = Trouble(
    400,
    "Not understood",
    "This request cannot be answered",
    "Its address or what was sent with it is not what this page expects. Nothing was saved.",
)
FORBIDDEN = Trouble(403, "Forbidden", "This is not yours to change", "Its owners can give you the right to.")
EXPIRED = Trouble(
    403,
    "Too old",
    "This form has been open for too long",
    "It was made for another session, so nothing was saved. Go back, load the page again, and send it once more.",
)
MISSING = Trouble(
    404,
    "Not found, or not yours to see",
    "There is no page here for you",
    "The address may be mistyped, or it belongs to something you have no access to. We do not say which.",
)
BROKEN = Trouble(
    500,
    "Error",
    "This page could not be put together",
    "The fault is ours and is logged. Nothing was saved by halves. Inspections go on meanwhile.",
)


FORGOTTEN = Trouble(404, "Forgotten", "This run found no changes and is forgotten", "")


class Forgotten(Http404):
    """What was here is gone, and the reader may know why: its text says it."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - what it said is logged
    return _answer(request, BAD)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, FORBIDDEN, text=str(exception) or FORBIDDEN.text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django logs the reason
    return _answer(request, EXPIRED)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What other exceptions say would tell what exists."""
    if isinstance(exception, Forgotten):
        return _answer(request, FORGOTTEN, text=str(exception))
    return _answer(request, MISSING)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request, for whatever broke may break again: no person, no workspace, no query."""
    return _page(BROKEN, BROKEN.text, request, bare=True)


def _answer(request: HttpRequest, trouble: Trouble, text: str = "") -> HttpResponse:
    return _page(trouble, text or trouble.text, request, bare=False)


def _page(trouble: Trouble, text: str, request: HttpRequest, *, bare: bool) -> HttpResponse:
    context = {
        "trouble": trouble,
        "text": text,
        "reference": reference_of(request),
        "address": request.get_full_path() if request.method == "GET" else "",
    }
    content = render_to_string("error.html", context, None if bare else request)
    return HttpResponse(content, status=trouble.status)
