"""Every statement that is sent, in every version it is sent to: it parses, and an older one finds the same."""

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.conformance.reads import opened, read
from metamapper.connectors.engines.mysql import session as reading
from metamapper.connectors.engines.mysql.statements import QUERIES, parts_of, probe_of, relations_of
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.mysql.names import Version
from tests.engines.mysql.subject import MysqlSource, MysqlSubject
from tests.engines.mysql.test_live_reading import CONSTRAINTS, INDEXES, PARTITIONED

VERSIONS = [
    Version(50700, mariadb=False),
    Version(80000, mariadb=False),
    Version(80013, mariadb=False),
    Version(80016, mariadb=False),
    Version(90704, mariadb=False),
    Version(1005, mariadb=True),
    Version(1006, mariadb=True),
    Version(1011, mariadb=True),
    Version(1203, mariadb=True),
]
PIECES = {"in_order", "count_and_hash", "nothing"}


def spelled(version: Version) -> dict[str, str]:
    """Everything that is sent to such a server, with values in place of the parameters."""
    whole = {name: QUERIES.at(name, version.number) for name in QUERIES if name not in PIECES and name[:5] != "part_"}
    made = {"relations": relations_of(version, with_ids=True), "probe": probe_of(version)}
    asked = {
        f"nothing of {name}": QUERIES["nothing"].replace("part_of_a_relation", f"({sql})")
        for name, sql in parts_of(version)
    }
    values = dict.fromkeys(("seconds", "milliseconds", "lock_seconds", "idle_seconds", "sort_bytes"), 1)
    return {name: sql % (values | {"schemas": "('shop')"}) for name, sql in (whole | made | asked).items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_statements_parse_in_their_dialect(version: Version) -> None:
    for name, sql in spelled(version).items():
        [parsed] = sqlglot.parse(sql, read="mysql")
        assert parsed is not None, name
        assert isinstance(parsed, (exp.Query, exp.Set, exp.Show)), name
        assert not list(parsed.find_all(exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Alter)), name


@pytest.mark.parametrize("version", VERSIONS)
def test_only_the_catalog_is_asked(version: Version) -> None:
    for name, sql in spelled(version).items():
        for table in sqlglot.parse_one(sql, read="mysql").find_all(exp.Table):
            assert table.db.lower() == "information_schema", name


def test_every_part_has_the_same_columns() -> None:
    for version in VERSIONS:
        names = [
            [each.alias_or_name for each in sqlglot.parse_one(sql % {"schemas": "('s')"}, read="mysql").selects]
            for _, sql in parts_of(version)
        ]
        assert len({tuple(each) for each in names}) == 1


OLDER = {True: [1005], False: [50700, 80000, 80013]}


@pytest.mark.live
def test_what_is_sent_to_older_servers_finds_the_same(
    source: MysqlSource, subject: MysqlSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the newer server that there is; but for checks, and InnoDB's ids, which have other views there."""
    source.run(*CONSTRAINTS, INDEXES, PARTITIONED, "CREATE VIEW v AS SELECT id FROM child")
    source.run("ALTER TABLE child DROP CONSTRAINT c", f"REVOKE PROCESS ON *.* FROM {source.account}")
    wanted = read(subject, source, settings=source.reader)
    with opened(subject, source, settings=source.reader) as session:
        token = session.probe(ScopeFilter())
    for number in OLDER[subject.mariadb]:
        monkeypatch.setattr(reading, "version_of", lambda _, number=number: Version(number, mariadb=subject.mariadb))
        found = read(subject, source, settings=source.reader)
        assert found.relations == wanted.relations, number
        with opened(subject, source, settings=source.reader) as session:
            assert session.probe(ScopeFilter()), number
    assert token


@pytest.mark.live
def test_the_probe_and_the_read_are_one_statement_each(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run("CREATE TABLE t (id int)")
    with opened(subject, source) as session:
        session.probe(ScopeFilter())
        session.scopes(ScopeFilter())
        list(session.relations(ScopeFilter()))
        session.scopes(ScopeFilter())
        labels = [statement.label for statement in session.statements]
    assert labels == [
        *("version", "read_only", "prepare", "facts", "grants", "scopes", "expected"),
        *("probe", "relations", "grants", "scopes", "grants"),
    ]
    assert not any("'" in statement.sql and source.main in statement.sql for statement in session.statements)
