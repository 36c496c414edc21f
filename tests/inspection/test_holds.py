"""What is held back stays until a person or a second look lets go of it, and nothing else does."""

from typing import Any

import pytest

from metamapper.catalog.models import Hold, Relation
from metamapper.inspection.decisions import decide_hold
from metamapper.schema import Completeness, Scope
from metamapper.schema import Relation as RelationValue
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import show

SHOP = Scope(name="shop")


def tables(*numbers: int) -> list[RelationValue]:
    return [table(f"t{number}", "id integer", native=str(number)) for number in numbers]


def living(datastore: Any) -> set[str]:
    return set(Relation.objects.filter(datastore=datastore, retired_at=None).values_list("name", flat=True))


def test_what_a_person_keeps_is_kept_when_more_vanishes(register: Register, cast: Any) -> None:
    datastore = register()
    show(*tables(*range(20)))
    look(datastore)
    show(*tables(*range(10)))
    look(datastore)
    decide_hold(Hold.objects.get(), retire_them=False, user=cast.ana)
    show(*tables(*range(3)))
    for _ in range(4):
        look(datastore)
    assert living(datastore) == {f"t{number}" for number in (*range(3), *range(10, 20))}
    assert Hold.objects.get(state=Hold.State.KEPT).vanished


@pytest.mark.parametrize("state", [Hold.State.KEPT, Hold.State.PENDING])
def test_what_was_seen_again_is_not_retired_with_the_rest(register: Register, cast: Any, state: Hold.State) -> None:
    datastore = register()
    show(*tables(*range(10)))
    look(datastore)
    show(*tables(*range(4)))
    look(datastore)
    hold = Hold.objects.get()
    if state == Hold.State.KEPT:
        decide_hold(hold, retire_them=False, user=cast.ana)
    partly = Scope(name="shop", completeness=Completeness.PARTIAL, reason="Some of it could not be read.")
    show(*tables(*range(7)), scopes=[partly if state == Hold.State.PENDING else SHOP])
    look(datastore)
    assert decide_hold(hold, retire_them=True, user=cast.ana) == 3
    assert living(datastore) == {f"t{number}" for number in range(7)}
