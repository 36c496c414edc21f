"""What is found in schemas and relations, told by the stand-in as Snowflake's documentation has it."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlglot
from msgspec.structs import replace
from sqlglot import exp

from metamapper.connectors import errors
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.engines.snowflake.catalog import QUERIES
from metamapper.connectors.engines.snowflake.names import schema_name, spelled, stored
from metamapper.connectors.engines.snowflake.views import query_of
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.schema import Completeness, ConstraintKind, Identity, Relation, RelationKind, Snapshot, TypeFamily
from tests.engines.snowflake.subject import DATABASE, ENGINE, TEXT, Doing, SnowflakeSource

T = ops.Table("T")


def read(source: SnowflakeSource, within: ScopeFilter = ScopeFilter(), **changed: Any) -> Snapshot:  # noqa: B008 - it is frozen
    return read_snapshot(ENGINE, replace(source.settings, **changed), within)


def only(source: SnowflakeSource) -> Relation:
    [relation] = read(source).relations
    return relation


def table(source: SnowflakeSource, *columns: dict[str, Any], kind: str = "BASE TABLE", **facts: Any) -> None:
    """A relation T with columns C1, C2 …"""
    source.doing.relation(T, kind, **facts)
    for place, column in enumerate(columns or ({"data_type": "DATE"},), start=1):
        source.doing.column(T, f"C{place}", place, is_nullable="YES", **column)


def types() -> Iterator[tuple[dict[str, Any], str, TypeFamily, tuple[int | None, int | None, int | None]]]:
    none = (None, None, None)
    yield TEXT, "VARCHAR", TypeFamily.STRING, none
    yield {"data_type": "TEXT", "character_maximum_length": 12}, "VARCHAR(12)", TypeFamily.STRING, (12, None, None)
    long = {"data_type": "TEXT", "character_maximum_length": 134217728}
    yield long, "VARCHAR", TypeFamily.STRING, none
    yield {"data_type": "BINARY", "character_maximum_length": 16}, "BINARY(16)", TypeFamily.BINARY, (16, None, None)
    whole = {"data_type": "NUMBER", "numeric_precision": 9, "numeric_scale": 0}
    yield whole, "NUMBER(9,0)", TypeFamily.INTEGER, (None, 9, 0)
    money = {"data_type": "NUMBER", "numeric_precision": 12, "numeric_scale": 2}
    yield money, "NUMBER(12,2)", TypeFamily.DECIMAL, (None, 12, 2)
    yield {"data_type": "FLOAT"}, "FLOAT", TypeFamily.FLOAT, none
    yield {"data_type": "TIME", "datetime_precision": 0}, "TIME(0)", TypeFamily.TIME, (None, 0, None)
    moment = {"data_type": "TIMESTAMP_TZ", "datetime_precision": 3}
    yield moment, "TIMESTAMP_TZ(3)", TypeFamily.TIMESTAMP, (None, 3, None)
    yield {"data_type": "TIMESTAMP_LTZ"}, "TIMESTAMP_LTZ", TypeFamily.TIMESTAMP, none
    yield {"data_type": "VARIANT"}, "VARIANT", TypeFamily.JSON, none
    yield {"data_type": "OBJECT"}, "OBJECT", TypeFamily.JSON, none
    yield {"data_type": "ARRAY"}, "ARRAY", TypeFamily.ARRAY, none
    yield {"data_type": "GEOGRAPHY"}, "GEOGRAPHY", TypeFamily.GEO, none
    yield {"data_type": "VECTOR"}, "VECTOR", TypeFamily.ARRAY, none
    yield {"data_type": "A_NEW_ONE"}, "A_NEW_ONE", TypeFamily.OTHER, none


@pytest.mark.parametrize(("told", "spelling", "family", "measures"), list(types()), ids=lambda value: str(value)[:40])
def test_types_are_spelled_as_snowflake_spells_them(
    source: SnowflakeSource, told: dict[str, Any], spelling: str, family: TypeFamily, measures: tuple[int | None, ...]
) -> None:
    table(source, told)
    [column] = only(source).columns
    assert (column.type, column.family) == (spelling, family)
    assert (column.length, column.precision, column.scale) == measures


def test_fields_of_structured_types_are_columns_with_a_path(source: SnowflakeSource) -> None:
    table(
        source,
        {"data_type": "OBJECT", "dtd_identifier": "1"},
        {"data_type": "ARRAY", "dtd_identifier": "2"},
        {"data_type": "MAP", "dtd_identifier": "3"},
    )
    at = {"object_catalog": DATABASE, "object_schema": "PUBLIC", "object_name": "T"}

    def field(within: str, name: str, place: int, kind: str, **facts: Any) -> None:
        named = {"row_identifier": within, "field_name": name, "ordinal_position": place, "data_type": kind}
        source.server.insert("info_fields", **at, **named, **facts)

    field("1", "city", 1, "TEXT", character_maximum_length=40)
    field("1", "Geo", 2, "OBJECT", dtd_identifier="1.2")
    field("1.2", "LAT", 1, "FLOAT")
    field("2e", "SKU", 1, "TEXT", character_maximum_length=16777216)
    field("3", "KEY", 1, "TEXT", character_maximum_length=16777216)
    field("3", "VALUE", 2, "NUMBER", numeric_precision=38, numeric_scale=0)
    within = {"collection_type_identifier": "2", "data_type": "OBJECT", "dtd_identifier": "2e"}
    source.server.insert("info_element_types", **at, **within)
    columns = only(source).columns
    assert [(".".join(column.path), column.type) for column in columns] == [
        ("C1", 'OBJECT("city" VARCHAR(40), "Geo" OBJECT(LAT FLOAT))'),
        ("C1.city", "VARCHAR(40)"),
        ("C1.Geo", "OBJECT(LAT FLOAT)"),
        ("C1.Geo.LAT", "FLOAT"),
        ("C2", "ARRAY(OBJECT(SKU VARCHAR))"),
        ("C2.SKU", "VARCHAR"),
        ("C3", "MAP(VARCHAR, NUMBER(38,0))"),
    ]
    assert [column.position for column in columns] == list(range(1, 8))
    assert [columns[place].family for place in (0, 4, 6)] == [TypeFamily.STRUCT, TypeFamily.ARRAY, TypeFamily.MAP]


def test_an_account_without_structured_types_is_read_all_the_same(source: SnowflakeSource) -> None:
    table(source)

    def not_there(statement: str, session: Any) -> None:
        if "element_types" in statement or "information_schema.fields" in statement:
            from tests.support.snowflake import ABSENT

            raise ABSENT

    source.server.before = not_there
    assert only(source).name == "T"


def test_identity_columns_and_collations(source: SnowflakeSource) -> None:
    number = {"data_type": "NUMBER", "numeric_precision": 38, "numeric_scale": 0}
    identity = {"is_identity": "YES", "identity_start": "100", "identity_increment": "10"}
    table(source, {**number, **identity}, {**TEXT, "collation_name": "en-ci"})
    first, second = only(source).columns
    assert (first.identity, first.extras) == (Identity.BY_DEFAULT, {"identity_start": "100", "identity_step": "10"})
    assert (second.identity, second.extras) == (None, {"collation": "en-ci"})


@pytest.mark.parametrize(
    ("kind", "flags", "wanted", "extras"),
    [
        ("BASE TABLE", {"clustering_key": "LINEAR(C1)"}, RelationKind.TABLE, {"clustering_key": "LINEAR(C1)"}),
        ("BASE TABLE", {"is_dynamic": "YES"}, RelationKind.TABLE, {"dynamic": True}),
        ("BASE TABLE", {"is_iceberg": "YES"}, RelationKind.TABLE, {"iceberg": True}),
        ("BASE TABLE", {"is_hybrid": "YES"}, RelationKind.TABLE, {"hybrid": True}),
        ("EXTERNAL TABLE", {}, RelationKind.EXTERNAL_TABLE, {}),
        ("EVENT TABLE", {}, RelationKind.TABLE, {}),
        ("MATERIALIZED VIEW", {}, RelationKind.MATERIALIZED_VIEW, {}),
    ],
)
def test_kinds_of_tables(
    source: SnowflakeSource, kind: str, flags: dict[str, Any], wanted: RelationKind, extras: dict[str, Any]
) -> None:
    table(source, kind=kind, row_count=12, bytes=2**50, **flags)
    found = only(source)
    assert (found.kind, found.extras) == (wanted, {**extras, "retention_days": 1})
    assert (found.row_estimate, found.size_bytes) == (12, 2**50)


def test_a_secure_view(source: SnowflakeSource) -> None:
    table(source, kind="VIEW")
    source.server.insert(
        "info_views",
        table_catalog=DATABASE,
        table_schema="PUBLIC",
        table_name="T",
        is_secure="YES",
        view_definition=None,
    )
    found = only(source)
    assert (found.kind, found.definition, found.extras["secure"]) == (RelationKind.VIEW, None, True)
    assert found.row_estimate is None


def test_temporary_tables_of_others_are_none(source: SnowflakeSource) -> None:
    table(source, kind="TEMPORARY TABLE")
    assert not read(source).relations


@pytest.mark.parametrize(
    ("statement", "query"),
    [
        ("create or replace view V as select 1 as A;", "select 1 as A"),
        (
            "CREATE VIEW V (A, B COMMENT 'x AS y') COMMENT = 'as' AS\nWITH q AS (SELECT 1) SELECT * FROM q",
            "WITH q AS (SELECT 1) SELECT * FROM q",
        ),
        ('create secure view "as" copy grants as (select 1)', "(select 1)"),
        ("create view V /* as */ as -- why\nselect 1", "-- why\nselect 1"),
        ("not what we know", "not what we know"),
        ('create view "unfinished as', 'create view "unfinished as'),
    ],
)
def test_the_query_of_a_view_leaves_its_name_out(statement: str, query: str) -> None:
    assert query_of(statement) == query


def test_lower_case_twins_are_different_objects(source: SnowflakeSource) -> None:
    column = (ops.NewColumn("id"), ops.NewColumn("ID"))
    source.perform(
        ops.CreateTable(ops.Table("orders"), column, primary_key=("id",)),
        ops.CreateTable(ops.Table("ORDERS"), column, primary_key=("ID",)),
        ops.CreateSchema("public"),
        ops.CreateTable(ops.Table("orders", "public"), column),
    )
    snapshot = read(source)
    found = {(each.schema, each.name): each for each in snapshot.relations}
    assert set(found) == {("PUBLIC", "orders"), ("PUBLIC", "ORDERS"), ("public", "orders")}
    assert [column.name for column in found["PUBLIC", "ORDERS"].columns] == ["id", "ID"]
    keys = [found["PUBLIC", name].constraints[0].columns for name in ("orders", "ORDERS")]
    assert keys == [("id",), ("ID",)]
    assert found["PUBLIC", "orders"].constraints[0].definition == 'PRIMARY KEY ("id")'


def test_keys_with_rules_and_comments(source: SnowflakeSource) -> None:
    source.perform(
        ops.CreateTable(ops.Table("A"), (ops.NewColumn("X"), ops.NewColumn("Y")), primary_key=("Y", "X")),
        ops.CreateTable(ops.Table("B"), (ops.NewColumn("M"), ops.NewColumn("N")), unique=("M", "N")),
        ops.AddForeignKey(ops.Table("B"), ops.ForeignKey("TO_A", ("N", "M"), ops.Table("A"), ("Y", "X"))),
    )
    source.server.run("UPDATE keys SET delete_rule = 'CASCADE', comment = 'Why' WHERE key = 'TO_A'")
    a, b = read(source).relations
    assert a.constraints[0].columns == ("Y", "X")
    kinds = {each.kind: each for each in b.constraints}
    assert kinds[ConstraintKind.UNIQUE].columns == ("M", "N")
    foreign = kinds[ConstraintKind.FOREIGN_KEY]
    assert foreign.columns == ("N", "M")
    assert foreign.references
    assert foreign.references.columns == ("Y", "X")
    assert foreign.definition == "FOREIGN KEY (N, M) REFERENCES PUBLIC.A (Y, X) ON DELETE CASCADE"
    assert foreign.comment == "Why"


def test_more_keys_than_show_tells_are_asked_for_by_schema(
    source: SnowflakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metamapper.connectors.engines.snowflake.session.LIMIT", 3)
    source.server.show_limit = 3
    source.perform(ops.CreateSchema("other"))
    for schema in ("main", "other"):
        for name in ("A", "B"):
            source.perform(ops.CreateTable(ops.Table(name, schema), (ops.NewColumn("X"),), primary_key=("X",)))
    snapshot = read(source)
    assert [len(relation.constraints) for relation in snapshot.relations] == [1, 1, 1, 1]
    assert {scope.completeness for scope in snapshot.scopes} == {Completeness.COMPLETE}
    source.perform(ops.CreateTable(ops.Table("C"), (ops.NewColumn("X"),), primary_key=("X",)))
    cut_off = {scope.name: scope.completeness for scope in read(source).scopes}
    assert cut_off == {"PUBLIC": Completeness.PARTIAL, "archive": Completeness.COMPLETE}


# --- Several databases -----------------------------------------------------------------------------------------------


def second_database(source: SnowflakeSource, name: str = "finance") -> Doing:
    source.server.databases[name] = "STANDARD"
    for role in ("OWNER", "READER"):
        source.server.uses[role].add(name)
    other = Doing(source.server, name)
    other.create_schema(ops.CreateSchema("main"))
    return other


def test_all_databases_are_read_under_their_names(source: SnowflakeSource) -> None:
    other = second_database(source)
    for doing in (source.doing, other):
        doing.create_table(ops.CreateTable(T, (ops.NewColumn("ID"),), primary_key=("ID",)))
    source.server.databases["SNOWFLAKE"] = "APPLICATION"
    source.server.uses["OWNER"].add("SNOWFLAKE")
    snapshot = read(source, database="")
    assert [scope.name for scope in snapshot.scopes] == ['"finance".PUBLIC', "SHOP.PUBLIC"]
    assert [relation.schema for relation in snapshot.relations] == ['"finance".PUBLIC', "SHOP.PUBLIC"]
    assert [len(relation.constraints) for relation in snapshot.relations] == [1, 1]
    # A database that the role lost would not be shown either.
    assert not snapshot.scopes_complete
    assert read(source, database="", sees_all=True).scopes_complete


def test_a_key_into_another_database_names_it(source: SnowflakeSource) -> None:
    other = second_database(source)
    other.create_table(ops.CreateTable(ops.Table("A"), (ops.NewColumn("X"),)))
    source.perform(ops.CreateTable(T, (ops.NewColumn("X"),)))
    source.perform(ops.AddForeignKey(T, ops.ForeignKey("K", ("X",), ops.Table("A"), ("X",))))
    source.server.run("UPDATE keys SET pk_db = 'finance'")
    [key] = only(source).constraints
    assert key.references
    assert key.references.schema == '"finance".PUBLIC'


def test_a_database_that_may_not_be_used_is_no_proof_of_anything(source: SnowflakeSource) -> None:
    second_database(source)
    source.server.uses["OWNER"].discard("finance")
    source.server.listed.add("finance")
    snapshot = read(source, database="")
    assert [scope.name for scope in snapshot.scopes] == ["SHOP.PUBLIC"]
    assert not snapshot.scopes_complete


def test_out_of_scope_is_left_out(source: SnowflakeSource) -> None:
    other = second_database(source)
    for doing in (source.doing, other):
        doing.create_table(ops.CreateTable(T, (ops.NewColumn("ID"),)))
    snapshot = read(source, ScopeFilter(schemas=Patterns.parse("SHOP.*")), database="")
    assert [relation.schema for relation in snapshot.relations] == ["SHOP.PUBLIC"]


@pytest.mark.parametrize(
    ("written", "name"),
    [("shop", "SHOP"), ("SHOP", "SHOP"), ('"shop"', "shop"), ('"a""b"', 'a"b'), ("my shop", "my shop"), ("", "")],
)
def test_names_are_meant_as_snowflake_means_them(written: str, name: str) -> None:
    assert stored(written) == name
    assert not name or stored(spelled(name)) == name


def test_names_of_schemas_cannot_be_mistaken_for_each_other() -> None:
    assert schema_name("A.B", "C", alone=None) != schema_name("A", "B.C", alone=None)
    assert schema_name("A", "B", alone="A") == "B"


# --- What proves that something is gone ------------------------------------------------------------------------------


def test_without_account_usage_nothing_is_taken_for_dropped(source: SnowflakeSource) -> None:
    table(source)
    source.server.blind.add("OWNER")
    snapshot = read(source)
    [scope] = snapshot.scopes
    assert (scope.completeness, snapshot.scopes_complete) == (Completeness.PARTIAL, False)
    assert scope.remedy == 'GRANT DATABASE ROLE SNOWFLAKE.OBJECT_VIEWER TO ROLE "OWNER";'
    [relation] = snapshot.relations
    assert (relation.native_id, relation.columns[0].native_id) == (None, None)
    source.paste(scope.remedy)
    again = read(source)
    assert (again.scopes[0].completeness, again.scopes_complete) == (Completeness.COMPLETE, True)
    assert again.relations[0].native_id


def test_a_person_may_say_that_the_role_sees_everything(source: SnowflakeSource) -> None:
    table(source)
    source.server.blind.add("OWNER")
    snapshot = read(source, sees_all=True)
    assert (snapshot.scopes[0].completeness, snapshot.scopes_complete) == (Completeness.COMPLETE, True)


def test_a_table_out_of_sight_leaves_its_schema_partial(source: SnowflakeSource) -> None:
    table(source)
    source.server.unseen.add(("OWNER", "PUBLIC", "T"))
    snapshot = read(source)
    assert not snapshot.relations
    [scope] = snapshot.scopes
    assert scope.completeness is Completeness.PARTIAL
    assert "no right on 1" in (scope.reason or "")
    assert "GRANT REFERENCES ON FUTURE TABLES" in (scope.remedy or "")


def test_what_lives_for_hours_only_keeps_no_schema_from_being_whole(source: SnowflakeSource) -> None:
    """A loader's temporary table that was dropped a moment ago is still in ACCOUNT_USAGE."""
    table(source)
    source.server.run("UPDATE usage_tables SET created = datetime('now', '-1 hour')")
    source.server.unseen.add(("OWNER", "PUBLIC", "T"))
    assert read(source).scopes[0].completeness is Completeness.COMPLETE


