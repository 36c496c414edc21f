"""For any sequence of looks, whatever they could see: replay gives the catalog, identities neither fork nor merge, and
nothing unseen is retired.
"""

import itertools
from collections.abc import Sequence
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamapper.catalog.models import Column, Relation, Schema
from metamapper.catalog.records import load_records
from metamapper.datastores.models import Datastore
from metamapper.diffing.fields import settled
from metamapper.diffing.replay import replay
from metamapper.history.models import Change as ChangeRow
from metamapper.history.services import as_change
from metamapper.runs.models import Run, State
from metamapper.schema import Completeness, Scope
from metamapper.schema import Relation as RelationValue
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import NAMED, STABLE, show

TYPES = ("integer", "text", "date")
COLUMNS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(TYPES)), min_size=0, max_size=5, unique_by=lambda each: each[0]
)
RELATIONS = st.lists(
    st.tuples(
        st.sampled_from(["s", "t"]), st.sampled_from(["one", "two", "three", "four"]), st.integers(1, 6), COLUMNS
    ),
    max_size=6,
    unique_by=(lambda each: each[:2], lambda each: each[2]),
)
SEEN = st.fixed_dictionaries({schema: st.sampled_from(Completeness) for schema in ("s", "t")})
LOOKS = st.lists(st.tuples(RELATIONS, SEEN, st.booleans()), min_size=1, max_size=5)
NUMBERS = itertools.count(1)


def shown(
    relations: Sequence[tuple[str, str, int, list[tuple[str, str]]]], seen: dict[str, Completeness], *, ids: bool
) -> list[RelationValue]:
    """The relations of the schemas that can be read."""
    return [
        table(name, *(" ".join(each) for each in columns), schema=schema, native=str(native) if ids else None)
        for schema, name, native, columns in relations
        if seen[schema] is not Completeness.UNREADABLE
    ]


def replayed(datastore: Datastore) -> tuple[dict[UUID, object], set[UUID]]:
    rows = ChangeRow.objects.filter(datastore=datastore).order_by("at", "order")
    state = replay(as_change(row) for row in rows)
    return {identity: settled(record) for identity, record in state.relations.items()}, set(state.schemas)


def check(
    datastore: Datastore,
    run: Run,
    relations: list[RelationValue],
    seen: dict[str, Completeness],
    living_before: set[UUID],
) -> set[UUID]:
    living = {
        row.pk: row for row in Relation.objects.filter(datastore=datastore, retired_at=None).select_related("schema")
    }
    records = load_records(living)
    replayed_relations, replayed_schemas = replayed(datastore)
    assert {identity: settled(record) for identity, record in records.items()} == replayed_relations
    assert (
        set(Schema.objects.filter(datastore=datastore, retired_at=None).values_list("pk", flat=True))
        == replayed_schemas
    )
    observed = {(each.schema, each.name): each for each in relations}
    paths = [(row.schema.name, row.name) for row in living.values()]
    for (identity, row), path in zip(living.items(), paths, strict=True):
        if path in observed and paths.count(path) == 1:
            assert {each.path: each.type for each in records[identity].observed().columns} == {
                each.path: each.type for each in observed[path].columns
            }, row
    assert set(observed) <= set(paths)
    unseen = Relation.objects.filter(pk__in=living_before - set(living)).select_related("schema")
    assert all(seen.get(row.schema.name, Completeness.COMPLETE) is Completeness.COMPLETE for row in unseen)
    orphans = Column.objects.filter(relation__datastore=datastore).exclude(relation__in=Relation.objects.all())
    assert not orphans.exists()
    return set(living)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(looks=LOOKS, ids=st.booleans())
def test_any_sequence_of_looks(register: Register, looks: list[tuple[list, dict, bool]], ids: bool) -> None:
    name = f"any{next(NUMBERS)}"
    datastore = register(name, engine=STABLE if ids else NAMED, script=name)
    living: set[UUID] = set()
    for relations, seen, list_complete in looks:
        visible = shown(relations, seen, ids=ids)
        scopes = [
            Scope(name=schema, completeness=seen[schema], native_id=f"{schema}!" if ids else None) for schema in seen
        ]
        show(*visible, scopes=scopes, name=name, complete=list_complete)
        run = look(datastore)
        assert run.state in {State.SUCCEEDED, State.PARTIAL}, run.outcome
        living = check(datastore, run, visible, seen, living)


def test_the_oracle_notices_a_lost_change(register: Register) -> None:
    """The check above can fail: take one change away and replay is another catalog."""
    datastore = register()
    show(table("one", "a integer", native="1"))
    look(datastore)
    show(table("one", "a integer", "b text", native="1"))
    look(datastore)
    ChangeRow.objects.filter(datastore=datastore, asset="column").delete()
    state, _ = replayed(datastore)
    records = {identity: settled(record) for identity, record in load_records(state).items()}
    assert msgspec.to_builtins(records) != msgspec.to_builtins(state)
