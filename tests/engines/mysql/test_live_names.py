"""Any name that a server takes is read as it is, and spoils no other: random identifiers through both."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metamapper.connectors.conformance.operations import CreateTable, DropTable, NewColumn, Table
from metamapper.connectors.conformance.reads import read
from metamapper.schema import ConstraintKind
from tests.engines.mysql.subject import MysqlSource, MysqlSubject

pytestmark = pytest.mark.live

# A server takes the Basic Multilingual Plane but for NUL, no white space at the end, and 64 characters; the name of the file that it
# makes of them can have no more than 255 bytes, five for an odd character.
CHARACTERS = st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",), exclude_characters="\0")
WHITE = " \t\n\v\f\r"
NAMES = st.text(CHARACTERS, min_size=1, max_size=40).filter(lambda name: name == name.rstrip(WHITE))


# The database is the same for every example, and every example leaves it as it was.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_names_come_back_as_they_are(subject: MysqlSubject, source: MysqlSource, names: list[str]) -> None:
    tables = [CreateTable(Table(name), (NewColumn(name),), primary_key=(name,)) for name in names]
    source.perform(*tables)
    try:
        found = {relation.name: relation for relation in read(subject, source).relations}
    finally:
        source.perform(*(DropTable(table.table) for table in tables))
    assert set(found) == set(names)
    for name in names:
        assert [column.name for column in found[name].columns] == [name]
        [key] = found[name].constraints
        assert (key.kind, key.columns) == (ConstraintKind.PRIMARY_KEY, (name,))
