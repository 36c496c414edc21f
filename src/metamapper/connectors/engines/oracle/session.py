"""One read of an Oracle: a handful of statements in one read-only transaction, read side by side by the object's id."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
import oracledb

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.oracle.dial import Line
from metamapper.connectors.engines.oracle.errors import from_driver
from metamapper.connectors.engines.oracle.names import grant_dictionary
from metamapper.connectors.engines.oracle.payload import (
    RawColumn,
    RawConstraint,
    RawHead,
    RawIndex,
    RawIndexColumn,
    RawIndexExpression,
    RawMaterialized,
    RawReference,
    RawRelation,
    decode,
    kind_of,
)
from metamapper.connectors.engines.oracle.settings import OracleSettings
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.ordered import Ascending
from metamapper.connectors.sql.statements import StatementLog
from metamapper.schema import Completeness, Relation, Scope

READER = b"oracle-1"
"""Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""
BATCH = 1000
"""Rows that one round trip brings."""
LONG_BATCH = 20
"""The same where a row may be the whole text of a view."""
LONGEST_LIST = 1000
"""Values that an IN takes (ORA-01795)."""
OLDEST = 12
SETTLED = timedelta(seconds=5)
"""A time of DDL has whole seconds: of what was done just now, more may be to come within the same one."""
_HEAD = 10
"""Columns of ``objects`` before its statistics."""

QUERIES = load("metamapper.connectors.engines.oracle")
_OWNERS = re.compile(r"(?P<column>[\w.]*owner) IN \(:owners\)")
_DICTIONARY = "sys.dba_"
_GRANTED = "sys.all_"
_PARTS = (
    "columns",
    "identities",
    "views",
    "materialized_views",
    "constraints",
    "constraint_columns",
    "references",
    "indexes",
    "index_columns",
    "index_expressions",
    "comments",
    "column_comments",
    "partition_keys",
)
"""What is read beside ``objects``."""
_LONG_TEXTS = frozenset({"views", "materialized_views"})


@dataclass(frozen=True, slots=True)
class _Schema:
    name: str
    id: int
    relations: int


class OracleSession:
    def __init__(self, line: Line, settings: OracleSettings) -> None:
        self._line = line
        self._settings = settings
        self._cancelled = False
        self._schemas: Sequence[_Schema] | None = None
        self.statements = StatementLog()
        self.expected: int | None = None
        version: str = line.connection.version
        if int(version.partition(".")[0]) < OLDEST:
            raise errors.VersionUnsupported(f"The server calls itself Oracle {version}; {OLDEST}c and later are read.")
        self.sees_dictionary = True
        self._run("prepare")
        self._user: str = self.rows("user")[0][0]
        self.sees_dictionary = self._may_see_dictionary()
        self._run("begin")
        self.server = Server(version, {"user": self._user, "dictionary": "DBA" if self.sees_dictionary else "ALL"})

    def probe(self, within: ScopeFilter) -> str | None:
        """Counts and times of the last DDL, added up by the server."""
        schemas = self._in_scope(within)
        found: list[Any] = []
        if schemas:
            *found, latest, now = self.rows("probe", _binds([schema.name for schema in schemas]))[0]
            if latest and _moment(now) - _moment(latest) < SETTLED:
                found.append(now)
        facts = [self.server.version, self.server.details, schemas, found, within]
        return blake2b(msgspec.json.encode(facts), digest_size=16, person=READER).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """Every user is listed to everybody, so the list is always complete."""
        return [self._scope(schema) for schema in self._in_scope(within)], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        owners = [schema.name for schema in self._in_scope(within) if self._readable(schema)]
        if self._cancelled:
            raise errors.Cancelled
        if not owners:
            return
        binds = _binds(owners)
        parts = {name: Ascending(self._stream(name, binds)) for name in _PARTS}
        for row in self._stream("objects", binds):
            head = RawHead(*row[:_HEAD])
            found = {name: [tuple(part[1:]) for part in rows.take(head.id)] for name, rows in parts.items()}
            if within.allows_table(head.owner, head.name):
                yield _observed(head, found, *row[_HEAD:])

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        """Stop what runs now, and let nothing else begin."""
        self._cancelled = True
        self._line.cancel()

    # --- Schemas ------------------------------------------------------------------------------------------------------

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        if self._schemas is None:
            self._schemas = [_Schema(*row) for row in self.rows("scopes")]
        found = [schema for schema in self._schemas if within.allows_schema(schema.name)]
        self.expected = sum(schema.relations for schema in found)
        return found

    def _readable(self, schema: _Schema) -> bool:
        """Without the dictionary one's own schema, and what of others' somebody has granted."""
        return self.sees_dictionary or schema.name == self._user or schema.relations > 0

    def _scope(self, schema: _Schema) -> Scope:
        completeness, reason = Completeness.COMPLETE, None
        if not self._readable(schema):
            completeness = Completeness.UNREADABLE
            reason = f"The user {self._user} may see nothing of this schema, not even whether there is something."
        elif not self.sees_dictionary and schema.name != self._user:
            completeness = Completeness.PARTIAL
            reason = f"The user {self._user} sees only those tables of this schema that it has a right on."
        return Scope(
            name=schema.name,
            completeness=completeness,
            reason=reason,
            remedy=grant_dictionary(self._user) if reason else None,
            native_id=str(schema.id),
        )

    # --- Statements ---------------------------------------------------------------------------------------------------

    def _may_see_dictionary(self) -> bool:
        try:
            self.rows("dictionary")
        except errors.PermissionMissing:
            return False
        return True

    def _run(self, name: str) -> None:
        with self._sent(name) as (_, sql), self._line.connection.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, name: str, binds: Mapping[str, str] | None = None) -> list[Sequence[Any]]:
        """What a named statement answers; for the connection test, which asks what a read does not."""
        return list(self._stream(name, binds or {}))

    def _stream(self, name: str, binds: Mapping[str, str]) -> Iterator[Sequence[Any]]:
        with self._sent(name, len(binds)) as (statement, sql), self._line.connection.cursor() as cursor:
            cursor.arraysize = cursor.prefetchrows = LONG_BATCH if name in _LONG_TEXTS else BATCH
            cursor.execute(sql, dict(binds))
            statement.rows = 0
            for row in cursor:
                if self._cancelled:
                    raise errors.Cancelled
                statement.rows += 1
                yield row

    @contextmanager
    def _sent(self, name: str, owners: int = 0) -> Iterator[tuple[Statement, str]]:
        """Record a statement, and translate what goes wrong with it."""
        if self._cancelled:
            raise errors.Cancelled
        sql = _spelled(QUERIES[name], owners)
        if not self.sees_dictionary:
            sql = sql.replace(_DICTIONARY, _GRANTED)
        try:
            with self.statements.sent(name, sql) as statement:
                yield statement, sql
        except (oracledb.Error, OSError) as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise from_driver(error, self._settings) from None


