"""One read of a DuckDB file: a handful of statements, read side by side. Nobody can write the file meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import duckdb
import msgspec

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server
from metamapper.connectors.engines.duckdb.errors import translated
from metamapper.connectors.engines.duckdb.payload import (
    KINDS,
    RawColumn,
    RawConstraint,
    RawIndex,
    RawRelation,
    decode,
)
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.ordered import Ordered
from metamapper.connectors.sql.statements import StatementLog
from metamapper.schema import Relation, Scope

READER = b"duckdb-1"
"""Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""

ROWS = 500
QUERIES = load("metamapper.connectors.engines.duckdb")


@dataclass(frozen=True, slots=True)
class _Schema:
    oid: int
    name: str
    comment: str | None
    relations: int


class DuckdbSession:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._cancelled = False
        self.statements = StatementLog()
        ((version, database),) = self._rows("server")
        self.server = Server(version.removeprefix("v"), {"database": database})
        self._schemas = _named(list(self._rows("schemas")))
        self.expected: int | None = sum(schema.relations for schema in self._schemas)

    def probe(self, within: ScopeFilter) -> str | None:
        """DuckDB's own hash of all that its catalog tells of what is in scope."""
        schemas = self._in_scope(within)
        found = list(self._rows("probe", schemas))
        facts = [self.server.version, [(each.name, each.comment) for each in schemas], found, within]
        return blake2b(msgspec.json.encode(facts), digest_size=16, person=READER).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        return [Scope(name=schema.name, comment=schema.comment) for schema in self._in_scope(within)], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        schemas = self._in_scope(within)
        names = {schema.oid: schema.name for schema in schemas}
        columns, constraints, indexes = (
            Ordered(self._rows(name, schemas)) for name in ("columns", "constraints", "indexes")
        )
        for oid, schema, name, kind, comment, sql, estimate in self._rows("relations", schemas):
            raw = RawRelation(
                schema=names[schema],
                name=name,
                kind=kind,
                comment=comment,
                sql=sql,
                columns=tuple(RawColumn(*row[1:]) for row in columns.take(oid)),
                constraints=tuple(RawConstraint(*row[1:]) for row in constraints.take(oid)),
                indexes=tuple(RawIndex(*row[1:]) for row in indexes.take(oid)),
            )
            if within.allows_table(raw.schema, name):
                yield _observation(raw, estimate)

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self._cancelled = True
        for cursor in tuple(self._cursors):
            # It may have ended by itself a moment ago: then there is nothing to stop.
            with suppress(duckdb.Error):
                cursor.interrupt()

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        found = [schema for schema in self._schemas if within.allows_schema(schema.name)]
        self.expected = sum(schema.relations for schema in found)
        return found

    def _rows(self, name: str, schemas: Sequence[_Schema] | None = None) -> Iterator[Any]:
        """The rows of a named statement as they come, on a cursor of their own."""
        if self._cancelled:
            raise errors.Cancelled
        sql = QUERIES[name]
        parameters = {} if schemas is None else {"schemas": [schema.oid for schema in schemas]}
        try:
            with self.statements.sent(name, sql) as statement, self._cursor() as cursor:
                cursor.execute(sql, parameters)
                statement.rows = 0
                while rows := cursor.fetchmany(ROWS):
                    for row in rows:
                        if self._cancelled:
                            raise errors.Cancelled
                        statement.rows += 1
                        yield row
        except duckdb.Error as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise translated(error) from None

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with closing(self._connection.cursor()) as cursor:
            self._cursors.add(cursor)
            try:
                yield cursor
            finally:
                self._cursors.discard(cursor)


def _observation(raw: RawRelation, estimate: int | None) -> Observation:
    payload = msgspec.json.encode(raw)
    return Observation(
        schema=raw.schema,
        name=raw.name,
        kind=KINDS[raw.kind],
        fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
        payload=payload,
        row_estimate=estimate,
    )


def _named(rows: Sequence[tuple[int, str, int | None, str | None, int]]) -> list[_Schema]:
    """The schemas by their whole names: one that lies in another is ``outer.inner``.

    Where a schema of that very name lies in none, the inner one's names are quoted, so that the two are told apart.
    """
    known = {row[0]: row for row in rows}
    outermost = {name for _, name, parent, _, _ in rows if parent is None}
    found = []
    for oid, _, _, comment, relations in rows:
        path = _path(oid, known)
        name = ".".join(path)
        if len(path) > 1 and name in outermost:
            name = ".".join('"' + each.replace('"', '""') + '"' for each in path)
        found.append(_Schema(oid, name, comment, relations))
    return found


def _path(oid: int | None, known: Mapping[int, tuple[int, str, int | None, str | None, int]]) -> list[str]:
    path: list[str] = []
    while oid is not None and oid in known:
        _, name, oid, _, _ = known[oid]
        path.insert(0, name)
    return path