def test_an_id_that_lags_behind_is_not_believed(source: SnowflakeSource) -> None:
    """Two tables swapped names a moment ago, and ACCOUNT_USAGE does not know yet."""
    for name in ("A", "B"):
        source.perform(ops.CreateTable(ops.Table(name), (ops.NewColumn("X"), ops.NewColumn("Y"))))
    before = {relation.name: relation.native_id for relation in read(source).relations}
    assert None not in before.values()
    for now, name in (("b", "A"), ("A", "B"), ("B", "b")):
        for view in ("info_tables", "info_columns"):
            source.server.run(f"UPDATE {view} SET table_name = ? WHERE table_name = ?", now, name)
    swapped = {relation.name: relation.native_id for relation in read(source).relations}
    assert swapped == {"A": None, "B": None}


def test_an_id_of_a_column_that_lags_behind_is_not_believed(source: SnowflakeSource) -> None:
    source.perform(ops.CreateTable(T, (ops.NewColumn("X"), ops.NewColumn("Y"))))
    for now, name in (("x", "X"), ("X", "Y"), ("Y", "x")):
        source.server.run("UPDATE info_columns SET column_name = ? WHERE column_name = ?", now, name)
    assert [column.native_id for column in only(source).columns] == [None, None]


# --- Disturbances ----------------------------------------------------------------------------------------------------


