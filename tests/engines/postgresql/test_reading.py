"""What is special about PostgreSQL, read from a real server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from metamapper.connectors.conformance.reads import look, opened, read
from metamapper.connectors.errors import LockTimeout, ReadDisturbed, StatementTimeout
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.connectors.sql.blocks import Blocks
from metamapper.schema import (
    Completeness,
    ConstraintKind,
    Generated,
    Identity,
    Relation,
    RelationKind,
    Snapshot,
    TypeFamily,
)
from tests.engines.postgresql.subject import ENGINE, PostgresqlSource, PostgresqlSubject

pytestmark = pytest.mark.live

EVERYTHING = ScopeFilter()
PUBLIC = ScopeFilter(schemas=Patterns.parse("public"))


@pytest.fixture
def subject(postgresql_server: str) -> PostgresqlSubject:
    return PostgresqlSubject(postgresql_server)


def snapshot_of(source: PostgresqlSource) -> Snapshot:
    return read_snapshot(ENGINE, source.settings)


def relation(source: PostgresqlSource, name: str, schema: str = "public") -> Relation:
    return next(each for each in snapshot_of(source).relations if (each.schema, each.name) == (schema, name))


def asked(source: PostgresqlSource, query: str) -> list[Any]:
    with psycopg.connect(source.url) as connection:
        connection.execute("SET search_path = ''")
        return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


INDEXES = """
CREATE TABLE t (id int PRIMARY KEY, a text, b int, "Order" text, "user" int, c text COLLATE "C", j jsonb, p point,
                fixed char(3), UNIQUE (b, a));
