"""One read through the Thrift service: the databases, the names of the tables of each, the tables in batches.

A listing is no snapshot. The names are listed again when a database was read: where they are others by then, or where a table
that is listed was not told of, something may have gone by unseen, and the database says so.

An authorizer hides without a word what this user may not see, and lost rights look like lost tables. So what the service
shows proves nothing gone, unless somebody who knows it has said that it shows everything.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.hive.calls import Service
from metamapper.connectors.engines.hive.channel import opened
from metamapper.connectors.engines.hive.observing import (
    created_at,
    database_extras,
    observation,
    shown_names,
    storage_facts,
)
from metamapper.connectors.engines.hive.settings import HiveSettings, Shows
from metamapper.connectors.reach import Reach
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql import hive_tables
from metamapper.connectors.sql.hive_columns import RawColumn
from metamapper.connectors.sql.hive_relations import RawTable, decode, facts_of
from metamapper.schema import Completeness, Extras, Relation, Scope

FIRST_TABLES, MOST_TABLES, MOST_COLUMNS = 10, 100, 10_000
"""What one answer shall hold at most; how many columns the next one has is guessed from the last, so the first is small."""
ATTEMPTS, FIRST_PAUSE = 5, 0.2

_OF_ONE = (errors.PermissionMissing, errors.DatabaseUnknown, errors.ServerUnavailable)
"""What closes one database and says nothing of the others."""


@dataclass(frozen=True, slots=True)
class _Database:
    catalog: str | None
    own_name: str
    name: str
    comment: str | None
    extras: Extras


class ServiceSession:
    def __init__(self, service: Service, shows: Shows) -> None:
        self._service = service
        self._shows_all = shows is Shows.EVERYTHING
        self._databases: dict[str, _Database] | None = None
        self._failed: dict[str, str] = {}
        """Why a database was not read to its end, or could not be read at all."""
        self._doubted: dict[str, str] = {}
        """Why what was read of a database may not be all of it."""
        self._begun: set[str] = set()
        self._read: set[str] | None = None
        self.expected: int | None = None
        self.server = Server(service.version)

    @property
    def statements(self) -> Sequence[Statement]:
        return self._service.log

    def probe(self, within: ScopeFilter) -> str | None:  # noqa: ARG002 - the protocol's
        """None: the service counts only the changes that a listener notes down, and may have none."""
        return None

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """Asked anew once the read has begun. What the service hides from us is not in its list at all.

        So the list is whole only where it is known to hide nothing.
        """
        if self._read is not None:
            self._databases = self._listed(self._databases or {})
        return [self._scope(each) for each in self._in_scope(within)], self._shows_all

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        self._service.check()
        found = self._in_scope(within)
        self._read = set()
        for database in found:
            try:
                yield from self._tables(database, within)
            except _OF_ONE as error:
                self._failed[database.name] = error.server_said or error.title
            else:
                self._read.add(database.name)

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self._service.cancel()

    def _in_scope(self, within: ScopeFilter) -> list[_Database]:
        if self._databases is None:
            self._databases = self._listed({})
        return [each for each in self._databases.values() if within.allows_schema(each.name)]

    def _listed(self, known: Mapping[str, _Database]) -> dict[str, _Database]:
        """The databases by the names they are shown by; what is known of one is not asked for again."""
        catalogs: Sequence[str | None] = self._service.catalogs() or [None]
        places = [(catalog, name) for catalog in catalogs for name in self._service.databases(catalog)]
        found: dict[str, _Database] = {}
        with self._service.recorded(f"get_database(…) of {len(places)}") as statement:
            for place, name in zip(places, shown_names(places), strict=True):
                same = known.get(name)
                each = (
                    same
                    if same and (same.catalog, same.own_name) == place
                    else self._described(*place, name, statement)
                )
                if each is not None:
                    found[name] = each
        return found

    def _described(self, catalog: str | None, own_name: str, name: str, statement: Statement) -> _Database | None:
        try:
            told = self._service.database(catalog, own_name, statement)
        except errors.DatabaseUnknown:
            return None  # dropped since it was listed
        except (errors.PermissionMissing, errors.ServerUnavailable) as error:
            self._failed[name] = error.server_said or error.title
            return _Database(catalog, own_name, name, None, {})
        extras = database_extras(
            location=told.locationUri,
            owner=told.ownerName,
            parameters=told.parameters or {},
            catalog=catalog,
            connector=told.connector_name,
        )
        return _Database(catalog, own_name, name, told.description or None, extras)

    def _tables(self, database: _Database, within: ScopeFilter) -> Iterator[Observation]:
        with self._service.recorded(f"get_all_tables({database.name!r})") as statement:
            listed = self._service.table_names(database.catalog, database.own_name, statement)
            statement.rows = len(listed)
        self.expected = (self.expected or 0) + len(listed)
        names = [name for name in listed if within.allows_table(database.name, name)]
        with self._service.recorded(f"get_table_objects_by_name_req({database.name!r}, …)") as statement:
            untold = set(names)
            for told in self._in_batches(database, names, statement):
                self._service.check()
                untold.discard(told.tableName)
                self._begun.add(database.name)
                yield _observed(database, told)
        with self._service.recorded(f"get_all_tables({database.name!r})") as statement:
            again = self._service.table_names(database.catalog, database.own_name, statement)
        if set(again) != set(listed):
            self._doubted[database.name] = _CHANGED
        elif untold:
            self._doubted[database.name] = (
                f"It lists {len(untold)} of its tables and tells nothing of them: {min(untold)} …"
            )

    def _in_batches(self, database: _Database, names: Sequence[str], statement: Statement) -> Iterator[Any]:
        """The tables, so many at a time that an answer stays small. What a service cannot answer it is asked in halves."""
        text, calls = statement.sql, 0
        size, attempt, start = FIRST_TABLES, 1, 0
        while start < len(names):
            wanted = names[start : start + size]
            try:
                told = self._service.tables(database.catalog, database.own_name, wanted, statement)
            except errors.ServerUnavailable:
                if attempt == ATTEMPTS:
                    raise
                self._service.pause(FIRST_PAUSE * 2 ** (attempt - 1))
                attempt, size = attempt + 1, max(1, size // 2)
                continue
            calls, attempt, start = calls + 1, 1, start + len(wanted)
            statement.sql, statement.rows = f"{text} in {calls} calls", (statement.rows or 0) + len(told)
            size = _next_size(told)
            yield from told

    def _scope(self, database: _Database) -> Scope:
        completeness, reason = self._completeness(database.name)
        return Scope(
            name=database.name,
            completeness=completeness,
            reason=reason,
            comment=database.comment,
            extras=database.extras,
        )

    def _completeness(self, name: str) -> tuple[Completeness, str | None]:
        failed = self._failed.get(name)
        if failed is not None:
            seen = Completeness.PARTIAL if name in self._begun else Completeness.UNREADABLE
            return seen, f"The service does not tell its tables: {failed}"
        if self._read is not None and name not in self._read:
            return Completeness.PARTIAL, "It appeared while the read was under way; the next run reads it."
        if name in self._doubted:
            return Completeness.PARTIAL, self._doubted[name]
        return (Completeness.COMPLETE, None) if self._shows_all else (Completeness.PARTIAL, _MAY_HIDE)


_CHANGED = "Tables were made, dropped or renamed while it was read; the next run reads it again."
_MAY_HIDE = (
    "The service may hide tables without a word, so none is taken for gone; the settings can say that it does not."
)


def _next_size(told: Sequence[Any]) -> int:
    columns = sum(len(each.sd.cols or ()) if each.sd else 0 for each in told)
    return max(1, min(MOST_TABLES, MOST_COLUMNS * max(1, len(told)) // max(1, columns)))


def _observed(database: _Database, told: Any) -> Observation:
    parameters: dict[str, str] = told.parameters or {}
    raw = RawTable(
        schema=database.name,
        name=told.tableName or "",
        type=told.tableType,
        columns=(*_columns(told.sd.cols if told.sd else ()), *_columns(told.partitionKeys, is_key=True)),
        parameters=hive_tables.settled(parameters),
        view=told.viewOriginalText or None,
        facts=_facts(told),
    )
    return observation(raw, parameters)


def _columns(told: Sequence[Any] | None, *, is_key: bool = False) -> Iterator[RawColumn]:
    for each in told or ():
        yield RawColumn(each.name or "", each.type or "", each.comment or None, is_key)


def _facts(told: Any) -> dict[str, Any]:
    facts = facts_of(("created_at", created_at(told.createTime)), ("owner", told.owner))
    storage = told.sd
    if storage is None:
        return facts
    serde = storage.serdeInfo
    return facts | storage_facts(
        location=storage.location,
        input_format=storage.inputFormat,
        output_format=storage.outputFormat,
        serde=serde.serializationLib if serde else None,
        serde_parameters=(serde.parameters if serde else None) or {},
        bucketed_by=storage.bucketCols or (),
        buckets=storage.numBuckets,
        order=[(each.col or "", each.order) for each in storage.sortCols or ()],
    )


@contextmanager
def service(settings: HiveSettings, reach: Reach) -> Iterator[ServiceSession]:
    """A session that only asks; raises a ``ConnectorError``."""
    channel = opened(settings, reach)
    try:
        yield ServiceSession(Service(channel, settings), settings.shows)
    finally:
        channel.close()
