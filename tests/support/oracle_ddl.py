"""What the statements of the conformance suite do to an Oracle's dictionary."""

import re
from collections.abc import Iterable
from typing import Any

from metamapper.connectors.conformance import operations as ops
from metamapper.schema import TypeFamily
from tests.support.oracle_model import Dictionary

_OF_A_TABLE = {
    "tables": "table_name",
    "external_tables": "table_name",
    "tab_cols": "table_name",
    "tab_identity_cols": "table_name",
    "views": "view_name",
    "constraints": "table_name",
    "cons_columns": "table_name",
    "indexes": "table_name",
    "ind_columns": "table_name",
    "ind_expressions": "table_name",
    "tab_comments": "table_name",
    "col_comments": "table_name",
}
_OF_A_COLUMN = ("tab_cols", "tab_identity_cols", "cons_columns", "ind_columns", "col_comments")

DATA_TYPES: dict[TypeFamily, tuple[Any, ...]] = {
    TypeFamily.INTEGER: ("NUMBER", None, 22, 0, None, 10, 0),
    TypeFamily.STRING: ("CLOB", None, 4000, 0, None, None, None),
    TypeFamily.DECIMAL: ("NUMBER", None, 22, 0, None, 12, 2),
    TypeFamily.BOOLEAN: ("BOOLEAN", None, 1, 0, None, None, None),
    TypeFamily.TIMESTAMP: ("TIMESTAMP(6) WITH TIME ZONE", None, 13, 0, None, None, 6),
    TypeFamily.DATE: ("DATE", None, 7, 0, None, None, None),
    TypeFamily.FLOAT: ("BINARY_DOUBLE", None, 8, 0, None, None, None),
    TypeFamily.BINARY: ("BLOB", None, 4000, 0, None, None, None),
}
SCHEMAS = {"main": "MAIN", "other": "OTHER"}
_CAPITAL = re.compile("([A-Z])")


class OracleRefuses(Exception):
    """What Oracle has no statement for."""


