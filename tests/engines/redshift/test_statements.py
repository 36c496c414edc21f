"""What may be said to a leader node: PostgreSQL 8.0 with Redshift's own functions, and no more than one sentence each."""

import re

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.engines.redshift.session import QUERIES

# Sessions are begun and ended with words that are no catalog statements; sqlglot has no READ ONLY.
OF_THE_SESSION = {"begin", "end"}
# https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html, c_system_information_functions.html,
# and what the administrators' views of Amazon's own redshift-utils use of pg_catalog.
LEADER_NODE = {
    "array_to_string",
    "count",
    "current_database",
    "current_user",
    "format_encoding",
    "format_type",
    "has_schema_privilege",
    "has_table_privilege",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_late_binding_view_cols",
    "pg_get_viewdef",
    "set_config",
    "sum",
    "coalesce",
    "version",
}


def statement(name: str) -> str:
    return re.sub(r"\(:\w+\)", "(1, 2)", QUERIES[name]).replace("%s", "1")


@pytest.mark.parametrize("name", sorted(set(QUERIES) - OF_THE_SESSION))
def test_a_statement_is_one_query_in_redshifts_dialect(name: str) -> None:
    [parsed] = sqlglot.parse(statement(name), read="redshift")
    assert isinstance(parsed, exp.Query)


@pytest.mark.parametrize("name", sorted(set(QUERIES) - OF_THE_SESSION))
def test_a_statement_uses_what_a_leader_node_has(name: str) -> None:
    parsed = sqlglot.parse_one(statement(name), read="redshift")
    used = {_name(each) for each in parsed.find_all(exp.Func)} - {
        "cast",
        "case",
        "and",
        "or",
        "if",
        "any",
        "exists",
        "regexp_like",
    }  # ~ is the last
    assert used <= LEADER_NODE
    assert not list(parsed.find_all(exp.Filter, exp.Window, exp.WithinGroup, exp.Lateral, exp.CTE))


def _name(function: exp.Func) -> str:
    written = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
    return {"current_version": "version"}.get(written.lower(), written.lower())


@pytest.mark.parametrize("name", sorted(set(QUERIES) - OF_THE_SESSION))
def test_every_relation_that_is_read_is_the_servers_own(name: str) -> None:
    """Whoever may create a table cannot put one of theirs in the place of a catalog view."""
    tables = list(sqlglot.parse_one(statement(name), read="redshift").find_all(exp.Table))
    assert {table.db for table in tables if isinstance(table.this, exp.Identifier)} <= {"pg_catalog"}


def test_a_percent_sign_is_a_placeholder_and_nothing_else() -> None:
    """The driver looks for them in the text, also in a literal."""
    assert all(text.count("%") == text.count("%s") for text in map(QUERIES.__getitem__, QUERIES))
