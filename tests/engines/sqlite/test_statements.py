"""Every statement that is sent, to every version that is read: one sentence of SQLite's dialect, which only asks."""

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.engines.sqlite.session import _QUERIES as QUERIES

VERSIONS = (31, 36, 37, 40, 50)
"""The y of version 3.y, around each bound."""
OF_THE_SESSION = {"prepare": "PRAGMA query_only = 1", "distrust": "PRAGMA trusted_schema = 0", "begin": "BEGIN"}
CATALOG = sorted(set(QUERIES) - set(OF_THE_SESSION))
CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Alter, exp.Attach, exp.Pragma)


def parsed(name: str, version: int) -> exp.Expression:
    # sqlglot knows no numbered parameters.
    [statement] = sqlglot.parse(QUERIES.at(name, version).replace("?1", "?"), read="sqlite")
    assert statement is not None
    return statement


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CATALOG)
def test_a_statement_is_one_query_that_changes_nothing(name: str, version: int) -> None:
    statement = parsed(name, version)
    assert isinstance(statement, exp.Query)
    assert statement.sql(dialect="sqlite")
    assert not list(statement.find_all(*CHANGING))


@pytest.mark.parametrize("name", CATALOG)
def test_only_the_schema_table_and_pragmas_that_tell_are_read(name: str) -> None:
    statement = parsed(name, VERSIONS[-1])
    tables = {each.name or each.this.name for each in statement.find_all(exp.Table)}
    assert tables
    assert all(table == "sqlite_master" or table.startswith(("pragma_", "sqlite_stat")) for table in tables)


def test_what_is_said_of_the_session_is_this_and_no_more() -> None:
    assert {name: QUERIES[name] for name in OF_THE_SESSION} == OF_THE_SESSION
    assert all(sqlglot.parse_one(sql, read="sqlite") for sql in OF_THE_SESSION.values())
