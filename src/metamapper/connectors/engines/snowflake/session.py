"""One read of an account: a handful of statements for each database, whatever the number of relations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from metamapper.connectors import errors
from metamapper.connectors.base import Observation, Server, Statement
from metamapper.connectors.engines.snowflake.catalog import Catalog
from metamapper.connectors.engines.snowflake.dial import Line
from metamapper.connectors.engines.snowflake.errors import (
    grant_database,
    grant_object_viewer,
    grant_schema,
)
from metamapper.connectors.engines.snowflake.keys import KINDS, LIMIT, Keys, gathered
from metamapper.connectors.engines.snowflake.names import quoted, schema_name, stored
from metamapper.connectors.engines.snowflake.payload import YES, RawRelation, decode
from metamapper.connectors.engines.snowflake.rows import column_of, element_of, field_of, relation_of
from metamapper.connectors.engines.snowflake.settings import SnowflakeSettings
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.ordered import Ascending
from metamapper.schema import Completeness, Relation, RelationKind, Scope

READER = b"snowflake-1"
"""Part of every fingerprint and token: a reader that sees more must not find everything unchanged."""
OWN = "SNOWFLAKE"
"""The database that every account has for its own views."""


@dataclass(frozen=True, slots=True)
class _Schema:
    """``name`` is as we call it, ``stored`` as the database does; ``state`` is None where the role cannot see it."""

    database: str
    stored: str
    name: str
    comment: str | None = None
    flags: tuple[str, ...] = ()
    relations: int = 0
    state: int | None = None
    unseen: int = 0


class SnowflakeSession:
    def __init__(self, line: Line, settings: SnowflakeSettings) -> None:
        self.catalog = Catalog(line, settings)
        self._settings = settings
        self._alone = stored(settings.database) or None
        [(version, account, user, role, warehouse)] = self.catalog.all("session")
        if role is None:
            raise errors.PermissionMissing("The user has no default role.", hint="Name a role in the settings.")
        self._role = str(role)
        details = {"account": account, "user": user, "role": role, "warehouse": warehouse}
        self.server = Server(str(version), details)
        self.expected: int | None = None
        self._schemas: list[_Schema] | None = None
        self._read: Mapping[str, int | None] | None = None
        """The state of each schema whose relations were read, before the read; None before the read."""
        self._odd: dict[str, str] = {}
        """Why a schema was not read whole."""
        self._closed: list[str] = []
        """Databases that are listed and cannot be used."""

    @property
    def statements(self) -> Sequence[Statement]:
        return self.catalog.statements

    def probe(self, within: ScopeFilter) -> str | None:
        """Snowflake's own hash over the tables of each schema and when each was last defined anew."""
        facts = [self.server.version, self.server.details["account"], self._role, self._settings.sees_all, within]
        schemas = [
            (each.name, each.comment, each.flags, each.state)
            for each in self._in_scope(within)
            if each.state is not None
        ]
        return blake2b(msgspec.json.encode([*facts, schemas]), digest_size=16, person=READER).hexdigest()

    def scopes(self, within: ScopeFilter) -> tuple[Sequence[Scope], bool]:
        """The schemas in scope. Which of them are out of sight is known where ACCOUNT_USAGE may be read."""
        if self._read is not None:
            self._schemas = None
        found = self._in_scope(within)
        # A database that the role lost is not shown at all, and ACCOUNT_USAGE is asked within those that are.
        every_database = self._alone is not None or self._settings.sees_all
        return [self._scope(each) for each in found], self._proven and every_database and not self._closed

    def relations(self, within: ScopeFilter) -> Iterator[Observation]:
        readable = [each for each in self._in_scope(within) if each.state is not None]
        self._read = {each.name: each.state for each in readable}
        for database in dict.fromkeys(each.database for each in readable):
            names = {each.stored: each.name for each in readable if each.database == database}
            for observation in self._relations_of(database, names):
                if within.allows_table(observation.schema, observation.name):
                    yield observation

    def decode(self, payload: bytes) -> Relation:
        return decode(payload)

    def cancel(self) -> None:
        self.catalog.cancel()

    # --- Schemas -----------------------------------------------------------------------------------------------------

    @property
    def _proven(self) -> bool:
        """Whether what is not listed is gone, and not only out of sight."""
        return self.catalog.with_usage or self._settings.sees_all

    def _in_scope(self, within: ScopeFilter) -> list[_Schema]:
        if self._schemas is None:
            self._closed = []
            self._schemas = [each for database in self.databases() for each in self._schemas_of(database)]
        found = [each for each in self._schemas if within.allows_schema(each.name)]
        self.expected = sum(each.relations for each in found)
        return found

    def databases(self) -> list[str]:
        """Those in scope, whether or not the role may use them."""
        if self._alone is not None:
            return [self._alone]
        return [str(row["name"]) for row in self.catalog.shown("databases") if row["name"] != OWN]

    def _schemas_of(self, database: str) -> Iterator[_Schema]:
        if not self.may_use(database):
            return
        visible = {str(row[0]): row for row in self.catalog.all("schemas")}
        unseen = self._usage("unseen_tables")
        for name, comment, transient, managed, relations, state in visible.values():
            flags = (("transient", transient), ("managed_access", managed))
            yield _Schema(
                database,
                name,
                schema_name(database, name, alone=self._alone),
                comment or None,
                tuple(flag for flag, value in flags if value == YES),
                int(relations),
                int(state or 0),
                int(unseen.get(name, 0)),
            )
        for name in self._usage("all_schemas"):
            if name not in visible:
                yield _Schema(database, name, schema_name(database, name, alone=self._alone))

    def write_rights(self, database: str) -> int:
        """How many rights to change something the role has there; for the connection test only."""
        self.catalog.use(database)
        [(rights,)] = self.catalog.all("write_rights")
        return int(rights)

    def may_use(self, database: str) -> bool:
        """Whether the role may; raises ``DatabaseUnknown`` where it is the only one in scope."""
        try:
            self.catalog.use(database)
        except errors.PermissionMissing as error:
            if self._alone is None:
                self._closed.append(database)
                return False
            raise errors.DatabaseUnknown(
                server_said=error.server_said,
                hint="There is none of this name (capitals count in quotes), or the role may not use it.",
                remedy=grant_database(database, self._role),
            ) from None
        return True

    def _usage(self, name: str) -> dict[str, Any]:
        """What ACCOUNT_USAGE tells by schema; nothing where the role may not read it."""
        if not self.catalog.with_usage:
            return {}
        try:
            return {str(row[0]): row[-1] for row in self.catalog.all(name)}
        except errors.PermissionMissing:
            self.catalog.with_usage = False
            return {}

    def _scope(self, schema: _Schema) -> Scope:
        completeness, reason, remedy = self._completeness(schema)
        return Scope(
            name=schema.name,
            completeness=completeness,
            reason=reason,
            remedy=remedy,
            comment=schema.comment,
            extras=dict.fromkeys(schema.flags, True),
        )

    def _completeness(self, schema: _Schema) -> tuple[Completeness, str | None, str | None]:
        grant = grant_schema(schema.database, schema.stored, self._role)
        if schema.state is None:
            return Completeness.UNREADABLE, f"The role {self._role} may not use this schema.", grant
        if schema.unseen:
            return (
                Completeness.PARTIAL,
                f"The role {self._role} has no right on {schema.unseen} of its relations.",
                grant,
            )
        if not self._proven:
            reason = "Nothing proves that the role sees every relation of it, so none is taken for dropped."
            return Completeness.PARTIAL, reason, grant_object_viewer(self._role)
        disturbed = self._disturbed(schema)
        return (Completeness.PARTIAL if disturbed else Completeness.COMPLETE), disturbed, None

    def _disturbed(self, schema: _Schema) -> str | None:
        """What happened to a schema while it was read."""
        if self._read is None:
            return None
        if schema.name not in self._read:
            return "It appeared while the read was under way; the next run reads it."
        if self._read[schema.name] != schema.state:
            return "It changed while it was read; the next run reads it again."
        return self._odd.get(schema.name)

    # --- Relations ---------------------------------------------------------------------------------------------------

    def _relations_of(self, database: str, names: Mapping[str, str]) -> Iterator[Observation]:
        """``names`` are the schemas to read, stored name by ours. The statements are read side by side."""
        self.catalog.use(database)
        keys = self._keys(database, names)
        columns = Ascending(_keyed(self.catalog.rows("columns")))
        fields, elements = (Ascending(_keyed(self._if_there(name))) for name in ("fields", "elements"))
        for row in self.catalog.rows("relations"):
            place = (str(row[0]), str(row[1]))
            if place[0] not in names:
                continue
            relation, rows, size = relation_of(row, names[place[0]])
            whole = msgspec.structs.replace(
                relation,
                columns=tuple(map(column_of, columns.take(place))),
                fields=tuple(map(field_of, fields.take(place))),
                elements=tuple(map(element_of, elements.take(place))),
                keys=tuple(keys.get(place, ())),
            )
            if whole.columns:
                yield _observation(whole, rows, size)
            else:
                self._odd[whole.schema] = f"{whole.name} was dropped or replaced while it was read."

    def _if_there(self, name: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a view that not every account has."""
        try:
            yield from self.catalog.rows(name)
        except errors.PermissionMissing:
            return

    def _keys(self, database: str, names: Mapping[str, str]) -> Keys:
        found: Keys = {}
        for name, kind in KINDS.items():
            shown = self.catalog.shown(name)
            if len(shown) >= LIMIT:
                shown = [row for schema in names for row in self._keys_of_schema(name, database, schema, names[schema])]
            for place, keys in gathered(kind, shown, alone=self._alone).items():
                found.setdefault(place, []).extend(keys)
        return found

    def _keys_of_schema(self, name: str, database: str, schema: str, ours: str) -> list[dict[str, Any]]:
        self.catalog.all("use_schema", (f"{quoted(database)}.{quoted(schema)}",))
        shown = self.catalog.shown(f"{name}_of_schema")
        if len(shown) >= LIMIT:
            self._odd[ours] = f"It has more than {LIMIT} rows of keys; Snowflake shows no more."
        return shown


def _keyed(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows under their schema and relation."""
    return (((str(row[0]), str(row[1])), *row[2:]) for row in rows)


def _observation(relation: RawRelation, rows: int | None, size: int | None) -> Observation:
    payload = msgspec.json.encode(relation)
    return Observation(
        schema=relation.schema,
        name=relation.name,
        kind=relation.kind,
        fingerprint=blake2b(payload, digest_size=16, person=READER).digest(),
        payload=payload,
        native_id=relation.id,
        row_estimate=rows if relation.kind is not RelationKind.VIEW else None,
        size_bytes=size if relation.kind is not RelationKind.VIEW else None,
    )
