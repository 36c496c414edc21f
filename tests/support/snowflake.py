"""A stand-in for a Snowflake account: its catalog in SQLite. ``tests.support.snowflake_wire`` serves it over HTTPS.

It signs in by password, key pair or token, keeps roles apart, and runs the catalog statements themselves, translated by
sqlglot, on tables that have the columns of Snowflake's documentation: a statement that names another column fails. SHOW is
answered from the same tables. What Snowflake means by a statement beyond that is not proved here.
"""

import base64
import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sqlglot
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlglot import exp

Json = dict[str, Any]
Row = tuple[Any, ...]
PASSWORD = "correct horse battery staple"
TOKEN = "an-oauth-token-of-the-stand-in"

VIEWS = {
    "schemata": "catalog_name schema_name schema_owner is_transient is_managed_access created last_altered comment",
    "tables": "table_catalog table_schema table_name table_owner table_type is_transient clustering_key row_count bytes"
    " retention_time created last_altered last_ddl comment is_dynamic is_iceberg is_hybrid",
    "columns": "table_catalog table_schema table_name column_name ordinal_position column_default is_nullable data_type"
    " character_maximum_length character_octet_length numeric_precision numeric_scale datetime_precision collation_name"
    " is_identity identity_start identity_increment comment dtd_identifier",
    "views": "table_catalog table_schema table_name view_definition is_secure created last_altered comment",
    "fields": "object_catalog object_schema object_name object_type row_identifier field_name ordinal_position data_type"
    " character_maximum_length numeric_precision numeric_scale dtd_identifier",
    "element_types": "object_catalog object_schema object_name object_type collection_type_identifier data_type"
    " character_maximum_length numeric_precision numeric_scale dtd_identifier",
    "object_privileges": "object_catalog object_schema object_name object_type grantor grantee privilege_type",
    "table_privileges": "grantor grantee table_catalog table_schema table_name privilege_type",
}
USAGE = {
    "schemata": "schema_id schema_name catalog_name deleted",
    "tables": "table_id table_name table_schema table_catalog table_type created deleted",
    "columns": "column_id column_name table_id table_name table_schema table_catalog ordinal_position deleted",
}
KEYS = "kind db schema name column sequence key pk_db pk_schema pk_name pk_column update_rule delete_rule comment"


class Refused(Exception):
    """What Snowflake answers instead: its number, its SQLSTATE, its sentence."""

    def __init__(self, number: str, state: str, message: str) -> None:
        super().__init__(message)
        self.number, self.state, self.message = number, state, message


class Hangup(Exception):
    """The connection is closed without an answer."""


ABSENT = Refused("002003", "02000", "SQL compilation error: Object does not exist, or operation cannot be performed.")


