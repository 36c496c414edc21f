"""One read of a metastore's own database: a handful of statements, whatever the number of tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.hive.gathering import Gathered, gathered
from metamapper.connectors.engines.hive.observing import READER, database_extras, observation, shown_names
from metamapper.connectors.engines.hive.settings import HiveSettings
from metamapper.connectors.engines.hive.shape import version_of
from metamapper.connectors.engines.hive.statements import BY_ITS_TABLES, NEEDED
from metamapper.connectors.engines.hive.stores import Store
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.hive_relations import decode
from metamapper.schema import Completeness, Extras, Relation, Scope


@dataclass(frozen=True, slots=True)
class _Database:
    id: int
    name: str
    comment: str | None
    extras: Extras
    relations: int
    connector: str | None


class DatabaseSession:
    def __init__(self, store: Store, settings: HiveSettings) -> None:
        self._store = store
        self._databases: Sequence[_Database] | None = None
        self._before: str | None = None
        """The token at the start of a read that does not see one moment."""
        self._torn = False
        self.expected: int | None = None
        self._version = version_of(store, settings, store.rows("shape", self._spelled("shape"), self._tables()))
        told = store.rows("metastore", self._spelled("metastore"), {})
        self.server = Server(
            str(told[0]["version"]) if told else f"{BY_ITS_TABLES[self._version]} (by its tables)",
            {"database": store.server, "account": store.account},
        )

    @property
    def statements(self) -> Sequence[Statement]:
        return self._store.statements

    def probe(self, within: ScopeFilter) -> str | None:
        """The server's own hash of all that a read would gather.

        The highest ids, counts and the latest ``transient_lastDdlTime`` would be cheaper, and no proof: that time counts in
        seconds and whoever alters a table may give it; comments on databases and constraints do not move it.
        """
        found = self._in_scope(within)
        parts = self._asked_to_count(found) if found else []
        databases = [(each.id, each.name, each.comment, each.extras) for each in found]
        facts = [self.server.version, self._version, databases, parts, within]
        return blake2b(msgspec.json.encode(facts), digest_size=16, person=READER).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """An account that may read the metastore's tables reads all of them, so the list is complete."""
        if self._before is not None:
            self._databases = None
            self._torn = self._torn or self.probe(within) != self._before
        return [self._scope(each) for each in self._in_scope(within)], True

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        if not self._store.sees_one_moment:
            self._before = self.probe(within)
        found = self._in_scope(within)
        if not found:
            return
        sql = self._store.queries.relations(self._version)
        rows = self._store.stream("relations", sql, {"databases": self._store.among(each.id for each in found)})
        for each in gathered(rows, {one.id: one.name for one in self._all()}):
            if isinstance(each, Gathered):
                if within.allows_table(each.raw.schema, each.raw.name):
                    yield observation(each.raw, each.parameters)
            else:
                self._torn = True

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self._store.cancel()

    def writable_tables(self) -> list[str]:
        """Those of the metastore's tables that the account may write to; for the connection test."""
        found = self._store.rows("write_rights", self._spelled("write_rights"), self._tables())
        return sorted(str(row["table_name"]) for row in found)

    def _asked_to_count(self, found: Sequence[_Database]) -> list[list[object]]:
        sql = self._store.queries.probe(self._version)
        rows = self._store.rows("probe", sql, {"databases": self._store.among(each.id for each in found)})
        return sorted([row["part"], row["n"], str(row["hash"])] for row in rows if row["n"])

    def _tables(self) -> dict[str, object]:
        return {"tables": self._store.among(NEEDED)}

    def _spelled(self, name: str) -> str:
        return self._store.queries.at(name, getattr(self, "_version", 0))

    def _in_scope(self, within: ScopeFilter) -> list[_Database]:
        found = [each for each in self._all() if within.allows_schema(each.name)]
        self.expected = sum(each.relations for each in found)
        return found

    def _all(self) -> Sequence[_Database]:
        if self._databases is None:
            self._databases = self._listed()
        return self._databases

    def _listed(self) -> list[_Database]:
        rows = self._store.rows("databases", self._spelled("databases"), {})
        parameters: dict[int, dict[str, str]] = {}
        for row in self._store.rows("database_parameters", self._spelled("database_parameters"), {}):
            if row["value"] is not None:
                parameters.setdefault(row["id"], {})[row["name"]] = row["value"]
        names = shown_names((row["catalog"], row["name"]) for row in rows)
        return [
            _Database(
                id=row["id"],
                name=name,
                comment=row["comment"] or None,
                extras=database_extras(
                    location=row["location"],
                    owner=row["owner"],
                    parameters=parameters.get(row["id"], {}),
                    catalog=row["catalog"],
                    connector=row["connector"],
                ),
                relations=row["relations"],
                connector=row["connector"],
            )
            for name, row in zip(names, rows, strict=True)
        ]

    def _scope(self, database: _Database) -> Scope:
        completeness, reason = Completeness.COMPLETE, None
        if database.connector:
            completeness = Completeness.UNREADABLE
            reason = f"Its tables are kept elsewhere, behind the connector {database.connector}."
        elif self._torn:
            completeness, reason = Completeness.PARTIAL, _CHANGED
        return Scope(
            name=database.name,
            completeness=completeness,
            reason=reason,
            comment=database.comment,
            native_id=str(database.id),
            extras=database.extras,
        )


_CHANGED = "The metastore changed while it was read; the next run reads it again."