CREATE INDEX plain ON t (a);
CREATE INDEX two ON t (a, b DESC);
CREATE INDEX nulls ON t (a NULLS FIRST, b DESC NULLS LAST);
CREATE INDEX quoted ON t ("Order", "user");
CREATE UNIQUE INDEX included ON t (b) INCLUDE (a, "Order");
CREATE INDEX partial ON t (b) WHERE a IS NOT NULL;
CREATE INDEX expression ON t (lower(a), b, (b + 1) DESC);
CREATE INDEX by_hash ON t USING hash (a);
CREATE INDEX by_gin ON t USING gin (j);
CREATE INDEX by_gin_path ON t USING gin (j jsonb_path_ops);
CREATE INDEX by_gist ON t USING gist (p);
CREATE INDEX by_brin ON t USING brin (b) WITH (pages_per_range = 4);
CREATE INDEX by_pattern ON t (a text_pattern_ops);
CREATE INDEX collated ON t (a COLLATE "C");
CREATE INDEX of_collated ON t (c);
CREATE INDEX of_collated_default ON t (c COLLATE "default");
CREATE INDEX filled ON t (b) WITH (fillfactor = 70);
CREATE INDEX " USING "" odd" ON t (b) WHERE b > 0;
CREATE INDEX of_fixed ON t (fixed);
"""


def test_definitions_of_indexes_are_the_servers(source: PostgresqlSource) -> None:
    """Most are composed here, for the server is slow at it: they must not differ from what it would say."""
    source.run(INDEXES)
    ours = {index.name: (index.unique, index.definition) for index in relation(source, "t").indexes}
    theirs = {
        name: (unique, definition.split(" ON public.t USING ", 1)[1])
        for name, unique, definition in asked(
            source,
            "SELECT c.relname, i.indisunique, pg_get_indexdef(c.oid) FROM pg_catalog.pg_index i"
            " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'public.t'::regclass",
        )
    }
    assert ours == theirs


def test_keys_of_indexes_are_names_or_expressions(source: PostgresqlSource) -> None:
    source.run(INDEXES)
    indexes = {index.name: index for index in relation(source, "t").indexes}
    assert indexes["expression"].keys == ("lower(a)", "b", "(b + 1)")
    assert (indexes["included"].keys, indexes["included"].included) == (("b",), ("a", "Order"))
    assert indexes["partial"].predicate == "(a IS NOT NULL)"
    assert indexes["by_brin"].kind == "brin"
    assert indexes["by_brin"].extras == {"storage": ["pages_per_range=4"]}
    assert [index.name for index in indexes.values() if index.primary] == ["t_pkey"]


CONSTRAINTS = """
CREATE SCHEMA "Other one";
CREATE TABLE "Other one"."Parent.1" (a int, "B b" int, c int UNIQUE, PRIMARY KEY (a, "B b"));
CREATE TABLE child (
  id int, x int, y int, z int, during tsrange, n int,
  CONSTRAINT pk PRIMARY KEY (id) INCLUDE (x),
  CONSTRAINT plain_unique UNIQUE (x, y),
  CONSTRAINT later_unique UNIQUE (y) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT two FOREIGN KEY (x, y) REFERENCES "Other one"."Parent.1" (a, "B b") ON DELETE CASCADE,
  CONSTRAINT acts FOREIGN KEY (z) REFERENCES "Other one"."Parent.1" (c) ON UPDATE SET NULL ON DELETE SET DEFAULT,
  CONSTRAINT restricts FOREIGN KEY (z) REFERENCES "Other one"."Parent.1" (c) ON UPDATE RESTRICT,
  CONSTRAINT whole FOREIGN KEY (x, y) REFERENCES "Other one"."Parent.1" MATCH FULL,
  CONSTRAINT later FOREIGN KEY (z) REFERENCES "Other one"."Parent.1" (c) DEFERRABLE,
  CONSTRAINT positive CHECK (n > 0) NO INHERIT,
  CONSTRAINT apart EXCLUDE USING gist (during WITH &&)
);
ALTER TABLE child ADD CONSTRAINT unproved CHECK (z > 0) NOT VALID;
ALTER TABLE child ADD CONSTRAINT unproved_key FOREIGN KEY (n) REFERENCES "Other one"."Parent.1" (c) NOT VALID;
"""


def test_definitions_of_constraints_are_the_servers(source: PostgresqlSource) -> None:
    source.run(CONSTRAINTS)
    ours = {each.name: each.definition for each in relation(source, "child").constraints}
    theirs = dict(
        asked(
            source,
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint"
            " WHERE conrelid = 'public.child'::regclass AND contype IN ('p', 'u', 'f', 'c', 'x')",
        )
    )
    assert ours == theirs


def test_foreign_keys_name_what_they_point_to(source: PostgresqlSource) -> None:
    source.run(CONSTRAINTS)
    found = {each.name: each for each in relation(source, "child").constraints}
    reference = found["two"].references
    assert reference is not None
    assert (reference.schema, reference.relation, reference.columns) == ("Other one", "Parent.1", ("a", "B b"))
    assert found["apart"].kind is ConstraintKind.EXCLUSION
    assert found["whole"].columns == ("x", "y")


TYPES = """
CREATE TYPE mood AS ENUM ('low', 'it''s "ok"', 'high');
CREATE DOMAIN money_amount AS numeric(14,4) CHECK (VALUE >= 0);
CREATE DOMAIN small_amount AS money_amount;
CREATE TYPE pair AS (a int, b text);
CREATE TABLE typed (
  i2 smallint, i4 integer, i8 bigint, big bigserial, n numeric, n2 numeric(12,2), money money, f4 real, f8 float,
  b boolean, t text, vc varchar, vc40 varchar(40), c char(3), d date, ti time(3), tz timetz, ts timestamp(6),
  tstz timestamptz, iv interval day to second(3), bin bytea, bits bit(8), js json, jsb jsonb, u uuid, ip inet, mac macaddr8,
  arr integer[], grid text[][], m mood, moods mood[], amount money_amount, small small_amount, p pair, geo point,
  rng int4range, doc tsvector, x xml, c_text text COLLATE "C"
);
"""
FAMILIES = {
    TypeFamily.INTEGER: "i2 i4 i8 big",
    TypeFamily.DECIMAL: "n n2 money amount small",
    TypeFamily.FLOAT: "f4 f8",
    TypeFamily.BOOLEAN: "b",
    TypeFamily.STRING: "t vc vc40 c c_text",
    TypeFamily.DATE: "d",
    TypeFamily.TIME: "ti tz",
    TypeFamily.TIMESTAMP: "ts tstz",
    TypeFamily.INTERVAL: "iv",
    TypeFamily.BINARY: "bin bits",
    TypeFamily.JSON: "js jsb",
    TypeFamily.UUID: "u",
    TypeFamily.NETWORK: "ip mac",
    TypeFamily.ARRAY: "arr grid moods",
    TypeFamily.ENUM: "m",
    TypeFamily.STRUCT: "p",
    TypeFamily.GEO: "geo",
    TypeFamily.OTHER: "rng doc x",
}


def test_types_keep_their_spelling_and_have_a_family(source: PostgresqlSource) -> None:
    source.run(TYPES)
    columns = {column.name: column for column in relation(source, "typed").columns}
    assert {name: c.family for name, c in columns.items()} == {
        name: family for family, names in FAMILIES.items() for name in names.split()
    }
    assert columns["vc40"].type == "character varying(40)"
    assert columns["vc40"].length == 40
    assert columns["vc"].length is None
    assert (columns["n2"].precision, columns["n2"].scale) == (12, 2)
    assert (columns["amount"].type, columns["amount"].precision) == ("public.money_amount", 14)
    assert columns["amount"].extras == {"base_type": "numeric(14,4)"}
    assert columns["m"].extras == {"values": ["low", 'it\'s "ok"', "high"]}
    assert columns["iv"].type == "interval day to second(3)"
    assert columns["grid"].type == "text[]"
    assert columns["c_text"].extras == {"collation": "C"}
    assert columns["big"].default == "nextval('public.typed_big_seq'::regclass)"


def test_generated_and_identity_columns(source: PostgresqlSource) -> None:
    source.run(
        "CREATE TABLE g (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED BY DEFAULT AS IDENTITY,"
        " c int GENERATED ALWAYS AS (1 + 1) STORED, d timestamp DEFAULT now())"
    )
    a, b, c, d = relation(source, "g").columns
    assert (a.identity, b.identity) == (Identity.ALWAYS, Identity.BY_DEFAULT)
    assert (c.generated, c.default) == (Generated.STORED, "(1 + 1)")
    assert (d.generated, d.default) == (None, "now()")


PARTS = """
CREATE TABLE sales (day date NOT NULL, region text, amount int) PARTITION BY RANGE (day);
CREATE TABLE sales_2025 PARTITION OF sales FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE sales_2026 PARTITION OF sales FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (region);
CREATE TABLE sales_2026_eu PARTITION OF sales_2026 FOR VALUES IN ('eu', 'it''s');
CREATE TABLE sales_rest PARTITION OF sales DEFAULT;
CREATE INDEX ON sales (amount);
CREATE TABLE base (id int); CREATE TABLE derived (extra int) INHERITS (base);
CREATE UNLOGGED TABLE quick (id int);
CREATE MATERIALIZED VIEW summary AS SELECT region, count(*) AS n FROM sales GROUP BY region;
CREATE UNIQUE INDEX ON summary (region);
CREATE VIEW guarded WITH (security_barrier) AS SELECT day FROM sales;
ALTER TABLE base ENABLE ROW LEVEL SECURITY;
CREATE TABLE nothing ();
CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE remote (id int) SERVER far OPTIONS (password 'a planted secret');
"""


def test_kinds_partitions_and_other_facts(source: PostgresqlSource) -> None:
    source.run(PARTS)
    found = {each.name: each for each in snapshot_of(source).relations}
    assert {name: each.kind for name, each in found.items()} == {
        "sales": RelationKind.PARTITIONED_TABLE,
        "sales_2025": RelationKind.PARTITION,
        "sales_2026": RelationKind.PARTITIONED_TABLE,
        "sales_2026_eu": RelationKind.PARTITION,
        "sales_rest": RelationKind.PARTITION,
        "base": RelationKind.TABLE,
        "derived": RelationKind.TABLE,
        "quick": RelationKind.TABLE,
        "summary": RelationKind.MATERIALIZED_VIEW,
        "guarded": RelationKind.VIEW,
        "nothing": RelationKind.TABLE,
        "remote": RelationKind.EXTERNAL_TABLE,
    }
    extras = {name: dict(each.extras) for name, each in found.items()}
    assert extras["sales"] == {"partition_key": "RANGE (day)"}
    assert extras["sales_2025"]["partition_of"] == "public.sales"
    assert extras["sales_2025"]["partition_bound"] == "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
    assert extras["sales_2026"]["partition_key"] == "LIST (region)"
    assert extras["sales_rest"]["partition_bound"] == "DEFAULT"
    assert extras["derived"] == {"inherits": ["public.base"]}
    assert extras["base"] == {"row_security": True}
    assert extras["quick"] == {"unlogged": True}
    assert extras["guarded"] == {"options": ["security_barrier=true"]}
    assert extras["remote"] == {"server": "far"}
    assert found["nothing"].columns == ()
    assert [index.keys for index in found["sales"].indexes] == [("amount",)]
    assert found["sales"].indexes[0].definition == "btree (amount)"
    assert [index.unique for index in found["summary"].indexes] == [True]


def test_comments_on_everything(source: PostgresqlSource) -> None:
    source.run(
        "CREATE TABLE t (id int CONSTRAINT pk PRIMARY KEY, a int); CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT 1 AS x",
        "COMMENT ON SCHEMA public IS 'the schema'; COMMENT ON TABLE t IS 'the table'; COMMENT ON COLUMN t.a IS 'the column'",
        "COMMENT ON INDEX i IS 'the index'; COMMENT ON CONSTRAINT pk ON t IS 'the key'; COMMENT ON VIEW v IS 'the view'",
    )
    snapshot = snapshot_of(source)
    (table, view) = snapshot.relations
    assert snapshot.scopes[0].comment == "the schema"
    assert (table.comment, table.columns[1].comment, view.comment) == ("the table", "the column", "the view")
    assert {index.name: index.comment for index in table.indexes} == {"pk": None, "i": "the index"}
    assert table.constraints[0].comment == "the key"


def test_estimates_come_from_statistics_and_are_no_change(source: PostgresqlSource, subject: PostgresqlSubject) -> None:
    source.run("CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT * FROM t")
    before = look(subject, source)
    assert {each.name: (each.row_estimate, each.size_bytes) for each in snapshot_of(source).relations} == {
        "t": (None, None),
        "v": (None, None),
    }
    source.run("INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t")
    table = relation(source, "t")
    assert (table.row_estimate, table.size_bytes) == (1000, 5 * 8192)
    assert look(subject, source) == before


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE filled",
        "INSERT INTO filled SELECT generate_series(1, 100)",
        "REFRESH MATERIALIZED VIEW summary",
        "ANALYZE",
        "CREATE TEMPORARY TABLE passing (id int)",
        "REINDEX TABLE filled",
    ],
)
def test_work_on_rows_leaves_the_probe_alone(
    source: PostgresqlSource, subject: PostgresqlSubject, statement: str
) -> None:
    source.run("CREATE TABLE filled (id int PRIMARY KEY); CREATE MATERIALIZED VIEW summary AS SELECT 1 AS x")
    before = look(subject, source)
    source.run(statement)
    assert look(subject, source) == before


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TYPE mood ADD VALUE 'x'",
        "ALTER TYPE mood RENAME TO temper",
        "ALTER TYPE mood RENAME VALUE 'a' TO 'aa'",
        "ALTER DOMAIN amount RENAME TO quantity",
        "ALTER FUNCTION twice(int) RENAME TO double",
        "ALTER SEQUENCE counter RENAME TO ticker",
        "ALTER SCHEMA public RENAME TO renamed",
        "ALTER INDEX by_m RENAME TO by_mood",
        "ALTER TABLE t RENAME CONSTRAINT pk TO the_key",
        "ALTER TABLE t ALTER m SET STATISTICS 7",
        "ALTER TABLE t SET (fillfactor = 50)",
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t ADD CHECK (k > 1)",
        "ALTER TABLE parts DETACH PARTITION part",
        "CREATE OR REPLACE VIEW v AS SELECT 2 AS one",
        "ALTER TABLE t ALTER n TYPE varchar(30)",
        "COMMENT ON SCHEMA public IS 'other words'",
        "COMMENT ON INDEX by_m IS 'words'",
        "ALTER TABLE t ALTER k SET DEFAULT 3",
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
    ],
)
def test_the_probe_sees_every_change(source: PostgresqlSource, subject: PostgresqlSubject, statement: str) -> None:
    source.run(
        "CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN amount AS int; CREATE SEQUENCE counter",
        "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'",
        "CREATE TABLE t (id int CONSTRAINT pk PRIMARY KEY, m mood, q amount, n varchar(20), k int DEFAULT 1,"
        " s int DEFAULT nextval('counter'), CHECK (twice(id) > 0))",
        "CREATE INDEX by_m ON t (m); CREATE VIEW v AS SELECT 1 AS one",
        "CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parts FOR VALUES IN (1)",
    )
    reader = source.reader
    before = look(subject, source, settings=reader)
    assert look(subject, source, settings=reader) == before
    source.run(statement)
    assert look(subject, source, settings=reader).token != before.token


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE outside.parent RENAME TO renamed",
        "ALTER TABLE outside.parent RENAME code TO renamed",
        "ALTER TABLE outside.parent SET SCHEMA far",
        "ALTER SCHEMA outside RENAME TO renamed",
        "ALTER TABLE outside.base RENAME TO renamed",
        "ALTER TABLE outside.base SET SCHEMA far",
        "ALTER VIEW outside.seen RENAME TO renamed",
        "ALTER SEQUENCE outside.numbers RENAME TO renamed",
        "ALTER TYPE outside.mood SET SCHEMA far",
        "ALTER TYPE outside.address RENAME TO renamed",
        "ALTER DOMAIN outside.amount RENAME TO renamed",
        "ALTER COLLATION outside.order_of RENAME TO renamed",
        "ALTER OPERATOR CLASS outside.own USING btree RENAME TO renamed",
        "ALTER FUNCTION outside.twice(int) RENAME TO renamed",
    ],
)
def test_the_probe_sees_what_definitions_in_scope_spell(
    source: PostgresqlSource, subject: PostgresqlSubject, statement: str
) -> None:
    source.run(
        "CREATE SCHEMA outside; CREATE SCHEMA far; CREATE TYPE outside.mood AS ENUM ('a')",
        "CREATE TYPE outside.address AS (street text); CREATE DOMAIN outside.amount AS int",
        'CREATE COLLATION outside.order_of FROM "C"; CREATE SEQUENCE outside.numbers',
        "CREATE FUNCTION outside.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'",
        "CREATE OPERATOR CLASS outside.own FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,"
        " OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)",
        "CREATE TABLE outside.parent (id int PRIMARY KEY, code text); CREATE VIEW outside.seen AS SELECT 1 AS one",
        "CREATE TABLE outside.base (base int)",
        "CREATE TABLE t (id int DEFAULT nextval('outside.numbers'), m outside.mood, a outside.address, q outside.amount,"
        " c text COLLATE outside.order_of, p int REFERENCES outside.parent, CHECK (outside.twice(id) > 0))",
        "CREATE INDEX own ON t (p outside.own); CREATE TABLE heir () INHERITS (outside.base)",
        "CREATE VIEW v AS SELECT code FROM outside.parent; CREATE VIEW w AS SELECT one FROM outside.seen",
    )
    before = look(subject, source, PUBLIC)
    source.run(statement)
    after = look(subject, source, PUBLIC)
    assert after.fingerprints != before.fingerprints
    assert after.token != before.token


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE outside.alone RENAME TO renamed",
        "ALTER TABLE outside.alone ADD b int",
        "CREATE TABLE outside.another (id int)",
        "DROP TABLE outside.alone",
    ],
)
def test_the_probe_leaves_alone_what_is_outside_and_that_nothing_spells(
    source: PostgresqlSource, subject: PostgresqlSubject, statement: str
) -> None:
    source.run(
        "CREATE SCHEMA outside; CREATE TABLE outside.parent (id int PRIMARY KEY)",
        "CREATE TABLE outside.alone (id int); CREATE TABLE t (id int REFERENCES outside.parent)",
    )
    before = look(subject, source, PUBLIC)
    source.run(statement)
    assert look(subject, source, PUBLIC).token == before.token


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE a DISABLE ROW LEVEL SECURITY; ALTER TABLE b ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE a SET LOGGED; ALTER TABLE b SET UNLOGGED",
        "ALTER SEQUENCE a_s RENAME TO c; ALTER SEQUENCE b_s RENAME TO a_s; ALTER SEQUENCE c RENAME TO b_s",
    ],
)
def test_the_probe_sees_what_two_exchange(source: PostgresqlSource, subject: PostgresqlSubject, statement: str) -> None:
    source.run("CREATE UNLOGGED TABLE a (id int); CREATE TABLE b (id int); ALTER TABLE a ENABLE ROW LEVEL SECURITY")
    source.run("CREATE SEQUENCE a_s; CREATE SEQUENCE b_s")
    before = look(subject, source)
    source.run(statement)
    assert look(subject, source).token != before.token


def test_settings_of_a_role_do_not_change_what_is_read(source: PostgresqlSource, subject: PostgresqlSubject) -> None:
    source.run(
        "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood, d timestamptz DEFAULT '2024-03-01 12:00:00+02',"
        " i interval DEFAULT '1 day 2 hours', b bytea DEFAULT '\\x00ff'::bytea); CREATE VIEW v AS SELECT * FROM t"
    )
    before = look(subject, source, settings=source.reader)
    for name, value in (
        ("search_path", "public"),
        ("DateStyle", "'SQL, DMY'"),
        ("IntervalStyle", "iso_8601"),
        ("TimeZone", "'Asia/Tokyo'"),
        ("bytea_output", "escape"),
        ("quote_all_identifiers", "on"),
    ):
        source.run(f"""ALTER ROLE "{source.role.replace('"', '""')}" SET {name} = {value}""")
    assert look(subject, source, settings=source.reader) == before


