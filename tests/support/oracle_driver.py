"""A driver that answers our statements from a model of the dictionary, at the edge that the database API draws.

The statements are run as they are, turned into SQLite's words by sqlglot. Only a connection to the port of a model is one;
to any other the real driver connects, or fails as it does.
"""

import logging
import re
import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Event, Thread
from typing import Any
from unittest import mock

import oracledb
import sqlglot
from oracledb.errors import _Error
from sqlglot import ErrorLevel

from tests.support.oracle_ddl import Database
from tests.support.oracle_model import VIEWS

VERSION = "23.6.0.24.10"
OF_THE_SESSION = ("ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY", "SET TRANSACTION READ ONLY")


def ora(code: int, message: str) -> oracledb.DatabaseError:
    """An error as the driver makes it of the server's."""
    return oracledb.DatabaseError(_Error(message=f"ORA-{code:05}: {message}", code=code))


def lost() -> oracledb.DatabaseError:
    return oracledb.DatabaseError(_Error(message="DPY-4011: the database or network closed the connection"))


class Server:
    """A model behind a port on which somebody listens, and the passwords that let in."""

    def __init__(self, dictionary: Database, port: int, passwords: Mapping[str, str]) -> None:
        self.dictionary = dictionary
        self.port = port
        self.passwords = passwords
        self.connections: list[Connection] = []
        self.given: list[Mapping[str, Any]] = []

    def connect(self, **given: Any) -> "Connection":
        self.given.append(given)
        if given["service_name"] != "MODEL":
            said = f'DPY-6001: Service "{given["service_name"]}" is not registered with the listener'
            raise oracledb.OperationalError(_Error(message=said))
        user = given["user"].upper()
        if self.passwords.get(user) != given["password"]:
            raise ora(1017, "invalid credential or not authorized; logon denied")
        connection = Connection(self, user)
        self.connections.append(connection)
        return connection


class Connection:
    """As much of a connection as the engine uses."""

    version = VERSION

    def __init__(self, server: Server, user: str) -> None:
        self.user = user
        self.dictionary = server.dictionary
        self.call_timeout = 0
        self.module = ""
        self.batches: list[int] = []
        """How many rows each statement would bring at a time."""
        self.dead = Event()
        self.broken = Event()
        self.copy = self._copied()

    def cursor(self) -> "Cursor":
        return Cursor(self)

    def begin(self) -> None:
        self.copy.close()
        self.copy = self._copied()

    def cancel(self) -> None:
        self.broken.set()

    def close(self) -> None:
        self.copy.close()

    def _copied(self) -> sqlite3.Connection:
        """The DBA views, what of them the ALL views show this user, and the user's own."""
        copy = self.dictionary.copied()
        copy.execute("CREATE TABLE dual (user)")
        copy.execute("INSERT INTO dual VALUES (?)", (self.user,))
        seen = {owner for user, owner in self.dictionary.rights if user == self.user} | {self.user, "PUBLIC"}
        owners = ", ".join(f"'{owner}'" for owner in seen)
        for view, columns in VIEWS.items():
            owner = "table_owner" if "table_owner" in columns else "owner"
            seen_only = "" if view == "users" else f" WHERE {owner} IN ({owners})"
            copy.execute(f"CREATE TABLE sys.all_{view} AS SELECT * FROM sys.dba_{view}{seen_only}")
        copy.execute("CREATE TABLE sys.user_tables AS SELECT table_name FROM sys.dba_tables, dual WHERE owner = user")
        for view in ("user_tab_privs", "user_col_privs"):
            copy.execute(f"CREATE TABLE sys.{view} (privilege, grantee)")
            for privilege in self.dictionary.granted.get((view, self.user), ()):
                copy.execute(f"INSERT INTO sys.{view} VALUES (?, ?)", (privilege, self.user))
        copy.execute("CREATE TABLE sys.role_tab_privs (role, privilege)")
        copy.execute("CREATE TABLE sys.session_privs (privilege)")
        for privilege in self.dictionary.granted_to_roles.get(self.user, ()):
            copy.execute("INSERT INTO sys.role_tab_privs VALUES ('A_ROLE', ?)", (privilege,))
        for privilege in self.dictionary.privileges.get(self.user, ()):
            copy.execute("INSERT INTO sys.session_privs VALUES (?)", (privilege,))
        return copy


class Cursor:
    def __init__(self, connection: Connection) -> None:
        self.arraysize = 100
        self.prefetchrows = 2
        self._connection = connection
        self._rows: Sequence[Any] = ()

    def __enter__(self) -> "Cursor":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, sql: str, binds: Mapping[str, Any] | None = None) -> None:
        self._check()
        self._connection.batches.append(self.arraysize)
        if sql in OF_THE_SESSION:
            if sql.startswith("SET"):
                self._connection.begin()
            return
        if "sys.dba_" in sql and self._connection.user not in self._connection.dictionary.see_dictionary:
            raise ora(942, "table or view does not exist")
        if set(re.findall(r":(\w+)", _without_texts(sql))) != set(binds or {}):
            raise ora(1008, "not all variables bound")
        self._rows = self._connection.copy.execute(as_sqlite(sql), binds or {}).fetchall()

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            self._check()
            yield row

    def _check(self) -> None:
        if self._connection.dead.is_set():
            raise lost()
        if self._connection.broken.is_set():
            raise ora(1013, "user requested cancel of current operation")


@cache
def as_sqlite(sql: str) -> str:
    return sqlglot.transpile(sql, read="oracle", write="sqlite", identify=True, unsupported_level=ErrorLevel.IGNORE)[0]


def _without_texts(sql: str) -> str:
    return re.sub(r"'[^']*'", "", sql)


@contextmanager
def recorded(dictionary: Database, passwords: Mapping[str, str]) -> Iterator[Server]:
    """The driver knows this model under a port of its own."""
    really = oracledb.connect
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(dictionary, listener.getsockname()[1], passwords)
        accepting = Thread(target=_accept, args=(listener,), daemon=True)
        accepting.start()

        def connect(**given: Any) -> Any:
            return server.connect(**given) if given["port"] == server.port else really(**given)

        try:
            with mock.patch.object(oracledb, "connect", connect):
                yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket) -> None:
    """Somebody listens; what is said to it is the model's to hear."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.close()
