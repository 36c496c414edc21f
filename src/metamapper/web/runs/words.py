"""How a run stands, in the words of people. Pure over the run's own values."""

from collections.abc import Mapping
from dataclasses import dataclass

from metamapper.runs.models import Run, State, Trigger
from metamapper.web import moments

SHAPES: Mapping[str, tuple[str, str]] = {
    State.QUEUED: ("pending", "Pending"),
    State.RUNNING: ("running", "Running"),
    State.SUCCEEDED: ("success", "Success"),
    State.PARTIAL: ("partial", "Partial"),
    State.FAILED: ("failure", "Failed"),
    State.DEAD: ("failure", "Failed"),
    State.CANCELLED: ("cancelled", "Cancelled"),
    State.SUPERSEDED: ("cancelled", "Superseded"),
}
ENDED = (State.SUCCEEDED, State.PARTIAL, State.FAILED, State.DEAD, State.CANCELLED, State.SUPERSEDED)
GOOD = (State.SUCCEEDED, State.PARTIAL)
BAD = (State.FAILED, State.DEAD)
ACTIVE = (State.QUEUED, State.RUNNING)


STATEMENTS: Mapping[str, str] = {
    "begin": "Open a read-only session",
    "prepare": "Set how names are spelled",
    "distrust": "Let no definition in the file do anything",
    "probe": "Did anything change?",
    "scopes": "Schemas, and whether they can be read",
    "count": "How many objects there are",
    "relations": "Relations with their columns, indexes and constraints",
    "objects": "Relations",
    "columns": "Columns",
    "views": "Views",
}
"""What the engines' own statements are for; one that is not here is called what its engine calls it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """``state`` picks the sign, ``word`` is said beside it."""

    state: str
    word: str


def shape_of(run: Run) -> Shape:
    return Shape(*SHAPES[run.state])


def seconds(run: Run) -> float | None:
    """How long it took, or None while it has not ended or never began."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()


def trigger(run: Run) -> str:
    """``Schedule``, ``Button, Ana Duarte``, ``First look``"""
    if run.trigger == Trigger.SCHEDULED:
        return "Schedule"
    if run.trigger == Trigger.INITIAL:
        return "First look"
    return f"Button, {run.requested_by}" if run.requested_by else "Button"


def sent(statement: Mapping[str, object]) -> str:
    """What a statement is for."""
    label = str(statement.get("label") or "")
    return STATEMENTS.get(label) or label.replace("_", " ").capitalize()


def found(run: Run) -> str:
    """Why it ended as it did, or what it found, in a few words."""
    if run.state in BAD or run.outcome.get("title"):
        return str(run.outcome.get("title") or run.outcome_code or "No reason was recorded")
    if run.state == State.CANCELLED:
        return f"Cancelled by {run.cancel_requested_by}" if run.cancel_requested_by else "Cancelled"
    if run.state == State.SUPERSEDED:
        return "A newer run took its place"
    if run.state in GOOD:
        return ", ".join(filter(None, (_incomplete(run), changes(run))))
    return ""


def _incomplete(run: Run) -> str:
    names = [scope["name"] for scope in run.scopes if scope.get("completeness") not in {None, "complete"}]
    held = sum(scope.get("held") or 0 for scope in run.scopes)
    if held:
        return f"{moments.number(held)} held back"
    return (
        f"{names[0]} not wholly seen" if len(names) == 1 else f"{len(names)} schemas not wholly seen" if names else ""
    )


def changes(run: Run) -> str:
    """``5 changes``"""
    number = int(run.counts.get("changes") or 0)
    if not number:
        return "no changes"
    return f"{moments.number(number)} {'change' if number == 1 else 'changes'}"
