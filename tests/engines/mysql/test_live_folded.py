"""A server that keeps all names in lower case (lower_case_table_names = 1), which is what Windows has."""

from collections.abc import Iterator

import pytest

from metamapper.connectors.conformance.reads import read
from metamapper.schema import Completeness
from tests.engines.mysql.subject import MysqlSource, MysqlSubject
from tests.support.mysql import MysqlServer, mariadb_programs, started
from tests.support.servers import Missing

pytestmark = pytest.mark.live


@pytest.fixture
def folded(request: pytest.FixtureRequest) -> Iterator[MysqlServer]:
    try:
        with started(mariadb_programs(), settings=["--lower-case-table-names=1"]) as server:
            yield server
    except Missing as missing:
        if request.config.getoption("--require-live"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(f"Not to be had: {missing}")


def test_names_are_those_that_the_server_keeps(folded: MysqlServer) -> None:
    subject = MysqlSubject(folded, mariadb=True, names=("mm_Folded", "mm_other"))
    with subject.fresh() as source:
        source.run(
            "CREATE TABLE `Parent` (Id int PRIMARY KEY)",
            "CREATE TABLE `Child` (`PId` int, CONSTRAINT `K` FOREIGN KEY (PID) REFERENCES PARENT (ID))",
            "CREATE VIEW `Shown` AS SELECT `Id` FROM pArEnT",
        )
        snapshot = read(subject, source, settings=source.reader)
        _holds(snapshot.relations, source)
    assert [(scope.name, scope.completeness) for scope in snapshot.scopes] == [("mm_folded", Completeness.COMPLETE)]


def _holds(relations: object, source: MysqlSource) -> None:
    found = {each.name: each for each in relations}  # type: ignore[attr-defined]
    assert set(found) == {"parent", "child", "shown"}
    [key] = found["child"].constraints
    assert (key.name, key.references.schema, key.references.relation) == ("K", "mm_folded", "parent")
    assert [column.name for column in found["child"].columns] == ["PId"]
