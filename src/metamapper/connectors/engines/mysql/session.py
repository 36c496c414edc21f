"""One read of a MySQL or MariaDB: a handful of statements, whatever the number of relations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import pymysql
from pymysql.cursors import DictCursor

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.mysql.gathering import Gathered, Refusal, gathered
from metamapper.connectors.engines.mysql.grants import Rights, rights_of
from metamapper.connectors.engines.mysql.payload import decode
from metamapper.connectors.engines.mysql.statements import QUERIES, parts_of, probe_of, relations_of
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.mysql.dial import Wire
from metamapper.connectors.sql.mysql.errors import GARBLED, from_statement, grant_to
from metamapper.connectors.sql.mysql.names import FIRST_MYSQL, Version, version_of
from metamapper.connectors.sql.mysql.settings import MysqlSettings
from metamapper.connectors.sql.statements import StatementLog
from metamapper.schema import Completeness, Relation, Scope

READER = b"mysql-1"
"""Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""

LOCK_SECONDS = 15
IDLE_SECONDS = 300
CANCEL_SECONDS = 5
SORT_BYTES = 64 << 20
"""MySQL 8 and later sort whole rows: the buffer, taken as it is needed, must hold the longest view there is."""
FOLDED_IN_GRANTS = 2
"""The value of lower_case_table_names where names keep their case and grants do not (macOS)."""


@dataclass(frozen=True, slots=True)
class _Schema:
    name: str
    collation: str
    comment: str | None