def test_a_session_cannot_write_and_says_what_it_sent(source: PostgresqlSource, subject: PostgresqlSubject) -> None:
    source.run("CREATE TABLE t (id int)")
    with opened(subject, source) as session:
        with psycopg.connect(source.url) as other:
            held = other.execute(
                "SELECT xact_start IS NOT NULL, application_name FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'metamapper'"
            ).fetchall()
        assert held == [(True, "metamapper")]
        session.probe(EVERYTHING)
        session.scopes(EVERYTHING)
        assert len(list(session.relations(EVERYTHING))) == 1
        sent = session.statements
    assert [each.label for each in sent] == ["begin", "prepare", "scopes", "probe", "relations"]
    assert "READ ONLY" in sent[0].sql
    assert all(each.seconds is not None and each.rows is not None for each in sent)
    assert not [each.sql for each in sent if "%%" in each.sql]


def test_a_statement_that_takes_too_long_is_ended(source: PostgresqlSource) -> None:
    source.run("CREATE TABLE t (id int); CREATE VIEW v AS SELECT * FROM t")
    with psycopg.connect(source.url) as locker:
        locker.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises((StatementTimeout, LockTimeout)) as caught:
            read_snapshot(ENGINE, replace(source.settings, statement_timeout=1))
    assert caught.value.hint
    assert not caught.value.permanent


