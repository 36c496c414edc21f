"""One read of a PostgreSQL: a handful of statements in one snapshot, whatever the number of relations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import psycopg
from psycopg.adapt import Loader
from psycopg.rows import dict_row

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.postgresql.payload import decode, is_torn, kind_of
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.postgresql.errors import from_statement, grant_usage
from metamapper.connectors.sql.postgresql.settings import PostgresqlSettings
from metamapper.connectors.sql.statements import StatementLog
from metamapper.schema import Completeness, Relation, Scope

READER = b"postgresql-1"
"""Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""

LOCK_TIMEOUT = "15s"
IDLE_TIMEOUT = "300s"
TELLS_EMPTY_FROM_UNKNOWN = 14
CANCEL_SECONDS = 5.0
ATTEMPTS = 4
"""How often a read is begun before a catalog that changes all the time is given up."""

QUERIES = load("metamapper.connectors.engines.postgresql")


class _AsSent(Loader):
    """JSON as the server wrote it: it is hashed, and only decoded when it is new."""

    def load(self, data: Any) -> bytes:
        return bytes(data)


class _AsUtf8(Loader):
    """JSON of a database without a declared encoding, made valid."""

    def load(self, data: Any) -> bytes:
        return bytes(data).decode("utf-8", "replace").encode()


@dataclass(frozen=True, slots=True)
class _Schema:
    oid: int
    name: str
    usable: bool | None
    """None where the schema was dropped after the snapshot was taken."""
    comment: str | None
    relations: int


