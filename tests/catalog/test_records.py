"""A record that went through the catalog's rows comes back as it was."""

from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamapper.catalog import models, rows
from metamapper.catalog.records import load_records, load_retired_children
from metamapper.datastores.models import Datastore
from metamapper.history.codec import pack, unpack
from metamapper.lib.ids import uuid7, uuid7s
from metamapper.schema import (
    Column,
    Constraint,
    ConstraintKind,
    Generated,
    Identified,
    Identity,
    Index,
    Reference,
    Relation,
    RelationKind,
    RelationRecord,
    TypeFamily,
)
from tests.catalog.factories import MORNING, insert, make_datastore, make_record, make_scope, make_workspace, store

pytestmark = pytest.mark.django_db

# Neither metastore can keep a surrogate, nor PostgreSQL a NUL; engines never show either in a name.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
optional = st.none() | texts
numbers = st.none() | st.integers(0, 2**31 - 1)
extras = st.dictionaries(
    names, st.none() | st.booleans() | st.integers(-9, 9) | texts | st.lists(texts, max_size=2), max_size=2
)
name_lists = st.lists(names, max_size=3).map(tuple)

columns = st.builds(
    Column,
    name=names,
    position=st.integers(1, 5),
    type=texts,
    family=st.sampled_from(TypeFamily),
    nullable=st.booleans(),
    default=optional,
    generated=st.none() | st.sampled_from(Generated),
    identity=st.none() | st.sampled_from(Identity),
    comment=optional,
    length=numbers,
    precision=numbers,
    scale=numbers,
    native_id=optional,
    nested_in=name_lists,
    extras=extras,
)
indexes = st.builds(
    Index,
    name=names,
    keys=name_lists,
    unique=st.booleans(),
    primary=st.booleans(),
    kind=texts,
    definition=optional,
    included=name_lists,
    predicate=optional,
    comment=optional,
    native_id=optional,
    extras=extras,
)
constraints = st.builds(
    Constraint,
    name=names,
    kind=st.sampled_from(ConstraintKind),
    columns=name_lists,
    references=st.none() | st.builds(Reference, schema=texts, relation=names, columns=name_lists),
    definition=optional,
    comment=optional,
    native_id=optional,
    extras=extras,
)
relations = st.builds(
    Relation,
    schema=st.just("billing"),
    name=names,
    kind=st.sampled_from(RelationKind),
    columns=st.lists(columns, max_size=4).map(tuple),
    indexes=st.lists(indexes, max_size=2).map(tuple),
    constraints=st.lists(constraints, max_size=2).map(tuple),
    comment=optional,
    definition=optional,
    row_estimate=numbers,
    size_bytes=numbers,
    native_id=optional,
    extras=extras,
)


@pytest.fixture
def datastore() -> Datastore:
    return make_datastore(make_workspace())


def identify(relation: Relation, schema_id: object) -> RelationRecord:
    """In the order in which the catalog answers: columns by position, the rest by name."""
    shell = msgspec.structs.replace(relation, columns=(), indexes=(), constraints=())
    ordered = sorted(relation.columns, key=lambda each: each.position)
    return RelationRecord(
        id=uuid7(),
        schema_id=schema_id,
        relation=shell,
        columns=tuple(map(Identified, uuid7s(len(ordered)), ordered)),
        indexes=tuple(Identified(uuid7(), each) for each in relation.indexes[:1]),
        constraints=tuple(Identified(uuid7(), each) for each in relation.constraints[:1]),
    )


@given(found=st.lists(relations, max_size=3))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_records_survive_the_rows_and_the_codec(datastore: Datastore, found: list[Relation]) -> None:
    scope = make_scope(datastore)
    records = {record.id: record for record in (identify(each, scope.id) for each in found)}
    store(datastore, *records.values())
    assert load_records(records) == records
    assert [unpack(pack(each)) for each in records.values()] == list(records.values())


def test_schemas_survive_their_rows(datastore: Datastore) -> None:
    record = make_scope(datastore, 'sta"ging', comment="raw", reason="No USAGE", remedy="GRANT USAGE …")
    row = models.Schema.objects.values_list(*rows.SCHEMA_COLUMNS).get()
    assert rows.read_schema(row) == record


def test_row_columns_are_the_models_own() -> None:
    """A column added to a model and forgotten here would be written without a value."""
    for model, named in [
        (models.Schema, rows.SCHEMA_COLUMNS),
        (models.Relation, rows.RELATION_COLUMNS),
        (models.Column, rows.COLUMN_COLUMNS),
        (models.Index, rows.INDEX_COLUMNS),
        (models.Constraint, rows.CONSTRAINT_COLUMNS),
    ]:
        assert {field.column for field in model._meta.concrete_fields} == set(named)


def test_any_number_of_relations_costs_four_queries(datastore: Datastore) -> None:
    scope = make_scope(datastore)
    records = [make_record(scope, f"t{number}", "id", "name") for number in range(300)]
    store(datastore, *records)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = load_records([each.id for each in records] + [uuid7() for _ in range(40_000)])
    assert len(found) == 300
    assert len(queries) == 4


def test_retired_children_stand_apart(datastore: Datastore) -> None:
    scope = make_scope(datastore)
    record = make_record(scope, "invoices", "id", "note")
    store(datastore, record)
    models.Column.objects.filter(id=record.columns[1].id).update(retired_at=MORNING)
    older = Identified(uuid7(), Column(name="gone", position=2, type="text"))
    insert(
        models.Column,
        rows.COLUMN_COLUMNS,
        [rows.column_row(older, relation_id=record.id, retired_at=MORNING - timedelta(days=1))],
    )
    assert load_records([record.id])[record.id].columns == record.columns[:1]
    assert load_retired_children([record.id])[record.id].columns == (record.columns[1], older)
    assert load_retired_children([uuid7()]) == {}


def test_a_retired_relation_keeps_its_record(datastore: Datastore) -> None:
    record = make_record(make_scope(datastore), "invoices", "id")
    store(datastore, record, retired_at=MORNING)
    assert load_records([record.id])[record.id] == record
