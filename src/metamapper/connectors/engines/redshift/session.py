"""One read of a Redshift: a few statements in one transaction, in pages, for the driver holds a whole answer in memory."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.redshift.dial import Line
from metamapper.connectors.engines.redshift.errors import DRIVER_ERRORS, from_driver, grant_usage
from metamapper.connectors.engines.redshift.payload import (
    COLUMN,
    ExternalRow,
    LateColumn,
    RawExternal,
    RawRelation,
    Row,
    decode,
    external_estimate,
    external_kind,
    is_late_binding,
    kind_of,
)
from metamapper.connectors.engines.redshift.settings import RedshiftSettings
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.ordered import Ascending
from metamapper.connectors.sql.statements import StatementLog
from metamapper.schema import Completeness, Relation, Scope

READER = b"redshift-1"
"""Part of every fingerprint: a reader that sees more must not find everything unchanged."""
PARTS = 8
"""Of the statement that reads relations."""
PAGE = 10_000
"""Columns that are asked for at a time."""
MEGABYTE = 1024 * 1024

QUERIES = load("metamapper.connectors.engines.redshift")
_LIST = re.compile(r"\(:\w+\)")
_VERSION = re.compile(r"Redshift ([\d.]+)")


@dataclass(frozen=True, slots=True)
class _Schema:
    oid: int
    name: str
    usable: int
    is_external: int
    comment: str | None
    relations: int
    views: int


@dataclass(frozen=True, slots=True)
class _Unseen:
    """Why a schema was not read, or not whole."""

    completeness: Completeness
    reason: str


class RedshiftSession:
    def __init__(self, line: Line, settings: RedshiftSettings) -> None:
        self._line = line
        self._settings = settings
        self._cancelled = False
        self._schemas: Sequence[_Schema] | None = None
        self._unseen: dict[str, _Unseen] = {}
        self._read: set[int] | None = None
        """The schemas that were read; None before."""
        self.statements = StatementLog()
        self.expected: int | None = None
        facts = self.rows("prepare", (str(settings.statement_timeout * 1000),))[0]
        version = _VERSION.search(facts["version"])
        if version is None:
            raise errors.VersionUnsupported(
                "The server does not call itself Redshift.", hint="PostgreSQL has an engine of its own."
            )
        self._role: str = facts["role"]
        self._tells_sizes = bool(facts["tells_sizes"])
        self.server = Server(version[1], {"role": facts["role"], "database": facts["database"]})
        self._begin()

    def probe(self, within: ScopeFilter) -> str | None:
        """None: Redshift has no cheap sign of a change."""
        self._in_scope(within)
        return None

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """Every schema is listed to everybody, so the list is always complete."""
        if self._read is not None:
            self._schemas = None
        return [self._scope(schema) for schema in self._in_scope(within)], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        readable = [schema for schema in self._in_scope(within) if schema.usable]
        self._read = {schema.oid for schema in readable}
        for observation in self._local([schema for schema in readable if not schema.is_external]):
            if within.allows_table(observation.schema, observation.name):
                yield observation
        for schema in readable:
            if schema.is_external:
                for observation in self._external(schema):
                    if within.allows_table(observation.schema, observation.name):
                        yield observation

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        """Stop what runs now, and let nothing else begin."""
        self._cancelled = True
        self._line.cancel()

    # --- Relations of the database itself -----------------------------------------------------------------------------

    def _local(self, schemas: Sequence[_Schema]) -> Iterator[Observation]:
        if self._cancelled:
            raise errors.Cancelled
        if not schemas:
            return
        names = {schema.oid: schema.name for schema in schemas}
        late = self._late_columns(schemas)
        sizes = Ascending(self._sizes())
        for rows in self._relation_rows(names):
            head = Row(*rows[0])
            columns = tuple(LateColumn(*row) for row in late.take(head.relation)) if late else ()
            # Taken in the order of ids, as the relations come: what is another schema's is passed by.
            statistics = sizes.take(head.relation)
            if late is None and is_late_binding(head):
                continue
            yield self._observed(names[head.number], head, rows, columns, statistics)

    def _relation_rows(self, names: dict[int, str]) -> Iterator[list[Any]]:
        """The rows of one relation after the other, in the order of their ids."""
        schemas = tuple(map(str, names))
        for first, last in list(self._pages(schemas)):
            # The first part names the schemas before the bounds, the others after them.
            bounds = (str(first), str(last))
            parameters = (*schemas, *bounds, *(*bounds, *schemas) * (PARTS - 1))
            rows = self._stream("relations", parameters, lists=(schemas,) * PARTS)
            for _, group in groupby(rows, key=itemgetter(0)):
                found = list(group)
                # What belongs to relations between the bounds that are not ours has no first row.
                if found[0][1] == 0:
                    yield found

    def _pages(self, schemas: Sequence[str]) -> Iterator[tuple[int, int]]:
        """From which to which id a page goes, so that it holds about so many columns, or one relation that has more."""
        first = last = None
        columns = 0
        for oid, count in self._stream("relation_sizes", schemas, lists=(schemas,)):
            if first is not None and last is not None and columns + count > PAGE:
                yield first, last
                first, columns = None, 0
            first = oid if first is None else first
            last, columns = oid, columns + count + 1
        if first is not None and last is not None:
            yield first, last

    def _late_columns(self, schemas: Sequence[_Schema]) -> Ascending | None:
        """Columns of late-binding views by relation; None where they cannot be told, and the scopes say so."""
        with_views = [schema for schema in schemas if schema.views]
        if not with_views:
            return Ascending(())
        oids = tuple(str(schema.oid) for schema in with_views)
        try:
            return Ascending(self._stream("late_binding_columns", oids, lists=(oids,)))
        except (errors.ConnectionLost, errors.Cancelled):
            raise
        except errors.ConnectorError as error:
            reason = f"The columns of its late-binding views cannot be told: {error.server_said}"
            for schema in with_views:
                self._unseen[schema.name] = _Unseen(Completeness.PARTIAL, reason)
            self._begin_again()
            return None

    def _sizes(self) -> Iterator[Any]:
        return self._stream("sizes") if self._tells_sizes else iter(())

    def _observed(
        self, schema: str, head: Row, rows: list[Any], late: tuple[LateColumn, ...], statistics: list[Any]
    ) -> Observation:
        estimate = head.i2 if head.i2 > 0 and head.t2 == "r" else None
        size = None
        if statistics:
            _, counted, megabytes = statistics[0]
            estimate, size = counted if counted is not None else estimate, megabytes and megabytes * MEGABYTE
        still = msgspec.structs.replace(head, i2=0)  # the planner's estimate moves by itself
        parts = (still, *(Row(*row) for row in rows[1:]))
        payload = msgspec.json.encode(RawRelation(schema, parts, late))
        return Observation(
            schema=schema,
            name=head.t1 or "",
            kind=kind_of(head),
            fingerprint=_fingerprint(payload),
            payload=payload,
            native_id=str(head.relation),
            row_estimate=estimate,
            size_bytes=size,
        )

    # --- External schemas ---------------------------------------------------------------------------------------------

    def _external(self, schema: _Schema) -> Iterator[Observation]:
        """What an external catalog tells of a schema; where it tells nothing, the scope says why."""
        try:
            rows = self._stream("external", (schema.name, schema.name))
        except (errors.ConnectionLost, errors.Cancelled):
            raise
        except errors.ConnectorError as error:
            reason = f"The external catalog behind this schema cannot be read: {error.server_said}"
            self._unseen[schema.name] = _Unseen(Completeness.UNREADABLE, reason)
            self._begin_again()
            return
        for name, group in groupby(rows, key=itemgetter(0)):
            parts = tuple(ExternalRow(*row) for row in group)
            if parts[0].part == COLUMN:  # a table that appeared between the two halves of the statement
                self._unseen[schema.name] = _Unseen(Completeness.PARTIAL, f"{name} was replaced while it was read.")
                continue
            payload = msgspec.json.encode(RawExternal(schema.name, tuple(_still(part) for part in parts)))
            yield Observation(
                schema=schema.name,
                name=name,
                kind=external_kind(parts[0]),
                fingerprint=_fingerprint(payload),
                payload=payload,
                row_estimate=external_estimate(parts[0]),
            )

    # --- Schemas ------------------------------------------------------------------------------------------------------

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        if self._schemas is None:
            self._schemas = [_Schema(**row) for row in self.rows("scopes")]
        found = [schema for schema in self._schemas if within.allows_schema(schema.name)]
        self.expected = sum(schema.relations for schema in found if schema.usable)
        return found

    def _scope(self, schema: _Schema) -> Scope:
        unseen = self._unseen.get(schema.name)
        remedy = None
        if not schema.usable:
            unseen = _Unseen(Completeness.UNREADABLE, f"The user {self._role} has no USAGE on this schema.")
            remedy = grant_usage(schema.name, self._role)
        elif self._read is not None and schema.oid not in self._read:
            unseen = _Unseen(Completeness.PARTIAL, "It became readable while the read was under way.")
        return Scope(
            name=schema.name,
            completeness=unseen.completeness if unseen else Completeness.COMPLETE,
            reason=unseen.reason if unseen else None,
            remedy=remedy,
            comment=schema.comment,
            native_id=str(schema.oid),
            extras={"external": True} if schema.is_external else {},
        )

    # --- Statements ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.rows("begin")

    def _begin_again(self) -> None:
        """A statement that failed spoiled the transaction."""
        self.rows("end")
        self._begin()

    def rows(
        self, name: str, parameters: Sequence[str] = (), lists: Sequence[Sequence[str]] = ()
    ) -> list[dict[str, Any]]:
        """What a named statement answers; for the connection test, which asks what a read does not."""
        with self._sent(name, lists) as (statement, sql):
            cursor = self._executed(sql, parameters)
            labels = [column[0] for column in cursor.description or ()]
            rows = [dict(zip(labels, row, strict=True)) for row in cursor] if labels else []
            statement.rows = len(rows)
            return rows

    def _stream(self, name: str, parameters: Sequence[str] = (), lists: Sequence[Sequence[str]] = ()) -> Iterator[Any]:
        """The rows of a statement, which has been sent when this returns; each is let go as it is taken."""
        with self._sent(name, lists) as (statement, sql):
            cursor = self._executed(sql, parameters)
            statement.rows = cursor.redshift_rowcount
        return self._drained(cursor)

    def _drained(self, cursor: Any) -> Iterator[Any]:
        for row in cursor:
            if self._cancelled:
                raise errors.Cancelled
            yield row

    def _executed(self, sql: str, parameters: Sequence[str]) -> Any:
        cursor = self._line.connection.cursor()
        cursor.paramstyle = "format"
        cursor.execute(sql, parameters or None)
        return cursor

    @contextmanager
    def _sent(self, name: str, lists: Sequence[Sequence[str]]) -> Iterator[tuple[Statement, str]]:
        """Record a statement, and translate what goes wrong with it."""
        if self._cancelled:
            raise errors.Cancelled
        values = iter(lists)
        sql = _LIST.sub(lambda _: f"({', '.join(['%s'] * len(next(values)))})", QUERIES[name])
        try:
            with self.statements.sent(name, sql) as statement:
                yield statement, sql
        except DRIVER_ERRORS as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise from_driver(error, self._settings, self._settings.secrets()) from None


def _still(row: ExternalRow) -> ExternalRow:
    """Without the table's properties: some of them are counts and times that move by themselves."""
    return msgspec.structs.replace(row, t5=None)


def _fingerprint(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=16, person=READER).digest()
