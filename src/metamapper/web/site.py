"""What belongs to no workspace."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from metamapper.web.icons import sprite

YEAR = 365 * 24 * 3600


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def icons(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the same for everybody
    """The sprite; its address carries its digest, so that it may be kept for ever."""
    return HttpResponse(sprite().text, content_type="image/svg+xml")