class PostgresqlSession:
    def __init__(self, connection: psycopg.Connection[Any], settings: PostgresqlSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._version = connection.info.server_version // 10000
        self._cancelled = False
        self._schemas: Sequence[_Schema] | None = None
        self._torn: dict[str, str] = {}
        self._read: set[int] | None = None
        """The schemas that every attempt of the read has read; None before the first."""
        self.statements = StatementLog()
        self.expected: int | None = None
        facts = self._begin()
        self._block_size: int = facts["block_size"]
        self._role: str = facts["role"]
        self._database_oid: int = facts["database_oid"]
        self.server = Server(facts["version"], {"role": facts["role"], "database": facts["database"]})

    def probe(self, within: ScopeFilter) -> str | None:
        """The server's own hash of every catalog row in scope, with what else decides what a read would find."""
        schemas = self._in_scope(within)
        oids = [schema.oid for schema in schemas]
        found = [list(row.values()) for row in self.rows("probe", {"schemas": oids})]
        rights = [(schema.oid, schema.name, schema.usable, schema.comment) for schema in schemas]
        facts = [self.server.version, self._database_oid, self._role, rights, found, within]
        return blake2b(msgspec.json.encode(facts), digest_size=16, person=READER).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """PostgreSQL lists every schema to everybody, so the list is always complete."""
        if self._read is not None:
            self._schemas = None
        return [self._scope(schema) for schema in self._in_scope(within)], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        """Where something that is dropped in mid-read ends the statement, the read goes on in a newer snapshot."""
        seen: set[tuple[str, str]] = set()
        last = 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                for oid, observation in self._stream(within, after=last):
                    last = oid
                    if self._is_first(observation, seen) and within.allows_table(observation.schema, observation.name):
                        yield observation
            except errors.ReadDisturbed:
                if attempt == ATTEMPTS:
                    raise
                self._begin_again()
            else:
                return

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        """Stop what runs now, and let nothing else begin."""
        self._cancelled = True
        try:
            self._connection.cancel_safe(timeout=CANCEL_SECONDS)
        except psycopg.Error:
            # The server is out of reach: end the session from this side, so that the reader stops waiting for it.
            self._connection.close()

    def _stream(self, within: ScopeFilter, *, after: int) -> Iterator[tuple[int, Observation]]:
        """What can be told of the relations behind an oid, with their oids."""
        readable = [schema.oid for schema in self._in_scope(within) if schema.usable]
        self._read = set(readable) if self._read is None else self._read.intersection(readable)
        with self._sent("relations") as (statement, sql), self._connection.cursor() as cursor:
            ascii_only = self._connection.info.encoding == "ascii"
            cursor.adapters.register_loader("json", _AsUtf8 if ascii_only else _AsSent)
            statement.rows = 0
            for row in cursor.stream(sql, {"schemas": readable, "after": after}):
                if self._cancelled:
                    raise errors.Cancelled
                statement.rows += 1
                observation = self._observation(row)
                if observation:
                    yield row[0], observation

    def _is_first(self, observation: Observation, seen: set[tuple[str, str]]) -> bool:
        """Whether this name was not seen yet: in a newer snapshot it may have passed on to another relation."""
        key = (observation.schema, observation.name)
        if key in seen:
            self._torn[observation.schema] = observation.name
            return False
        seen.add(key)
        return True

    def _begin_again(self) -> None:
        """A new transaction, which sees what is there now."""
        self.rows("end")
        self._schemas = None
        self._begin()

    def _begin(self) -> dict[str, Any]:
        self.rows("begin")
        return self.rows("prepare", self._time_outs())[0]

    def _observation(self, row: tuple[Any, ...]) -> Observation | None:
        oid, schema, name, code, is_partition, tuples, pages, payload = row
        if is_torn(payload):
            self._torn[schema] = name
            return None
        # Before 14 a table that was never analyzed looks like an empty one.
        known = code in "rmf" and tuples >= 0 and (tuples > 0 or pages > 0 or self._version >= TELLS_EMPTY_FROM_UNKNOWN)
        return Observation(
            schema=schema,
            name=name,
            kind=kind_of(code, is_partition=is_partition),
            fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
            payload=payload,
            native_id=str(oid),
            row_estimate=tuples if known else None,
            size_bytes=pages * self._block_size if known and code != "f" else None,
        )

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        if self._schemas is None:
            self._schemas = [_Schema(**row) for row in self.rows("scopes")]
        found = [schema for schema in self._schemas if within.allows_schema(schema.name)]
        self.expected = sum(schema.relations for schema in found if schema.usable)
        return found

    def _scope(self, schema: _Schema) -> Scope:
        completeness, reason, remedy = self._completeness(schema)
        return Scope(
            name=schema.name,
            completeness=completeness,
            reason=reason,
            remedy=remedy,
            comment=schema.comment,
            native_id=str(schema.oid),
        )

    def _completeness(self, schema: _Schema) -> tuple[Completeness, str | None, str | None]:
        if schema.usable is None:
            return Completeness.PARTIAL, "The schema was dropped while it was read.", None
        if not schema.usable:
            reason = f"The role {self._role} has no USAGE on this schema."
            return Completeness.UNREADABLE, reason, grant_usage(schema.name, self._role)
        if self._read is not None and schema.oid not in self._read:
            return Completeness.PARTIAL, "It became readable while the read was under way; the next run reads it.", None
        if schema.name in self._torn:
            return Completeness.PARTIAL, f"{self._torn[schema.name]} was dropped or replaced while it was read.", None
        return Completeness.COMPLETE, None, None

    def _time_outs(self) -> Mapping[str, str]:
        return {
            "statement_timeout": f"{self._settings.statement_timeout}s",
            "lock_timeout": LOCK_TIMEOUT,
            "idle_timeout": IDLE_TIMEOUT,
        }

    def rows(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What a named statement answers; for the connection test, which asks what a read does not."""
        with self._sent(name) as (statement, sql), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(sql, parameters)
            rows = list(cursor) if cursor.description else []
            statement.rows = len(rows)
            return rows

    @contextmanager
    def _sent(self, name: str) -> Iterator[tuple[Statement, str]]:
        """Record a statement, and translate what goes wrong with it."""
        if self._cancelled:
            raise errors.Cancelled
        sql = QUERIES.at(name, self._version)
        try:
            with self.statements.sent(name, sql.replace("%%", "%")) as statement:
                yield statement, sql
        except psycopg.Error as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise from_statement(error, self._settings) from None