def test_a_view_that_is_dropped_in_mid_read_does_not_end_the_read(
    source: PostgresqlSource, subject: PostgresqlSubject
) -> None:
    """The snapshot still lists it, and the server cannot say any more what it was: the read goes on in a newer one."""
    source.run("CREATE TABLE t (id int); CREATE VIEW late AS SELECT 1 AS x; CREATE TABLE later (id int)")
    with opened(subject, source) as session:
        session.scopes(EVERYTHING)
        source.run("DROP VIEW late", "CREATE TABLE latest (id int)")
        found = [each.name for each in session.relations(EVERYTHING)]
        scopes, complete = session.scopes(EVERYTHING)
    assert found == ["t", "later", "latest"]
    assert complete
    assert [scope.completeness for scope in scopes] == [Completeness.COMPLETE]
    assert [each.label for each in session.statements].count("begin") == 2


def test_a_name_that_passes_on_in_mid_read_makes_its_scope_partial(
    source: PostgresqlSource, subject: PostgresqlSubject
) -> None:
    source.run("CREATE TABLE t (id int); CREATE VIEW late AS SELECT 1 AS x; CREATE TABLE next (id int)")
    with opened(subject, source) as session:
        session.scopes(EVERYTHING)
        source.run("DROP VIEW late; DROP TABLE t; ALTER TABLE next RENAME TO t")
        found = [each.name for each in session.relations(EVERYTHING)]
        (scope,), _ = session.scopes(EVERYTHING)
    assert found == ["t"]
    assert scope.completeness is Completeness.PARTIAL
    assert "t was" in (scope.reason or "")


