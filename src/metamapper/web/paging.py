"""Pages by cursor: the next page starts after the last row of this one, whatever has come or gone meanwhile."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Model, Q, QuerySet
from django.http import HttpRequest

M = TypeVar("M", bound=Model)
PARAMETER = "after"
YEARS = range(1970, 9000)
"""Nothing is older or newer, and in no time zone does such a moment leave the calendar."""


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """``after`` is the cursor of the next page, blank on the last."""

    rows: Sequence[M]
    after: str

    def next_address(self, request: HttpRequest) -> str:
        """The next page with the same filters, or blank."""
        kept = [(name, value) for name, values in request.GET.lists() for value in values if name != PARAMETER]
        return f"?{urlencode([*kept, (PARAMETER, self.after)])}" if self.after else ""


def page_of(queryset: QuerySet[M], order: Sequence[str], cursor: str, *, limit: int) -> Page[M]:
    """One page in the given order, whose fields together are unique; ``-field`` counts down. A broken cursor starts anew."""
    queryset = queryset.order_by(*order)
    position = _decode(cursor, len(order))
    if position and _is_comparable(queryset.model, order, position):
        queryset = _from(queryset, order, position)
    rows = list(queryset[: limit + 1])
    return Page(rows[:limit], _encode(rows[limit - 1], order) if len(rows) > limit else "")


def _from(queryset: QuerySet[M], order: Sequence[str], position: Sequence[str]) -> QuerySet[M]:
    """Rows behind the position: equal in the first fields, beyond it in the next."""
    try:
        return queryset.filter(reduce(or_, (_beyond(order, position, depth) for depth in range(len(order)))))
    except (ValueError, TypeError, ValidationError):
        return queryset


def moment_of(text: str) -> datetime | None:
    """The moment in a cursor; None for what no metastore can compare with."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo and moment.year in YEARS else None


def _is_comparable(model: type[Model], order: Sequence[str], position: Sequence[str]) -> bool:
    """Whether a metastore can compare with every value: no NUL in a text, no moment beyond the calendar."""
    fields = [model._meta.get_field(name.removeprefix("-")) for name in order]  # noqa: SLF001 - Django's documented way
    return all(
        "\0" not in value and (not isinstance(field, DateTimeField) or moment_of(value) is not None)
        for field, value in zip(fields, position, strict=True)
    )


def _beyond(order: Sequence[str], position: Sequence[str], depth: int) -> Q:
    field = order[depth].removeprefix("-")
    comparison = "lt" if order[depth].startswith("-") else "gt"
    equal = {name.removeprefix("-"): value for name, value in zip(order[:depth], position, strict=False)}
    return Q(**equal, **{f"{field}__{comparison}": position[depth]})


def _encode(row: Model, order: Sequence[str]) -> str:
    values = [str(getattr(row, field.removeprefix("-"))) for field in order]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode()


def _decode(cursor: str, width: int) -> Sequence[str]:
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=list[str])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return ()
    return values if len(values) == width else ()