class MysqlSession:
    def __init__(
        self, connection: Wire, settings: MysqlSettings, dial: Callable[[], AbstractContextManager[Wire]]
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._dial = dial
        self._version = Version(FIRST_MYSQL, mariadb=False)
        self._cancelled = False
        self._schemas: Sequence[_Schema] | None = None
        self._rights = Rights()
        self._refused: dict[str, Refusal] = {}
        self._read: frozenset[str] | None = None
        """The schemas of which everything was shown when they were read; None before."""
        self.statements = StatementLog()
        self.expected: int | None = None
        self._begin()

    def probe(self, within: ScopeFilter) -> str | None:
        """The server's own hash of all that a read would gather, with what else decides what it would find."""
        found = self._in_scope(within)
        names = self._readable(found)
        parts = self._asked("probe", probe_of(self._version), {"schemas": names}) if names else []
        rights = [(schema, sorted(self._rights.on(self._fold(schema.name)))) for schema in found]
        tables = sorted((*place, *sorted(granted)) for place, granted in self._rights.tables.items())
        facts = [self.server.version, self._account, rights, tables, [list(part.values()) for part in parts], within]
        return blake2b(msgspec.json.encode(facts), digest_size=16, person=READER).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """The list is complete where one schema is asked for, or where the account may list them all.

        Both must be so before and after the schemas are listed: rights may be taken away at any moment.
        """
        if self._read is not None:
            self._schemas = None
        found = self._in_scope(within)
        complete = self._lists_all()
        if self._read is not None:
            self._rights = self._rights_now()
        return [self._scope(schema) for schema in found], complete and self._lists_all()

    def _lists_all(self) -> bool:
        return self._rights.lists_every_schema or (self._chosen is not None and self._covers(self._chosen))

    def _rights_now(self) -> Rights:
        lines = (str(next(iter(row.values()))) for row in self.rows("grants"))
        return rights_of(lines, literal=self._literal)

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        names = self._readable(self._in_scope(within))
        self._read = frozenset(filter(self._covers, names))
        if not names:
            return
        for each in gathered(self._streamed(names), mariadb=self._version.mariadb, shows=self._shows):
            if not within.allows_table(each.schema, each.name):
                continue
            if each.refusal is not None:
                self._refused.setdefault(each.schema, each.refusal)
            elif each.payload is not None:
                yield _observation(each, each.payload)

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        """Stop what runs now, and let nothing else begin."""
        self._cancelled = True
        if not self._connection.open:
            return
        try:
            with self._dial() as other, other.cursor() as cursor:
                other.wait_for(CANCEL_SECONDS)
                cursor.execute("KILL QUERY %s", (self._number,))
        except (errors.ConnectorError, pymysql.Error, OSError, *GARBLED):
            # The server is out of reach: end the session from this side, so that the reader stops waiting for it.
            self._connection.shut()

    def _begin(self) -> None:
        said = str(self._row("version")["version"])
        version = version_of(said)
        if version is None or version.is_old:
            raise errors.VersionUnsupported(
                f"The server calls itself {said}; MySQL 5.7 and MariaDB 10.5 are the oldest that are read.",
                hint="It needs a newer server.",
            )
        self._version = version
        self.rows("read_only")
        self.rows("prepare", self._time_outs())
        facts = self._row("facts")
        self._account: str = facts["account"]
        self._number: int = facts["number"]
        self._chosen: str | None = facts["chosen"]
        self._folded = facts["folded"] == FOLDED_IN_GRANTS
        self._literal = bool(facts["literal_patterns"])
        product = "MariaDB" if version.mariadb else "MySQL"
        self.server = Server(said, {"product": product, "account": self._account})

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        if self._schemas is None:
            self._rights = self._rights_now()
            self._schemas = [_Schema(**row) for row in self.rows("scopes")]
        only = self._chosen
        found = [
            schema for schema in self._schemas if within.allows_schema(schema.name) and only in {None, schema.name}
        ]
        names = self._readable(found)
        if self.expected is None:
            self.expected = self._row("expected", {"schemas": names})["relations"] if names else 0
        return found

    def _readable(self, schemas: Sequence[_Schema]) -> list[str]:
        return [schema.name for schema in schemas if self._covers(schema.name) or self._shows_some(schema.name)]

    def _streamed(self, schemas: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        sql = relations_of(self._version, with_ids=self._rights.sees_processes)
        with self._sent("relations", sql) as statement, self._connection.cursor() as cursor:
            statement.rows = 0
            for row in self._connection.stream(cursor.mogrify(sql, {"schemas": schemas})):
                if self._cancelled:
                    raise errors.Cancelled
                statement.rows += 1
                yield row

    def _scope(self, schema: _Schema) -> Scope:
        completeness, reason, remedy = self._completeness(schema.name)
        return Scope(
            name=schema.name,
            completeness=completeness,
            reason=reason,
            remedy=remedy,
            comment=schema.comment or None,
            extras={"collation": schema.collation},
        )

    def _completeness(self, schema: str) -> tuple[Completeness, str | None, str | None]:
        grant = self.grant(schema)
        if not self._covers(schema) and not self._shows_some(schema):
            reason = f"The account {self._account} has no right on the tables of this database."
            return Completeness.UNREADABLE, reason, grant
        if not self._covers(schema):
            reason = f"The account {self._account} has rights on single tables; what else there is cannot be seen."
            return Completeness.PARTIAL, reason, grant
        if self._read is not None and schema not in self._read:
            return Completeness.PARTIAL, "It became readable while the read was under way; the next run reads it.", None
        refusal = self._refused.get(schema)
        if refusal is not None:
            return Completeness.PARTIAL, refusal.reason, grant if refusal.mended_by_grant else None
        return Completeness.COMPLETE, None, None

    def _fold(self, name: str) -> str:
        return name.lower() if self._folded else name

    def _covers(self, schema: str) -> bool:
        return self._rights.covers(self._fold(schema))

    def _shows_some(self, schema: str) -> bool:
        return self._rights.shows_some(self._fold(schema))

    def _shows(self, schema: str, table: str) -> bool:
        """Whether a table is shown with all its columns."""
        return self._covers(schema) or self._rights.shows(self._fold(schema), self._fold(table))

    def _time_outs(self) -> Mapping[str, int]:
        seconds = self._settings.statement_timeout
        return {
            "seconds": seconds,
            "milliseconds": 1000 * seconds,
            "lock_seconds": LOCK_SECONDS,
            "idle_seconds": IDLE_SECONDS,
            "sort_bytes": SORT_BYTES,
        }

    def rows(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What a named statement answers; for the connection test, which asks what a read does not."""
        return self._asked(name, QUERIES.at(name, self._version.number), parameters)

    def _row(self, name: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        rows = self.rows(name, parameters)
        if not rows:
            raise errors.ServerForeign(hint="What answers on this port answers nothing that was asked: check the port.")
        return rows[0]

    def _asked(self, label: str, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with self._sent(label, sql) as statement, self._connection.cursor(DictCursor) as cursor:
            cursor.execute(sql, parameters)
            rows = list(cursor.fetchall())
            statement.rows = len(rows)
            return rows

    @property
    def rights(self) -> Rights:
        return self._rights

    def grant(self, schema: str) -> str:
        """The statement that lets this account see a schema whole."""
        return grant_to(schema, self._account, literal=self._literal)

    def asked_for_parts(self) -> Iterator[tuple[str, str]]:
        """Ask for nothing of each part of a relation, to see whether it can be asked for: its name and statement."""
        for name, sql in parts_of(self._version):
            self._asked(name, QUERIES["nothing"].replace("part_of_a_relation", f"(\n{sql}\n)"), {"schemas": ("",)})
            yield name, sql

    @contextmanager
    def _sent(self, label: str, sql: str) -> Iterator[Statement]:
        """Record a statement, and translate what goes wrong with it."""
        if self._cancelled:
            raise errors.Cancelled
        try:
            with self.statements.sent(label, sql) as statement:
                yield statement
        except (pymysql.Error, OSError, *GARBLED) as error:
            if self._cancelled:
                raise errors.Cancelled from None
            raise from_statement(error, self._settings) from None


def _observation(each: Gathered, payload: bytes) -> Observation:
    return Observation(
        schema=each.schema,
        name=each.name,
        kind=each.kind,
        fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
        payload=payload,
        native_id=each.native_id,
        row_estimate=each.row_estimate,
        size_bytes=each.size_bytes,
    )
