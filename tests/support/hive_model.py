"""What a Hive metastore holds, kept in memory: the stand-ins for its database and for its service tell of one of these."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.sql.hive_constraints import Rule
from metamapper.schema import TypeFamily

_CAPITAL = re.compile("([A-Z])")
TYPES = {
    TypeFamily.INTEGER: "int",
    TypeFamily.STRING: "string",
    TypeFamily.DECIMAL: "decimal(12,2)",
    TypeFamily.BOOLEAN: "boolean",
    TypeFamily.TIMESTAMP: "timestamp",
    TypeFamily.DATE: "date",
    TypeFamily.FLOAT: "double",
    TypeFamily.BINARY: "binary",
}
ENABLED, RELIED = 5, 1
"""``ENABLE NOVALIDATE RELY`` and ``DISABLE NOVALIDATE RELY``, as Hive makes them."""
MADE = 1_760_000_000
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


@dataclass
class ModelColumn:
    name: str
    type: str
    comment: str | None = None


@dataclass
class ModelRule:
    """``target`` is the table that a foreign key points to, ``target_columns`` are its columns."""

    name: str
    rule: Rule
    columns: list[str]
    state: int = RELIED
    text: str | None = None
    target: "ModelTable | None" = None
    target_columns: list[str] = field(default_factory=list)


@dataclass
class ModelTable:
    id: int
    database: "ModelDatabase"
    name: str
    columns: list[ModelColumn] = field(default_factory=list)
    keys: list[ModelColumn] = field(default_factory=list)
    type: str = "MANAGED_TABLE"
    owner: str = "hive"
    parameters: dict[str, str] = field(default_factory=dict)
    view: str | None = None
    rules: list[ModelRule] = field(default_factory=list)
    serde_parameters: dict[str, str] = field(default_factory=lambda: {"serialization.format": "1"})
    buckets: int = -1
    bucketed_by: list[str] = field(default_factory=list)
    sorted_by: list[tuple[str, int]] = field(default_factory=list)
    has_storage: bool = True
    place: str = ""
    """Where its files are, if not where they would be."""

    @property
    def location(self) -> str | None:
        return self.place or (None if self.view is not None else f"hdfs://lake/{self.database.name}.db/{self.id}")

    def column(self, name: str) -> ModelColumn:
        return next(each for each in (*self.columns, *self.keys) if each.name == name)


@dataclass
class ModelDatabase:
    id: int
    name: str
    catalog: str = "hive"
    comment: str | None = None
    owner: str | None = "hive"
    parameters: dict[str, str] = field(default_factory=dict)
    connector: str | None = None
    tables: list[ModelTable] = field(default_factory=list)


@dataclass
class Model:
    """``places`` are the suite's names of schemas, and what they are called here."""

    places: dict[str, str] = field(default_factory=lambda: {"main": "sales", "other": "archive"})
    databases: list[ModelDatabase] = field(default_factory=list)
    last_id: int = 0

    def __post_init__(self) -> None:
        self.database("default")
        self.database(self.places["main"])

    # Whatever a test needs

    def database(self, name: str, **facts: Any) -> ModelDatabase:
        made = ModelDatabase(self._id(), name, **facts)
        self.databases.append(made)
        return made

    def table(self, database: ModelDatabase, name: str, *columns: tuple[str, str], **facts: Any) -> ModelTable:
        parameters = {"transient_lastDdlTime": str(MADE), **facts.pop("parameters", {})}
        made = ModelTable(self._id(), database, name, [ModelColumn(*each) for each in columns], **facts)
        made.parameters = parameters
        database.tables.append(made)
        return made

    @property
    def main(self) -> ModelDatabase:
        return self.at("main")

    def at(self, place: str) -> ModelDatabase:
        return next(each for each in self.databases if each.name == self.places.get(place, place))

    def tables(self) -> list[ModelTable]:
        return [table for database in self.databases for table in database.tables]

    # The suite's operations

    def perform(self, *operations: ops.Operation) -> None:
        for operation in operations:
            name = _CAPITAL.sub(r"_\1", type(operation).__name__).lower()
            act: Callable[[Any], None] = getattr(self, name)
            act(operation)

    def _id(self) -> int:
        self.last_id += 1
        return self.last_id

    def _found(self, table: ops.Table) -> ModelTable:
        return next(each for each in self.at(table.schema).tables if each.name == table.name)

    def _create_schema(self, op: ops.CreateSchema) -> None:
        self.database(self.places.get(op.schema, op.schema))

    def _create_table(self, op: ops.CreateTable) -> None:
        made = self.table(self.at(op.table.schema), op.table.name)
        for column in op.columns:
            self._add(made, column)
        if op.primary_key:
            made.rules.append(ModelRule(f"pk_{made.id}", Rule.PRIMARY_KEY, list(op.primary_key)))
        if op.unique:
            made.rules.append(ModelRule(f"uk_{made.id}", Rule.UNIQUE, list(op.unique)))
        made.rules += [self._key(key) for key in op.foreign_keys]
        made.rules += [self._check(check) for check in op.checks]

    def _add(self, table: ModelTable, column: ops.NewColumn) -> None:
        table.columns.append(ModelColumn(column.name, TYPES[column.family]))
        if not column.nullable:
            table.rules.append(self._not_null(column.name))
        if column.default is not None:
            table.rules.append(self._default(column.name, column.default))

    def _not_null(self, column: str) -> ModelRule:
        return ModelRule(f"nn_{self._id()}", Rule.NOT_NULL, [column], ENABLED)

    def _default(self, column: str, text: str) -> ModelRule:
        return ModelRule(f"dv_{self._id()}", Rule.DEFAULT, [column], ENABLED, text)

    def _key(self, key: ops.ForeignKey) -> ModelRule:
        target = self._found(key.target)
        columns, target_columns = list(key.columns), list(key.target_columns)
        return ModelRule(key.name, Rule.FOREIGN_KEY, columns, RELIED, None, target, target_columns)

    def _check(self, check: ops.Check) -> ModelRule:
        return ModelRule(check.name, Rule.CHECK, [check.expression.split()[0]], ENABLED, check.expression)

    def _drop_table(self, op: ops.DropTable) -> None:
        table = self._found(op.table)
        table.database.tables.remove(table)
        for other in self.tables():
            other.rules = [each for each in other.rules if each.target is not table]

    def _drop_view(self, op: ops.DropView) -> None:
        self._drop_table(ops.DropTable(op.view))

    def _rename_table(self, op: ops.RenameTable) -> None:
        self._found(op.table).name = op.to

    def _move_table(self, op: ops.MoveTable) -> None:
        table, target = self._found(op.table), self.at(op.to_schema)
        table.database.tables.remove(table)
        table.database = target
        target.tables.append(table)

    def _add_column(self, op: ops.AddColumn) -> None:
        self._add(self._found(op.table), op.column)

    def _drop_column(self, op: ops.DropColumn) -> None:
        table = self._found(op.table)
        table.columns.remove(table.column(op.column))
        table.rules = [each for each in table.rules if op.column not in each.columns]

    def _rename_column(self, op: ops.RenameColumn) -> None:
        table = self._found(op.table)
        table.column(op.column).name = op.to
        for rule in table.rules:
            rule.columns = [op.to if name == op.column else name for name in rule.columns]

    def _retype(self, op: ops.Retype) -> None:
        self._found(op.table).column(op.column).type = TYPES[op.family]

    def _set_nullable(self, op: ops.SetNullable) -> None:
        table = self._found(op.table)
        table.rules = [each for each in table.rules if each.rule is not Rule.NOT_NULL or op.column not in each.columns]
        table.rules += [] if op.nullable else [self._not_null(op.column)]

    def _set_default(self, op: ops.SetDefault) -> None:
        table = self._found(op.table)
        table.rules = [each for each in table.rules if each.rule is not Rule.DEFAULT or op.column not in each.columns]
        table.rules += [] if op.default is None else [self._default(op.column, op.default)]

    def _comment(self, op: ops.Comment) -> None:
        table = self._found(op.table)
        if op.column is None:
            table.parameters["comment"] = op.text
        else:
            table.column(op.column).comment = op.text

    def _create_view(self, op: ops.CreateView) -> None:
        of = self._found(op.of)
        made = self.table(self.at(op.view.schema), op.view.name, type="VIRTUAL_VIEW", serde_parameters={})
        made.columns = [ModelColumn(name, of.column(name).type) for name in op.columns]
        shown = ", ".join(f"`{name}`" for name in op.columns)
        if op.literal is not None:
            shown += f", '{op.literal}' AS `long_text`"
            made.columns.append(ModelColumn("long_text", "string"))
        made.view = f"SELECT {shown} FROM `{of.database.name}`.`{of.name}`"

    def _add_foreign_key(self, op: ops.AddForeignKey) -> None:
        self._found(op.table).rules.append(self._key(op.key))

    def _add_check(self, op: ops.AddCheck) -> None:
        self._found(op.table).rules.append(self._check(op.check))

    def _drop_constraint(self, op: ops.DropConstraint) -> None:
        table = self._found(op.table)
        table.rules = [each for each in table.rules if each.name != op.name]
