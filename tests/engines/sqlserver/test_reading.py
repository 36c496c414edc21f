"""What is special about SQL Server: values first, then the real driver against a stand-in for the server."""

import re
from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from metamapper.connectors.base import Session
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.conformance.reads import look, opened, read, relation_of
from metamapper.connectors.conformance.seed import CUSTOMER, PURCHASE, seed
from metamapper.connectors.engines.sqlserver.connector import OLDEST, QUERIES
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.tsql.definitions import query_of
from metamapper.connectors.sql.tsql.types import parse_type
from metamapper.schema import (
    Completeness,
    ConstraintKind,
    Generated,
    Identity,
    Relation,
    RelationKind,
    TypeFamily,
)
from tests.engines.sqlserver.subject import ENGINE, READER, SqlserverSource, SqlserverSubject
from tests.support.tsql_catalog import INDEX, OBJECT, SCHEMA, TypeOf
from tests.support.tsql_tables import IDS

SUBJECT = SqlserverSubject()
EVERYTHING = ScopeFilter()
T = ops.Table("t")


@pytest.fixture
def source() -> Iterator[SqlserverSource]:
    with SUBJECT.fresh() as source:
        source.perform(ops.CreateTable(T, (ops.NewColumn("id", nullable=False),), primary_key=("id",)))
        yield source


def relation(source: SqlserverSource, name: str = "t", schema: str = "dbo") -> Relation:
    return relation_of(read(SUBJECT, source), schema, name)


# --- Types -----------------------------------------------------------------------------------------------------------

SPELLED = {
    "nvarchar(50)": (TypeFamily.STRING, 50, None, None),
    "nvarchar(max)": (TypeFamily.STRING, None, None, None),
    "nchar(10)": (TypeFamily.STRING, 10, None, None),
    "varchar(8000)": (TypeFamily.STRING, 8000, None, None),
    "varchar(max)": (TypeFamily.STRING, None, None, None),
    "char(3)": (TypeFamily.STRING, 3, None, None),
    "sysname": (TypeFamily.STRING, 128, None, None),
    "xml": (TypeFamily.STRING, None, None, None),
    "varbinary(16)": (TypeFamily.BINARY, 16, None, None),
    "varbinary(max)": (TypeFamily.BINARY, None, None, None),
    "timestamp": (TypeFamily.BINARY, None, None, None),
    "decimal(18,4)": (TypeFamily.DECIMAL, None, 18, 4),
    "numeric(38,0)": (TypeFamily.DECIMAL, None, 38, 0),
    "money": (TypeFamily.DECIMAL, None, None, None),
    "float": (TypeFamily.FLOAT, None, None, None),
    "real": (TypeFamily.FLOAT, None, None, None),
    "bit": (TypeFamily.BOOLEAN, None, None, None),
    "tinyint": (TypeFamily.INTEGER, None, None, None),
    "bigint": (TypeFamily.INTEGER, None, None, None),
    "date": (TypeFamily.DATE, None, None, None),
    "time(3)": (TypeFamily.TIME, None, 3, None),
    "datetime": (TypeFamily.TIMESTAMP, None, None, None),
    "smalldatetime": (TypeFamily.TIMESTAMP, None, None, None),
    "datetime2(7)": (TypeFamily.TIMESTAMP, None, 7, None),
    "datetimeoffset(0)": (TypeFamily.TIMESTAMP, None, 0, None),
    "uniqueidentifier": (TypeFamily.UUID, None, None, None),
    "geography": (TypeFamily.GEO, None, None, None),
    "hierarchyid": (TypeFamily.OTHER, None, None, None),
    "sql_variant": (TypeFamily.OTHER, None, None, None),
    "json": (TypeFamily.JSON, None, None, None),
    "vector(1536)": (TypeFamily.ARRAY, 1536, None, None),
}


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_type_is_spelled_as_people_write_it(spelling: str) -> None:
    """Lengths are in bytes, two for a character of the n-types; -1 is max."""
    kind = TypeOf.spelled(spelling)
    name = re.split(r"\W", spelling)[0]
    found = parse_type(name, kind.max_length, kind.precision, kind.scale)
    assert found == (spelling, *SPELLED[spelling])


