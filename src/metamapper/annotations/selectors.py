"""Reading what people wrote, now or as it was."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q, QuerySet

from metamapper.annotations.models import Description
from metamapper.lib.lookups import AnyOf

if TYPE_CHECKING:
    from metamapper.catalog.selectors import Person


def descriptions(user: "Person", asset_ids: Iterable[UUID], as_of: datetime | None = None) -> dict[UUID, str]:
    """The wording of each asset at that moment (None is now), in one query. Assets without one are left out."""
    found = _wordings(user, as_of).filter(AnyOf("asset_id", asset_ids)).exclude(text="")
    return dict(found.values_list("asset_id", "text"))


def description(user: "Person", asset_id: UUID, as_of: datetime | None = None) -> str:
    """The wording of one asset; blank where it has none."""
    return descriptions(user, [asset_id], as_of).get(asset_id, "")


def wordings(user: "Person", asset_id: UUID) -> QuerySet[Description]:
    """Every wording an asset ever had, the newest first, with its author."""
    found = Description.objects.visible_to(user).filter(asset_id=asset_id)
    return found.select_related("author").order_by("-at", "-id")


def _wordings(user: "Person", as_of: datetime | None) -> QuerySet[Description]:
    visible = Description.objects.visible_to(user)
    if as_of is None:
        return visible.filter(superseded_at=None)
    return visible.filter(Q(superseded_at=None) | Q(superseded_at__gt=as_of), at__lte=as_of)
