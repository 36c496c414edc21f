"""What every template knows: the workspace that is open, and how the page should look."""

from typing import Any

from django.http import HttpRequest

from metamapper.web.preferences import theme_of


def page(request: HttpRequest) -> dict[str, Any]:
    return {
        "workspace": getattr(request, "workspace", None),
        "membership": getattr(request, "membership", None),
        "theme": theme_of(request),
    }
