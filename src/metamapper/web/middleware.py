"""What every answer carries: a reference to find it in the log, the security headers, the person's own time zone."""

import secrets
import zoneinfo
from collections.abc import Callable
from typing import TypeAlias

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from structlog.contextvars import bound_contextvars

Answer: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10

# The kit's own marks for check boxes and selects are data URLs in its style sheet, hence `data:` for images.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def reference_of(request: HttpRequest) -> str:
    """The correlation id of this request, as people read it to their administrator."""
    return str(getattr(request, "reference", ""))


def new_reference() -> str:
    """Ten characters that are easy to read aloud: 50 random bits."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(REFERENCE_LENGTH))


def reference_middleware(answer: Answer) -> Answer:
    """Give each request its reference and bind it to every log line written meanwhile."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        reference = new_reference()
        setattr(request, "reference", reference)  # noqa: B010 - HttpRequest declares no such attribute
        with bound_contextvars(reference=reference):
            response = answer(request)
        response.headers["X-Request-ID"] = reference
        return response

    return middleware


def headers_middleware(answer: Answer) -> Answer:
    """The headers of SECURITY S18 on every answer; static files and errors pass here too, for it stands outermost."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def zone_middleware(answer: Answer) -> Answer:
    """Times are shown in the zone that the browser told in a cookie; an unknown one is UTC."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(_zone(request.COOKIES.get("zone", ""))):
            return answer(request)

    return middleware


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        structlog.get_logger(__name__).debug("unknown time zone", zone=name[:40])
        return zoneinfo.ZoneInfo("UTC")