def test_bytes_are_not_characters() -> None:
    assert parse_type("nvarchar", 100, 0, 0).spelling == "nvarchar(50)"
    assert parse_type("varchar", 100, 0, 0).spelling == "varchar(100)"
    assert parse_type("float", 8, 24, 0).spelling == "float(24)"


def test_types_of_columns_through_the_driver(source: SqlserverSource) -> None:
    table = source.catalog.object_id(T)
    for number, spelling in enumerate(SPELLED, start=2):
        source.catalog.add_typed(table, number, f"c{number}", TypeOf.spelled(spelling))
    columns = relation(source).columns[1:]
    assert [column.type for column in columns] == list(SPELLED)
    assert {column.type: column.length for column in columns} == {name: facts[1] for name, facts in SPELLED.items()}


def test_types_that_people_make(source: SqlserverSource) -> None:
    catalog, table = source.catalog, source.catalog.object_id(T)
    catalog.put("types", 300, 1, "Phone Number", IDS["nvarchar"], 40, 1, 0)
    catalog.add_typed(table, 2, "phone", TypeOf(300, 40))
    phone = relation(source).columns[1]
    assert (phone.type, phone.family, phone.length) == ("dbo.Phone Number", TypeFamily.STRING, 20)
    assert phone.extras == {"base_type": "nvarchar(20)"}


def test_facts_of_columns(source: SqlserverSource) -> None:
    catalog, table = source.catalog, source.catalog.object_id(T)
    source.perform(
        ops.AddColumn(T, ops.NewColumn("twice", generated="id * 2")),
        ops.AddColumn(T, ops.NewColumn("shown", TypeFamily.STRING)),
    )
    catalog.run("UPDATE sys.columns SET is_identity = 1 WHERE object_id = ? AND name = 'id'", table)
    catalog.run("UPDATE sys.columns SET is_masked = 1, collation_name = 'Greek_BIN' WHERE name = 'shown'")
    ident, twice, shown = relation(source).columns
    assert ident.identity is Identity.ALWAYS
    assert (twice.generated, twice.default) == (Generated.STORED, "(id * 2)")
    assert shown.extras == {"masked": True, "collation": "Greek_BIN"}
    catalog.run("UPDATE sys.computed_columns SET is_persisted = 0")
    assert relation(source).columns[1].generated is Generated.VIRTUAL


# --- Definitions -----------------------------------------------------------------------------------------------------

VIEWS = {
    "CREATE VIEW v AS SELECT 1 AS a": "SELECT 1 AS a",
    "create view [dbo].[v as x] (a, [as]) with schemabinding as\n  select a as b from t;": "select a as b from t;",
    "-- as it was\nCREATE OR ALTER VIEW dbo.v /* as */ WITH VIEW_METADATA AS WITH c AS (SELECT 1 AS a) SELECT a FROM c": (
        "WITH c AS (SELECT 1 AS a) SELECT a FROM c"
    ),
    "ALTER VIEW v(a) AS SELECT 'as' WITH CHECK OPTION": "SELECT 'as' WITH CHECK OPTION",
    "nothing of the kind": "nothing of the kind",
    "CREATE VIEW v AS SELECT 'unfinished": "CREATE VIEW v AS SELECT 'unfinished",
}


@pytest.mark.parametrize("text", VIEWS)
def test_a_view_is_told_by_its_query(text: str) -> None:
    assert query_of(text) == VIEWS[text]