class Database(Dictionary):
    """A dictionary that changes as DDL would change it; one method for each operation, named after it."""

    def perform(self, *operations: ops.Operation) -> None:
        with self.lock:
            for operation in operations:
                name = _CAPITAL.sub(r"_\1", type(operation).__name__).lower()
                getattr(self, f"do{name}")(operation)

    def do_create_schema(self, op: ops.CreateSchema) -> None:
        self.insert("users", username=_owner(op.schema), user_id=self._next(), oracle_maintained="N")

    # --- Tables -----------------------------------------------------------------------------------------------------

    def do_create_table(self, op: ops.CreateTable) -> None:
        owner, name = _owner(op.table.schema), op.table.name
        self.add_object(owner, name, "TABLE")
        self.insert(
            "tables", owner=owner, table_name=name, partitioned="NO", temporary="N", compression="DISABLED", nested="NO"
        )
        for place, column in enumerate(op.columns, start=1):
            self._add_column(owner, name, place, column)
        if op.primary_key:
            self._add_key(owner, name, "P", op.primary_key)
        if op.unique:
            self._add_key(owner, name, "U", op.unique)
        for key in op.foreign_keys:
            self._add_foreign_key(owner, name, key)
        for check in op.checks:
            self._add_check(owner, name, check.name, check.expression)

    def _add_column(self, owner: str, table: str, place: int, column: ops.NewColumn) -> None:
        kind = DATA_TYPES[column.family]
        self.insert(
            "tab_cols",
            owner=owner,
            table_name=table,
            column_id=place,
            column_name=column.name,
            **_type(kind),
            nullable="Y" if column.nullable else "N",
            virtual_column="YES" if column.generated else "NO",
            identity_column="NO",
            hidden_column="NO",
            data_default=column.generated or column.default,
        )
        if not column.nullable:
            self._add_check(owner, table, f"SYS_C00{self._next()}", f'"{column.name}" IS NOT NULL', column.name)

    def do_drop_table(self, op: ops.DropTable) -> None:
        owner, name = _owner(op.table.schema), op.table.name
        self._drop_object(owner, name)
        for index, index_owner in self.ask(
            "SELECT index_name, owner FROM dba_indexes WHERE table_owner = ? AND table_name = ?", owner, name
        ):
            self._drop_object(index_owner, index)
        for view, column in _OF_A_TABLE.items():
            owned = "table_owner" if view in {"indexes", "ind_columns", "ind_expressions"} else "owner"
            self.update(f"DELETE FROM dba_{view} WHERE {owned} = ? AND {column} = ?", owner, name)

    def _drop_object(self, owner: str, name: str) -> None:
        self.update("DELETE FROM dba_objects WHERE owner = ? AND object_name = ?", owner, name)

    def do_rename_table(self, op: ops.RenameTable) -> None:
        owner, name = _owner(op.table.schema), op.table.name
        self.update("UPDATE dba_objects SET object_name = ? WHERE owner = ? AND object_name = ?", op.to, owner, name)
        for view, column in _OF_A_TABLE.items():
            owned = "table_owner" if view in {"indexes", "ind_columns", "ind_expressions"} else "owner"
            self.update(f"UPDATE dba_{view} SET {column} = ? WHERE {owned} = ? AND {column} = ?", op.to, owner, name)
        self.touch(owner, op.to)

    def do_move_table(self, op: ops.MoveTable) -> None:
        raise OracleRefuses("A table cannot be given to another user")

    # --- Columns ----------------------------------------------------------------------------------------------------

    def do_add_column(self, op: ops.AddColumn) -> None:
        owner, name = _owner(op.table.schema), op.table.name
        [(last,)] = self.ask("SELECT max(column_id) FROM dba_tab_cols WHERE owner = ? AND table_name = ?", owner, name)
        self._add_column(owner, name, last + 1, op.column)
        self.touch(owner, name)

    def do_drop_column(self, op: ops.DropColumn) -> None:
        owner, name = _owner(op.table.schema), op.table.name
        for view in _OF_A_COLUMN:
            owned = "table_owner" if view == "ind_columns" else "owner"
            self.update(
                f"DELETE FROM dba_{view} WHERE {owned} = ? AND table_name = ? AND column_name = ?",
                owner,
                name,
                op.column,
            )
        self.touch(owner, name)

    def do_rename_column(self, op: ops.RenameColumn) -> None:
        owner, name = _owner(op.table.schema), op.table.name
        for view in _OF_A_COLUMN:
            owned = "table_owner" if view == "ind_columns" else "owner"
            self.update(
                f"UPDATE dba_{view} SET column_name = ? WHERE {owned} = ? AND table_name = ? AND column_name = ?",
                op.to,
                owner,
                name,
                op.column,
            )
        self.touch(owner, name)

    def set_column(self, table: ops.Table, column: str, **values: Any) -> None:
        owner = _owner(table.schema)
        changes = ", ".join(f"{name} = ?" for name in values)
        self.update(
            f"UPDATE dba_tab_cols SET {changes} WHERE owner = ? AND table_name = ? AND column_name = ?",
            *values.values(),
            owner,
            table.name,
            column,
        )
        self.touch(owner, table.name)

    def do_retype(self, op: ops.Retype) -> None:
        self.set_column(op.table, op.column, **_type(DATA_TYPES[op.family]))

    def do_set_nullable(self, op: ops.SetNullable) -> None:
        owner, name, condition = _owner(op.table.schema), op.table.name, f'"{op.column}" IS NOT NULL'
        self.set_column(op.table, op.column, nullable="Y" if op.nullable else "N")
        if op.nullable:
            statement = "DELETE FROM dba_constraints WHERE owner = ? AND table_name = ? AND search_condition = ?"
            self.update(statement, owner, name, condition)
        else:
            self._add_check(owner, name, f"SYS_C00{self._next()}", condition, op.column)

    def do_set_default(self, op: ops.SetDefault) -> None:
        """Oracle takes a default away by making it NULL, and keeps the word as it was written, with what follows it."""
        self.set_column(op.table, op.column, data_default=op.default if op.default is not None else "NULL\n")

    def do_comment(self, op: ops.Comment) -> None:
        """Without a change of the time of the last DDL: whether there is one nobody promises."""
        where: dict[str, Any] = {"owner": _owner(op.table.schema), "table_name": op.table.name}
        view = "tab_comments"
        if op.column is not None:
            where["column_name"] = op.column
            view = "col_comments"
        condition = " AND ".join(f"{name} = ?" for name in where)
        self.update(f"DELETE FROM dba_{view} WHERE {condition}", *where.values())
        self.insert(view, **where, comments=op.text)

    # --- Keys, checks, indexes --------------------------------------------------------------------------------------

    def _add_constraint(
        self, owner: str, table: str, name: str, kind: str, columns: Iterable[str], **rest: Any
    ) -> None:
        self.insert(
            "constraints",
            owner=owner,
            table_name=table,
            constraint_name=name,
            constraint_type=kind,
            **{"status": "ENABLED", "deferrable": "NOT DEFERRABLE", "validated": "VALIDATED"} | rest,
        )
        # Columns of a check have no position.
        for place, column in enumerate(columns, start=1):
            self.insert(
                "cons_columns",
                owner=owner,
                table_name=table,
                constraint_name=name,
                column_name=column,
                position=None if kind == "C" else place,
            )
        self.touch(owner, table)

    def _add_key(self, owner: str, table: str, kind: str, columns: tuple[str, ...]) -> None:
        name = f"SYS_C00{self._next()}"
        self.add_index(owner, table, name, columns, unique=True)
        self._add_constraint(owner, table, name, kind, columns, index_name=name)

    def _add_foreign_key(self, owner: str, table: str, key: ops.ForeignKey) -> None:
        target = _owner(key.target.schema)
        [(referenced,)] = self.ask(
            "SELECT constraint_name FROM dba_constraints WHERE owner = ? AND table_name = ? AND constraint_type = 'P'",
            target,
            key.target.name,
        )
        rest = {"r_owner": target, "r_constraint_name": referenced, "delete_rule": "NO ACTION"}
        self._add_constraint(owner, table, key.name, "R", key.columns, **rest)

    def _add_check(self, owner: str, table: str, name: str, condition: str, column: str = "") -> None:
        self._add_constraint(owner, table, name, "C", (column,) if column else (), search_condition=condition)

    def do_add_foreign_key(self, op: ops.AddForeignKey) -> None:
        self._add_foreign_key(_owner(op.table.schema), op.table.name, op.key)

    def do_add_check(self, op: ops.AddCheck) -> None:
        self._add_check(_owner(op.table.schema), op.table.name, op.check.name, op.check.expression)

    def do_drop_constraint(self, op: ops.DropConstraint) -> None:
        owner = _owner(op.table.schema)
        for view in ("constraints", "cons_columns"):
            self.update(f"DELETE FROM dba_{view} WHERE owner = ? AND constraint_name = ?", owner, op.name)
        self.touch(owner, op.table.name)

    def add_index(
        self, owner: str, table: str, name: str, columns: tuple[str, ...], *, unique: bool = False, kind: str = "NORMAL"
    ) -> None:
        self.add_object(owner, name, "INDEX")
        table_is = {"table_owner": owner, "table_name": table}
        state = {"visibility": "VISIBLE", "status": "VALID", "partitioned": "NO", "dropped": "NO"}
        uniqueness = "UNIQUE" if unique else "NONUNIQUE"
        self.insert(
            "indexes", owner=owner, index_name=name, index_type=kind, uniqueness=uniqueness, **table_is, **state
        )
        for place, column in enumerate(columns, start=1):
            self.insert(
                "ind_columns",
                index_owner=owner,
                index_name=name,
                **table_is,
                column_name=column,
                column_position=place,
                descend="ASC",
            )
        self.touch(owner, table)

    def do_create_index(self, op: ops.CreateIndex) -> None:
        self.add_index(_owner(op.table.schema), op.table.name, op.name, op.columns, unique=op.unique)

    def do_drop_index(self, op: ops.DropIndex) -> None:
        owner = _owner(op.table.schema)
        self._drop_object(owner, op.name)
        self.update("DELETE FROM dba_indexes WHERE owner = ? AND index_name = ?", owner, op.name)
        self.update("DELETE FROM dba_ind_columns WHERE index_owner = ? AND index_name = ?", owner, op.name)
        self.touch(owner, op.table.name)

    # --- Views ------------------------------------------------------------------------------------------------------

    def do_create_view(self, op: ops.CreateView) -> None:
        owner, shown = _owner(op.view.schema), ", ".join(f'"{column}"' for column in op.columns)
        if op.literal is not None:
            shown += f", '{op.literal}' AS \"long_text\""
        text = f'SELECT {shown} FROM {_owner(op.of.schema)}."{op.of.name}"'
        self.add_object(owner, op.view.name, "VIEW")
        self.insert("views", owner=owner, view_name=op.view.name, text=text)
        for place, column in enumerate(op.columns, start=1):
            self._add_column(owner, op.view.name, place, ops.NewColumn(column))

    def do_drop_view(self, op: ops.DropView) -> None:
        self.do_drop_table(ops.DropTable(op.view))


def _owner(place: str) -> str:
    return SCHEMAS.get(place, place)


def _type(kind: tuple[Any, ...]) -> dict[str, Any]:
    names = ("data_type", "data_type_owner", "data_length", "char_length", "char_used", "data_precision", "data_scale")
    return dict(zip(names, kind, strict=True))
