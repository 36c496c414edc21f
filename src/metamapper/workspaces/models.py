"""Workspaces are hard walls; a membership opens one to a person."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from metamapper.lib.ids import uuid7
from metamapper.workspaces.visibility import VisibleQuerySet


class Workspace(models.Model):
    """``slug`` is its address: the first part of every URL within it."""

    visible_through: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=40, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet["Workspace"].as_manager()

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    READONLY = "readonly", "Read only"


class Membership(models.Model):
    visible_through: ClassVar[str] = "workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.READONLY)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet["Membership"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace} ({self.role})"
