"""One read of a server that speaks T-SQL: a handful of statements, whatever the number of relations."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.blocks import Blocks
from metamapper.connectors.sql.statements import StatementLog
from metamapper.connectors.sql.tsql.channel import Channel
from metamapper.connectors.sql.tsql.dial import DRIVER_ERRORS
from metamapper.connectors.sql.tsql.errors import advised, from_server, grant_view_definition
from metamapper.connectors.sql.tsql.payload import KINDS, Part, decode
from metamapper.connectors.sql.tsql.settings import TsqlSettings
from metamapper.schema import Completeness, Relation, RelationKind, Scope

PAGE = 8192
"""Bytes of a page, in which the server counts."""

_PARAMETER = re.compile(r"@(\w+)")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server said of itself and of us."""

    version: str
    engine_edition: int
    edition: str
    database_id: int
    database_name: str
    user_name: str
    sees_everything: int | None
    denied: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one relative has of its own."""

    reader: bytes
    """Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""
    queries: Blocks
    release: Callable[[Facts], int]
    """The number that statements are cut to; raises ``VersionUnsupported`` for another kind of server."""
    variant: Callable[[Facts], str] = lambda _: ""
    """What the names of statements end in that differ from one edition to the other."""
    full_name: Callable[[Facts], str] = lambda facts: facts.version


@dataclass(frozen=True, slots=True)
class _Schema:
    schema_id: int
    name: str
    readable: int | None
    comment: str | None
    relations: int
    signature: str | None


