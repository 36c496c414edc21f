"""A registered source: what engine it is, how it is reached, what of it is in scope, what is known of its last look."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from metamapper.lib.ids import uuid7
from metamapper.workspaces.models import Workspace
from metamapper.workspaces.visibility import VisibleQuerySet


class Datastore(models.Model):
    """``public_settings`` are the engine's settings without its secrets, which ``sealed_secrets`` keeps encrypted.

    ``probe_token`` is what the engine's "nothing changed" probe answered when the catalog was last brought up to date;
    ``read_at`` is when a full read last ended. ``include_schemas`` and ``include_tables`` are pattern lists. ``hops`` are
    the SSH hosts to go through, in order, each with its host, port, user and pinned key; ``signed_in_with`` is the
    fingerprint of the key that each of them took last. ``ids_from`` is the address that the catalog's native ids are of
    (``datastores.address``), blank before the first look; ``ids_since`` is when it last became another one.
    """

    visible_through: ClassVar[str] = "workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="datastores")
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60)
    engine = models.CharField(max_length=40)
    public_settings = models.JSONField(default=dict)
    sealed_secrets = models.BinaryField(default=bytes)
    include_schemas = models.TextField(blank=True, default="")
    include_tables = models.TextField(blank=True, default="")
    hops = models.JSONField(default=list, blank=True)
    signed_in_with = models.JSONField(default=dict, blank=True)
    ids_from = models.CharField(max_length=32, blank=True, default="")
    ids_since = models.DateTimeField(null=True, blank=True)
    server_version = models.CharField(max_length=120, blank=True, default="")
    is_example = models.BooleanField(default=False)
    tested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    probe_token = models.TextField(blank=True, default="")
    read_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    """When a run last proved the catalog current, by a full read or by the probe."""

    objects = VisibleQuerySet["Datastore"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "slug"], name="datastore_address"),
            models.UniqueConstraint(fields=["workspace", "name"], name="datastore_name"),
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SshKey(models.Model):
    """A key pair of a workspace, with which it signs in to SSH hosts. All that are there are valid; a retired one is gone."""

    visible_through: ClassVar[str] = "workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="ssh_keys")
    algorithm = models.CharField(max_length=10, choices=[("ed25519", "Ed25519"), ("rsa", "RSA")])
    public = models.TextField()
    """A line for ``authorized_keys``."""
    fingerprint = models.CharField(max_length=80)
    sealed_private = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = VisibleQuerySet["SshKey"].as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.fingerprint} of {self.workspace}"
