"""What Prometheus is told, read from the metastore at each scrape: every web server answers the same.

No name of a person, workspace, datastore or host is among the labels: strangers may ask.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, Sum, Value
from django.db.models.functions import Coalesce
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from metamapper.runs.clock import metastore_now
from metamapper.runs.health import round_trip
from metamapper.runs.models import Audit, Errand, Run, RunTally, Schedule, SchedulerLease, State, WorkerHeartbeat
from metamapper.runs.tallies import SECONDS
from metamapper.runs.timing import timing

STALE_AFTER = 2
"""A datastore that was not seen for so many of its intervals is stale."""


def exposition() -> bytes:
    """The text that Prometheus reads. A dozen queries, none of which grows with the number of runs that have ended."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ledger())
    return generate_latest(registry)


class _Ledger(Collector):
    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        now = metastore_now()
        yield from _waiting(now)
        yield from _alive(now)
        yield from _ended()
        yield from _audited(now)


def _waiting(now: datetime) -> Iterator[Metric]:
    queued = Run.objects.filter(state=State.QUEUED, cancel_requested_at=None)
    ready = queued.filter(available_at__lte=now)
    yield _gauge("runs_queued", "Runs that wait.", queued.count())
    yield _gauge("runs_running", "Runs under way.", Run.objects.filter(state=State.RUNNING).count())
    oldest = ready.aggregate(at=Min("available_at"))["at"]
    yield _gauge("queue_age_seconds", "How long the oldest run that could begin has waited.", _age(oldest, now))
    unsent = ready.filter(dispatched_at=None).aggregate(at=Min("available_at"))["at"]
    yield _gauge("dispatch_lag_seconds", "How long the oldest run has waited for its message.", _age(unsent, now))
    errands = Errand.objects.values_list("state").annotate(number=Count("pk"))
    for state, name, text in (
        (Errand.State.WAITING, "errands_waiting", "Other work that waits: mail and the like."),
        (Errand.State.FAILED, "errands_failed", "Other work that failed for good within a week."),
    ):
        yield _gauge(name, text, dict(errands).get(state, 0))
    yield _gauge("datastores_stale", f"Scheduled datastores not seen for {STALE_AFTER} intervals.", _stale(now))


def _stale(now: datetime) -> int:
    allowed = ExpressionWrapper(F("interval_seconds") * Value(timedelta(seconds=STALE_AFTER)), DurationField())
    seen = Coalesce("datastore__seen_at", "datastore__created_at")
    return Schedule.objects.filter(enabled=True).alias(ends=seen + allowed).filter(ends__lt=now).count()


def _alive(now: datetime) -> Iterator[Metric]:
    living = WorkerHeartbeat.objects.filter(heard_at__gt=now - timedelta(seconds=timing().worker_gone))
    yield _gauge("workers", "Workers that are alive.", living.count())
    yield _gauge("worker_slots", "Runs that they can work on at once.", living.aggregate(n=Sum("slots"))["n"] or 0)
    ticked_at = SchedulerLease.objects.filter(pk=1).values_list("ticked_at", flat=True).first()
    if ticked_at is not None:
        yield _gauge(
            "scheduler_heartbeat_age_seconds", "How long ago the leading scheduler ticked.", _age(ticked_at, now)
        )
    seconds = round_trip()
    if seconds is not None:
        yield _gauge("canary_round_trip_seconds", "How long the latest canary was on its way.", seconds)


def _ended() -> Iterator[Metric]:
    runs = CounterMetricFamily("metamapper_runs", "Runs that have ended.", labels=["engine", "state"])
    lost = CounterMetricFamily("metamapper_runs_lost", "Claims whose worker was lost.", labels=["engine"])
    fenced = CounterMetricFamily(
        "metamapper_writes_fenced", "Writes refused to holders whose lease was gone.", labels=["engine"]
    )
    resent = CounterMetricFamily("metamapper_messages_resent", "Messages sent again, lost or late.", labels=["engine"])
    took = HistogramMetricFamily("metamapper_run_duration_seconds", "From claim to end.", labels=["engine"])
    late = HistogramMetricFamily(
        "metamapper_slot_lateness_seconds", "From a slot to its run's claim.", labels=["engine"]
    )
    by_engine: dict[str, list[RunTally]] = {}
    for tally in RunTally.objects.order_by("engine", "state"):
        if tally.runs:
            runs.add_metric([tally.engine, tally.state], tally.runs)
        by_engine.setdefault(tally.engine, []).append(tally)
    for engine, tallies in by_engine.items():
        lost.add_metric([engine], sum(each.lost for each in tallies))
        fenced.add_metric([engine], sum(each.fenced for each in tallies))
        resent.add_metric([engine], sum(each.resent for each in tallies))
        took.add_metric([engine], _cumulative(each.buckets for each in tallies), sum(each.seconds for each in tallies))
        late.add_metric(
            [engine], _cumulative(each.late_buckets for each in tallies), sum(each.late_seconds for each in tallies)
        )
    coalesced = Schedule.objects.aggregate(n=Sum("coalesced"))["n"] or 0
    yield _gauge("slots_coalesced", "Slots that got no run of their own, since each schedule last changed.", coalesced)
    yield from (runs, lost, fenced, resent, took, late)


def _audited(now: datetime) -> Iterator[Metric]:
    """What the hourly audit found; nothing before the first."""
    broken = GaugeMetricFamily(
        "metamapper_invariant_broken", "Rows that break a promise of the ledger, 0 if it holds.", labels=["invariant"]
    )
    age = GaugeMetricFamily(
        "metamapper_invariant_check_age_seconds", "How long ago that was checked.", labels=["invariant"]
    )
    for each in Audit.objects.order_by("invariant"):
        # What could never be checked has an age without end, for an alert to see.
        broken.add_metric([each.invariant], float("nan") if each.broken is None else each.broken)
        age.add_metric([each.invariant], _age(each.checked_at, now) if each.checked_at else float("inf"))
    yield from (broken, age)


def _cumulative(buckets: Iterable[list[int]]) -> list[tuple[str, float]]:
    """Counts up to each bound, as Prometheus has them."""
    bounds = [*map(str, SECONDS), "+Inf"]
    sums = map(sum, zip(*buckets, strict=True))
    return [(bound, float(count)) for bound, count in zip(bounds, accumulate(sums), strict=True)]


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"metamapper_{name}", text, value=value)


def _age(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0) if moment else 0.0
