"""Any name that an engine takes is read as it is, and spoils no other: random identifiers through real engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamapper.connectors.conformance import Source, Subject
from metamapper.connectors.conformance.operations import CreateTable, DropTable, NewColumn, Table
from metamapper.connectors.conformance.reads import read
from tests.engines.postgresql.subject import PostgresqlSubject
from tests.engines.sqlite.subject import SqliteSubject

CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
NAMES = st.text(CHARACTERS, min_size=1, max_size=40).filter(lambda name: len(name.encode()) <= 60)
# SQLite compares names without regard to ASCII case, and keeps what starts with sqlite_ for itself.
APART = st.lists(NAMES, min_size=1, max_size=6, unique_by=str.lower).filter(
    lambda names: not any(name.lower().startswith("sqlite_") for name in names)
)
KEPT = {"keeper"}


def subjects() -> Iterator[object]:
    yield pytest.param("sqlite")
    yield pytest.param("postgresql", marks=pytest.mark.live)


@pytest.fixture(params=subjects())
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    if request.param == "sqlite":
        return SqliteSubject(tmp_path)
    return PostgresqlSubject(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def source(subject: Subject) -> Iterator[Source]:
    with subject.fresh() as source:
        source.perform(CreateTable(Table("keeper"), (NewColumn("id"),), primary_key=("id",)))
        yield source


# The database is the same for every example, and every example leaves it as it was.
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=APART)
def test_names_come_back_as_they_are(subject: Subject, source: Source, names: list[str]) -> None:
    if KEPT & {name.lower() for name in names}:
        return
    columns = tuple(map(NewColumn, names))
    tables = [CreateTable(Table(name), columns, primary_key=(names[0],)) for name in names]
    source.perform(*tables)
    try:
        found = {relation.name: relation for relation in read(subject, source).relations}
    finally:
        source.perform(*(DropTable(table.table) for table in tables))
    assert set(found) == {*names, *KEPT}
    for name in names:
        assert [column.name for column in found[name].columns] == names
        assert [constraint.columns for constraint in found[name].constraints] == [(names[0],)]
