"""Writing what people say. Nothing is overwritten: each wording is kept, the newest is the current one."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from metamapper.accounts.models import User
from metamapper.annotations.models import DESCRIPTION_LENGTH, Description
from metamapper.catalog.selectors import place_of
from metamapper.plugins import hooks
from metamapper.schema import AssetKind

_TICK = timedelta(microseconds=1)
_LOCK_BITS = (1 << 63) - 1
"""The random end of an identity, as the positive number that names its lock."""


class DescriptionTooLong(Exception):
    """The text does not fit. ``length`` is what it has, in characters."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(
            f"A description has up to {DESCRIPTION_LENGTH} characters; this one has {length}. Shorten it and save again."
        )


class AssetUnknown(Exception):
    """There is no such asset, or this person may not see it."""

    def __init__(self) -> None:
        super().__init__("There is nothing here to describe. Go back to the datastore and open it again.")


def describe(
    user: User, asset_kind: AssetKind, asset_id: UUID, text: str, *, now: datetime | None = None
) -> Description | None:
    """Save a wording and return the current one: None where a blank text met no description.

    White space is evened out to single spaces; saving the current wording again changes nothing. When two people save
    at once both wordings are kept, and the one that came later is current. Raises ``DescriptionTooLong`` and
    ``AssetUnknown``.
    """
    wording = " ".join(text.replace("\0", "").split())
    if len(wording) > DESCRIPTION_LENGTH:
        raise DescriptionTooLong(len(wording))
    place = place_of(user, asset_kind, asset_id)
    if place is None:
        raise AssetUnknown
    saved = Description(
        datastore_id=place.datastore_id, asset=asset_kind.value, asset_id=asset_id, text=wording, author=user
    )
    return _supersede(saved, now or timezone.now())


@transaction.atomic
def _supersede(saved: Description, now: datetime) -> Description | None:
    _wait_for_others(saved.asset_id)
    current = Description.objects.filter(asset_id=saved.asset_id, superseded_at=None).first()
    if (current.text if current else "") == saved.text:
        return current
    saved.at = now
    if current is not None:
        # Another machine's clock may be ahead: time never runs backwards within one asset.
        saved.at = max(now, current.at + _TICK)
        Description.objects.filter(id=current.id, superseded_at=None).update(superseded_at=saved.at)
    saved.save(force_insert=True)
    hooks.annotation_changed(asset_id=saved.asset_id)
    return saved


def _wait_for_others(asset_id: UUID) -> None:
    """Take turns with whoever describes the same asset, until the transaction ends.

    The rows alone cannot be waited for: where there is no description yet, there is none to lock. On SQLite the
    transaction itself is the turn, for it begins as a writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [asset_id.int & _LOCK_BITS])
