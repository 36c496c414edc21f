"""What people write is kept, whoever else writes at the same moment."""

import threading
from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from django.utils import timezone

from metamapper.accounts.models import User
from metamapper.annotations.models import Description
from metamapper.annotations.selectors import description, descriptions, wordings
from metamapper.annotations.services import AssetUnknown, DescriptionTooLong, describe
from metamapper.plugins import hookimpl, manager
from metamapper.schema import AssetKind, Index, RelationRecord
from tests.catalog.factories import identified, make_datastore, make_record, make_scope, make_workspace, store

RELATION = AssetKind.RELATION


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana@example.com", name="Ana")


@pytest.fixture
def invoices(ana: User) -> RelationRecord:
    return make_invoices()


def make_invoices() -> RelationRecord:
    datastore = make_datastore(make_workspace("larkspur", "ana"))
    record = make_record(make_scope(datastore), "invoices", "id")
    store(datastore, record)
    return record


def test_newest_wording_is_the_current_one_and_none_is_lost(ana: User, invoices: RelationRecord) -> None:
    describe(ana, RELATION, invoices.id, "One row per invoice")
    describe(ana, RELATION, invoices.id, "  One row per\n issued invoice ")
    assert description(ana, invoices.id) == "One row per issued invoice"
    assert [each.text for each in wordings(ana, invoices.id)] == ["One row per issued invoice", "One row per invoice"]


def test_as_of_a_moment(ana: User, invoices: RelationRecord) -> None:
    noon = timezone.now()
    for hour, text in enumerate(["first", "second", ""]):
        describe(ana, RELATION, invoices.id, text, now=noon + timedelta(hours=hour))
    told = [
        descriptions(ana, [invoices.id], noon + timedelta(hours=hour)).get(invoices.id) for hour in (-1, 0, 0.5, 1, 2)
    ]
    assert told == [None, "first", "first", "second", None]


def test_a_clock_that_is_behind_does_not_turn_time_round(ana: User, invoices: RelationRecord) -> None:
    noon = timezone.now()
    describe(ana, RELATION, invoices.id, "first", now=noon)
    describe(ana, RELATION, invoices.id, "second", now=noon - timedelta(hours=1))
    older = Description.objects.exclude(superseded_at=None).get()
    assert older.superseded_at is not None
    assert older.superseded_at > older.at
    assert description(ana, invoices.id) == "second"


def test_saving_what_is_there_changes_nothing(ana: User, invoices: RelationRecord) -> None:
    first = describe(ana, RELATION, invoices.id, "same")
    assert describe(ana, RELATION, invoices.id, " same ") == first
    assert Description.objects.count() == 1


def test_blank_clears_and_blank_without_one_is_nothing(ana: User, invoices: RelationRecord) -> None:
    assert describe(ana, RELATION, invoices.id, " ") is None
    describe(ana, RELATION, invoices.id, "text")
    describe(ana, RELATION, invoices.id, "")
    assert description(ana, invoices.id) == ""
    assert descriptions(ana, [invoices.id]) == {}


def test_a_nul_that_no_metastore_keeps_is_left_out(ana: User, invoices: RelationRecord) -> None:
    describe(ana, RELATION, invoices.id, "a\0b 👩\u200d🔬")
    assert description(ana, invoices.id) == "ab 👩\u200d🔬"


def test_140_characters_fit_and_141_do_not(ana: User, invoices: RelationRecord) -> None:
    describe(ana, RELATION, invoices.id, "é" * 140)
    with pytest.raises(DescriptionTooLong, match="141"):
        describe(ana, RELATION, invoices.id, "é" * 141)
    assert description(ana, invoices.id) == "é" * 140


def test_every_kind_of_asset_can_be_described(ana: User) -> None:
    datastore = make_datastore(make_workspace("larkspur", "ana"))
    scope = make_scope(datastore)
    record = make_record(scope, "invoices", "id")
    record = msgspec.structs.replace(record, indexes=identified(Index(name="ix")))
    store(datastore, record)
    for kind, identity in [
        (AssetKind.DATASTORE, datastore.id),
        (AssetKind.SCHEMA, scope.id),
        (AssetKind.RELATION, record.id),
        (AssetKind.COLUMN, record.columns[0].id),
        (AssetKind.INDEX, record.indexes[0].id),
    ]:
        describe(ana, kind, identity, kind.value)
        assert description(ana, identity) == kind.value
        with pytest.raises(AssetUnknown):
            describe(ana, AssetKind.CONSTRAINT, identity, "not one")


def test_strangers_neither_read_nor_write(ana: User, invoices: RelationRecord) -> None:
    describe(ana, RELATION, invoices.id, "ours")
    bob = User.objects.create_user("bob@example.com")
    assert descriptions(bob, [invoices.id]) == {}
    assert not wordings(bob, invoices.id)
    with pytest.raises(AssetUnknown):
        describe(bob, RELATION, invoices.id, "theirs")


class Listener:
    def __init__(self) -> None:
        self.heard: list[object] = []

    @hookimpl
    def annotation_changed(self, asset_id: object) -> None:
        assert connection.in_atomic_block
        self.heard.append(asset_id)


class Refusing:
    @hookimpl
    def annotation_changed(self, asset_id: object) -> None:
        raise RuntimeError("the index is broken")


@pytest.mark.django_db(transaction=True)
def test_subscribers_are_told_within_the_transaction() -> None:
    ana = User.objects.create_user("ana@example.com", name="Ana")
    invoices, listener, refusing = make_invoices(), Listener(), Refusing()
    manager.register(listener)
    try:
        describe(ana, RELATION, invoices.id, "first")
        describe(ana, RELATION, invoices.id, "first")
        assert listener.heard == [invoices.id]
        manager.register(refusing)
        with pytest.raises(RuntimeError):
            describe(ana, RELATION, invoices.id, "second")
    finally:
        manager.unregister(listener)
        if manager.is_registered(refusing):
            manager.unregister(refusing)
    assert description(ana, invoices.id) == "first"


@pytest.mark.django_db(transaction=True)
def test_people_who_write_at_once_lose_nothing() -> None:
    ana = User.objects.create_user("ana@example.com", name="Ana")
    invoices = make_invoices()
    together = threading.Barrier(8)
    failures: list[Exception] = []

    def write(number: int) -> None:
        together.wait()
        try:
            for turn in range(5):
                describe(ana, RELATION, invoices.id, f"{number} says {turn}")
        except Exception as error:  # noqa: BLE001 - shown by the test
            failures.append(error)
        finally:
            connection.close()

    people = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert failures == []
    assert Description.objects.count() == 40
    assert Description.objects.filter(superseded_at=None).count() == 1
    spans = sorted(Description.objects.values_list("at", "superseded_at"), key=lambda span: span[0])
    assert [span[1] for span in spans[:-1]] == [span[0] for span in spans[1:]]
