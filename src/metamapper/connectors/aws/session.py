"""One read of a catalog that is listed: the databases, the tables of each page by page, and the databases again at the end.

A listing is no snapshot. What is there from the first page to the last is seen; a database that changes its state while it
is read says so at the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from metamapper.connectors import errors
from metamapper.connectors.aws.calls import Answer, Caller
from metamapper.connectors.aws.errors import SourceFailed
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Completeness, Relation, Scope

CLOSED = (errors.PermissionMissing, errors.DatabaseUnknown, SourceFailed)
"""What closes one database and says nothing of the others."""


@dataclass(frozen=True, slots=True)
class Database:
    """``name`` is how it is shown; ``within`` the catalog that it is asked for in, ``own_name`` its name there."""

    name: str
    own_name: str
    within: str = ""
    comment: str | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    is_link: bool = False


class Listing(Protocol):
    """What a service lists, and what it means."""

    def databases(self) -> tuple[Sequence[Database], bool]:
        """All databases, and whether the list is complete; raises a ``ConnectorError``."""
        ...

    def tables(self, database: Database) -> Iterator[Answer]:
        """All tables of one, page by page; raises a ``ConnectorError``."""
        ...

    def observation(self, database: Database, told: Answer) -> Observation: ...

    def decode(self, payload: bytes) -> Relation: ...

    def mend(self, database: Database, error: errors.ConnectorError) -> str | None:
        """What to paste so that a database that is closed can be read."""
        ...


class ListedSession:
    def __init__(self, caller: Caller, listing: Listing, server: Server) -> None:
        self._caller = caller
        self._listing = listing
        self._listed: tuple[Sequence[Database], bool] | None = listing.databases()
        self._read: set[str] | None = None
        """The databases that were read to their end; None before the read."""
        self._failed: dict[str, errors.ConnectorError] = {}
        self._begun: set[str] = set()
        self.expected: int | None = None
        self.server = server

    @property
    def statements(self) -> Sequence[Statement]:
        return self._caller.log

    def probe(self, within: ScopeFilter) -> str | None:  # noqa: ARG002 - the protocol's
        """None: only the list of all tables would tell, and that is the read itself."""
        return None

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """Asked anew once the read has begun. What a catalog hides from us is not in its list at all."""
        if self._read is not None:
            self._listed = None
        return [self._scope(database) for database in self.databases(within)], self._databases()[1]

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        self._caller.check()
        found = self.databases(within)
        self._read, self._failed, self._begun = set(), {}, set()
        for database in found:
            try:
                yield from self._tables(database, within)
            except CLOSED as error:
                self._failed[database.name] = error
            else:
                self._read.add(database.name)

    def decode(self, payload: bytes) -> Relation:
        return self._listing.decode(payload)

    def cancel(self) -> None:
        self._caller.cancel()

    def databases(self, within: ScopeFilter) -> Sequence[Database]:
        """The databases in scope."""
        return [database for database in self._databases()[0] if within.allows_schema(database.name)]

    def closed(self, database: Database) -> tuple[errors.ConnectorError, str | None] | None:
        """Why the tables of a database cannot be listed, and what to paste; for the connection test, which asks for a page."""
        try:
            next(self._listing.tables(database), None)
        except CLOSED as error:
            return error, self._listing.mend(database, error)
        return None

    def _databases(self) -> tuple[Sequence[Database], bool]:
        if self._listed is None:
            self._listed = self._listing.databases()
        return self._listed

    def _tables(self, database: Database, within: ScopeFilter) -> Iterator[Observation]:
        for told in self._listing.tables(database):
            self._caller.check()
            self._begun.add(database.name)
            if within.allows_table(database.name, told["Name"]):
                yield self._listing.observation(database, told)

    def _scope(self, database: Database) -> Scope:
        completeness, reason, remedy = self._completeness(database)
        return Scope(
            name=database.name,
            completeness=completeness,
            reason=reason,
            remedy=remedy,
            comment=database.comment,
            extras=database.extras,
        )

    def _completeness(self, database: Database) -> tuple[Completeness, str | None, str | None]:
        name = database.name
        failed = self._failed.get(name)
        if isinstance(failed, (errors.PermissionMissing, SourceFailed)):
            seen = Completeness.PARTIAL if name in self._begun else Completeness.UNREADABLE
            reason = f"Its tables cannot be listed: {failed.server_said}"
            return seen, reason, self._listing.mend(database, failed)
        if failed is not None and database.is_link:
            return Completeness.UNREADABLE, "What this resource link leads to is not there, or is hidden from us.", None
        if failed is not None:
            return Completeness.PARTIAL, "It was dropped, and made again, while it was read.", None
        if self._read is not None and name not in self._read:
            return Completeness.PARTIAL, "It appeared while the read was under way; the next run reads it.", None
        return Completeness.COMPLETE, None, None
