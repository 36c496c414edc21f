"""What is special about Redshift, read by the real driver from the stand-in."""

import pytest

from metamapper.connectors.conformance.reads import look, opened, read
from metamapper.connectors.engines.redshift import session as reading
from metamapper.connectors.errors import VersionUnsupported
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.schema import Completeness, ConstraintKind, Reference, Relation, RelationKind, TypeFamily
from tests.engines.redshift.subject import ENGINE, RedshiftSource, RedshiftSubject

pytestmark = pytest.mark.live

EVERYTHING = ScopeFilter()


@pytest.fixture
def subject(postgresql_server: str) -> RedshiftSubject:
    return RedshiftSubject(postgresql_server)


def relation(source: RedshiftSource, name: str, schema: str = "public") -> Relation:
    found = read_snapshot(ENGINE, source.settings).relations
    return next(each for each in found if (each.schema, each.name) == (schema, name))


def test_distribution_sort_keys_and_encodings_are_extras(source: RedshiftSource) -> None:
    source.run(
        "CREATE TABLE sales (id int NOT NULL, day date, region text, amount numeric(18,2))",
        "CREATE TABLE lookup (code text)",
        "CREATE TABLE woven (a int, b int)",
        "INSERT INTO redshift.distribution VALUES ('sales', 1, 'id', '{day,region}', false), ('lookup', 8, NULL, NULL, false),"
        " ('woven', 0, NULL, '{b,a}', true)",
        "INSERT INTO redshift.encodings VALUES ('sales', 'amount', 4), ('sales', 'region', 5)",
    )
    sales = relation(source, "sales")
    assert sales.extras == {
        "dist_style": "KEY",
        "dist_key": "id",
        "sort_keys": ["day", "region"],
        "sort_style": "COMPOUND",
    }
    assert {column.name: dict(column.extras) for column in sales.columns} == {
        "id": {"dist_key": True},
        "day": {"sort_key": 1},
        "region": {"sort_key": 2, "encoding": "zstd"},
        "amount": {"encoding": "az64"},
    }
    assert relation(source, "lookup").extras == {"dist_style": "ALL"}
    assert relation(source, "woven").extras == {
        "dist_style": "EVEN",
        "sort_keys": ["b", "a"],
        "sort_style": "INTERLEAVED",
    }


def test_redshift_changing_its_mind_is_no_change(source: RedshiftSource, subject: RedshiftSubject) -> None:
    """A table whose style is automatic is spread out as it grows; its estimate moves as well."""
    source.run("CREATE TABLE t (id int)", "INSERT INTO redshift.distribution VALUES ('t', 10, NULL, NULL)")
    before = look(subject, source)
    assert relation(source, "t").extras == {"dist_style": "AUTO"}
    source.run("UPDATE redshift.distribution SET style = 11; INSERT INTO t SELECT generate_series(1, 9); ANALYZE t")
    assert relation(source, "t").extras == {"dist_style": "AUTO"}
    assert relation(source, "t").row_estimate == 9
    assert look(subject, source) == before


def test_a_description_belongs_to_its_column_alone(source: RedshiftSource) -> None:
    source.run(
        "CREATE TABLE t (a int, b int, c int); CREATE TABLE u (a int, b int)",
        "COMMENT ON COLUMN t.b IS 'only this one'; COMMENT ON TABLE u IS 'the table'; COMMENT ON SCHEMA public IS 'the schema'",
    )
    assert [column.comment for column in relation(source, "t").columns] == [None, "only this one", None]
    assert [column.comment for column in relation(source, "u").columns] == [None, None]
    assert relation(source, "u").comment == "the table"
    [scope] = read_snapshot(ENGINE, source.settings).scopes
    assert scope.comment == "the schema"


