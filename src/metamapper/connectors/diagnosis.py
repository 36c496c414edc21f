"""Running a connection test: each step in turn, timed, until one fails."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from metamapper.connectors.base import Connector, Step, StepState
from metamapper.connectors.errors import ConnectorError, DriverMissing


@dataclass(frozen=True, slots=True)
class Finding:
    """What a step that did not fail has to say. A warning may carry an error with its hint and remedy."""

    detail: str
    warning: bool = False
    error: ConnectorError | None = None


NOTHING_READ = "anything: a run ends at the first statement that asks one of these"
"""What is not seen without a catalog view that a read cannot do without."""


def inside(names: Iterable[str]) -> str:
    """What is not seen while schemas are closed."""
    return f"what is in {', '.join(names)}; what was known of it stays as it was"


Check = Callable[[], Finding]
"""One step; raises a ``ConnectorError`` where it fails."""


def steps_of(made: Callable[[], Connector]) -> Iterator[Step]:
    """The connection test of what is made; where it cannot be made, that is the first step that fails."""
    try:
        connector = made()
    except ConnectorError as error:
        name = "Driver" if isinstance(error, DriverMissing) else "Settings"
        yield Step(name, StepState.FAILED, error.detail or error.title, error=error)
        return
    yield from connector.test()


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
