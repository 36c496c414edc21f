"""One trial: datastores that are due all the time, a crew that is harmed all the time, and what must hold meanwhile."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import structlog
from django.db import connection
from django.db.models import Count

from metamapper.datastores.models import Datastore
from metamapper.runs.invariants import INVARIANTS, broken
from metamapper.runs.models import Run, State, Trigger
from metamapper.runs.services import metastore_now, request_run, set_schedule
from tests.chaos.faults import FREEZE, Crew
from tests.chaos.grounds import Ground
from tests.runs.ledger import make_datastore, make_workspace
from tests.runs.processes import Site

BURST = (1, 6)
"""How many faults come one upon the other, before the next must find somebody at work."""
CALM_SECONDS = 120
"""How long after the last fault every run must have ended."""
ENOUGH = 5
"""Batches of foreign messages, of which one at least must have been seen by a worker: the broker may lose some."""
EFFECTS = {
    "applied_exactly_once_under_the_last_fence": """
        SELECT r.id FROM runs_run r JOIN datastores_datastore d ON d.id = r.datastore_id
        LEFT JOIN chaos_effect e ON e.run_id = r.id
        WHERE r.state IN ('succeeded', 'partial')
        GROUP BY r.id HAVING count(e.run_id) <> 1 OR min(e.fence) <> r.fence""",
    "nothing_applied_by_a_run_that_did_not_succeed": """
        SELECT r.id FROM runs_run r JOIN chaos_effect e ON e.run_id = r.id WHERE r.state NOT IN ('succeeded', 'partial')""",
}
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Report:
    faults: Counter[str] = field(default_factory=Counter)
    runs: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    violations: dict[str, Any] = field(default_factory=dict)
    calm_after: float = 0.0
    recoveries: list[float] = field(default_factory=list)
    """Seconds from the start, and from the end of each burst of faults, until a run has begun and succeeded."""
    messages: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Sequence[str]:
        return [
            f"faults      {sum(self.faults.values())}: {_counted(self.faults)}",
            f"runs        {sum(self.runs.values())}: {_counted(self.runs)}",
            f"recoveries  {len(self.recoveries)}, after {median(self.recoveries):.1f} s, {max(self.recoveries):.1f} s at most",
            f"messages    {_counted(self.messages)}",
            f"invariants  {len(INVARIANTS) + len(EFFECTS)}, checked {self.checks} times",
            f"calm after  {self.calm_after:.1f} s",
            *(f"VIOLATED    {name}: {rows}" for name, rows in self.violations.items()),
        ]


def _counted(counts: "Counter[str] | dict[str, int]") -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def trial(ground: Ground, place: Site, *, seed: int, seconds: float, datastores: int) -> Report:
    """Harm for so many seconds, then wait until every run has ended; stops at the first violation."""
    chance = random.Random(seed)
    report = Report()
    _make_effects()
    stores = _stores(chance, datastores)
    crew = Crew(place, ground, seed, workers=2, schedulers=2)
    crew.make_good()
    faults = crew.faults()
    _recover(report, crew)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not report.violations:
        for _ in range(chance.randint(*BURST)):
            name = chance.choice(sorted(faults))
            report.faults[name] += 1
            faults[name]()
            crew.make_good()
            _press_a_button(crew, chance.choice(stores))
            _check(report)
            time.sleep(chance.uniform(0.1, 1.0))
        _recover(report, crew)
    _settle(report, crew, stores)
    report.messages = crew.messages + Counter({"noticed": crew.noticed()})
    if report.faults["foreign messages"] >= ENOUGH and not report.messages["noticed"]:
        report.violations["foreign_messages_arrive"] = dict(report.messages)
    return report


def _make_effects() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE chaos_effect (run_id uuid NOT NULL, fence bigint NOT NULL)")


def _stores(chance: random.Random, count: int) -> list[Datastore]:
    """Quick and slow ones, some of one host, and one that kills its process each time."""
    workspaces = [make_workspace() for _ in range(3)]
    stores = []
    for number in range(count):
        store = make_datastore(chance.choice(workspaces))
        behaviour: dict[str, Any] = {
            "effects": True,
            "seconds": chance.choice([0, 0.2, 1, 4]),
            "applying": chance.choice([0, 0.3, 2]),
        }
        behaviour |= {"host": "db.example"} if number % 4 == 0 else {}
        behaviour |= {"crash": True} if number == 1 else {}
        Datastore.objects.filter(pk=store.pk).update(public_settings=behaviour)
        set_schedule(store, interval_seconds=chance.choice([2, 3, 5, 8]))
        stores.append(store)
    return stores


def _press_a_button(crew: Crew, store: Datastore) -> None:
    """Of a datastore that is being looked at if there is any: its next run must wait behind that."""
    running = Datastore.objects.filter(runs__state=State.RUNNING).order_by("pk")
    request_run(crew.chosen("button", list(running)) or store, trigger=Trigger.MANUAL)


def _recover(report: Report, crew: Crew) -> None:
    """Wait until a run succeeds that has begun since: faults that only meet the dead prove nothing."""
    began, since = time.monotonic(), metastore_now()
    work = Run.objects.filter(state=State.SUCCEEDED, started_at__gt=since)
    while not work.exists() and not report.violations:
        crew.make_good()
        _check(report)
        if time.monotonic() - began > CALM_SECONDS:
            report.violations["work_goes_on_after_faults"] = [f"nothing succeeded for {CALM_SECONDS} s"]
        time.sleep(0.2)
    report.recoveries.append(time.monotonic() - began)


def _settle(report: Report, crew: Crew, stores: Sequence[Datastore]) -> None:
    """No more faults, no more slots: what was begun must end."""
    for store in stores:
        set_schedule(store, enabled=False)
    began = time.monotonic()
    while Run.objects.filter(state__in=[State.QUEUED, State.RUNNING]).exists() and not report.violations:
        crew.make_good()
        _check(report)
        if time.monotonic() - began > CALM_SECONDS + FREEZE[1]:
            open_runs = Run.objects.filter(state__in=[State.QUEUED, State.RUNNING])
            report.violations["every_run_ends"] = list(
                open_runs.values_list("pk", "state", "attempt", "dispatch_count")
            )
        time.sleep(0.2)
    report.calm_after = time.monotonic() - began
    _check(report)
    report.runs = dict(Run.objects.values_list("state").annotate(number=Count("pk")))


def _check(report: Report) -> None:
    report.checks += 1
    report.violations |= broken()
    for name, sql in EFFECTS.items():
        with connection.cursor() as cursor:
            cursor.execute(sql)
            if rows := cursor.fetchall():
                report.violations[name] = rows
