"""Running a connection test: each step in turn, timed, until one fails."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from metamapper.connectors.base import Step, StepState
from metamapper.connectors.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class Finding:
    """What a step that did not fail has to say. A warning may carry an error with its hint and remedy."""

    detail: str
    warning: bool = False
    error: ConnectorError | None = None


Check = Callable[[], Finding]
"""One step; raises a ``ConnectorError`` where it fails."""


def run_checks(checks: Sequence[tuple[str, Check]]) -> Iterator[Step]:
    """The steps as they are taken; after a failure the rest are waiting. Raises nothing."""
    failed = False
    for name, check in checks:
        step = Step(name, StepState.WAITING) if failed else _taken(name, check)
        failed = failed or step.state is StepState.FAILED
        yield step


def _taken(name: str, check: Check) -> Step:
    started = monotonic()
    try:
        found = check()
    except ConnectorError as error:
        return Step(name, StepState.FAILED, error.detail or error.title, monotonic() - started, error)
    state = StepState.WARNING if found.warning else StepState.OK
    return Step(name, state, found.detail, monotonic() - started, found.error)
