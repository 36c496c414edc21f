"""What a run's page shows, read through the gate in a constant number of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils import timezone

from metamapper.accounts.models import User
from metamapper.catalog.models import Relation, Schema
from metamapper.connectors.base import Ability
from metamapper.connectors.registry import registry
from metamapper.datastores.models import Datastore
from metamapper.history.models import Change
from metamapper.runs.models import Attempt, Run, State
from metamapper.runs.timing import timing
from metamapper.web import moments
from metamapper.web.runs.diagnosis import advice, mends_in_settings, stages
from metamapper.web.runs.words import ACTIVE, BAD, GOOD, Shape, found, seconds, sent, shape_of, trigger
from metamapper.web.stores import schedule_of

EARLIER = 4
STREAK = 20
SCOPES = 200
PHASES: Sequence[tuple[str, str]] = (
    ("connect", "Connect"),
    ("probe", "Probe"),
    ("read", "Read"),
    ("compare", "Compare"),
    ("save", "Save"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A run in a list."""

    run: Run
    shape: Shape
    found: str
    seconds: float | None
    trigger: str
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """``step`` is ok, now or blank; ``part`` per cent of it are done; ``note`` is said below."""

    name: str
    step: str
    part: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A schema as this run saw, or sees, it."""

    name: str
    shape: Shape
    part: int
    tables: str
    differences: str
    reason: str = ""
    remedy: str = ""


def line(run: Run) -> Line:
    return Line(run, shape_of(run), found(run), seconds(run), trigger(run))


def lines(runs: Iterable[Run]) -> list[Line]:
    return [line(run) for run in runs]


def about(user: User, run: Run) -> dict[str, Any]:
    """Everything of one run; ``run.datastore`` is loaded with its schedule."""
    attempt = Attempt.objects.visible_to(user).filter(run=run).order_by("-number").first()
    context: dict[str, Any] = {
        "run": run,
        "line": line(run),
        "title": title(run),
        "lede": lede(run),
        "live": run.state in ACTIVE,
        "phases": phases(run),
        **_shown_scopes(_scopes(user, run)),
        "statements": [statement | {"label": sent(statement)} for statement in run.statements],
        "attempts": attempts(run),
        "worker": run.lease_owner or (attempt.owner if attempt else ""),
        "schedule": schedule_of(run.datastore),
        "earlier": lines(_before(user, run)[:EARLIER]),
        "changes": Change.objects.visible_to(user).filter(run_id=run.pk, quiet=False).count()
        if run.state in GOOD
        else 0,
    }
    return context | (_failure(user, run) if run.state in BAD else {})


def title(run: Run) -> str:
    """``Running for 23 s``, ``Failed after 1.2 s``"""
    word = shape_of(run).word
    if run.state == State.RUNNING and run.started_at:
        return f"{word} for {moments.span((timezone.now() - run.started_at).total_seconds())}"
    took = seconds(run)
    return f"{word} after {moments.span(took)}" if took is not None else word


def lede(run: Run) -> str:
    """The run in a sentence or two."""
    if run.state == State.QUEUED:
        return _waiting(run)
    if run.state == State.RUNNING:
        asked = "It was asked to stop. " if run.cancel_requested_at else ""
        return f"{asked}{_doing(run.progress)} Nothing in the catalog changes before the end."
    if run.outcome_code == "unchanged":
        return "The datastore says that nothing has changed since the last look, so nothing was read."
    if run.state == State.SUCCEEDED:
        # How many changes it found stands behind it, as a link to them.
        return (
            "Everything in scope was seen."
            if run.counts.get("changes")
            else f"Everything in scope was seen: {found(run)}."
        )
    if run.state == State.PARTIAL:
        return "Not everything could be seen or believed. What was not seen is unchanged in the catalog."
    return f"{found(run)}. Nothing in the catalog changed." if found(run) else ""


def _waiting(run: Run) -> str:
    later = run.available_at - timezone.now()
    if run.attempt and run.outcome.get("title"):
        soon = f"in {moments.span(later.total_seconds())}" if later.total_seconds() > 1 else "now"
        return f"Attempt {run.attempt} failed: {run.outcome['title']}. The next one is due {soon}."
    return "It waits for a worker. If it stays so, look whether one is running."


def _doing(progress: Mapping[str, Any]) -> str:
    done, total, schema = progress.get("done"), progress.get("total"), progress.get("schema")
    match progress.get("phase"):
        case "probe":
            return "Asking whether anything changed."
        case "read":
            about = f" of about {moments.number(total)}" if total else ""
            where = f"Reading {schema}." if schema else "Reading."
            return where if done is None else f"{where} {moments.number(done)}{about} tables are read."
        case "compare":
            return "Comparing what was read with what is known."
        case "save":
            return "Saving what changed."
        case _:
            return "Connecting."


def phases(run: Run) -> Sequence[Phase]:
    """The five phases; a run that ended well has passed them all, or needed no more than the probe."""
    if run.state in GOOD:
        skipped = run.outcome_code == "unchanged"
        return [
            Phase(name, "", 0, "not needed") if skipped and place > 1 else Phase(name, "ok", 100, _passed(key, run))
            for place, (key, name) in enumerate(PHASES)
        ]
    keys = [key for key, _ in PHASES]
    reached = run.progress.get("phase")
    at = keys.index(reached) if reached in keys else 0 if run.state == State.RUNNING else -1
    return [_phase(name, place - at, key, run) for place, (key, name) in enumerate(PHASES)]


def _phase(name: str, distance: int, key: str, run: Run) -> Phase:
    if distance < 0:
        return Phase(name, "ok", 100, _passed(key, run))
    if distance > 0:
        return Phase(name, "", 0)
    done, total = run.progress.get("done"), run.progress.get("total")
    if key != "read" or done is None:
        return Phase(name, "now", 50)
    part = min(99, round(100 * done / total)) if total else 50
    return Phase(
        name,
        "now",
        part,
        f"{moments.number(done)} of about {moments.number(total)} tables"
        if total
        else f"{moments.number(done)} tables",
    )


def _passed(key: str, run: Run) -> str:
    if key == "probe":
        return "Nothing changed" if run.outcome_code == "unchanged" else "Something may have changed"
    if key == "read":
        number = sum(int(scope.get("relations") or 0) for scope in run.scopes)
        return f"{moments.number(number)} tables" if number else ""
    if key == "compare" and run.state in GOOD:
        number = int(run.counts.get("changes") or 0)
        return f"{moments.number(number)} {'change' if number == 1 else 'changes'}"
    return ""


SEEN: Mapping[str, Shape] = {
    "complete": Shape("success", "Complete"),
    "partial": Shape("partial", "Partial"),
    "unreadable": Shape("failure", "Not readable"),
}


def _scopes(user: User, run: Run) -> Sequence[ScopeLine]:
    if run.state == State.RUNNING:
        return _scopes_now(user, run)
    return [_scope(scope) for scope in run.scopes]


def _shown_scopes(scopes: Sequence[ScopeLine]) -> dict[str, Any]:
    """What is not complete or not as before comes first; of a great many schemas the rest is only counted."""
    quiet = [scope for scope in scopes if scope.shape.state == "success" and scope.differences in {"", "none"}]
    if len(scopes) <= SCOPES:
        return {"scopes": scopes, "scope_count": len(scopes), "more_scopes": 0}
    loud = [scope for scope in scopes if scope not in quiet]
    shown = [*loud, *quiet][:SCOPES]
    return {"scopes": shown, "scope_count": len(scopes), "more_scopes": len(scopes) - len(shown)}


def _scope(scope: Mapping[str, Any]) -> ScopeLine:
    held, changes = int(scope.get("held") or 0), int(scope.get("changes") or 0)
    words = [f"{moments.number(changes)} {'change' if changes == 1 else 'changes'}" if changes else ""]
    words += [f"{moments.number(held)} held back" if held else ""]
    shape = SEEN.get(str(scope.get("completeness")), SEEN["complete"])
    return ScopeLine(
        name=str(scope["name"]),
        shape=shape,
        part=100,
        tables=moments.number(int(scope.get("relations") or 0)),
        differences=", ".join(filter(None, words)) or ("not known" if shape.state == "failure" else "none"),
        reason=str(scope.get("reason") or ""),
        remedy=str(scope.get("remedy") or ""),
    )


def _scopes_now(user: User, run: Run) -> Sequence[ScopeLine]:
    """Known schemas and how much of each is read, where the run tells; blank before the first look."""
    read = run.progress.get("schemas")
    if not isinstance(read, dict):
        return []
    known = dict.fromkeys(read, 0) | _known(user, run)
    return [
        _scope_now(name, int(read.get(name) or 0), total, run.progress.get("schema"))
        for name, total in sorted(known.items())
    ]


def _known(user: User, run: Run) -> dict[str, int]:
    names = Schema.objects.visible_to(user).filter(datastore=run.datastore, retired_at=None)
    tables = Relation.objects.visible_to(user).filter(datastore=run.datastore, retired_at=None).order_by()
    counted = tables.values_list("schema__name").annotate(number=Count("pk"))
    return dict.fromkeys(names.values_list("name", flat=True), 0) | dict(counted)


def _scope_now(name: str, done: int, total: int, reading: str | None) -> ScopeLine:
    part = min(100, round(100 * done / total)) if total else 0
    if name == reading:
        return ScopeLine(
            name,
            Shape("running", "Reading"),
            part,
            f"{moments.number(done)} of {moments.number(total)}" if total else moments.number(done),
            "",
        )
    if done:
        return ScopeLine(name, Shape("success", "Read"), 100, moments.number(done), "")
    return ScopeLine(name, Shape("pending", "Waiting"), 0, "", "")


def attempts(run: Run) -> str:
    """``1 of 4``; what cannot mend itself is tried once."""
    if run.outcome.get("permanent"):
        return f"{run.attempt} of {run.attempt}"
    return f"{run.attempt} of {max(run.attempt, 1 + len(timing().backoff))}"


def _before(user: User, run: Run) -> Any:
    """Earlier runs of the same datastore, newest first."""
    earlier = Run.objects.visible_to(user).filter(datastore=run.datastore, number__lt=run.number)
    return earlier.select_related("requested_by", "cancel_requested_by").defer("statements").order_by("-number")


def _failure(user: User, run: Run) -> dict[str, Any]:
    outcome = run.outcome
    return {
        "outcome": outcome,
        "advice": advice(outcome),
        "stages": stages(run.outcome_code, outcome, network=_is_networked(run.datastore)),
        "in_settings": mends_in_settings(run.outcome_code),
        "streak": _streak(user, run),
    }


def _is_networked(datastore: Datastore) -> bool:
    engine = registry().engines.get(datastore.engine)
    return engine is None or bool(engine.capabilities.get(Ability.NETWORK))


def _streak(user: User, run: Run) -> Sequence[Line]:
    """This run and the failed ones before it, down to the last good one."""
    found_lines = [line(run)]
    for earlier in _before(user, run).filter(state__in=(*BAD, *GOOD))[:STREAK]:
        found_lines.append(line(earlier))
        if earlier.state in GOOD:
            break
    return found_lines
