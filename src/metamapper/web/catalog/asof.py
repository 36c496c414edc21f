"""The moment a page is asked for: ``?as_of=…`` on any page of the catalog."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from metamapper.web.catalog import when

View = Callable[..., HttpResponse]


class AsOf:
    """``moment`` is None for the present; ``query`` is what every link of the page carries on."""

    def __init__(self, moment: datetime | None) -> None:
        self.moment = moment

    @property
    def query(self) -> str:
        return f"?{urlencode({'as_of': self.moment.isoformat()})}" if self.moment else ""

    @property
    def also(self) -> str:
        """The same behind a query that has begun."""
        return self.query.replace("?", "&", 1)

    @property
    def local(self) -> datetime | None:
        return timezone.localtime(self.moment) if self.moment else None

    def __bool__(self) -> bool:
        return self.moment is not None


def as_of(view: View) -> View:
    """Give the view the moment that is asked for, as ``as_of``. What names no moment is answered with the present.

    What is typed is turned into an exact moment in the address, which means the same to whom it is sent and tomorrow.
    """

    @wraps(view)
    def asked(request: HttpRequest, **rest: Any) -> HttpResponse:
        try:
            moment = when.parse(request.GET.get("as_of", ""), timezone.localtime())
        except when.NotAMoment as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(without(request, "as_of"))
        if moment is not None and not when.is_exact(request.GET["as_of"]):
            exact = moment.replace(microsecond=0).isoformat()
            return HttpResponseRedirect(without(request, as_of=exact))
        return view(request, as_of=AsOf(moment), **rest)

    return asked


def without(request: HttpRequest, *names: str, **changed: str) -> str:
    """This page's address with some of its query left out and some of it changed; a blank value is left out too."""
    query = request.GET.copy()
    for name in (*names, *changed):
        query.pop(name, None)
    query.update({name: value for name, value in changed.items() if value})
    return f"{request.path}?{query.urlencode()}" if query else request.path
