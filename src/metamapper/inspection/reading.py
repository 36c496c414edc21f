"""Reading one datastore into a stage: ask whether anything changed, and only then look at everything."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metamapper.connectors.base import Session
from metamapper.connectors.errors import ReadDisturbed
from metamapper.connectors.scope import ScopeFilter
from metamapper.inspection.stage import Stage
from metamapper.schema import Completeness, Scope

Report = Callable[[dict[str, Any]], None]
"""Tells the run's page how far the work is: phase, done, total, schema, and schemas (how many of each are read)."""

EVERY = 250
"""Relations between two reports."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a read ended: what it could see of each schema, and the token that stands for what it saw."""

    scopes: Sequence[Scope]
    list_complete: bool
    token: str | None
    server_version: str

    def is_complete(self, schema: str) -> bool:
        return any(scope.name == schema and scope.completeness is Completeness.COMPLETE for scope in self.scopes)

    @property
    def is_whole(self) -> bool:
        """Whether everything in scope was seen: only then may the token speak for it."""
        return self.list_complete and all(scope.completeness is Completeness.COMPLETE for scope in self.scopes)


def unchanged(session: Session, within: ScopeFilter, *, token: str, report: Report) -> tuple[bool, str | None]:
    """Whether the probe proves that nothing changed since ``token``, and the token of now."""
    report({"phase": "probe"})
    found = session.probe(within)
    return bool(token) and found == token, found


def read(
    session: Session,
    stage: Stage,
    within: ScopeFilter,
    *,
    token: str | None,
    known: Mapping[bytes, tuple[str, str]],
    expected: int | None,
    report: Report,
) -> Reading:
    """Stream every relation into the stage. ``expected`` is the number of relations of the last look, for the progress.

    Raises ``ReadDisturbed`` where a schema that relations were read from is not listed any more.
    """
    session.scopes(within)
    seen: Counter[str] = Counter()
    for done, observation in enumerate(session.relations(within)):
        stage.add(observation, known=known)
        seen[observation.schema] += 1
        if done % EVERY == 0:
            now = {"schema": observation.schema, "schemas": dict(seen)}
            report({"phase": "read", "done": done, "total": expected, **now})
    # Asked again: a scope that lost something in mid-read says so now.
    scopes, list_complete = session.scopes(within)
    if lost := seen.keys() - {scope.name for scope in scopes}:
        raise ReadDisturbed(
            f"The schema {min(lost)} was renamed or dropped in mid-read; the next attempt sees it anew."
        )
    return Reading(scopes, list_complete, token, session.server.version)