def reading(source: SnowflakeSource, act: Any) -> tuple[list[str], dict[str, Completeness]]:
    """What is read while something is done after the first look at the schemas, and what is complete then."""
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(ScopeFilter())
        act()
        names = [each.name for each in session.relations(ScopeFilter())]
        scopes, _ = session.scopes(ScopeFilter())
    return names, {scope.name: scope.completeness for scope in scopes}


def test_what_changes_in_mid_read_leaves_its_schema_partial(source: SnowflakeSource) -> None:
    table(source)
    rename = ops.RenameTable(T, "U")
    names, complete = reading(source, lambda: source.perform(rename))
    assert names == ["U"]
    assert complete == {"PUBLIC": Completeness.PARTIAL}


def test_a_schema_that_appears_in_mid_read_waits_for_the_next(source: SnowflakeSource) -> None:
    _, complete = reading(source, lambda: source.perform(ops.CreateSchema("late")))
    assert complete == {"PUBLIC": Completeness.COMPLETE, "late": Completeness.PARTIAL}


def test_a_table_whose_columns_are_gone_is_no_table_without_columns(source: SnowflakeSource) -> None:
    table(source)
    source.doing.relation(ops.Table("HALF"), "BASE TABLE")
    names, complete = reading(source, lambda: None)
    assert (names, complete) == (["T"], {"PUBLIC": Completeness.PARTIAL})