def test_indexes_of_every_kind(source: SqlserverSource) -> None:
    catalog, table = source.catalog, source.catalog.object_id(T)
    source.perform(*(ops.AddColumn(T, ops.NewColumn(name)) for name in ("a", "b]", "c")))
    number = catalog.new_index(table, "covering", ("a", "b]"), unique=True)
    catalog.put("index_columns", table, number, 3, 4, 0, 0, 1, 0)
    catalog.run("UPDATE sys.indexes SET filter_definition = '([a]>(1))' WHERE name = 'covering'")
    catalog.run("UPDATE sys.index_columns SET is_descending_key = 1 WHERE index_id = ? AND column_id = 3", number)
    catalog.put("indexes", table, 9, "all of it", 5)
    catalog.put("index_columns", table, 9, 1, 1, 0, 0, 1, 0)
    catalog.put("indexes", table, 10, "some", 6, 0, 0, 1)
    catalog.put("index_columns", table, 10, 1, 2, 0, 0, 1, 0)
    catalog.describe(INDEX, table, number, "Quick")
    found = {index.name: index for index in relation(source).indexes}
    covering = found["covering"]
    assert covering.definition == "nonclustered ([a], [b]]] DESC) INCLUDE ([c]) WHERE ([a]>(1))"
    assert (covering.keys, covering.included, covering.unique) == (("a", "b]"), ("c",), True)
    assert (covering.predicate, covering.comment) == ("([a]>(1))", "Quick")
    assert (found["all of it"].definition, found["all of it"].keys) == ("clustered columnstore", ())
    assert found["some"].definition == "nonclustered columnstore INCLUDE ([a])"
    assert found["some"].extras == {"disabled": True}
    (primary,) = (index for index in found.values() if index.primary)
    assert primary.kind == "clustered"


def test_constraints(source: SqlserverSource) -> None:
    source.perform(*seed(ENGINE))
    key = ops.ForeignKey("twofold", ("id",), CUSTOMER, ("id",))
    source.perform(ops.AddForeignKey(PURCHASE, key))
    source.catalog.run(
        "UPDATE sys.foreign_keys SET update_referential_action = 2, delete_referential_action = 1, is_not_trusted = 1,"
        " is_disabled = 1 WHERE name = 'twofold'"
    )
    source.catalog.run("UPDATE sys.check_constraints SET is_not_trusted = 1")
    found = {each.name: each for each in relation(source, "purchase").constraints}
    twofold = found["twofold"]
    assert twofold.definition == (
        "FOREIGN KEY ([id]) REFERENCES [dbo].[customer] ([id]) ON UPDATE SET NULL ON DELETE CASCADE"
    )
    assert twofold.extras == {"disabled": True, "trusted": False}
    (check,) = (c for c in relation(source, "purchase_line").constraints if c.kind is ConstraintKind.CHECK)
    assert (check.definition, check.extras) == ("CHECK (quantity > 0)", {"trusted": False})


def test_comments_go_by_the_id_of_a_column(source: SqlserverSource) -> None:
    """Ids have gaps where columns were dropped, so a place in the table is not an id."""
    source.perform(*(ops.AddColumn(T, ops.NewColumn(name)) for name in ("a", "b", "c")), ops.DropColumn(T, "a"))
    catalog, table = source.catalog, source.catalog.object_id(T)
    catalog.describe(OBJECT, table, 3, "Of b")
    catalog.describe(OBJECT, table, 4, "Of c")
    catalog.describe(SCHEMA, 1, 0, "Of the schema")
    catalog.put("extended_properties", OBJECT, table, 1, "MS_Other", "Not a comment")
    assert [(c.name, c.comment, c.position) for c in relation(source).columns] == [
        ("id", None, 1),
        ("b", "Of b", 3),
        ("c", "Of c", 4),
    ]
    assert [scope.comment for scope in read(SUBJECT, source).scopes] == ["Of the schema"]


