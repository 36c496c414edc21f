"""What is done to a database in the suite, in nobody's language. A subject turns these into its engine's."""

from dataclasses import dataclass

from metamapper.schema import TypeFamily


@dataclass(frozen=True, slots=True)
class Table:
    """The name of a table or view; ``schema`` is the place in the suite, ``main`` or ``other``."""

    name: str
    schema: str = "main"


@dataclass(frozen=True, slots=True)
class NewColumn:
    name: str
    family: TypeFamily = TypeFamily.INTEGER
    nullable: bool = True
    default: str | None = None
    """A literal, as SQL writes it."""
    generated: str | None = None
    """An expression over the other columns, stored."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    target: Table
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class CreateSchema:
    schema: str


@dataclass(frozen=True, slots=True)
class CreateTable:
    table: Table
    columns: tuple[NewColumn, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class DropTable:
    table: Table


@dataclass(frozen=True, slots=True)
class RenameTable:
    table: Table
    to: str


@dataclass(frozen=True, slots=True)
class MoveTable:
    table: Table
    to_schema: str


@dataclass(frozen=True, slots=True)
class AddColumn:
    table: Table
    column: NewColumn


@dataclass(frozen=True, slots=True)
class DropColumn:
    table: Table
    column: str


@dataclass(frozen=True, slots=True)
class RenameColumn:
    table: Table
    column: str
    to: str


@dataclass(frozen=True, slots=True)
class Retype:
    table: Table
    column: str
    family: TypeFamily


@dataclass(frozen=True, slots=True)
class SetNullable:
    table: Table
    column: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class SetDefault:
    table: Table
    column: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Comment:
    """On a table, or on one of its columns."""

    table: Table
    text: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class CreateIndex:
    name: str
    table: Table
    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True, slots=True)
class DropIndex:
    name: str
    table: Table


@dataclass(frozen=True, slots=True)
class CreateView:
    view: Table
    of: Table
    columns: tuple[str, ...]
    literal: str | None = None
    """A text that the view shows besides, as ``long_text``: a way to a long definition."""


@dataclass(frozen=True, slots=True)
class DropView:
    view: Table


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    table: Table
    key: ForeignKey


@dataclass(frozen=True, slots=True)
class AddCheck:
    table: Table
    check: Check


@dataclass(frozen=True, slots=True)
class DropConstraint:
    table: Table
    name: str


Operation = (
    CreateSchema
    | CreateTable
    | DropTable
    | RenameTable
    | MoveTable
    | AddColumn
    | DropColumn
    | RenameColumn
    | Retype
    | SetNullable
    | SetDefault
    | Comment
    | CreateIndex
    | DropIndex
    | CreateView
    | DropView
    | AddForeignKey
    | AddCheck
    | DropConstraint
)