def _binds(owners: Sequence[str]) -> dict[str, str]:
    return {f"o{number}": owner for number, owner in enumerate(owners)}


def _spelled(sql: str, owners: int) -> str:
    """``owner IN (:o0, :o1)``; of more than a thousand names several such lists."""

    def lists(found: re.Match[str]) -> str:
        names = [f":o{number}" for number in range(owners)]
        parts = (names[start : start + LONGEST_LIST] for start in range(0, owners, LONGEST_LIST))
        return "(" + " OR ".join(f"{found['column']} IN ({', '.join(part)})" for part in parts) + ")"

    return _OWNERS.sub(lists, sql)


def _observed(
    head: RawHead, found: Mapping[str, list[Any]], row_count: int | None, row_length: int | None
) -> Observation:
    view, materialized = found["views"], found["materialized_views"]
    raw = RawRelation(
        head=head,
        columns=tuple(RawColumn(*row) for row in found["columns"]),
        identities=tuple(found["identities"]),
        view=view[0][0] if view else None,
        materialized=RawMaterialized(*materialized[0]) if materialized else None,
        constraints=tuple(RawConstraint(*row) for row in found["constraints"]),
        constraint_columns=tuple(found["constraint_columns"]),
        references=tuple(RawReference(*row) for row in found["references"]),
        indexes=tuple(RawIndex(*row) for row in found["indexes"]),
        index_columns=tuple(RawIndexColumn(*row) for row in found["index_columns"]),
        index_expressions=tuple(RawIndexExpression(*row) for row in found["index_expressions"]),
        comment=found["comments"][0][0] if found["comments"] else None,
        column_comments=tuple(found["column_comments"]),
        partition_keys=tuple(found["partition_keys"]),
    )
    payload = msgspec.json.encode(raw)
    return Observation(
        schema=head.owner,
        name=head.name,
        kind=kind_of(head, materialized=bool(materialized)),
        fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
        payload=payload,
        native_id=str(head.id),
        row_estimate=row_count,
        size_bytes=row_count * row_length if row_count is not None and row_length is not None else None,
    )


def _moment(text: str) -> datetime:
    """A time as the database writes it, in its own zone: it is compared to another of its own only."""
    return datetime.fromisoformat(text)
