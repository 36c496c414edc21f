"""Every statement that is sent, in every dialect and to every age of a metastore: it parses, asks, and asks for what is needed."""

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.engines.hive.statements import HIVE_2, HIVE_3, HIVE_4, NEEDED, Statements
from tests.support.hive_tables import HIVE_2 as OLDEST
from tests.support.hive_tables import columns_of

DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlserver": "tsql"}
AGES = [HIVE_2, HIVE_3, HIVE_4]
PIECES = {"in_order", "count_and_hash"}
VALUES = dict.fromkeys(
    ("seconds", "milliseconds", "lock_seconds", "idle_seconds", "sort_bytes", "statement_timeout", "lock_timeout"), "1"
) | {"idle_timeout": "'1s'", "schema": "'public'", "tables": "('TBLS')", "databases": "(1, 2)"}


def spelled(dialect: str, age: int) -> dict[str, str]:
    """Everything that is sent, with values in place of the parameters."""
    queries = Statements(f"{dialect}.sql")
    found = {name: queries.at(name, age) for name in queries.blocks if name not in PIECES}
    assert found.pop("begin", "READ ONLY").endswith("READ ONLY")  # sqlglot does not know these words
    found |= {"relations": queries.relations(age), "probe": queries.probe(age)}
    if dialect == "sqlserver":
        return found
    lists = {"tables": "(ARRAY['TBLS'])", "databases": "(ARRAY[1, 2])"} if dialect == "postgresql" else {}
    return {name: sql % (VALUES | lists) if "%(" in sql else sql for name, sql in found.items()}


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_statements_parse_in_their_dialect_and_only_ask(dialect: str, age: int) -> None:
    for name, sql in spelled(dialect, age).items():
        for parsed in sqlglot.parse(sql, read=DIALECTS[dialect]):
            assert isinstance(parsed, exp.Query | exp.Set | exp.Transaction | exp.Command), (name, type(parsed))
            if isinstance(parsed, exp.Command):
                assert parsed.name.upper() in {"SET", "START", "BEGIN"}, name
            assert not list(parsed.find_all(exp.Insert, exp.Update, exp.Delete, exp.Create, exp.Drop, exp.Alter)), name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_statement_for_a_metastore_asks_for_no_table_that_is_not_needed(dialect: str) -> None:
    for name, sql in spelled(dialect, HIVE_4).items():
        for parsed in sqlglot.parse(sql, read=DIALECTS[dialect]):
            assert parsed
            tables = {each.name for each in parsed.find_all(exp.Table) if each.name.isupper()}
            assert tables <= set(NEEDED), name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_asked_of_a_table_is_what_a_metastore_must_have(dialect: str) -> None:
    """So that one that lacks something says so before the read, and never in the midst of it."""
    asked: dict[str, set[str]] = {}
    queries = Statements(f"{dialect}.sql")
    for name in queries.blocks:
        sql = queries.at(name, HIVE_2)
        if name in PIECES or not sql.startswith("SELECT"):
            continue
        sql = sql.replace("%(databases)s", "(1)").replace("%(tables)s", "('T')").replace("%(schema)s", "'s'")
        sql = (
            sql.replace("%(statement_timeout)s", "'1'")
            .replace("%(lock_timeout)s", "'1'")
            .replace("%(idle_timeout)s", "'1'")
        )
        (parsed,) = sqlglot.parse(sql, read=DIALECTS[dialect])
        assert parsed
        names = {each.alias: each.name for each in parsed.find_all(exp.Table)}
        for column in parsed.find_all(exp.Column):
            if column.name.isupper():
                asked.setdefault(names[column.table], set()).add(column.name)
    assert asked == {table: set(columns) for table, columns in NEEDED.items()}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_part_has_the_same_columns(dialect: str) -> None:
    for age in AGES:
        queries = Statements(f"{dialect}.sql")
        names = []
        for sql in queries.parts(age):
            text = sql.replace("%(databases)s", "(1)")
            (parsed,) = sqlglot.parse(text, read=DIALECTS[dialect])
            assert isinstance(parsed, exp.Select)
            names.append([each.alias_or_name for each in parsed.selects])
        assert names
        assert all(each == ["table_id", "part", "place", "number", "state", "other", *"abcde"] for each in names)


def test_the_dialects_have_the_same_statements() -> None:
    own = {"postgresql": {"begin", "prepare"}, "mysql": {"version", "read_only", "prepare", "begin", "facts"}}
    own["sqlserver"] = {"prepare", "facts"}
    common = [set(Statements(f"{dialect}.sql").blocks) - own[dialect] for dialect in DIALECTS]
    assert common[0] == common[1] == common[2]


def test_what_is_needed_is_in_the_metastores_that_are_made_by_hand() -> None:
    found = columns_of(OLDEST)
    assert {table for table, columns in NEEDED.items() if set(columns) - set(found[table])} == set()
