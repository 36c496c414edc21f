"""What a feed is asked for, from a page's query and back into links that can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from metamapper.history.feed import Asked
from metamapper.schema import Certainty, ChangeKind, Severity
from metamapper.web.catalog import when

KINDS = (
    (ChangeKind.ADDED, "Added"),
    (ChangeKind.CHANGED, "Changed"),
    (ChangeKind.RENAMED, "Renamed"),
    (ChangeKind.MOVED, "Moved"),
    (ChangeKind.REBUILT, "Rebuilt"),
    (ChangeKind.REMOVED, "Removed"),
    (ChangeKind.RESTORED, "Restored"),
)
SEVERITIES = ((Severity.BREAKING, "Breaking"), (Severity.RISKY, "Risky"), (Severity.SAFE, "Safe"))
_NAMES = ("mode", "from", "to", "severity", "kind", "schema", "run", "certainty", "q")


@dataclass(frozen=True, slots=True)
class Question:
    """The query of a feed, checked: what cannot be meant is left out, a moment that cannot be read is said."""

    given: Mapping[str, str]
    asked: Asked
    compares: bool
    after: datetime | None
    until: datetime | None
    troubles: Mapping[str, str] = field(default_factory=dict)

    def query(self, **changed: str) -> str:
        """The query string with some of it changed; blanks are left out. ``""`` where nothing is asked."""
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in {**self.given, **changed}.items() if value})
        # A bare question mark is an address too: this page, with nothing asked.
        return f"?{query.urlencode()}" if query else "?"

    @property
    def from_text(self) -> str:
        return self._text("from", self.after)

    @property
    def to_text(self) -> str:
        return self._text("to", self.until)

    def _text(self, name: str, moment: datetime | None) -> str:
        if name in self.troubles:
            return self.given[name]
        return when.written(timezone.localtime(moment) if moment else None, timezone.localtime())


def read(query: QueryDict, scope: Asked) -> Question:
    """The question within a scope (a workspace, a datastore, a table)."""
    given = {name: query.get(name, "").strip() for name in _NAMES if query.get(name, "").strip()}
    troubles: dict[str, str] = {}
    after, until = _moment(given, "from", troubles), _moment(given, "to", troubles)
    asked = Asked(
        scope.workspace,
        scope.datastore,
        scope.relation_id,
        schema_id=_uuid(given.get("schema", "")),
        run_id=_uuid(given.get("run", "")),
        after=after,
        until=until,
        severity=_one_of(Severity, given.get("severity", "")),
        kind=_one_of(ChangeKind, given.get("kind", "")),
        certainty=_one_of(Certainty, given.get("certainty", "")),
        text=given.get("q", "")[:200].replace("\0", ""),
    )
    return Question(given, asked, given.get("mode") == "difference", after, until, troubles)


def _moment(given: Mapping[str, str], name: str, troubles: dict[str, str]) -> datetime | None:
    try:
        return when.parse(given.get(name, ""), timezone.localtime())
    except when.NotAMoment as error:
        troubles[name] = str(error)
        return None


def _one_of(kinds: type[Severity] | type[ChangeKind] | type[Certainty], text: str) -> str:
    return text if text in set(kinds) else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