@dataclass
class Session:
    user: str
    role: str
    warehouse: str | None
    database: str | None = None
    schema: str | None = None
    parameters: Json = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class Snowflake:
    """``sees`` are the (database, schema) that a role may use; ``before`` is called with each statement."""

    url: str = ""
    port: int = 0
    authority: str = ""
    logins: list[Json] = field(default_factory=list)
    statements: list[tuple[str, str]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    databases: dict[str, str] = field(default_factory=dict)
    sees: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)
    """The databases that a role may use."""
    listed: set[str] = field(default_factory=set)
    """Databases that are listed for everybody, whoever may use them."""
    blind: set[str] = field(default_factory=set)
    """Roles that may not read ACCOUNT_USAGE."""
    unseen: set[tuple[str, str, str]] = field(default_factory=set)
    """(role, schema, table) that the role has no right on."""
    users: dict[str, str] = field(default_factory=dict)
    """Their roles."""
    keys: dict[str, Any] = field(default_factory=dict)
    """Their public keys."""
    show_limit: int = 10_000
    chunk: int = 2000
    """Rows of an answer itself; the rest is fetched from elsewhere."""
    chunk_port: int = 0
    """Where the rest is, if not here."""
    chunks: dict[str, bytes] = field(default_factory=dict)
    gone: bool = False
    before: Callable[[str, Session], None] = lambda statement, session: None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)
    db: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False))

    def __post_init__(self) -> None:
        for prefix, tables in (("info", VIEWS), ("usage", USAGE)):
            for name, columns in tables.items():
                self.db.execute(f"CREATE TABLE {prefix}_{name} ({', '.join(columns.split())})")
        self.db.execute(f"CREATE TABLE keys ({', '.join(f'{each!r}' for each in KEYS.split())})")
        self.db.create_aggregate("HASH_AGG", -1, _HashAgg)

    def key_pair(self, user: str, passphrase: str = "") -> str:
        """A new key for a user, as PEM."""
        private = rsa.generate_private_key(65537, 2048)
        self.keys[user] = private.public_key()
        lock: Any = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else None
        kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        return private.private_bytes(*kind, lock or serialization.NoEncryption()).decode()

    def insert(self, table: str, **facts: Any) -> None:
        names = ", ".join(f'"{name}"' for name in facts)
        marks = ", ".join("?" * len(facts))
        with self.lock:
            self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(facts.values()))

    def run(self, sql: str, *values: Any) -> list[Row]:
        with self.lock:
            return list(self.db.execute(sql, values))

    # --- What it answers ---------------------------------------------------------------------------------------------

    def login(self, query: Json, data: Json) -> Json:
        self.logins.append(data)
        user = str(data.get("LOGIN_NAME", "")).upper()
        self._authenticate(user, data)
        role = query.get("roleName") or self.users[user]
        if role.upper() not in self.sees:
            raise Refused(
                "390189", "08001", f"Role '{role}' specified in the connect string is not granted to this user."
            )
        token = f"session-token-{next(self.numbers)}"
        found = Session(
            user, role.upper(), query.get("warehouse") or "WH", parameters=data.get("SESSION_PARAMETERS", {})
        )
        self.sessions[token] = found
        return {
            "token": token,
            "masterToken": f"master-{token}",
            "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400,
            "displayUserName": user,
            "serverVersion": "9.36.2",
            "sessionId": len(self.sessions),
            "parameters": [{"name": "AUTOCOMMIT", "value": True}],
            "sessionInfo": {"databaseName": None, "schemaName": None, "warehouseName": "WH", "roleName": found.role},
        }

    def _authenticate(self, user: str, data: Json) -> None:
        kind = data.get("AUTHENTICATOR", "SNOWFLAKE")
        if user not in self.users:
            raise Refused("390100", "08001", "Incorrect username or password was specified.")
        if kind == "SNOWFLAKE_JWT":
            if not _signed(data.get("TOKEN", ""), self.keys.get(user)):
                raise Refused("390144", "08001", "JWT token is invalid. [a planted request id]")
        elif kind in {"OAUTH", "PROGRAMMATIC_ACCESS_TOKEN"}:
            if data.get("TOKEN") != TOKEN:
                raise Refused("390303", "08001", "Invalid OAuth access token. [a planted request id]")
        elif data.get("PASSWORD") != PASSWORD:
            raise Refused("390100", "08001", "Incorrect username or password was specified.")

    def query(self, session: Session, sql: str, bindings: Json) -> Json:
        self.statements.append((session.user, sql))
        self.before(sql, session)
        if session.cancelled.is_set():
            raise Refused("000604", "57014", "SQL execution canceled")
        values = [bindings[str(number)]["value"] for number in range(1, len(bindings) + 1)]
        names, rows = self._answer(session, sql, values)
        texts = [[None if value is None else str(value) for value in row] for row in rows]
        return {
            "parameters": [],
            "rowtype": [_rowtype(name, [row[place] for row in rows]) for place, name in enumerate(names)],
            "rowset": texts[: self.chunk],
            **self._chunked(texts[self.chunk :]),
            "total": len(rows),
            "returned": len(rows),
            "queryId": f"01b2c3d4-0000-0000-0000-{next(self.numbers):012}",
            "queryResultFormat": "json",
            "statementTypeId": 4096,
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
        }

    def _chunked(self, rows: list[list[str | None]]) -> Json:
        """Where the rest of a large result is fetched from: Snowflake leaves it in cloud storage."""
        described = []
        for start in range(0, len(rows), self.chunk):
            part = rows[start : start + self.chunk]
            text = json.dumps(part)[1:-1].encode()
            place = f"/chunk/{next(self.numbers)}"
            self.chunks[place] = text
            size = {"rowCount": len(part), "uncompressedSize": len(text), "compressedSize": len(text)}
            described.append({"url": f"https://127.0.0.1:{self.chunk_port or self.port}{place}", **size})
        return {"chunks": described, "chunkHeaders": {"x-planted": "header"}} if described else {}

    def _answer(self, session: Session, sql: str, values: list[Any]) -> tuple[list[str], list[Row]]:
        words = sql.split()
        if words[0] == "USE":
            self._use(session, words[1], _names(values[0]))
            return ["status"], [("Statement executed successfully.",)]
        if words[0] == "SHOW":
            return self._show(session, " ".join(words[1:]))
        if "SYSTEM$CANCEL_ALL_QUERIES" in sql:
            session.cancelled.set()
            return ["status"], [("cancelled",)]
        return self._select(session, sql, values)

    def _use(self, session: Session, kind: str, names: list[str]) -> None:
        if names[0] not in self.uses[session.role] or len(names) != (1 if kind == "DATABASE" else 2):
            raise ABSENT
        session.database, session.schema = names[0], names[1] if kind == "SCHEMA" else "PUBLIC"

    def may_see(self, role: str, database: str, schema: str) -> bool:
        return schema == "INFORMATION_SCHEMA" or (database, schema) in self.sees[role]

    def _select(self, session: Session, sql: str, values: list[Any]) -> tuple[list[str], list[Row]]:
        tree = sqlglot.parse_one(sql, read="snowflake")
        for table in list(tree.find_all(exp.Table)):
            table.replace(self._source(table, session))
        facts = {
            "CURRENT_VERSION": "9.36.2",
            "CURRENT_ACCOUNT": "ACME",
            "CURRENT_USER": session.user,
            "CURRENT_ROLE": session.role,
            "CURRENT_WAREHOUSE": session.warehouse,
            "CURRENT_DATABASE": session.database,
            "CURRENT_SESSION": "4711",
        }
        text = tree.sql("sqlite", unsupported_level=sqlglot.ErrorLevel.IGNORE).replace(
            "SQLITE_VERSION()", "CURRENT_VERSION()"
        )
        text = re.sub(r"DATE\(CURRENT_TIMESTAMP, '(.*?)'\)", r"datetime('now', '\1s')", text)
        for name, value in facts.items():
            text = re.sub(rf"\b{name}(\(\))?(?![\w(])", "NULL" if value is None else f"'{value}'", text)
        with self.lock:
            role = session.role
            self.db.create_function("MAY_SEE", 3, lambda db, s, t: self._may_see_table(role, db, s, t))
            self.db.create_function("IS_ROLE_IN_SESSION", 1, lambda grantee: grantee == role)
            try:
                cursor = self.db.execute(text, values)
            except sqlite3.OperationalError as error:
                raise Refused("000904", "42000", f"SQL compilation error: {error}") from None
            return [each[0].upper() for each in cursor.description], cursor.fetchall()

    def _may_see_table(self, role: str, database: str, schema: str, table: str | None) -> bool:
        return self.may_see(role, database, schema) and (role, schema, table) not in self.unseen

    def _source(self, table: exp.Table, session: Session) -> exp.Expression:
        """The rows of a view that this role may see."""
        catalog, schema, name = table.catalog.lower(), table.db.lower(), table.name.lower()
        if (catalog, schema) == ("snowflake", "account_usage") and name in USAGE:
            if session.role in self.blind:
                raise ABSENT
            return sqlglot.parse_one(f"SELECT * FROM usage_{name}").subquery(table.alias or name)
        if schema != "information_schema" or name not in VIEWS:
            raise ABSENT
        db, place, own = VIEWS[name].split()[:3]
        if name == "table_privileges":
            db, place, own = "table_catalog", "table_schema", "table_name"
        own = "NULL" if name == "schemata" else own
        rows = f"SELECT * FROM info_{name} WHERE {db} = '{session.database}' AND MAY_SEE({db}, {place}, {own})"
        return sqlglot.parse_one(rows, read="sqlite").subquery(table.alias or name)

    def _show(self, session: Session, what: str) -> tuple[list[str], list[Row]]:
        if what == "DATABASES":
            seen = self.uses[session.role] | self.listed
            rows = [(name, "", kind) for name, kind in sorted(self.databases.items()) if name in seen]
            return ["name", "comment", "kind"], rows[: self.show_limit]
        kind, place = re.fullmatch(r"(PRIMARY|UNIQUE|IMPORTED) KEYS IN (DATABASE|SCHEMA)", what).groups()  # type: ignore[union-attr]
        found = self.run("SELECT * FROM keys WHERE kind = ? AND db = ?", kind, session.database)
        rows = [row for row in found if self._may_see_table(session.role, *row[1:4])]
        rows = [row for row in rows if place == "DATABASE" or row[2] == session.schema]
        return _KEYS_SHOWN[kind], [_as_shown(row) for row in rows][: self.show_limit]