def test_kinds_and_other_facts(source: SqlserverSource) -> None:
    catalog = source.catalog
    tables = {name: ops.Table(name) for name in ("parts", "far", "now", "before", "quick")}
    for each in tables.values():
        source.perform(ops.CreateTable(each, (ops.NewColumn("id"), ops.NewColumn("day"))))
    ids = {name: catalog.object_id(each) for name, each in tables.items()}
    source.perform(ops.CreateView(ops.Table("kept"), T, ("id",)), ops.CreateView(ops.Table("secret"), T, ("id",)))
    catalog.put("partition_schemes", 60_000, "by_day")
    catalog.run("UPDATE sys.indexes SET data_space_id = 60000 WHERE object_id = ?", ids["parts"])
    catalog.put("index_columns", ids["parts"], 0, 1, 2, 0, 0, 0, 1)
    catalog.run("UPDATE sys.tables SET is_external = 1 WHERE object_id = ?", ids["far"])
    catalog.put("external_tables", ids["far"], "/lake/far/")
    catalog.run(
        "UPDATE sys.tables SET temporal_type = 2, history_table_id = ? WHERE object_id = ?", ids["before"], ids["now"]
    )
    catalog.run("UPDATE sys.tables SET temporal_type = 1 WHERE object_id = ?", ids["before"])
    catalog.run("UPDATE sys.tables SET is_memory_optimized = 1 WHERE object_id = ?", ids["quick"])
    catalog.put("indexes", catalog.object_id(ops.Table("kept")), 1, "kept_index", 1, 1)
    catalog.run(
        "UPDATE sys.sql_modules SET definition = NULL WHERE object_id = ?", catalog.object_id(ops.Table("secret"))
    )
    found = {each.name: each for each in read(SUBJECT, source).relations}
    assert {name: each.kind for name, each in found.items()} == {
        "t": RelationKind.TABLE,
        "parts": RelationKind.PARTITIONED_TABLE,
        "far": RelationKind.EXTERNAL_TABLE,
        "now": RelationKind.TABLE,
        "before": RelationKind.TABLE,
        "quick": RelationKind.TABLE,
        "kept": RelationKind.MATERIALIZED_VIEW,
        "secret": RelationKind.VIEW,
    }
    assert {name: dict(each.extras) for name, each in found.items() if each.extras} == {
        "parts": {"partition_key": "day"},
        "far": {"location": "/lake/far/"},
        "now": {"temporal": "system-versioned", "history_table": "dbo.before"},
        "before": {"temporal": "history table"},
        "quick": {"memory_optimized": True},
        "secret": {"definition_encrypted": True},
    }
    assert found["secret"].definition is None


# --- Rights ----------------------------------------------------------------------------------------------------------


def test_what_the_reader_may_not_see_is_never_called_gone(source: SqlserverSource) -> None:
    source.perform(ops.CreateSchema("other"), ops.CreateTable(ops.Table("hidden", "other"), (ops.NewColumn("id"),)))
    snapshot = read(SUBJECT, source, settings=source.reader)
    assert [scope.name for scope in snapshot.scopes] == ["dbo"], "the server hides a schema without rights"
    assert not snapshot.scopes_complete, "so the list of schemas proves nothing"
    assert read(SUBJECT, source).scopes_complete


def test_a_right_on_one_table_makes_a_partial_scope_that_lists_it(source: SqlserverSource) -> None:
    source.perform(ops.CreateTable(ops.Table("u"), (ops.NewColumn("id"),)))
    source.revoke("main")
    source.catalog.grant(READER, "VIEW DEFINITION", "[dbo].[u]")
    snapshot = read(SUBJECT, source, settings=source.reader)
    (scope,) = snapshot.scopes
    assert scope.completeness is Completeness.PARTIAL
    assert scope.remedy == f"GRANT VIEW DEFINITION ON SCHEMA::[dbo] TO [{READER}];"
    assert [each.name for each in snapshot.relations] == ["u"]


def test_a_right_that_is_denied_on_some_object_makes_every_scope_partial(source: SqlserverSource) -> None:
    source.catalog.put("database_permissions", 1, "D", "VIEW DEFINITION", 9)
    snapshot = read(SUBJECT, source)
    assert {scope.completeness for scope in snapshot.scopes} == {Completeness.PARTIAL}
    assert not snapshot.scopes_complete


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_a_schema_that_changes_in_mid_read_is_partial(source: SqlserverSource) -> None:
    source.perform(ops.CreateSchema("other"))
    with opened(SUBJECT, source) as session:
        session.scopes(EVERYTHING)
        list(session.relations(EVERYTHING))
        source.perform(ops.AddColumn(T, ops.NewColumn("late")))
        found = states(session)
    assert found == {"dbo": Completeness.PARTIAL, "archive": Completeness.COMPLETE}


