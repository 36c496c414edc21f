"""Current truth. Every asset has an identity that never changes; a name is an attribute.

Rows are written in bulk by an inspection and by nothing else. What is no longer there is retired (``retired_at``), never
deleted. ``since`` is when the state that the row holds began: the open end of its history, whose closed part is kept by
``history``. Parents are not enforced by the database, for a foreign key costs a trigger per row; tests prove them.
"""

from typing import ClassVar

from django.db import models

from metamapper.datastores.models import Datastore
from metamapper.lib.ids import uuid7
from metamapper.workspaces.visibility import VisibleQuerySet


class Asset(models.Model):
    """What schemas, relations, columns, indexes and constraints have in common."""

    visible_through: ClassVar[str] = "datastore__workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.TextField()
    native_id = models.TextField(null=True)
    comment = models.TextField(null=True)
    extras = models.JSONField(default=dict)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Schema(Asset):
    """``completeness`` is how the last run saw it; ``reason`` and ``remedy`` say why it was not complete."""

    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="schemas", db_index=False)
    completeness = models.CharField(max_length=10, default="complete")
    reason = models.TextField(blank=True, default="")
    remedy = models.TextField(blank=True, default="")
    first_seen_at = models.DateTimeField()
    since = models.DateTimeField()

    objects = VisibleQuerySet["Schema"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["datastore"], name="schemas_of_datastore")]


class Relation(Asset):
    """``fingerprint`` is the engine's digest of all that belongs to it; equal digests mean nothing changed.

    ``shape`` is a digest of its column names and types alone, for matching by what it looks like.
    """

    datastore = models.ForeignKey(
        Datastore, models.CASCADE, related_name="relations", db_constraint=False, db_index=False
    )
    schema = models.ForeignKey(Schema, models.CASCADE, related_name="relations", db_constraint=False)
    kind = models.CharField(max_length=20)
    definition = models.TextField(null=True)
    row_estimate = models.BigIntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    fingerprint = models.BinaryField()
    shape = models.BinaryField()
    first_seen_at = models.DateTimeField()
    since = models.DateTimeField()

    objects = VisibleQuerySet["Relation"].as_manager()

    class Meta:
        # Not the name: an index entry of PostgreSQL holds 2,700 bytes, and an engine may have longer names.
        indexes = [models.Index(fields=["datastore", "schema"], name="relations_of_schema")]


class Child(Asset):
    """What belongs to a relation."""

    visible_through: ClassVar[str] = "relation__datastore__workspace"

    class Meta:
        abstract = True


class Column(Child):
    relation = models.ForeignKey(Relation, models.CASCADE, related_name="columns", db_constraint=False)
    position = models.IntegerField()
    type = models.TextField()
    family = models.CharField(max_length=10)
    nullable = models.BooleanField()
    default = models.TextField(null=True)
    generated = models.CharField(max_length=7, null=True)
    identity = models.CharField(max_length=10, null=True)
    length = models.BigIntegerField(null=True)
    precision = models.IntegerField(null=True)
    scale = models.IntegerField(null=True)
    nested_in = models.JSONField(default=list)

    objects = VisibleQuerySet["Column"].as_manager()


class Index(Child):
    relation = models.ForeignKey(Relation, models.CASCADE, related_name="indexes", db_constraint=False)
    keys = models.JSONField(default=list)
    unique = models.BooleanField()
    primary = models.BooleanField()
    kind = models.TextField(default="")
    definition = models.TextField(null=True)
    included = models.JSONField(default=list)
    predicate = models.TextField(null=True)

    objects = VisibleQuerySet["Index"].as_manager()


class Constraint(Child):
    """``references`` is {"schema", "relation", "columns"} by name; ``target`` the relation it names, where it is known."""

    relation = models.ForeignKey(Relation, models.CASCADE, related_name="constraints", db_constraint=False)
    kind = models.CharField(max_length=12)
    columns = models.JSONField(default=list)
    references = models.JSONField(null=True)
    target = models.ForeignKey(Relation, models.SET_NULL, null=True, related_name="referring", db_constraint=False)
    definition = models.TextField(null=True)

    objects = VisibleQuerySet["Constraint"].as_manager()


class Hold(models.Model):
    """A large share of a schema vanished at once: held back until a person decides or a second run agrees."""

    visible_through: ClassVar[str] = "datastore__workspace"

    class State(models.TextChoices):
        PENDING = "pending"
        KEPT = "kept"  # a person said they will return
        RETIRED = "retired"  # a person or a second run agreed
        RETURNED = "returned"  # they came back by themselves

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="holds")
    schema = models.ForeignKey(Schema, models.CASCADE, related_name="holds", null=True)
    run_id = models.UUIDField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    vanished = models.JSONField(default=list)
    """The ids of the relations (or schemas, where ``schema`` is null) that were not listed any more."""
    known = models.IntegerField()
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)

    objects = VisibleQuerySet["Hold"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["datastore", "state"])]

    def __str__(self) -> str:
        return f"{len(self.vanished)} of {self.known} held back ({self.state})"
