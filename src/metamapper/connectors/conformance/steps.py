"""Single changes to the seed, and exactly what each must make different."""

from dataclasses import dataclass

from metamapper.connectors.base import Ability
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.conformance.seed import CUSTOMER, LINE, OPEN, PURCHASE
from metamapper.schema import TypeFamily


@dataclass(frozen=True, slots=True)
class DdlStep:
    """``expected`` are lines of ``differences``, with {main} and {other} for the engine's names of these schemas."""

    name: str
    operation: ops.Operation
    expected: frozenset[str]
    needs: frozenset[Ability] = frozenset()
    first: tuple[ops.Operation, ...] = ()
    """What must be there before; not a part of the step."""


def _step(
    name: str,
    operation: ops.Operation,
    *expected: str,
    needs: tuple[Ability, ...] = (),
    first: tuple[ops.Operation, ...] = (),
) -> DdlStep:
    return DdlStep(name, operation, frozenset(expected), frozenset(needs), first)


_FRESH = ops.CreateTable(
    ops.Table("note"), (ops.NewColumn("id", nullable=False), ops.NewColumn("body", TypeFamily.STRING))
)
_NOTE = _FRESH.table
_BY_CITY = ops.CreateIndex("customer_by_city", CUSTOMER, ("city",))
"""On what no foreign key needs: there are engines that let nobody drop such an index."""

STEPS: tuple[DdlStep, ...] = (
    _step("add_table", _FRESH, "+ {main}.note"),
    _step("drop_table", ops.DropTable(_NOTE), "- {main}.note", first=(_FRESH,)),
    _step("rename_table", ops.RenameTable(_NOTE, "memo"), "- {main}.note", "+ {main}.memo", first=(_FRESH,)),
    _step(
        "move_table",
        ops.MoveTable(_NOTE, "other"),
        "- {main}.note",
        "+ {other}.note",
        needs=(Ability.SET_SCHEMA,),
        first=(ops.CreateSchema("other"), _FRESH),
    ),
    _step("add_schema", ops.CreateSchema("other"), "+ {other}", needs=(Ability.SCHEMAS,)),
    _step(
        "add_column",
        ops.AddColumn(PURCHASE, ops.NewColumn("paid", TypeFamily.BOOLEAN)),
        "+ {main}.purchase.columns.paid",
    ),
    _step("drop_column", ops.DropColumn(PURCHASE, "note"), "- {main}.purchase.columns.note"),
    _step(
        "rename_column",
        ops.RenameColumn(PURCHASE, "note", "remark"),
        "- {main}.purchase.columns.note",
        "+ {main}.purchase.columns.remark",
        needs=(Ability.RENAME_COLUMN,),
    ),
    _step(
        "retype_column",
        ops.Retype(CUSTOMER, "is_active", TypeFamily.STRING),
        "~ {main}.customer.columns.is_active.type",
        "~ {main}.customer.columns.is_active.family",
        needs=(Ability.ALTER_TYPE,),
    ),
    _step(
        "forbid_null",
        ops.SetNullable(PURCHASE, "note", nullable=False),
        "~ {main}.purchase.columns.note.nullable",
        needs=(Ability.NOT_NULL, Ability.ALTER_COLUMN),
    ),
    _step(
        "allow_null",
        ops.SetNullable(CUSTOMER, "email", nullable=True),
        "~ {main}.customer.columns.email.nullable",
        needs=(Ability.NOT_NULL, Ability.ALTER_COLUMN),
    ),
    _step(
        "set_default",
        ops.SetDefault(PURCHASE, "note", "'none'"),
        "+ {main}.purchase.columns.note.default",
        needs=(Ability.DEFAULTS, Ability.ALTER_COLUMN),
    ),
    _step(
        "change_default",
        ops.SetDefault(CUSTOMER, "city", "'Porto'"),
        "~ {main}.customer.columns.city.default",
        needs=(Ability.DEFAULTS, Ability.ALTER_COLUMN),
    ),
    _step(
        "drop_default",
        ops.SetDefault(CUSTOMER, "city", None),
        "- {main}.customer.columns.city.default",
        needs=(Ability.DEFAULTS, Ability.ALTER_COLUMN),
    ),
    _step(
        "comment_on_table",
        ops.Comment(PURCHASE, "What was bought"),
        "+ {main}.purchase.comment",
        needs=(Ability.COMMENTS,),
    ),
    _step(
        "change_comment",
        ops.Comment(CUSTOMER, "Buyers"),
        "~ {main}.customer.comment",
        needs=(Ability.COMMENTS,),
    ),
    _step(
        "comment_on_column",
        ops.Comment(CUSTOMER, "Where it is sent", column="city"),
        "+ {main}.customer.columns.city.comment",
        needs=(Ability.COMMENTS,),
    ),
    _step(
        "add_index",
        _BY_CITY,
        "+ {main}.customer.indexes.customer_by_city",
        needs=(Ability.INDEXES,),
    ),
    _step(
        "drop_index",
        ops.DropIndex("customer_by_city", CUSTOMER),
        "- {main}.customer.indexes.customer_by_city",
        needs=(Ability.INDEXES,),
        first=(_BY_CITY,),
    ),
    _step(
        "add_foreign_key",
        ops.AddForeignKey(LINE, ops.ForeignKey("line_purchase", ("purchase_id",), PURCHASE, ("id",))),
        "+ {main}.purchase_line.constraints.line_purchase",
        needs=(Ability.FOREIGN_KEYS, Ability.ADD_CONSTRAINT),
    ),
    _step(
        "drop_foreign_key",
        ops.DropConstraint(PURCHASE, "purchase_customer"),
        "- {main}.purchase.constraints.purchase_customer",
        needs=(Ability.FOREIGN_KEYS, Ability.ADD_CONSTRAINT),
    ),
    _step(
        "add_check",
        ops.AddCheck(LINE, ops.Check("line_place", "place > 0")),
        "+ {main}.purchase_line.constraints.line_place",
        needs=(Ability.CHECK_CONSTRAINTS, Ability.ADD_CONSTRAINT),
    ),
    _step(
        "add_view",
        ops.CreateView(ops.Table("city"), CUSTOMER, ("id", "city")),
        "+ {main}.city",
        needs=(Ability.VIEWS,),
    ),
    _step("drop_view", ops.DropView(OPEN), "- {main}.open_purchase", needs=(Ability.VIEWS,)),
)