_KEY_COLUMNS = ["created_on", "database_name", "schema_name", "table_name", "column_name", "key_sequence"]
_KEYS_SHOWN = {
    "PRIMARY": [*_KEY_COLUMNS, "constraint_name", "rely", "comment"],
    "UNIQUE": [*_KEY_COLUMNS, "constraint_name", "rely", "comment"],
    "IMPORTED": [
        "created_on",
        *(f"pk_{each}_name" for each in ("database", "schema", "table", "column")),
        *(f"fk_{each}_name" for each in ("database", "schema", "table", "column")),
        *("key_sequence", "update_rule", "delete_rule", "fk_name", "pk_name", "deferrability", "rely", "comment"),
    ],
}


def _as_shown(row: Row) -> Row:
    kind, db, schema, name, column, sequence, key, *rest, comment = row
    if kind != "IMPORTED":
        return ("1970-01-01", db, schema, name, column, sequence, key, "false", comment)
    *target, update_rule, delete_rule = rest
    mine = (db, schema, name, column)
    return (
        "1970-01-01",
        *target,
        *mine,
        sequence,
        update_rule,
        delete_rule,
        key,
        "",
        "NOT DEFERRABLE",
        "false",
        comment,
    )


class _HashAgg:
    """Snowflake's hash over rows in any order."""

    def __init__(self) -> None:
        self.sum = 0

    def step(self, *values: Any) -> None:
        text = json.dumps(values).encode()
        self.sum ^= int.from_bytes(hashlib.blake2b(text, digest_size=7).digest())

    def finalize(self) -> int:
        return self.sum


def _names(identifier: str) -> list[str]:
    """The stored names of a written one, by Snowflake's rules."""
    parts = re.findall(r'"((?:[^"]|"")*)"|([^".]+)', identifier)
    return [plain.upper() if plain else quoted.replace('""', '"') for quoted, plain in parts]


def _rowtype(name: str, values: list[Any]) -> Json:
    number = any(isinstance(value, int) for value in values)
    kind: Json = {"type": "fixed", "precision": 38, "scale": 0} if number else {"type": "text", "length": 16777216}
    return {"name": name, "nullable": True, "byteLength": None, "database": "", "schema": "", "table": "", **kind}


def _signed(token: str, key: Any) -> bool:
    try:
        head, body, signature = token.split(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        key.verify(raw, f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, AttributeError, InvalidSignature):
        return False
    return True