def test_a_right_that_is_denied_in_mid_read_proves_nothing_gone(source: SqlserverSource) -> None:
    with opened(SUBJECT, source) as session:
        assert session.scopes(EVERYTHING)[1]
        list(session.relations(EVERYTHING))
        source.catalog.put("database_permissions", 1, "D", "VIEW DEFINITION", 9)
        assert set(states(session).values()) == {Completeness.PARTIAL}
        assert not session.scopes(EVERYTHING)[1]


def test_what_was_dropped_between_two_looks_is_not_half_told(source: SqlserverSource) -> None:
    """The row of a table without a column: it went while the server gathered its answer."""
    source.perform(ops.CreateTable(ops.Table("going"), (ops.NewColumn("id"),)))
    source.catalog.run("DELETE FROM sys.columns WHERE object_id = ?", source.catalog.object_id(ops.Table("going")))
    with opened(SUBJECT, source) as session:
        session.scopes(EVERYTHING)
        assert [each.name for each in session.relations(EVERYTHING)] == ["t"]
        assert states(session) == {"dbo": Completeness.PARTIAL}


def states(session: Session) -> dict[str, Completeness]:
    return {scope.name: scope.completeness for scope in session.scopes(EVERYTHING)[0]}


def test_rows_and_pages_are_estimates_and_no_change(source: SqlserverSource) -> None:
    before = look(SUBJECT, source)
    assert (relation(source).row_estimate, relation(source).size_bytes) == (0, 16_384)
    source.catalog.run("UPDATE sys.partitions SET rows = 5000000000")
    source.catalog.run("UPDATE sys.allocation_units SET total_pages = 1000")
    assert look(SUBJECT, source) == before
    assert (relation(source).row_estimate, relation(source).size_bytes) == (5_000_000_000, 8_192_000)


def test_names_are_bound_and_statements_only_ask(source: SqlserverSource) -> None:
    source.perform(*seed(ENGINE), ops.CreateSchema("'; DROP TABLE x; --"))
    with opened(SUBJECT, source) as session:
        session.probe(EVERYTHING)
        session.scopes(EVERYTHING)
        list(session.relations(EVERYTHING))
    sent = source.catalog.statements
    assert len(sent) == 5
    assert not [sql for sql in sent if "DROP" in sql]
    kinds = {type(each) for sql in sent for each in sqlglot.parse(sql, read="tsql")}
    assert kinds == {exp.Set, exp.Select}


@pytest.mark.parametrize("release", [OLDEST, 14, 15, 16, 17, 99])
@pytest.mark.parametrize("name", list(QUERIES))
def test_every_statement_is_t_sql(name: str, release: int) -> None:
    for statement in sqlglot.parse(QUERIES.at(name, release), read="tsql"):
        assert isinstance(statement, exp.Query | exp.Set)
        assert not list(statement.find_all(exp.Command)), "sqlglot gives up on what it does not know"


def test_texts_of_a_union_have_one_collation() -> None:
    """The catalog's columns differ in theirs, and UNION refuses to mix them (error 457)."""
    for name in ("probe", "relations"):
        statement = sqlglot.parse_one(QUERIES.at(name, 16), read="tsql")
        for branch in (each for union in statement.find_all(exp.Union) for each in (union.left, union.right)):
            if isinstance(branch, exp.Select):
                texts = [each.unalias() for each in branch.expressions]
                bare = [t for t in texts if isinstance(t, exp.Concat) or (isinstance(t, exp.Cast) and _is_text(t))]
                assert not bare, f"{name}: {bare}"


def _is_text(cast: exp.Cast) -> bool:
    return cast.to.this in exp.DataType.TEXT_TYPES
