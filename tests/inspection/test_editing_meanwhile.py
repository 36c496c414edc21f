"""F25: people write descriptions while inspections rewrite, rename and retire the very same tables: none is lost."""

import random
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from metamapper.annotations.models import Description
from metamapper.annotations.services import describe
from metamapper.catalog.models import Relation
from metamapper.runs.models import State
from metamapper.schema import AssetKind
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import show

TABLES, LOOKS, EDITORS = 6, 25, 3
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


def shapes(chance: random.Random) -> Iterator[None]:
    """The datastore, other each time: tables renamed, retyped, gone and back."""
    for number in range(LOOKS):
        tables = [
            table(f"t{each}_{number % 3}", "id integer", f"c{chance.randrange(3)} text", native=str(each))
            for each in range(TABLES)
            if each == 0 or chance.random() < 0.8
        ]
        show(*tables)
        yield


class Editor(threading.Thread):
    """Describes tables, one after the other, until told to stop; knows the last thing it said of each."""

    def __init__(self, cast: Any, number: int, assets: list[UUID]) -> None:
        super().__init__(daemon=True)
        self._cast, self._number, self._assets = cast, number, assets
        self.stop = threading.Event()
        self.said: dict[UUID, str] = {}
        self.times = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                asset = self._assets[self.times % len(self._assets)]
                text = f"editor {self._number}, edit {self.times}"
                describe(self._cast.ana, AssetKind.RELATION, asset, text)
                self.said[asset] = text
                self.times += 1
        except BaseException as error:  # noqa: BLE001 - it fails the test
            self.error = error
        finally:
            connections.close_all()


def test_what_people_write_meanwhile_is_all_there(register: Register, cast: Any) -> None:
    datastore = register()
    show(*(table(f"t{each}_0", "id integer", native=str(each)) for each in range(TABLES)))
    look(datastore)
    assets = list(Relation.objects.order_by("name").values_list("pk", flat=True))
    per_editor = TABLES // EDITORS
    editors = [Editor(cast, n, assets[n * per_editor : (n + 1) * per_editor]) for n in range(EDITORS)]
    for each in editors:
        each.start()
    try:
        ends = [look(datastore).state for _ in shapes(random.Random(7))]
    finally:
        for each in editors:
            each.stop.set()
        for each in editors:
            each.join(60)
    assert [each.error for each in editors] == [None] * EDITORS
    assert set(ends) <= {State.SUCCEEDED, State.PARTIAL}
    assert all(each.times for each in editors)
    assert Relation.objects.filter(pk__in=assets).count() == TABLES
    for each in editors:
        for asset, text in each.said.items():
            newest = Description.objects.filter(asset_id=asset, superseded_at=None).values_list("text", flat=True)
            assert list(newest) == [text]
    assert Description.objects.count() == sum(each.times for each in editors)