def test_keys_and_what_they_point_to(source: RedshiftSource) -> None:
    source.run(
        'CREATE SCHEMA "Other one"; CREATE TABLE "Other one"."Parent.1" (a int, "B b" int, PRIMARY KEY ("B b", a))',
        "CREATE TABLE child (y int, x int, CONSTRAINT two FOREIGN KEY (x, y)"
        ' REFERENCES "Other one"."Parent.1" ("B b", a), CONSTRAINT one UNIQUE (x))',
        "COMMENT ON CONSTRAINT two ON child IS 'the key'",
    )
    found = {each.name: each for each in relation(source, "child").constraints}
    assert found["two"].columns == ("x", "y")
    assert found["two"].references == Reference("Other one", "Parent.1", ("B b", "a"))
    assert found["two"].comment == "the key"
    assert found["two"].definition == 'FOREIGN KEY (x, y) REFERENCES "Other one"."Parent.1"("B b", a)'
    assert found["one"].kind is ConstraintKind.UNIQUE
    [key] = relation(source, "Parent.1", "Other one").constraints
    assert key.columns == ("B b", "a")


def test_late_binding_views_have_the_columns_that_the_server_works_out(source: RedshiftSource) -> None:
    source.run(
        "CREATE TABLE t (id int, name varchar(20)); CREATE VIEW bound AS SELECT id FROM t",
        "CREATE VIEW late AS SELECT name, id FROM t; CREATE VIEW orphan AS SELECT 1 AS x",
        "INSERT INTO redshift.late_binding VALUES ('late', true), ('orphan', false)",
        "COMMENT ON VIEW late IS 'bound when it is asked'",
    )
    late = relation(source, "late")
    assert late.kind is RelationKind.VIEW
    assert [(column.name, column.type, column.position) for column in late.columns] == [
        ("name", "character varying(20)", 1),
        ("id", "integer", 2),
    ]
    assert [column.native_id for column in late.columns] == [None, None]
    assert late.comment == "bound when it is asked"
    assert (late.definition or "").endswith("with no schema binding;")
    assert late.extras == {"late_binding": True}
    assert [column.native_id is None for column in relation(source, "bound").columns] == [False]
    orphan = relation(source, "orphan")
    assert (orphan.columns, dict(orphan.extras)) == ((), {"late_binding": True, "broken": True})


def test_late_binding_views_that_cannot_be_told_make_their_scope_partial(source: RedshiftSource) -> None:
    source.run(
        "CREATE TABLE t (id int); CREATE VIEW bound AS SELECT id FROM t; CREATE VIEW late AS SELECT id FROM t",
        "CREATE SCHEMA plain; CREATE TABLE plain.p (id int)",
        "INSERT INTO redshift.late_binding VALUES ('late')",
        "UPDATE redshift.faults SET late_binding = 'Cross-database reference to a database that is gone'",
    )
    snapshot = read_snapshot(ENGINE, source.settings)
    assert {each.name for each in snapshot.relations} == {"t", "bound", "p"}
    scopes = {scope.name: scope for scope in snapshot.scopes}
    assert scopes["public"].completeness is Completeness.PARTIAL
    assert "database that is gone" in (scopes["public"].reason or "")
    assert scopes["plain"].completeness is Completeness.COMPLETE


def test_materialized_views_without_the_tables_that_hold_them(source: RedshiftSource) -> None:
    source.run(
        "CREATE MATERIALIZED VIEW summary AS SELECT 1 AS n",
        "CREATE TABLE mv_tbl__summary__0 (n int); CREATE TABLE mv_tbl__mine (n int)",
    )
    found = {each.name: each for each in read_snapshot(ENGINE, source.settings).relations}
    assert set(found) == {"summary", "mv_tbl__mine"}
    assert found["summary"].kind is RelationKind.MATERIALIZED_VIEW
    assert [column.name for column in found["summary"].columns] == ["n"]


