"""A lived-in workspace for pages: datastores in every state, runs of every kind, changes worth reading. Rows only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from metamapper.catalog.models import Constraint, Hold, Relation, Schema
from metamapper.connectors.registry import engine
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import create_datastore
from metamapper.history.models import Change, Suggestion
from metamapper.runs.models import Attempt, Run, Schedule, State, Trigger
from metamapper.workspaces.models import Workspace
from tests.cast import Cast

PASSWORD = "planted-datastore-password"
REFUSED = {
    "code": "sign_in.failed",
    "title": "The server refused this user with this password",
    "permanent": True,
    "detail": "The user does not exist, or the password is another one; PostgreSQL does not say which.",
    "server_said": 'password authentication failed for user "metamapper" (28P01)',
    "hint": "If there is no such user yet, paste this as an administrator. It can read the catalog and nothing else.",
    "remedy": "CREATE ROLE metamapper LOGIN PASSWORD 'choose one' CONNECTION LIMIT 3;\nGRANT CONNECT ON DATABASE crm TO metamapper;",
}
STATEMENTS = [
    {"label": "Did anything change?", "sql": "SELECT count(*) FROM pg_class", "rows": 1, "seconds": 0.041},
    {"label": "Relations", "sql": "SELECT c.oid, c.relname FROM pg_class c " * 20, "rows": 743, "seconds": 5.2},
]


@dataclass
class Scenery:
    warehouse: Datastore
    crm: Datastore
    ledger: Datastore
    fresh: Datastore
    failed: Run
    running: Run
    partial: Run

    def parts(self) -> dict[str, object]:
        """What stands for each part of an address: all of it is about warehouse.billing.payments."""
        relation = Relation.objects.get(datastore=self.warehouse, name="payments")
        return {
            "workspace": "larkspur",
            "datastore": self.warehouse.slug,
            "number": self.partial.number,
            "relation": relation.pk,
            "table": relation.pk,
            "schema": relation.schema_id,
            "label": "payments",
            "column": Change.objects.filter(datastore=self.warehouse, kind="changed").values_list("asset_id")[0][0],
            "run": self.partial.pk,
            "change": Change.objects.get(datastore=self.warehouse, certainty="inferred").pk,
            "hold": Hold.objects.get(datastore=self.warehouse).pk,
            "suggestion": Suggestion.objects.get(datastore=self.warehouse).pk,
            "kind": "relation",
            "asset": relation.pk,
        }


def build(cast: Cast) -> Scenery:
    now = timezone.now()
    warehouse = store(cast.larkspur, "warehouse", now - timedelta(minutes=6))
    crm = store(cast.larkspur, "crm-legacy", now - timedelta(hours=4))
    ledger = store(cast.larkspur, "ledger", now - timedelta(days=5))
    fresh = store(cast.larkspur, "shop", now - timedelta(minutes=11))
    Schedule.objects.filter(datastore=ledger).update(enabled=False, paused_by=cast.rui, paused_at=now)
    for number in range(1, 20):
        run(warehouse, number, State.SUCCEEDED, now - timedelta(hours=20 - number), counts={"changes": 0})
        run(fresh, number, State.SUCCEEDED, now - timedelta(hours=20 - number), outcome_code="unchanged")
    partial = run(
        warehouse,
        20,
        State.PARTIAL,
        now - timedelta(minutes=6),
        scopes=scopes(),
        counts={"changes": 5},
        statements=STATEMENTS,
    )
    run(crm, 1, State.SUCCEEDED, now - timedelta(hours=8), counts={"changes": 0})
    for number in range(2, 5):
        failed = run(
            crm, number, State.FAILED, now - timedelta(hours=6 - number), outcome_code="sign_in.failed", outcome=REFUSED
        )
    Schedule.objects.filter(datastore=crm).update(consecutive_failures=3)
    running = under_way(ledger, now)
    populate(warehouse, now)
    changes(warehouse, partial, now)
    return Scenery(warehouse, crm, ledger, fresh, failed, running, partial)


def store(workspace: Workspace, name: str, seen_at: datetime) -> Datastore:
    kind = engine("postgresql")
    datastore = create_datastore(
        workspace,
        name=name,
        engine=kind.name,
        settings=kind.settings(host="db.lan", database="crm", user="metamapper", password=PASSWORD),  # type: ignore[call-arg]
        user=None,
        interval_seconds=3600,
        tested=True,
    )
    Datastore.objects.filter(pk=datastore.pk).update(seen_at=seen_at, read_at=seen_at, server_version="16.4")
    due = timezone.now() + timedelta(minutes=40)
    Schedule.objects.create(datastore=datastore, next_due_at=due, last_number=0)
    return Datastore.objects.get(pk=datastore.pk)


def run(datastore: Datastore, number: int, state: State, at: datetime, **values: Any) -> Run:
    Schedule.objects.filter(datastore=datastore).update(last_number=number)
    made = Run.objects.create(
        datastore=datastore,
        number=number,
        trigger=Trigger.INITIAL if number == 1 else Trigger.SCHEDULED,
        state=state,
        created_at=at,
        available_at=at,
        started_at=at,
        finished_at=at + timedelta(seconds=1.2),
        attempt=1,
        **values,
    )
    Attempt.objects.create(run=made, number=1, fence=uuid4().int >> 70, owner="worker-1.03ac", started_at=at)
    return made


def under_way(datastore: Datastore, now: datetime) -> Run:
    Schedule.objects.filter(datastore=datastore).update(last_number=1)
    return Run.objects.create(
        datastore=datastore,
        number=1,
        trigger=Trigger.MANUAL,
        state=State.RUNNING,
        created_at=now - timedelta(seconds=25),
        available_at=now,
        started_at=now - timedelta(seconds=23),
        attempt=1,
        lease_owner="worker-2.b7f1",
        lease_expires_at=now + timedelta(seconds=60),
        heartbeat_at=now - timedelta(seconds=4),
        deadline_at=now + timedelta(minutes=26),
        progress={
            "phase": "read",
            "done": 157,
            "total": 188,
            "schema": "logistics",
            "schemas": {"analytics": 64, "billing": 38, "crm": 41, "logistics": 14, "public": 0},
        },
    )


def scopes() -> list[dict[str, Any]]:
    return [
        {"name": "billing", "completeness": "complete", "relations": 38, "changes": 5, "held": 0},
        {"name": "crm", "completeness": "complete", "relations": 41, "changes": 0, "held": 0},
        {"name": "secret", "completeness": "unreadable", "relations": 0, "reason": "The account has no USAGE on it.", "remedy": "GRANT USAGE ON SCHEMA secret TO metamapper;"},
        {"name": "staging", "completeness": "complete", "relations": 6, "changes": 0, "held": 412},
    ]  # fmt: skip


def populate(datastore: Datastore, now: datetime) -> None:
    billing = Schema.objects.create(datastore=datastore, name="billing", first_seen_at=now, since=now)
    staging = Schema.objects.create(datastore=datastore, name="staging", first_seen_at=now, since=now)
    names = ["ledger_entries", "payments", "invoices", "dunning_events"]
    made = [table(datastore, billing, name, now) for name in names]
    for number, relation in enumerate(made):
        for pointed in made[:number]:
            Constraint.objects.create(relation=relation, name=f"fk_{pointed.name}", kind="foreign key", target=pointed)
    Hold.objects.create(
        datastore=datastore, schema=staging, run_id=uuid4(), vanished=[str(uuid4())] * 412, known=418, created_at=now
    )
    Suggestion.objects.create(datastore=datastore, run_id=uuid4(), at=now, asset="relation", vanished_id=uuid4(), appeared_id=uuid4(), evidence={"rule": "shape", "summary": "all 12 columns agree"})  # fmt: skip


def table(datastore: Datastore, schema: Schema, name: str, now: datetime) -> Relation:
    return Relation.objects.create(datastore=datastore, schema=schema, name=name, kind="table", fingerprint=b"x", shape=b"x", first_seen_at=now, since=now)  # fmt: skip


def changes(datastore: Datastore, found_by: Run, now: datetime) -> None:
    relation = Relation.objects.get(datastore=datastore, name="payments")
    rows: list[dict[str, Any]] = [
        {"kind": "removed", "path": ["billing", "payments", "gateway_fee"], "severity": "breaking", "reason": "v_revenue_by_month and 2 more views read it."},
        {"kind": "changed", "path": ["billing", "payments", "method"], "severity": "breaking", "reason": "Two of its values are no longer possible.", "fields": [{"field": "type", "before": "billing.pay_method", "after": "varchar(12)"}]},
        {"kind": "changed", "path": ["billing", "invoices", "order_id"], "severity": "risky", "reason": "Inner joins will drop rows without an order.", "fields": [{"field": "nullable", "before": False, "after": True}, {"field": "comment", "before": "a", "after": "b"}]},
        {"kind": "renamed", "path": ["billing", "payments", "phone_e164"], "severity": "risky", "reason": "Readers by name must follow.", "certainty": "inferred", "fields": [{"field": "name", "before": "phone", "after": "phone_e164"}], "evidence": {"rule": "column", "summary": "the only candidate of 23 columns", "items": [{"label": "Position", "vanished": "7", "appeared": "7"}, {"label": "Native id", "vanished": "1", "appeared": "2", "agrees": False}]}},
        {"kind": "moved", "asset": "relation", "path": ["analytics", "fct_orders"], "severity": "risky", "reason": "Readers must qualify the name.", "fields": [{"field": "schema", "before": "public", "after": "analytics"}]},
        {"kind": "restored", "asset": "relation", "path": ["public", "gift_cards"], "severity": "safe"},
    ]  # fmt: skip
    rows += [{"kind": "added", "path": ["billing", "payments", f"extra_{number}"], "severity": "safe", "reason": "Readers see no difference."} for number in range(12)]  # fmt: skip
    for order, values in enumerate(rows):
        defaults = {"asset": "column", "asset_id": uuid4(), "relation_id": relation.pk, "schema_id": relation.schema_id}
        subject = ".".join(values["path"])
        Change.objects.create(datastore=datastore, run_id=found_by.pk, at=now - timedelta(minutes=6), order=order, subject=subject, **(defaults | values))  # fmt: skip
