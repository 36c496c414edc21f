"""The ledger: when each datastore is due, every run and every attempt, and who leads. Knows nothing of what a run does.

The constraints are the invariants: at most one queued and one running run per datastore, no slot twice, a lease exactly
while running. All times are the metastore's own.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from metamapper.datastores.models import Datastore
from metamapper.lib.ids import uuid7
from metamapper.workspaces.visibility import VisibleQuerySet

CHANGED, NOTED = "changed", "noted"
"""Outcomes of runs that history refers to, which are never forgotten: changes were found, or something that people are not told
as a change (a position, what is held back) was written down.
"""


class Schedule(models.Model):
    """``phase`` spreads datastores of one interval; ``coalesced`` counts slots that got no run of their own."""

    visible_through: ClassVar[str] = "datastore__workspace"

    datastore = models.OneToOneField(Datastore, models.CASCADE, primary_key=True, related_name="schedule")
    enabled = models.BooleanField(default=True)
    interval_seconds = models.IntegerField(default=3600)
    phase_seconds = models.IntegerField(default=0)
    next_due_at = models.DateTimeField(null=True)
    last_slot = models.DateTimeField(null=True)
    created_slot = models.DateTimeField(null=True)
    """The slot at which counting began: slots since = runs with a slot + coalesced + forgotten_slots."""
    coalesced = models.BigIntegerField(default=0)
    forgotten = models.BigIntegerField(default=0, db_default=0)
    """Runs that were forgotten: last_number = runs + forgotten."""
    forgotten_slots = models.BigIntegerField(default=0, db_default=0)
    """Those of them that had one of the slots since counting began."""
    forgotten_until = models.DateTimeField(null=True)
    """When the latest of them ended."""
    consecutive_failures = models.IntegerField(default=0)
    breaker_until = models.DateTimeField(null=True)
    last_number = models.IntegerField(default=0)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = VisibleQuerySet["Schedule"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_due_at"], condition=Q(enabled=True), name="schedules_due")]

    def __str__(self) -> str:
        return f"every {self.interval_seconds} s"


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Trigger(models.TextChoices):
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    INITIAL = "initial"


class Run(models.Model):
    """One inspection of one datastore, from due to done.

    ``available_at`` carries back-off; ``fence`` is new at every claim and every reap, and guards every write.
    ``outcome_code`` and ``outcome`` (JSON, redacted: code, title, detail, server_said, hint, remedy, permanent, steps) say how
    it ended; ``progress`` (JSON: phase, done, total, schema) how far it is; ``scopes``, ``counts`` and ``statements`` what it saw.
    """

    visible_through: ClassVar[str] = "datastore__workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    datastore = models.ForeignKey(Datastore, models.CASCADE, related_name="runs")
    number = models.IntegerField()
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    slot = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    priority = models.IntegerField(default=0)
    available_at = models.DateTimeField()
    attempt = models.IntegerField(default=0)
    lost_count = models.IntegerField(default=0)
    fence = models.BigIntegerField(default=0)
    lease_owner = models.CharField(max_length=200, null=True)
    lease_expires_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    dispatch_count = models.IntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    outcome_code = models.CharField(max_length=60, blank=True, default="")
    outcome = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    scopes = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    statements = models.JSONField(default=list)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    tallied = models.BooleanField(default=False, db_default=False)
    """Whether ``RunTally`` counts it."""

    objects = VisibleQuerySet["Run"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["datastore"], condition=Q(state="running"), name="one_running_each"),
            models.UniqueConstraint(fields=["datastore"], condition=Q(state="queued"), name="one_queued_each"),
            models.UniqueConstraint(fields=["datastore", "slot"], name="no_slot_twice"),
            models.UniqueConstraint(fields=["datastore", "number"], name="run_number"),
            models.CheckConstraint(
                condition=Q(state="running", lease_owner__isnull=False, lease_expires_at__isnull=False)
                | (~Q(state="running") & Q(lease_owner__isnull=True, lease_expires_at__isnull=True)),
                name="running_iff_leased",
            ),
        ]
        indexes = [
            models.Index(fields=["available_at"], condition=Q(state="queued"), name="runs_queued"),
            models.Index(fields=["lease_expires_at"], condition=Q(state="running"), name="runs_leased"),
            models.Index(fields=["datastore", "created_at"]),
            models.Index(
                fields=["finished_at"], condition=Q(tallied=False, finished_at__isnull=False), name="runs_untallied"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False) & ~Q(outcome_code__in=[CHANGED, NOTED]),
                name="runs_forgettable",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.number}"


class RunTally(models.Model):
    """What the runs of one engine that ended alike came to, since counting began.

    ``buckets`` counts durations and ``late_buckets`` the lateness of slots, by ``tallies.SECONDS``.
    """

    engine = models.CharField(max_length=40)
    state = models.CharField(max_length=10)
    runs = models.BigIntegerField(default=0)
    lost = models.BigIntegerField(default=0)
    resent = models.BigIntegerField(default=0)
    fenced = models.BigIntegerField(default=0, db_default=0)
    """Times that a holder came to write and was refused; counted under the state that the run had then."""
    seconds = models.FloatField(default=0)
    buckets = models.JSONField(default=list)
    late_seconds = models.FloatField(default=0)
    late_buckets = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["engine", "state"], name="one_tally_each")]

    def __str__(self) -> str:
        return f"{self.runs} {self.engine} {self.state}"


class Audit(models.Model):
    """What the latest check of one of the ledger's promises came to: how many rows break it. None before the first."""

    invariant = models.CharField(primary_key=True, max_length=60)
    broken = models.BigIntegerField(null=True)
    checked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.invariant}: {self.broken}"


