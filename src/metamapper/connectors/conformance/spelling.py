"""Operations as SQL. What the standard and most engines agree on; an engine overrides the methods where it differs."""

import re
from collections.abc import Mapping

from metamapper.connectors.conformance import operations as ops
from metamapper.schema import TypeFamily

_CAPITAL = re.compile("([A-Z])")


class SqlSpelling:
    """Spells operations as statements.

    ``types`` are the engine's words for the families that the suite uses. ``schemas`` are its names for the places
    ``main`` and ``other``.
    """

    types: Mapping[TypeFamily, str]
    schemas: Mapping[str, str]

    def spelled(self, operation: ops.Operation) -> str:
        """One statement, by the method that is named after the operation: ``spell_add_column``."""
        name = _CAPITAL.sub(r"_\1", type(operation).__name__).lower()
        statement: str = getattr(self, f"spell{name}")(operation)
        return statement

    def quote(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        return "'" + value.replace("'", "''") + "'"

    def table(self, table: ops.Table) -> str:
        return f"{self.quote(self.schemas.get(table.schema, table.schema))}.{self.quote(table.name)}"

    def names(self, names: tuple[str, ...]) -> str:
        return ", ".join(map(self.quote, names))

    def column(self, column: ops.NewColumn) -> str:
        words = [self.quote(column.name), self.types[column.family]]
        if column.generated is not None:
            words.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
        if column.default is not None:
            words.append(f"DEFAULT {column.default}")
        if not column.nullable:
            words.append("NOT NULL")
        return " ".join(words)

    def foreign_key(self, key: ops.ForeignKey) -> str:
        target = f"{self.table(key.target)} ({self.names(key.target_columns)})"
        return f"CONSTRAINT {self.quote(key.name)} FOREIGN KEY ({self.names(key.columns)}) REFERENCES {target}"

    def check(self, check: ops.Check) -> str:
        return f"CONSTRAINT {self.quote(check.name)} CHECK ({check.expression})"

    def spell_create_schema(self, op: ops.CreateSchema) -> str:
        return f"CREATE SCHEMA {self.quote(self.schemas.get(op.schema, op.schema))}"

    def spell_create_table(self, op: ops.CreateTable) -> str:
        parts = [self.column(column) for column in op.columns]
        if op.primary_key:
            parts.append(f"PRIMARY KEY ({self.names(op.primary_key)})")
        if op.unique:
            parts.append(f"UNIQUE ({self.names(op.unique)})")
        parts += [self.foreign_key(key) for key in op.foreign_keys]
        parts += [self.check(check) for check in op.checks]
        return f"CREATE TABLE {self.table(op.table)} ({', '.join(parts)})"

    def spell_drop_table(self, op: ops.DropTable) -> str:
        return f"DROP TABLE {self.table(op.table)}"

    def spell_rename_table(self, op: ops.RenameTable) -> str:
        return f"ALTER TABLE {self.table(op.table)} RENAME TO {self.quote(op.to)}"

    def spell_move_table(self, op: ops.MoveTable) -> str:
        return f"ALTER TABLE {self.table(op.table)} SET SCHEMA {self.quote(self.schemas[op.to_schema])}"

    def spell_add_column(self, op: ops.AddColumn) -> str:
        return f"ALTER TABLE {self.table(op.table)} ADD COLUMN {self.column(op.column)}"

    def spell_drop_column(self, op: ops.DropColumn) -> str:
        return f"ALTER TABLE {self.table(op.table)} DROP COLUMN {self.quote(op.column)}"

    def spell_rename_column(self, op: ops.RenameColumn) -> str:
        return f"ALTER TABLE {self.table(op.table)} RENAME COLUMN {self.quote(op.column)} TO {self.quote(op.to)}"

    def spell_retype(self, op: ops.Retype) -> str:
        return f"ALTER TABLE {self.table(op.table)} ALTER COLUMN {self.quote(op.column)} TYPE {self.types[op.family]}"

    def spell_set_nullable(self, op: ops.SetNullable) -> str:
        verb = "DROP" if op.nullable else "SET"
        return f"ALTER TABLE {self.table(op.table)} ALTER COLUMN {self.quote(op.column)} {verb} NOT NULL"

    def spell_set_default(self, op: ops.SetDefault) -> str:
        words = "DROP DEFAULT" if op.default is None else f"SET DEFAULT {op.default}"
        return f"ALTER TABLE {self.table(op.table)} ALTER COLUMN {self.quote(op.column)} {words}"

    def spell_comment(self, op: ops.Comment) -> str:
        if op.column is None:
            return f"COMMENT ON TABLE {self.table(op.table)} IS {self.text(op.text)}"
        return f"COMMENT ON COLUMN {self.table(op.table)}.{self.quote(op.column)} IS {self.text(op.text)}"

    def spell_create_index(self, op: ops.CreateIndex) -> str:
        unique = "UNIQUE " if op.unique else ""
        return f"CREATE {unique}INDEX {self.quote(op.name)} ON {self.table(op.table)} ({self.names(op.columns)})"

    def spell_drop_index(self, op: ops.DropIndex) -> str:
        return f"DROP INDEX {self.table(ops.Table(op.name, op.table.schema))}"

    def spell_create_view(self, op: ops.CreateView) -> str:
        shown = self.names(op.columns)
        if op.literal is not None:
            shown += f", {self.text(op.literal)} AS {self.quote('long_text')}"
        return f"CREATE VIEW {self.table(op.view)} AS SELECT {shown} FROM {self.table(op.of)}"  # noqa: S608 - quoted

    def spell_drop_view(self, op: ops.DropView) -> str:
        return f"DROP VIEW {self.table(op.view)}"

    def spell_add_foreign_key(self, op: ops.AddForeignKey) -> str:
        return f"ALTER TABLE {self.table(op.table)} ADD {self.foreign_key(op.key)}"

    def spell_add_check(self, op: ops.AddCheck) -> str:
        return f"ALTER TABLE {self.table(op.table)} ADD {self.check(op.check)}"

    def spell_drop_constraint(self, op: ops.DropConstraint) -> str:
        return f"ALTER TABLE {self.table(op.table)} DROP CONSTRAINT {self.quote(op.name)}"