SPECTRUM = (
    "CREATE SCHEMA lake; CREATE SCHEMA shut; CREATE SCHEMA broken; CREATE TABLE t (id int)",
    (
        "INSERT INTO redshift.external_schemas VALUES ('lake', 'glue_db', NULL), ('shut', 'x', NULL),"
        " ('broken', 'x', 'Failed to get tables: AccessDeniedException')"
    ),
    (
        "INSERT INTO redshift.external_tables VALUES ('lake', 'events', 'TABLE', 's3://lake/events', 'parquet.Input', NULL,"
        ' \'parquet.SerDe\', \'{}\', 0, \'{"numRows":"42", "transient_lastDdlTime":"1"}\')'
    ),
    "INSERT INTO redshift.external_tables VALUES ('lake', 'Odd; \"name\"', 'VIEW'), ('shut', 'unseen', NULL), ('broken', 'unseen', NULL)",
    (
        "INSERT INTO redshift.external_columns (schemaname, tablename, columnname, external_type, columnnum, part_key, is_nullable) VALUES ('lake', 'events', 'id', 'bigint', 1, 0, 'false'),"
        " ('lake', 'events', 'who', 'struct<name:varchar(20),tags:array<struct<k:string>>>', 2, 0, ''),"
        " ('lake', 'events', 'day', 'date', 3, 2, 'true'), ('lake', 'events', 'region', 'varchar(8)', 4, 1, 'true'),"
        " ('lake', 'Odd; \"name\"', 'x', 'int', 1, 0, ''), ('shut', 'unseen', 'x', 'int', 1, 0, '')"
    ),
)


def test_external_schemas_are_read_with_partition_keys_and_nested_fields(source: RedshiftSource) -> None:
    source.run(*SPECTRUM)
    events = relation(source, "events", "lake")
    assert events.kind is RelationKind.EXTERNAL_TABLE
    assert events.native_id is None
    assert events.row_estimate == 42
    assert events.extras == {
        "location": "s3://lake/events",
        "input_format": "parquet.Input",
        "serialization": "parquet.SerDe",
        "partition_keys": ["region", "day"],
    }
    assert [(".".join(c.path), c.position, c.family, c.nullable) for c in events.columns] == [
        ("id", 1, TypeFamily.INTEGER, False),
        ("who", 2, TypeFamily.STRUCT, True),
        ("who.name", 3, TypeFamily.STRING, True),
        ("who.tags", 4, TypeFamily.ARRAY, True),
        ("who.tags.k", 5, TypeFamily.STRING, True),
        ("day", 6, TypeFamily.DATE, True),
        ("region", 7, TypeFamily.STRING, True),
    ]
    assert {c.name: dict(c.extras) for c in events.columns if c.extras} == {
        "day": {"partition_key": 2},
        "region": {"partition_key": 1},
    }
    assert relation(source, 'Odd; "name"', "lake").kind is RelationKind.VIEW


def test_an_external_catalog_that_fails_spoils_its_own_schema_only(source: RedshiftSource) -> None:
    source.run(*SPECTRUM)
    snapshot = read_snapshot(ENGINE, source.settings)
    scopes = {scope.name: scope for scope in snapshot.scopes}
    assert scopes["broken"].completeness is Completeness.UNREADABLE
    assert "AccessDeniedException" in (scopes["broken"].reason or "")
    assert scopes["lake"].completeness is Completeness.COMPLETE
    assert scopes["lake"].extras == {"external": True}
    assert {(each.schema, each.name) for each in snapshot.relations} >= {("lake", "events"), ("public", "t")}


def test_counts_and_times_in_an_external_tables_properties_are_no_change(
    source: RedshiftSource, subject: RedshiftSubject
) -> None:
    source.run(*SPECTRUM)
    before = look(subject, source)
    source.run("UPDATE redshift.external_tables SET parameters = '{\"numRows\":\"43\"}' WHERE tablename = 'events'")
    assert look(subject, source) == before
    assert relation(source, "events", "lake").row_estimate == 43
    source.run("UPDATE redshift.external_columns SET external_type = 'smallint' WHERE columnname = 'id'")
    assert look(subject, source) != before


def test_an_external_schema_without_usage_is_unreadable_not_empty(source: RedshiftSource) -> None:
    source.run(*SPECTRUM, "GRANT USAGE ON SCHEMA lake TO PUBLIC")
    snapshot = read_snapshot(ENGINE, source.reader)
    scopes = {scope.name: scope for scope in snapshot.scopes}
    assert scopes["shut"].completeness is Completeness.UNREADABLE
    assert scopes["shut"].remedy == f"""GRANT USAGE ON SCHEMA "shut" TO "{source.role.replace('"', '""')}";"""
    source.paste(scopes["shut"].remedy or "")
    again = {scope.name: scope for scope in read_snapshot(ENGINE, source.reader).scopes}
    assert again["shut"].completeness is Completeness.COMPLETE


