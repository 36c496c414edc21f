"""THE use case: claim a due run, read the datastore, match, diff, persist, announce."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import structlog
from django.db import connection, transaction

from metamapper.catalog.models import Relation
from metamapper.connectors.base import Engine, Session, Statement
from metamapper.connectors.errors import Cancelled, ConnectorError
from metamapper.connectors.registry import engine as engine_named
from metamapper.datastores.models import Datastore
from metamapper.datastores.services import connector_of, scope_of
from metamapper.inspection.apply import Applied, apply
from metamapper.inspection.reading import Reading, Report, read, unchanged
from metamapper.inspection.stage import NotStaged, Stage, staging
from metamapper.lib.crypto import WrongKey
from metamapper.lib.garbage import collector_paused
from metamapper.lib.tracing import span
from metamapper.runs import execution
from metamapper.runs import services as runs
from metamapper.runs.models import CHANGED, NOTED, State
from metamapper.runs.services import Heartbeat, Lease, LeaseLost

log = structlog.get_logger(__name__)

FULL_READ_EVERY = timedelta(days=1)
"""A probe is believed for this long; then everything is read again."""


def execute(run_id: object, *, owner: str, at: datetime | None = None) -> None:
    """Do one run, from claim to end. Whatever happens ends in the ledger; nothing is raised.

    A message that is late, doubled, foreign or unknown finds nothing to claim. ``at`` dates what is found, where that
    is not now (the example's history).
    """

    def work(lease: Lease) -> None:
        _carry_out(_Work(lease, Datastore.objects.get(pk=lease.datastore_id), at))

    execution.execute(run_id, work, owner=owner)


@dataclass(slots=True)
class _Work:
    """One attempt: what it works on, and how it is stopped from the heartbeat's thread."""

    lease: Lease
    datastore: Datastore
    at: datetime | None = None
    statements: Sequence[Statement] = ()
    session: Session | None = None
    stopped: Event = field(default_factory=Event)

    def attach(self, session: Session) -> None:
        self.session = session
        self.statements = session.statements
        if self.stopped.is_set():
            raise Cancelled

    def stop(self) -> None:
        """The lease is lost or a person asked: end the statement that runs in the datastore."""
        self.stopped.set()
        if self.session is not None:
            self.session.cancel()

    def sent(self) -> list[dict[str, Any]]:
        return [
            {"label": each.label, "sql": each.sql, "seconds": each.seconds, "rows": each.rows}
            for each in self.statements
        ]


def _carry_out(work: _Work) -> None:
    """Inspect, and turn whatever goes wrong into the run's end."""
    try:
        with collector_paused(), Heartbeat(work.lease, on_lost=work.stop) as heartbeat:
            _inspect(work, heartbeat.progress)
    except ConnectorError as error:
        _end_failed(work, error.as_dict(), permanent=error.permanent)
    except WrongKey as error:
        _end_failed(
            work,
            {"code": "secrets.wrong_key", "title": "The stored credentials cannot be decrypted", "hint": str(error)},
            permanent=True,
        )
    except NotStaged:
        title = "The catalog was changed by a person while it was being read"
        _end_failed(
            work, {"code": "catalog.moved", "title": title, "hint": "The next attempt reads it again."}, permanent=False
        )
    except (LeaseLost, execution.TooLong, *execution.METASTORE_AWAY):
        raise
    except Exception:  # an error of our own must end in the ledger too, not only in the log
        reference = uuid4().hex[:12]
        log.exception("An inspection failed", reference=reference)
        title = "The inspection failed for a reason of our own"
        _end_failed(
            work,
            {"code": "internal", "title": title, "hint": f"The log has the details under {reference}."},
            permanent=False,
            waits=execution.once(),
        )


def _end_failed(
    work: _Work, outcome: Mapping[str, Any], *, permanent: bool, waits: Sequence[float] | None = None
) -> None:
    # The connection may be in any state; what the ledger says decides, over a fresh one.
    if not connection.in_atomic_block:
        connection.close()
    if work.stopped.is_set():
        runs.cancelled(work.lease, statements=work.sent())
    else:
        runs.fail(
            work.lease, code=outcome["code"], outcome=outcome, permanent=permanent, waits=waits, statements=work.sent()
        )


def _inspect(work: _Work, report: Report) -> None:
    datastore = work.datastore
    engine = engine_named(datastore.engine)
    within = scope_of(datastore)
    report({"phase": "connect"})
    with ExitStack() as stack:
        with span("read"), connector_of(datastore).open() as session:
            work.attach(session)
            same, token = unchanged(session, within, token=_trusted_token(datastore), report=report)
            if not same:
                known = _fingerprints(datastore)
                stage = stack.enter_context(staging(session.decode))
                reading = read(
                    session, stage, within, token=token, known=known, expected=len(known) or None, report=report
                )
        if work.stopped.is_set():
            raise Cancelled
        if same:
            _finish_unchanged(work)
        else:
            report({"phase": "compare"})
            _finish_read(work, engine, reading, stage)


def _trusted_token(datastore: Datastore) -> str:
    """The token to compare with; blank where everything must be read, which is once a day.

    A look that was not whole, or that held something back, has left none.
    """
    if datastore.read_at is None or abs(runs.metastore_now() - datastore.read_at) > FULL_READ_EVERY:
        return ""  # also where a clock went back so far that the day would never end
    return datastore.probe_token


def _fingerprints(datastore: Datastore) -> dict[bytes, tuple[str, str]]:
    """Which (schema, relation) each fingerprint stands for, where only one relation is known by that path.

    Two are where a schema took the name of one that is not proved gone: whose the next one is tells a closer look.
    """
    found = Relation.objects.filter(datastore=datastore, retired_at=None)
    rows = found.values_list("fingerprint", "schema__name", "name").iterator()
    known = {bytes(fingerprint): (schema, name) for fingerprint, schema, name in rows}
    bearers = Counter(known.values())
    if len(bearers) == len(known):
        return known
    return {fingerprint: path for fingerprint, path in known.items() if bearers[path] == 1}


def _finish_unchanged(work: _Work) -> None:
    with span("unchanged"), transaction.atomic():
        runs.guard(work.lease)
        Datastore.objects.filter(pk=work.datastore.pk).update(seen_at=runs.metastore_now())
        runs.finish(work.lease, state=State.SUCCEEDED, outcome_code="unchanged", statements=work.sent())


def _finish_read(work: _Work, engine: Engine, reading: Reading, stage: Stage) -> None:
    with span("apply"), transaction.atomic():
        runs.guard(work.lease)
        applied = apply(
            work.datastore, engine, reading, stage, run_id=work.lease.run_id, at=work.at or runs.metastore_now()
        )
        runs.finish(
            work.lease,
            state=State.SUCCEEDED if reading.is_whole and not applied.held else State.PARTIAL,
            outcome_code=CHANGED if applied.changes else NOTED if applied.noted else "same",
            scopes=_scopes(reading, stage, applied),
            counts=applied.counts(),
            statements=work.sent(),
        )


def _scopes(reading: Reading, stage: Stage, applied: Applied) -> list[dict[str, Any]]:
    """Each schema as the run's page shows it."""
    relations = stage.relations_per_schema()
    return [
        {
            "name": scope.name,
            "completeness": scope.completeness.value,
            "reason": scope.reason or "",
            "remedy": scope.remedy or "",
            "relations": relations.get(scope.name, 0),
            "held": applied.held.get(scope.name, 0),
            "changes": applied.changes_by_schema.get(scope.name, 0),
        }
        for scope in reading.scopes
    ]
