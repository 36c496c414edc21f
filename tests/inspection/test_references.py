"""Foreign keys point at whoever has the name they spell: also at one who came, or got the name, after them."""

from typing import Any

import msgspec
import pytest

from metamapper.catalog.models import Constraint as ConstraintRow
from metamapper.catalog.models import Relation
from metamapper.history.models import Change
from metamapper.history.selectors import referring, relation_at
from metamapper.inspection.decisions import decide_change
from metamapper.schema import Completeness, Constraint, ConstraintKind, Reference, Scope
from metamapper.schema import Relation as RelationValue
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import show

KEY = Constraint(
    name="fk",
    kind=ConstraintKind.FOREIGN_KEY,
    columns=("parent_id",),
    references=Reference("shop", "parent", ("id",)),
    native_id="7",
)
COLUMNS = ("id integer", "total numeric(10,2)", "placed_at date", "note text")


@pytest.fixture
def child() -> RelationValue:
    return msgspec.structs.replace(table("child", "parent_id integer", native="1"), constraints=(KEY,))


def who_refers(cast: Any, name: str, as_of: Any = None) -> list[str]:
    relation = Relation.objects.get(name=name, retired_at=None)
    state = relation_at(cast.ana, relation, as_of)
    assert state is not None
    return [key.relation for key in referring(cast.ana, state, as_of)]


def test_a_target_that_is_seen_after_its_key(register: Register, cast: Any) -> None:
    """The target's schema could not be read at first; the key's own table has not changed since."""
    datastore = register()
    key = msgspec.structs.replace(KEY, references=Reference("later", "parent", ("id",)))
    child = msgspec.structs.replace(table("child", "parent_id integer", schema="first", native="1"), constraints=(key,))
    hidden = Scope(name="later", native_id="b", completeness=Completeness.UNREADABLE)
    show(child, scopes=[Scope(name="first", native_id="a"), hidden])
    look(datastore)
    parent = table("parent", "id integer", schema="later", native="2")
    show(child, parent, scopes=[Scope(name="first", native_id="a"), Scope(name="later", native_id="b")])
    look(datastore)
    assert who_refers(cast, "parent") == ["child"]


def test_a_target_whose_name_passed_on(register: Register, cast: Any, child: RelationValue) -> None:
    """A read that spells keys by name alone shows the same child, and another parent."""
    datastore = register()
    show(child, table("parent", "id integer", native="2"), table("other", "code text", "at date", native="3"))
    look(datastore)
    then = Change.objects.filter(datastore=datastore).latest("at").at
    show(child, table("former", "id integer", native="2"), table("parent", "code text", "at date", native="3"))
    look(datastore)
    assert who_refers(cast, "parent") == ["child"]
    assert who_refers(cast, "former") == []
    assert who_refers(cast, "former", then) == ["child"]
    assert who_refers(cast, "parent", then) == []


def test_a_target_that_a_decision_exchanged(register: Register, cast: Any, child: RelationValue) -> None:
    datastore = register()
    show(child, table("parent", *COLUMNS, native="2"))
    look(datastore)
    show(child, table("parent", *COLUMNS, native="3"), table("parent_old", *COLUMNS, native="2"))
    look(datastore)
    decide_change(Change.objects.get(datastore=datastore, certainty="inferred"), accept=False, user=cast.ana)
    assert who_refers(cast, "parent") == ["child"]
    assert ConstraintRow.objects.get().target == Relation.objects.get(name="parent", retired_at=None)