class _Rows:
    """The rows of an answer as they come, and the names of its columns."""

    def __init__(self, names: Sequence[str], rows: Iterator[Any]) -> None:
        self.names = names
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class TsqlSession:
    def __init__(self, connection: Any, channel: Channel, settings: TsqlSettings, dialect: Dialect) -> None:
        self._connection = connection
        self._channel = channel
        self._settings = settings
        self._dialect = dialect
        self._cancelled = False
        self._release = 0
        self._variant = ""
        self._schemas: Sequence[_Schema] | None = None
        self._at_start: dict[int, _Schema] | None = None
        """The schemas as they were when the relations were read."""
        self._torn: set[int] = set()
        self.statements = StatementLog()
        self.expected: int | None = None
        if "prepare" in set(dialect.queries):
            self.rows("prepare")
        (facts,) = self.rows("server")
        self._facts = Facts(**facts)
        self._release = dialect.release(self._facts)
        self._variant = dialect.variant(self._facts)
        self.server = Server(
            dialect.full_name(self._facts), {"user": self._facts.user_name, "database": self._facts.database_name}
        )

    def probe(self, within: ScopeFilter) -> str | None:
        """The server's own hash of the catalog's rows in scope, with what else decides what a read would find."""
        schemas = self._in_scope(within)
        found = [list(row.values()) for row in self.rows("probe", {"schemas": _ids(schemas)})]
        rights = [(each.schema_id, each.name, each.readable, each.comment) for each in schemas]
        facts = [msgspec.to_builtins(self._facts), rights, found, within]
        return blake2b(msgspec.json.encode(facts), digest_size=16, person=self._dialect.reader).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """A schema is hidden from whoever has no right in it, so the list is complete for those who see everything."""
        if self._at_start is not None:
            self._schemas = None
        found = self._in_scope(within)
        if self._at_start is not None:
            self._ask_again()
        return [self._scope(schema) for schema in found], bool(self._facts.sees_everything) and not self._facts.denied

    def _ask_again(self) -> None:
        """Whoever lost a right on the way did not see everything."""
        (row,) = self.rows("server")
        now = Facts(**row)
        sees_everything = self._facts.sees_everything and now.sees_everything
        self._facts = replace(now, sees_everything=sees_everything, denied=max(self._facts.denied, now.denied))

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        schemas = self._in_scope(within)
        closed = [schema for schema in schemas if not schema.readable]
        self._at_start = {schema.schema_id: schema for schema in schemas}
        parameters = {"schemas": _ids(schemas), "closed": _ids(closed)}
        with self._sent("relations", parameters) as rows:
            for _, group in groupby(rows, key=itemgetter(0)):
                observation = self._observation(list(group))
                if observation and within.allows_table(observation.schema, observation.name):
                    yield observation

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self._cancelled = True
        self._channel.attention()

    @property
    def user(self) -> str:
        """The user of the database that the login became."""
        return self._facts.user_name

    def rows(self, name: str, parameters: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """What a named statement answers; for the connection test, which asks what a read does not."""
        with self._sent(name, parameters) as rows:
            return [dict(zip(rows.names, row, strict=True)) for row in rows]

    def _observation(self, rows: list[Sequence[Any]]) -> Observation | None:
        """The relation that these rows tell of. Statistics are no part of its payload."""
        own = rows[0]
        object_id, part, _, _, name, schema, *_ = own
        kind, row_count, pages = KINDS.get(own[9], RelationKind.TABLE), own[10], own[11]
        if part != Part.RELATION or all(row[1] != Part.COLUMN for row in rows):
            # Dropped while it was read: every relation has a row of its own and at least one column.
            self._torn.add(object_id)
            return None
        payload = msgspec.json.encode([[*own[1:10], None, None, *own[12:]], *(row[1:] for row in rows[1:])])
        return Observation(
            schema=schema,
            name=name,
            kind=kind,
            fingerprint=blake2b(payload, digest_size=16, person=self._dialect.reader).digest(),
            payload=payload,
            native_id=str(object_id),
            row_estimate=row_count if kind is not RelationKind.VIEW else None,
            size_bytes=pages * PAGE if pages is not None else None,
        )

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        if self._schemas is None:
            self._schemas = [_Schema(**row) for row in self.rows("scopes")]
        found = [schema for schema in self._schemas if within.allows_schema(schema.name)]
        self.expected = sum(schema.relations for schema in found)
        return found

    def _scope(self, schema: _Schema) -> Scope:
        completeness, reason, remedy = self._completeness(schema)
        return Scope(
            name=schema.name,
            completeness=completeness,
            reason=reason,
            remedy=remedy,
            comment=schema.comment,
            native_id=str(schema.schema_id),
        )

    def _completeness(self, schema: _Schema) -> tuple[Completeness, str | None, str | None]:
        if not schema.readable:
            user = self._facts.user_name
            state = Completeness.PARTIAL if schema.relations else Completeness.UNREADABLE
            reason = f"The user {user} has no VIEW DEFINITION on this schema, so that the server hides what is in it."
            return state, reason, grant_view_definition(user, schema.name)
        if self._facts.denied:
            reason = "VIEW DEFINITION is denied on some object of the database, and the server does not say which."
            return Completeness.PARTIAL, reason, None
        if (self._at_start is not None and self._at_start.get(schema.schema_id) != schema) or self._torn:
            return Completeness.PARTIAL, "The schema changed while it was read; the next run reads it again.", None
        return Completeness.COMPLETE, None, None

    @contextmanager
    def _sent(self, name: str, parameters: Mapping[str, str] | None = None) -> Iterator["_Rows"]:
        """Record and send a statement; its rows are read as they come."""
        sql = self.spelled(name)
        with self.statements.sent(name, sql) as statement, closing(self._connection.cursor()) as cursor:
            with self._translated():
                if parameters is None:
                    cursor.execute(sql)
                else:
                    cursor.execute(_with_places(sql), parameters)
            names = [column[0] for column in cursor.description or ()]
            yield _Rows(names, self._fetched(cursor, statement) if names else iter(()))

    def _fetched(self, cursor: Any, statement: Statement) -> Iterator[Any]:
        statement.rows = 0
        with self._translated():
            while (row := cursor.fetchone()) is not None:
                self._refuse_if_cancelled()
                statement.rows += 1
                yield row

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate what goes wrong between the driver and the server."""
        self._refuse_if_cancelled()
        try:
            yield
            self._refuse_if_cancelled()
        except errors.ConnectorError as error:
            self._refuse_if_cancelled()
            if isinstance(error, errors.StatementTimeout):
                self._channel.attention()
            raise advised(error, self._settings) from None
        except DRIVER_ERRORS as error:
            self._refuse_if_cancelled()
            raise from_server(error, self._settings) from None

    def _refuse_if_cancelled(self) -> None:
        if self._cancelled:
            raise errors.Cancelled

    def spelled(self, name: str) -> str:
        """A named statement as this server gets it."""
        blocks = self._dialect.queries
        special = f"{name}_{self._variant}"
        return blocks.at(special if special in set(blocks) else name, self._release)


def _ids(schemas: Sequence[_Schema]) -> str:
    """The ids as a text to look them up in: T-SQL has no lists, and splitting one needs a newer compatibility level."""
    return "," + "".join(f"{schema.schema_id}," for schema in schemas)


@cache
def _with_places(sql: str) -> str:
    """``@name`` as the driver wants it, who calls sp_executesql."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