def test_sizes_come_from_the_cluster_where_they_may_be_read(source: RedshiftSource) -> None:
    source.run(
        "CREATE TABLE first (id int); CREATE TABLE t (id int); CREATE TABLE last (id int)",
        "INSERT INTO redshift.table_info VALUES ('t', 123456, 7), ('first', 5, 1)",
    )
    table = relation(source, "t")
    assert (table.row_estimate, table.size_bytes) == (123456, 7 * 1024 * 1024)
    assert relation(source, "last").size_bytes is None
    source.run("REVOKE SELECT ON redshift.svv_table_info FROM PUBLIC")
    unsized = {each.name: each.size_bytes for each in read_snapshot(ENGINE, source.reader).relations}
    assert unsized == {"first": None, "t": None, "last": None}


def test_a_large_catalog_comes_in_pages(
    source: RedshiftSource, subject: RedshiftSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small a page is, everything is read once, and what is not in scope is not asked for."""
    source.run(
        "CREATE SCHEMA aside",
        *(
            f"CREATE TABLE t{n} (id int PRIMARY KEY, a int, b int); CREATE TABLE aside.x{n} (id int);"
            f" CREATE VIEW v{n} AS SELECT a FROM t{n}"
            for n in range(7)
        ),
        "INSERT INTO redshift.late_binding VALUES ('v2'), ('v5')",
        "INSERT INTO redshift.table_info SELECT ('t' || n)::regclass, n, n FROM generate_series(0, 6) n",
        "INSERT INTO redshift.table_info SELECT ('aside.x' || n)::regclass, n, n FROM generate_series(0, 6) n",
    )
    within = ScopeFilter(schemas=Patterns.parse("public"))
    whole = read(subject, source, within)
    monkeypatch.setattr(reading, "PAGE", 5)
    assert read(subject, source, within) == whole
    with opened(subject, source) as session:
        session.scopes(within)
        assert len(list(session.relations(within))) == 14
        pages = [each for each in session.statements if each.label == "relations"]
    assert len(pages) > 5
    # Relations, columns of tables and of bound views, keys, and what the PostgreSQL below keeps of their indexes.
    assert sum(page.rows or 0 for page in pages) == 14 + 7 * 3 + 5 + 7 + 7


def test_only_a_redshift_is_taken_for_one(source: RedshiftSource) -> None:
    source.run(
        "CREATE OR REPLACE FUNCTION redshift.version() RETURNS text LANGUAGE sql AS 'SELECT ''PostgreSQL 15.2''::text'"
    )
    with pytest.raises(VersionUnsupported), ENGINE.connect(source.settings).open():
        pass


def test_the_session_cannot_write(source: RedshiftSource) -> None:
    source.run("CREATE TABLE t (id int)")
    with ENGINE.connect(source.settings).open() as session:
        cursor = session._line.connection.cursor()  # type: ignore[attr-defined]
        with pytest.raises(Exception, match="read-only transaction"):
            cursor.execute("INSERT INTO public.t VALUES (1)")


HOSTILE = ['"; DROP TABLE t; --', "%s %(x)s ?", "=cmd()", "\u202eright", "back\\slash 'quoted'"]


def test_hostile_names_reach_no_statement(source: RedshiftSource) -> None:
    """Names of external schemas are bound: they are the only names that a statement carries."""
    for name in HOSTILE:
        quoted, text = name.replace('"', '""'), name.replace("'", "''")
        source.run(
            f'CREATE SCHEMA "{quoted}"',
            f"INSERT INTO redshift.external_schemas VALUES ('{text}', 'x')",
            f"INSERT INTO redshift.external_tables VALUES ('{text}', '{text}')",
            f"INSERT INTO redshift.external_columns VALUES ('{text}', '{text}', '{text}', 'int', 1)",
        )
    found = read_snapshot(ENGINE, source.settings).relations
    assert {(each.schema, each.name, each.columns[0].name) for each in found} == {
        (name, name, name) for name in HOSTILE
    }
    said = "\n".join(source.proxy.statements)
    assert not [name for name in HOSTILE if name in said.replace("%s", "")]
