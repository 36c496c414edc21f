"""Fixtures of the ledger's tests. Models are imported late: pytest loads this file before Django is set up."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from metamapper.datastores.models import Datastore
    from tests.runs.ledger import Broker, Clock


@pytest.fixture
def clock() -> Iterator["Clock"]:
    from tests.runs.ledger import Clock

    with Clock().running() as clock:
        yield clock


@pytest.fixture
def broker() -> "Broker":
    from tests.runs.ledger import Broker

    return Broker()


@pytest.fixture
def datastore(db: None) -> "Datastore":
    from tests.runs.ledger import make_datastore

    return make_datastore()


@pytest.fixture
def sound(db: None, clock: "Clock") -> Iterator[None]:
    """After the test, every invariant of the ledger holds."""
    from metamapper.runs.invariants import broken

    yield
    assert broken() == {}
