"""The database that every engine is asked to read first, and what must be found in it."""

from collections.abc import Iterator

from metamapper.connectors.base import Ability, Engine
from metamapper.connectors.conformance.operations import (
    Check,
    Comment,
    CreateIndex,
    CreateTable,
    CreateView,
    ForeignKey,
    NewColumn,
    Operation,
    Table,
)
from metamapper.schema import TypeFamily

CUSTOMER, PURCHASE, LINE, OPEN = Table("customer"), Table("purchase"), Table("purchase_line"), Table("open_purchase")

CUSTOMER_COLUMNS = (
    NewColumn("id", nullable=False),
    NewColumn("email", TypeFamily.STRING, nullable=False),
    NewColumn("city", TypeFamily.STRING, default="'Lisbon'"),
    NewColumn("credit", TypeFamily.DECIMAL),
    NewColumn("is_active", TypeFamily.BOOLEAN),
    NewColumn("created_at", TypeFamily.TIMESTAMP),
    NewColumn("born", TypeFamily.DATE),
    NewColumn("score", TypeFamily.FLOAT),
    NewColumn("photo", TypeFamily.BINARY),
)
PURCHASE_KEY = ForeignKey("purchase_customer", ("customer_id",), CUSTOMER, ("id",))
LINE_CHECK = Check("line_quantity", "quantity > 0")


def seed(engine: Engine) -> Iterator[Operation]:
    """The operations, as far as the engine has what they make."""
    unique = ("email",) if engine.capabilities[Ability.UNIQUE_KEYS] else ()
    yield CreateTable(CUSTOMER, CUSTOMER_COLUMNS, primary_key=_key(engine, "id"), unique=unique)
    yield CreateTable(
        PURCHASE,
        (
            NewColumn("id", nullable=False),
            NewColumn("customer_id", nullable=False),
            NewColumn("note", TypeFamily.STRING),
        ),
        primary_key=_key(engine, "id"),
        foreign_keys=(PURCHASE_KEY,) if engine.capabilities[Ability.FOREIGN_KEYS] else (),
    )
    generated = NewColumn("doubled", generated="quantity * 2")
    yield CreateTable(
        LINE,
        (
            NewColumn("purchase_id", nullable=False),
            NewColumn("place", nullable=False),
            NewColumn("quantity", default="1"),
            *((generated,) if engine.capabilities[Ability.GENERATED_COLUMNS] else ()),
        ),
        primary_key=_key(engine, "purchase_id", "place"),
        checks=(LINE_CHECK,) if engine.capabilities[Ability.CHECK_CONSTRAINTS] else (),
    )
    if engine.capabilities[Ability.INDEXES]:
        yield CreateIndex("purchase_by_customer", PURCHASE, ("customer_id", "id"))
    if engine.capabilities[Ability.VIEWS]:
        yield CreateView(OPEN, PURCHASE, ("id", "customer_id"))
    if engine.capabilities[Ability.COMMENTS]:
        yield Comment(CUSTOMER, "People who bought something")
        yield Comment(CUSTOMER, "Unique; the sign-in name", column="email")


def _key(engine: Engine, *columns: str) -> tuple[str, ...]:
    return columns if engine.capabilities[Ability.PRIMARY_KEYS] else ()
