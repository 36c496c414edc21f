"""What may be said to an Oracle: queries of the dictionary, with names bound, and no LONG where it may not stand."""

import re

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.engines.oracle.session import QUERIES, _spelled
from tests.support.oracle_model import VIEWS

OF_THE_SESSION = {"prepare", "begin"}
LONGS = {"data_default", "text", "query", "search_condition", "column_expression"}
OF_ONESELF = {"session_privs", "user_tab_privs", "user_col_privs", "role_tab_privs", "user_tables"}
CATALOG = sorted(set(QUERIES) - OF_THE_SESSION)


def parsed(name: str) -> exp.Query:
    [statement] = sqlglot.parse(_spelled(QUERIES[name], 2), read="oracle")
    assert isinstance(statement, exp.Query)
    return statement


@pytest.mark.parametrize("name", CATALOG)
def test_a_statement_is_one_query_in_oracles_dialect(name: str) -> None:
    assert parsed(name).sql(dialect="oracle")


def test_what_is_said_of_the_session_changes_nothing_else() -> None:
    assert {QUERIES[name] for name in OF_THE_SESSION} == {
        "ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY",
        "SET TRANSACTION READ ONLY",
    }
    assert sqlglot.parse_one(QUERIES["begin"], read="oracle")


@pytest.mark.parametrize("name", CATALOG)
def test_only_views_of_the_dictionary_are_read_and_only_the_servers_own(name: str) -> None:
    tables = list(parsed(name).find_all(exp.Table))
    assert {table.db for table in tables if table.name.lower() != "dual"} <= {"sys"}
    views = {table.name.lower() for table in tables} - OF_ONESELF - {"dual"}
    assert {view.removeprefix("dba_") for view in views} <= set(VIEWS)


def test_the_test_of_the_dictionary_asks_for_every_view_that_is_read() -> None:
    """Or a user that may see all but one of them would fail in mid-read."""
    read = {table.name for name in CATALOG if name != "dictionary" for table in parsed(name).find_all(exp.Table)}
    assert {table.name for table in parsed("dictionary").find_all(exp.Table)} == {
        view for view in read if view.startswith("dba_")
    }


@pytest.mark.parametrize("name", CATALOG)
def test_a_long_is_selected_by_itself_only(name: str) -> None:
    """ORA-00997: a LONG may not be ordered by, compared, or handed to a function."""
    statement = parsed(name)
    for column in statement.find_all(exp.Column):
        if column.name.lower() in LONGS:
            assert isinstance(column.parent, exp.Select)
            assert column.parent is statement


@pytest.mark.parametrize("name", CATALOG)
def test_no_value_is_written_into_a_statement(name: str) -> None:
    assert {each.name for each in parsed(name).find_all(exp.Placeholder)} <= {"o0", "o1"}


def test_more_than_a_thousand_owners_are_several_lists() -> None:
    """ORA-01795."""
    spelled = _spelled("SELECT 1 FROM sys.dba_objects o WHERE o.owner IN (:owners) AND 1 = 1", 2001)
    lists = re.findall(r"o\.owner IN \(([^)]*)\)", spelled)
    assert [len(each.split(",")) for each in lists] == [1000, 1000, 1]
    assert spelled.endswith(":o2000)) AND 1 = 1")
