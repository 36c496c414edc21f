"""What an Oracle's dictionary would hold: its views as tables of an SQLite in memory, and DDL as changes of their rows.

Written from Oracle Database Reference. No server was asked, so what it does beyond that is not proved here.
"""

import sqlite3
import zlib
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

VIEWS = {
    "users": "username, user_id, oracle_maintained",
    "objects": "owner, object_name, object_id, object_type, secondary, last_ddl_time",
    "tables": "owner, table_name, partitioned, temporary, iot_type, cluster_name, compression, nested, num_rows, avg_row_len",
    "external_tables": "owner, table_name",
    "tab_cols": "owner, table_name, column_id, column_name, data_type, data_type_owner, data_length, char_length, char_used,"
    " data_precision, data_scale, nullable, virtual_column, identity_column, hidden_column, data_default",
    "tab_identity_cols": "owner, table_name, column_name, generation_type",
    "views": "owner, view_name, text",
    "mviews": "owner, mview_name, refresh_mode, refresh_method, query",
    "mview_comments": "owner, mview_name, comments",
    "constraints": "owner, table_name, constraint_name, constraint_type, r_owner, r_constraint_name, delete_rule, status,"
    " deferrable, validated, index_name, search_condition",
    "cons_columns": "owner, table_name, constraint_name, column_name, position",
    "indexes": "owner, index_name, table_owner, table_name, index_type, uniqueness, visibility, status, partitioned, dropped",
    "ind_columns": "index_owner, index_name, table_owner, table_name, column_name, column_position, descend",
    "ind_expressions": "index_owner, index_name, table_owner, table_name, column_expression, column_position",
    "tab_comments": "owner, table_name, comments",
    "col_comments": "owner, table_name, column_name, comments",
    "part_tables": "owner, table_name, partitioning_type",
    "part_key_columns": "owner, name, object_type, column_name, column_position",
}
"""The columns that are read of each ``DBA_…``."""
BEGINNING = datetime(2024, 2, 29, 12, 0, 0)  # noqa: DTZ001 - a database's own time, without a zone


class Dictionary:
    """One database. ``see_dictionary`` are the users that were granted SELECT ANY DICTIONARY, ``rights`` what else."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.see_dictionary = {"SYSTEM"}
        self.rights: set[tuple[str, str]] = set()
        """(user, owner): a right on every table of that owner."""
        self.privileges: dict[str, set[str]] = {}
        self.granted_to_roles: dict[str, set[str]] = {}
        self.granted: dict[tuple[str, str], set[str]] = {}
        """By view (``user_tab_privs``, ``user_col_privs``) and user."""
        self._ids = 70_000
        self._ddl = BEGINNING
        self._rows = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        for view, columns in VIEWS.items():
            quoted = ", ".join(f'"{column.strip()}"' for column in columns.split(","))
            self._rows.execute(f"CREATE TABLE dba_{view} ({quoted})")
        for name, maintained in (("SYS", "Y"), ("SYSTEM", "Y"), ("MAIN", "N"), ("READER", "N")):
            self.insert("users", username=name, user_id=self._next(), oracle_maintained=maintained)

    def close(self) -> None:
        self._rows.close()

    def copied(self) -> sqlite3.Connection:
        """What a transaction sees that begins now."""
        with self.lock:
            copy = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            copy.execute("ATTACH ':memory:' AS sys")
            copy.create_function("ORA_HASH", 1, lambda text: zlib.crc32(str(text).encode()))
            self._rows.backup(copy, name="main")
            for view in VIEWS:
                copy.execute(f"CREATE TABLE sys.dba_{view} AS SELECT * FROM main.dba_{view}")
                copy.execute(f"DROP TABLE main.dba_{view}")
            return copy

    def insert(self, view: str, **values: Any) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        with self.lock:
            self._rows.execute(f"INSERT INTO dba_{view} ({names}) VALUES ({marks})", tuple(values.values()))

    def update(self, statement: str, *values: Any) -> None:
        """Any other change of rows, and a moment passes."""
        with self.lock:
            self._rows.execute(statement, values)

    def ask(self, query: str, *values: Any) -> list[Any]:
        return self._rows.execute(query, values).fetchall()

    # --- Users, objects ---------------------------------------------------------------------------------------------

    def _next(self) -> int:
        self._ids += 1
        return self._ids

    def _now(self) -> str:
        self._ddl += timedelta(seconds=1)
        return self._ddl.isoformat(sep=" ")

    def add_object(self, owner: str, name: str, kind: str, secondary: str = "N") -> int:
        number = self._next()
        self.insert(
            "objects",
            owner=owner,
            object_name=name,
            object_id=number,
            object_type=kind,
            secondary=secondary,
            last_ddl_time=self._now(),
        )
        return number

    def touch(self, owner: str, name: str) -> None:
        """What every DDL does to the object that it is about."""
        self.update(
            "UPDATE dba_objects SET last_ddl_time = ? WHERE owner = ? AND object_name = ?", self._now(), owner, name
        )
