"""Every statement that is sent, to every version that is read: one sentence of PostgreSQL's dialect, which only asks."""

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.engines.postgresql.session import QUERIES
from metamapper.connectors.sql.postgresql.dial import OLDEST

NEWEST = 18
VERSIONS = range(OLDEST, NEWEST + 1)
OF_THE_SESSION = {"begin", "end"}
CATALOG = sorted(set(QUERIES) - OF_THE_SESSION)
CHANGING = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.Into)


def parsed(name: str, version: int) -> exp.Expression:
    # sqlglot knows no arrays of oid, which is a number to whoever only parses.
    [statement] = sqlglot.parse(QUERIES.at(name, version).replace("oid[]", "bigint[]"), read="postgres")
    assert statement is not None
    return statement


def test_what_is_said_of_the_session_begins_and_ends_it() -> None:
    assert QUERIES["begin"].startswith("BEGIN")
    assert "READ ONLY" in QUERIES["begin"]
    assert sqlglot.parse_one(QUERIES["end"], read="postgres")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CATALOG)
def test_a_statement_is_one_query_that_changes_nothing(name: str, version: int) -> None:
    statement = parsed(name, version)
    assert isinstance(statement, exp.Query)
    assert statement.sql(dialect="postgres")
    assert not list(statement.find_all(*CHANGING))


@pytest.mark.parametrize("name", CATALOG)
def test_only_the_catalog_is_read_whatever_the_search_path(name: str) -> None:
    """A table of somebody else's that has a catalog's name is not looked at."""
    statement = parsed(name, NEWEST)
    named = {each.alias_or_name for each in statement.find_all(exp.CTE)}
    tables = [each for each in statement.find_all(exp.Table) if isinstance(each.this, exp.Identifier)]
    assert {each.name for each in tables if each.db != "pg_catalog"} <= named


def test_every_bound_of_a_version_is_one_that_is_tried() -> None:
    """Or a line would be sent to no server that is parsed here."""
    sent = {version: [QUERIES.at(name, version) for name in CATALOG] for version in (0, *VERSIONS, NEWEST + 80)}
    assert sent[0] == sent[OLDEST]
    assert sent[NEWEST] == sent[NEWEST + 80]
