"""One read of a SQLite file: a handful of statements within one read transaction, read side by side."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.sqlite.errors import translated
from metamapper.connectors.engines.sqlite.payload import SCHEMA, RawColumn, RawIndex, RawKey, RawRelation, decode
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import load
from metamapper.connectors.sql.ordered import Ordered
from metamapper.connectors.sql.statements import StatementLog
from metamapper.schema import Relation, Scope

READER = b"sqlite-1"
SHADOW = "shadow"
_QUERIES = load("metamapper.connectors.engines.sqlite")
_VERSION = sqlite3.sqlite_version_info[1]

ViewColumns = Mapping[str, tuple[Sequence[RawColumn], str | None]]
"""The columns of each view, or what SQLite said where it could not tell them."""


class SqliteSession:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cancelled = False
        self.statements = StatementLog()
        for name in ("prepare", "distrust", "begin"):
            self._all(name)
        self.expected: int | None = self._all("count")[0][0]
        self.server = Server(sqlite3.sqlite_version)

    def probe(self, within: ScopeFilter) -> str | None:
        """A hash of every definition: in SQLite they are all there is."""
        digest = blake2b(msgspec.json.encode([within, _VERSION]), digest_size=16, person=READER)
        for row in self._rows("probe"):
            digest.update(msgspec.json.encode(row))
        return digest.hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        return [Scope(name=SCHEMA)] if within.allows_schema(SCHEMA) else [], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        if not within.allows_schema(SCHEMA):
            return
        estimates = self._estimates()
        for raw in self._raw_relations():
            if within.allows_table(SCHEMA, raw.name):
                payload = msgspec.json.encode(raw)
                yield Observation(
                    schema=SCHEMA,
                    name=raw.name,
                    kind=raw.kind,
                    fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
                    payload=payload,
                    row_estimate=estimates.get(raw.name),
                )

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self._cancelled = True
        # The session may have ended by itself a moment ago: then there is nothing to stop.
        with suppress(sqlite3.ProgrammingError):
            self._connection.interrupt()

    def _raw_relations(self) -> Iterator[RawRelation]:
        views = self._view_columns()
        texts = dict(self._all("index_definitions"))
        columns, indexes, keys = (Ordered(self._rows(name)) for name in ("columns", "indexes", "foreign_keys"))
        for name, kind, sql, storage, without_rowid, strict in self._rows("objects"):
            known, broken = views.get(name) or (_columns(columns.take(name)), None)
            raw = RawRelation(
                name=name,
                type=kind,
                sql=sql,
                storage=storage,
                without_rowid=without_rowid or 0,
                strict=strict or 0,
                columns=tuple(known),
                indexes=tuple(_indexes(indexes.take(name), texts)),
                keys=tuple(_keys(keys.take(name))),
                broken=broken,
            )
            if storage != SHADOW:
                yield raw

    def _view_columns(self) -> ViewColumns:
        """All views in one statement; where one of them is broken, each by itself."""
        try:
            rows = self._all("view_columns")
        except errors.Cancelled:
            raise
        except errors.ConnectorError:
            return {name: self._columns_of_view(name) for (name,) in self._all("views")}
        return {name: (_columns(group), None) for name, group in groupby(rows, key=itemgetter(0))}

    def _columns_of_view(self, name: str) -> tuple[Sequence[RawColumn], str | None]:
        try:
            return _columns(self._all("columns_of_view", (name,))), None
        except errors.Cancelled:
            raise
        except errors.ConnectorError as error:
            return (), error.server_said

    def _estimates(self) -> Mapping[str, int]:
        """Rows by table, as ANALYZE counted them."""
        return dict(self._all("statistics")) if self._all("has_statistics")[0][0] else {}

    def _all(self, name: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return list(self._rows(name, parameters))

    def _rows(self, name: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
        sql = _QUERIES.at(name, _VERSION)
        with self._translated(), self.statements.sent(name, sql) as statement:
            statement.rows = 0
            for row in self._connection.execute(sql, parameters):
                if self._cancelled:
                    raise errors.Cancelled
                statement.rows += 1
                yield row

    @contextmanager
    def _translated(self) -> Iterator[Statement | None]:
        if self._cancelled:
            raise errors.Cancelled
        try:
            yield None
        except sqlite3.Error as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise translated(error) from None


def _columns(rows: Iterable[Sequence[Any]]) -> list[RawColumn]:
    return sorted((RawColumn(*row[1:]) for row in rows), key=lambda column: column.place)


def _indexes(rows: Iterable[Sequence[Any]], texts: Mapping[str, str]) -> Iterator[RawIndex]:
    for (name, unique, origin), parts in groupby(rows, key=lambda row: (row[1], row[2], row[3])):
        yield RawIndex(name, unique, origin, tuple(tuple(part[4:]) for part in parts), texts.get(name))


def _keys(rows: Iterable[Sequence[Any]]) -> list[RawKey]:
    """Composite keys gathered; in the order in which they were declared, which SQLite reverses."""
    found = []
    for _, group in groupby(rows, key=lambda row: row[1]):
        parts = list(group)
        _, _, _, table, _, on_update, on_delete = parts[0]
        found.append(RawKey(tuple(p[2] for p in parts), table, tuple(p[4] for p in parts), on_update, on_delete))
    return found[::-1]
