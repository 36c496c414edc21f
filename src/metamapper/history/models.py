"""What changed, when, and how everything looked before. Rows are appended; a version is closed once and stays."""

from typing import ClassVar

from django.db import models

from metamapper.datastores.models import Datastore
from metamapper.lib.ids import uuid7
from metamapper.workspaces.visibility import VisibleQuerySet


class Change(models.Model):
    """One recorded difference (``schema.Change``) with the run that found it.

    ``path`` is a JSON list; ``subject`` the same, joined by dots, for filters. ``before`` and ``after`` are zlib-compressed
    JSON of the whole state where fields alone cannot carry it. ``order`` counts within the run, so that (run, order) and
    ``id`` both sort by what came first. A ``quiet`` one is kept for replay alone and shown to nobody.
    """

    visible_through: ClassVar[str] = "datastore__workspace"

    class Decision(models.TextChoices):
        NONE = ""
        ACCEPTED = "accepted"
        UNDONE = "undone"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="changes", db_constraint=False)
    run_id = models.UUIDField()
    at = models.DateTimeField()
    order = models.IntegerField()
    kind = models.CharField(max_length=10)
    asset = models.CharField(max_length=10)
    asset_id = models.UUIDField()
    parent_id = models.UUIDField(null=True)
    schema_id = models.UUIDField(null=True)
    relation_id = models.UUIDField(null=True)
    path = models.JSONField(default=list)
    subject = models.TextField()
    fields = models.JSONField(default=list)
    severity = models.CharField(max_length=8)
    reason = models.TextField(blank=True, default="")
    certainty = models.CharField(max_length=8, default="certain")
    evidence = models.JSONField(null=True)
    quiet = models.BooleanField(default=False, db_default=False)
    before = models.BinaryField(null=True)
    after = models.BinaryField(null=True)
    decision = models.CharField(max_length=8, choices=Decision.choices, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)

    objects = VisibleQuerySet["Change"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["datastore", "at", "order"]),
            models.Index(fields=["relation_id", "at"]),
            models.Index(fields=["run_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind}"


class RelationVersion(models.Model):
    """How a relation looked from ``valid_from`` until ``valid_to``; the present version is the catalog's own row.

    ``record`` is the zlib-compressed JSON of a ``RelationRecord``.
    """

    visible_through: ClassVar[str] = "datastore__workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="+", db_constraint=False)
    relation_id = models.UUIDField()
    schema_id = models.UUIDField()
    name = models.TextField()
    kind = models.CharField(max_length=20)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    run_id = models.UUIDField()
    record = models.BinaryField()

    objects = VisibleQuerySet["RelationVersion"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["relation_id", "valid_to"]),
            models.Index(fields=["datastore", "valid_to"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} until {self.valid_to}"


class SchemaVersion(models.Model):
    """How a schema was called and commented from ``valid_from`` until ``valid_to``."""

    visible_through: ClassVar[str] = "datastore__workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="+", db_constraint=False)
    schema_id = models.UUIDField()
    name = models.TextField()
    comment = models.TextField(null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    run_id = models.UUIDField()

    objects = VisibleQuerySet["SchemaVersion"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["datastore", "valid_to"])]

    def __str__(self) -> str:
        return f"{self.name} until {self.valid_to}"


class Suggestion(models.Model):
    """Two assets that may be one, where the evidence did not suffice to say so: it waits for a person."""

    visible_through: ClassVar[str] = "datastore__workspace"

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="suggestions")
    run_id = models.UUIDField()
    at = models.DateTimeField()
    asset = models.CharField(max_length=10)
    vanished_id = models.UUIDField()
    appeared_id = models.UUIDField()
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)

    objects = VisibleQuerySet["Suggestion"].as_manager()

    def __str__(self) -> str:
        return f"{self.vanished_id} may be {self.appeared_id} ({self.state})"