def test_columns_of_what_is_not_listed_mislead_nobody(source: SnowflakeSource) -> None:
    """Columns of temporary tables are listed, too, before, between and behind the others."""
    for name in ("A", "T", "Z"):
        source.perform(ops.CreateTable(ops.Table(name), (ops.NewColumn(f"{name}1"),)))
        source.perform(ops.CreateTable(ops.Table(f"{name}{name}"), (ops.NewColumn("TMP"),)))
        source.server.run("UPDATE info_tables SET table_type = 'TEMPORARY TABLE' WHERE table_name = ?", f"{name}{name}")
    found = {relation.name: [column.name for column in relation.columns] for relation in read(source).relations}
    assert found == {"A": ["A1"], "T": ["T1"], "Z": ["Z1"]}


def test_rows_are_no_change(source: SnowflakeSource) -> None:
    table(source, row_count=1, bytes=10)
    with ENGINE.connect(source.settings).open() as session:
        first, [before] = session.probe(ScopeFilter()), list(session.relations(ScopeFilter()))
        source.server.run("UPDATE info_tables SET row_count = 2, bytes = 20, last_altered = 'now'")
    with ENGINE.connect(source.settings).open() as session:
        second, [after] = session.probe(ScopeFilter()), list(session.relations(ScopeFilter()))
    assert (first, before.fingerprint) == (second, after.fingerprint)
    assert (before.row_estimate, after.row_estimate) == (1, 2)


# --- The statements --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", [0, 1])
@pytest.mark.parametrize("name", list(QUERIES))
def test_every_statement_is_snowflakes_sql_and_reads_only(name: str, usage: int) -> None:
    tree = sqlglot.parse_one(QUERIES.at(name, usage), read="snowflake")
    assert isinstance(tree, exp.Select | exp.Show | exp.Use)
    assert not list(tree.find_all(exp.Command))


def test_nothing_is_asked_without_need_of_account_usage(source: SnowflakeSource) -> None:
    table(source)
    source.server.blind.add("OWNER")
    read(source)
    asked = [statement for _, statement in source.server.statements if "account_usage" in statement]
    assert len(asked) == 1


def test_a_statement_that_names_what_is_not_there_fails(source: SnowflakeSource) -> None:
    """The stand-in has the columns of the documentation and no others."""
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(ScopeFilter())
        source.server.run("ALTER TABLE info_columns RENAME COLUMN data_type TO kind")
        with pytest.raises(errors.ConnectorError, match="data_type"):
            list(session.relations(ScopeFilter()))