class Attempt(models.Model):
    """One claim of one run: appended at the claim, closed at its end."""

    visible_through: ClassVar[str] = "run__datastore__workspace"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="attempts")
    number = models.IntegerField()
    fence = models.BigIntegerField(unique=True)
    owner = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome_code = models.CharField(max_length=60, blank=True, default="")

    objects = VisibleQuerySet["Attempt"].as_manager()

    def __str__(self) -> str:
        return f"attempt {self.number} by {self.owner}"


class Errand(models.Model):
    """Other work than inspections, in the outbox: put in the transaction that it belongs to, done by a worker after that.

    ``sealed`` is what there is to do, encrypted, for a mail may hold a link that opens an account; it is emptied at the
    end. ``key`` names an errand that must not be put twice. ``error`` is what the last attempt said, redacted.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        WORKING = "working"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, null=True, unique=True)
    sealed = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    available_at = models.DateTimeField()
    attempt = models.IntegerField(default=0)
    fence = models.BigIntegerField(default=0)
    lease_owner = models.CharField(max_length=200, null=True)
    lease_expires_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    dispatch_count = models.IntegerField(default=0)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="working", lease_owner__isnull=False, lease_expires_at__isnull=False)
                | (~Q(state="working") & Q(lease_owner__isnull=True, lease_expires_at__isnull=True)),
                name="working_iff_leased",
            ),
        ]
        indexes = [
            models.Index(fields=["available_at"], condition=Q(state="waiting"), name="errands_waiting"),
            models.Index(fields=["lease_expires_at"], condition=Q(state="working"), name="errands_leased"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="errands_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class Fence(models.Model):
    """The source of fencing tokens: one row, incremented in the transaction that takes one."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)


class SchedulerLease(models.Model):
    """Who ticks. One row; a lease picks a leader for economy, the constraints give correctness."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    owner = models.CharField(max_length=200, blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    ticked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.owner


class Canary(models.Model):
    """A message that proves the way through the broker: when it was sent, and when a worker had it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sent {self.sent_at}"


class WorkerHeartbeat(models.Model):
    """A worker that is alive: its name, its slots, when it was last heard of."""

    name = models.CharField(primary_key=True, max_length=200)
    slots = models.IntegerField(default=1)
    started_at = models.DateTimeField()
    heard_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SchedulerHeartbeat(models.Model):
    """A scheduler that is alive, whether it leads or stands by."""

    name = models.CharField(primary_key=True, max_length=200)
    heard_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
