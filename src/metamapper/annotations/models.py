"""What people write. It hangs on an asset's identity, so no rename can lose it, and no inspection ever touches it."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from metamapper.datastores.models import Datastore
from metamapper.lib.ids import uuid7
from metamapper.workspaces.visibility import VisibleQuerySet

DESCRIPTION_LENGTH = 140


class Description(models.Model):
    """One saved wording of an asset's short description. The newest is the current one; a blank text clears it."""

    visible_through: ClassVar[str] = "datastore__workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="+")
    asset = models.CharField(max_length=10)
    asset_id = models.UUIDField()
    text = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    objects = VisibleQuerySet["Description"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset_id"], condition=models.Q(superseded_at=None), name="one_current_description"
            )
        ]
        indexes = [models.Index(fields=["asset_id", "at"])]

    def __str__(self) -> str:
        return self.text