def test_a_schema_that_became_readable_in_mid_read_is_partial(
    source: PostgresqlSource, subject: PostgresqlSubject
) -> None:
    """Rights are told as they are now, not as they were when the rows were read: nothing may be missed that is there."""
    source.run("CREATE SCHEMA closed; CREATE TABLE closed.t (id int); CREATE TABLE open (id int)")
    source.run("REVOKE ALL ON SCHEMA closed FROM PUBLIC")
    with opened(subject, source, settings=source.reader) as session:
        session.scopes(EVERYTHING)
        relations = session.relations(EVERYTHING)
        found = [next(relations).name]
        source.run("GRANT USAGE ON SCHEMA closed TO PUBLIC")
        found += [each.name for each in relations]
        scopes, _ = session.scopes(EVERYTHING)
    assert found == ["open"]
    assert {scope.name: scope.completeness for scope in scopes}["closed"] is Completeness.PARTIAL


def test_a_catalog_that_never_rests_is_given_up_for_now(
    source: PostgresqlSource, subject: PostgresqlSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metamapper.connectors.engines.postgresql.session.ATTEMPTS", 1)
    source.run("CREATE VIEW late AS SELECT 1 AS x")
    with opened(subject, source) as session:
        session.scopes(EVERYTHING)
        source.run("DROP VIEW late")
        with pytest.raises(ReadDisturbed) as caught:
            list(session.relations(EVERYTHING))
    assert not caught.value.permanent


def test_a_schema_that_was_dropped_in_mid_read_is_told_whole_or_partial(
    source: PostgresqlSource, subject: PostgresqlSubject
) -> None:
    """Some versions still tell everything that the snapshot holds, others say that it is gone."""
    source.run("CREATE SCHEMA brief; CREATE TABLE brief.t (id int)")
    with opened(subject, source) as session:
        source.run("DROP SCHEMA brief CASCADE")
        session.scopes(EVERYTHING)
        seen = [each.name for each in session.relations(EVERYTHING) if each.schema == "brief"]
        scopes, _ = session.scopes(EVERYTHING)
    brief = next(scope for scope in scopes if scope.name == "brief")
    assert seen == ["t"] or brief.completeness is Completeness.PARTIAL


@pytest.fixture
def latin_url(postgresql_server: str) -> Iterator[str]:
    """A database that does not say what its bytes mean."""
    name = f"mm_ascii_{abs(hash(postgresql_server)) % 10**6}"
    with psycopg.connect(postgresql_server, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")  # type: ignore[arg-type]
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")  # type: ignore[arg-type]
        yield postgresql_server.rpartition("/")[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def test_bytes_of_no_encoding_do_not_stop_a_read(latin_url: str) -> None:
    source = PostgresqlSource(latin_url)
    with psycopg.connect(latin_url) as connection:
        connection.execute("SET client_encoding TO 'SQL_ASCII'")
        connection.execute(b'CREATE TABLE "caf\xe9" ("na\xefve" int)')
        connection.execute('CREATE TABLE "café 😀" (id int)'.encode())
        connection.execute(b"COMMENT ON TABLE \"caf\xe9\" IS 'd\xe9j\xe0'")
    found = {each.name: each for each in snapshot_of(source).relations}
    assert set(found) == {"caf\ufffd", "café 😀"}
    assert found["caf\ufffd"].columns[0].name == "na\ufffdve"
    assert found["caf\ufffd"].comment == "d\ufffdj\ufffd"


def test_hidden_columns_are_not_shown(source: PostgresqlSource) -> None:
    source.run("CREATE TABLE t (a int, b int, c int)", "ALTER TABLE t DROP COLUMN b", "ALTER TABLE t ADD d int")
    columns = relation(source, "t").columns
    assert [(column.name, column.position) for column in columns] == [("a", 1), ("c", 3), ("d", 4)]
    assert all(column.native_id and column.native_id.endswith(f".{column.position}") for column in columns)


def test_what_only_the_owner_may_read_is_read(source: PostgresqlSource, subject: PostgresqlSubject) -> None:
    """No right on the table, none on its columns: information_schema would hide it."""
    source.run("CREATE TABLE t (id int PRIMARY KEY); REVOKE ALL ON t FROM PUBLIC")
    (table,) = read(subject, source, settings=source.reader).relations
    assert table.constraints[0].columns == ("id",)


@pytest.mark.parametrize("version", range(10, 15))
def test_the_statements_for_older_servers_find_the_same(
    source: PostgresqlSource, subject: PostgresqlSubject, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer server still understands what an older one is sent; what only newer ones have is left out here."""
    source.run(INDEXES.replace('CREATE UNIQUE INDEX included ON t (b) INCLUDE (a, "Order");', ""), TYPES, PARTS)
    newest = read(subject, source)
    original = Blocks.at
    monkeypatch.setattr(Blocks, "at", lambda blocks, name, _: original(blocks, name, version))
    assert read(subject, source) == newest
    before = look(subject, source)
    source.run("ALTER TABLE t RENAME TO u")
    assert look(subject, source).token != before.token
    source.run("ALTER TABLE u RENAME TO t")
    monkeypatch.setattr(Blocks, "at", original)
    assert read(subject, source) == newest
