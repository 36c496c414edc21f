"""``/health`` and its like: answered before anything else, without a session, whatever name they were asked under.

An orchestrator asks by address, not by the site's name, and over plain HTTP.
"""

from collections.abc import Callable

import msgspec
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST

from metamapper.runs.health import Status, health, is_ready
from metamapper.runs.metrics import exposition
from metamapper.web.middleware import Answer


def overall(_request: HttpRequest) -> HttpResponse:
    """Everything that must be well: 200 if it is, 503 if not."""
    found = health()
    return _json(msgspec.json.encode(found), well=found.is_well)


def live(_request: HttpRequest) -> HttpResponse:
    """Whether this process answers at all; restarting it would mend nothing that lies elsewhere."""
    return _json(msgspec.json.encode({"status": Status.HEALTHY}), well=True)


def ready(_request: HttpRequest) -> HttpResponse:
    """Whether pages can be served."""
    well = is_ready()
    return _json(msgspec.json.encode({"status": Status.HEALTHY if well else Status.UNHEALTHY}), well=well)


def metrics(_request: HttpRequest) -> HttpResponse:
    """For Prometheus; 503 without a metastore, which Prometheus shows as a failed scrape."""
    try:
        return _answer(exposition(), CONTENT_TYPE_LATEST, well=True)
    except Error:
        return _answer(b"", CONTENT_TYPE_LATEST, well=False)


def _json(body: bytes, *, well: bool) -> HttpResponse:
    return _answer(body, "application/json", well=well)


def _answer(body: bytes, content_type: str, *, well: bool) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type, status=200 if well else 503)
    response.headers["Cache-Control"] = "no-store"
    return response


ADDRESSES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health": overall,
    "/health/live": live,
    "/health/ready": ready,
    "/metrics": metrics,
}


def health_middleware(answer: Answer) -> Answer:
    """Stands before whatever asks for a host, a session or a scheme."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        view = ADDRESSES.get(request.path_info.rstrip("/"))
        if view is None or request.method not in {"GET", "HEAD"}:
            return answer(request)
        return view(request)

    return middleware
