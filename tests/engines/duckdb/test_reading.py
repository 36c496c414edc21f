"""What is special about DuckDB, read live from real files."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import sqlglot

from metamapper.cli.sources import is_url
from metamapper.connectors import errors
from metamapper.connectors.base import StepState
from metamapper.connectors.conformance.reads import look, opened
from metamapper.connectors.engines.duckdb.connector import SEALED
from metamapper.connectors.engines.duckdb.errors import translated
from metamapper.connectors.engines.duckdb.session import QUERIES
from metamapper.connectors.engines.duckdb.types import nested_fields, parse_type
from metamapper.connectors.reach import Reach
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Column, ConstraintKind, Generated, Relation, RelationKind, Snapshot, TypeFamily
from tests.engines.duckdb.subject import ENGINE, DuckdbSource, DuckdbSubject

DEEP = 3_000


@pytest.fixture
def source(tmp_path: Path) -> Iterator[DuckdbSource]:
    with DuckdbSubject(tmp_path).fresh() as source:
        yield source


def snapshot_of(source: DuckdbSource) -> Snapshot:
    return read_snapshot(ENGINE, source.settings)


def relation(source: DuckdbSource, name: str) -> Relation:
    return next(each for each in snapshot_of(source).relations if each.name == name)


def columns(source: DuckdbSource, name: str) -> dict[str, Column]:
    return {".".join(column.path): column for column in relation(source, name).columns}


# --- Types -----------------------------------------------------------------------------------------------------------

FAMILIES = {
    TypeFamily.INTEGER: "tinyint utinyint smallint int bigint ubigint hugeint uhugeint",
    TypeFamily.DECIMAL: "decimal(18,3) decimal(38,0)",
    TypeFamily.FLOAT: "float double",
    TypeFamily.BOOLEAN: "boolean",
    TypeFamily.STRING: "varchar varchar(40)",
    TypeFamily.DATE: "date",
    TypeFamily.TIME: "time timetz",
    TypeFamily.TIMESTAMP: "timestamp timestamp_s timestamp_ms timestamp_ns timestamptz",
    TypeFamily.INTERVAL: "interval",
    TypeFamily.BINARY: "blob bit",
    TypeFamily.JSON: "json variant",
    TypeFamily.UUID: "uuid",
    TypeFamily.GEO: "geometry",
    TypeFamily.ARRAY: "int[] int[3] varchar[][] decimal(4,1)[] struct(a\u00a0int)[] enum('a[')[]",
    TypeFamily.ENUM: "enum('low','x') mood",
    TypeFamily.STRUCT: "struct(a\u00a0int) union(a\u00a0int)",
    TypeFamily.MAP: "map(int,varchar)",
}


def test_types_have_a_family(source: DuckdbSource) -> None:
    words = [(word.replace("\u00a0", " "), family) for family, all_of in FAMILIES.items() for word in all_of.split(" ")]
    source.run(
        "CREATE TYPE mood AS ENUM ('low', 'it''s \"ok\", (really)')",
        f"CREATE TABLE typed ({', '.join(f'c{place} {word}' for place, (word, _) in enumerate(words))})",
    )
    found = {column.name: column for column in relation(source, "typed").columns if not column.nested_in}
    assert {words[int(name[1:])][0]: column.family for name, column in found.items()} == dict(words)
    by_type = {column.type: column for column in found.values()}
    assert (by_type["DECIMAL(18,3)"].precision, by_type["DECIMAL(18,3)"].scale) == (18, 3)
    mood = next(column for column in found.values() if "really" in column.type and column.family is TypeFamily.ENUM)
    assert mood.extras == {"values": ["low", 'it\'s "ok", (really)']}
    assert all(column.length is None for column in found.values()), "DuckDB limits no text"


def test_fields_of_structs_lists_maps_and_unions_are_columns_with_a_path(source: DuckdbSource) -> None:
    source.run(
        """CREATE TABLE nested (
          id int,
          address struct(street varchar, "the ""place"" " struct(lat decimal(9,6), "a.b" varchar[])),
          lines struct(sku varchar, tags struct(name varchar)[])[][2],
          by_day map(date, struct(n int)),
          plain map(varchar, int),
          odd union(num int, "the text" struct(q enum('a,b', ')(')))
        )"""
    )
    found = [(column.path, column.position, column.type) for column in relation(source, "nested").columns]
    assert [(path, position, kind) for path, position, kind in found if len(path) > 1] == [
        (("address", "street"), 1, "VARCHAR"),
        (("address", 'the "place" '), 2, 'STRUCT(lat DECIMAL(9,6), "a.b" VARCHAR[])'),
        (("address", 'the "place" ', "lat"), 1, "DECIMAL(9,6)"),
        (("address", 'the "place" ', "a.b"), 2, "VARCHAR[]"),
        (("lines", "sku"), 1, "VARCHAR"),
        (("lines", "tags"), 2, 'STRUCT("name" VARCHAR)[]'),
        (("lines", "tags", "name"), 1, "VARCHAR"),
        (("by_day", "key"), 1, "DATE"),
        (("by_day", "value"), 2, "STRUCT(n INTEGER)"),
        (("by_day", "value", "n"), 1, "INTEGER"),
        (("odd", "num"), 1, "INTEGER"),
        (("odd", "the text"), 2, "STRUCT(q ENUM('a,b', ')('))"),
        (("odd", "the text", "q"), 1, "ENUM('a,b', ')(')"),
    ]
    paths = [path for path, _, _ in found]
    assert all(path[:-1] in paths[:place] for place, path in enumerate(paths) if len(path) > 1), "parents come first"
    assert columns(source, "nested")["odd.the text.q"].extras == {"values": ["a,b", ")("]}


def test_nesting_has_no_depth_at_which_it_breaks() -> None:
    spelling = "STRUCT(a " * DEEP + "INTEGER" + ")" * DEEP
    deepest = max(len(field.nested_in) for field in nested_fields("c", "STRUCT(a " * 300 + "INTEGER" + ")" * 300))
    assert deepest == 300
    assert parse_type(spelling).family is TypeFamily.STRUCT
    assert parse_type("STRUCT(a INTEGER").family is TypeFamily.STRUCT, "what is cut off is read as far as it goes"
    assert list(nested_fields("c", "STRUCT(")) == []


# --- Schemas, views, keys --------------------------------------------------------------------------------------------


def test_schemas_within_schemas_are_told_apart(source: DuckdbSource) -> None:
    source.run(
        "CREATE SCHEMA a",
        "CREATE SCHEMA a.b",
        "CREATE SCHEMA b",
        "CREATE TABLE a.b.t (inner_one int)",
        "CREATE TABLE b.t (outer_one int)",
    )
    found = {each.schema: each.columns[0].name for each in snapshot_of(source).relations}
    assert found == {"a.b": "inner_one", "b": "outer_one"}
    source.run('CREATE SCHEMA "a.b"', 'CREATE TABLE "a.b".t (dotted_one int)')
    found = {each.schema: each.columns[0].name for each in snapshot_of(source).relations}
    assert found == {'"a"."b"': "inner_one", "b": "outer_one", "a.b": "dotted_one"}


def test_views_are_told_without_what_they_read(source: DuckdbSource, tmp_path: Path) -> None:
    """Their columns are those of the moment when they were made; no file that they name is opened."""
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n")
    source.run(
        "CREATE TABLE gone (a int)",
        "CREATE VIEW broken AS SELECT a AS one FROM gone",
        f"CREATE VIEW of_file AS SELECT * FROM read_csv('{tmp_path}/rows.csv')",
        """CREATE VIEW "as ""AS"" (as)" ("x y") AS SELECT 'as' || a FROM gone""",
        "DROP TABLE gone",
        "COMMENT ON VIEW broken IS 'It is'",
    )
    (tmp_path / "rows.csv").unlink()
    found = {each.name: each for each in snapshot_of(source).relations}
    assert {name: [c.name for c in each.columns] for name, each in found.items()} == {
        "broken": ["one"],
        "of_file": ["a", "b"],
        'as "AS" (as)': ["x y"],
    }
    assert {each.kind for each in found.values()} == {RelationKind.VIEW}
    assert found["broken"].definition == "SELECT a AS one FROM gone"
    assert found['as "AS" (as)'].definition == "SELECT ('as' || a) FROM gone"
    assert found["broken"].comment == "It is"


KEYS = (
    "CREATE TABLE parent (id int PRIMARY KEY, name varchar UNIQUE, a int, b int, UNIQUE (b, a))",
    """CREATE TABLE child (
         id int DEFAULT (1 + 2), "two words" int, a int, b int,
         twice int GENERATED ALWAYS AS (id * 2),
         parent int REFERENCES parent (id),
         CONSTRAINT named FOREIGN KEY (b, a) REFERENCES parent (b, a),
         CONSTRAINT lost CHECK (id > 0), CHECK (id > 0), CHECK ("two words" < id))""",
    'CREATE INDEX plain ON child (id DESC, "two words")',
    'CREATE UNIQUE INDEX " (odd) "" ON x(" ON child (lower(b::varchar), (id + 1), a)',
    "COMMENT ON INDEX plain IS 'An index'",
)


def test_keys_and_checks_go_by_what_they_say(source: DuckdbSource) -> None:
    source.run(*KEYS)
    found = {each.name: each for each in relation(source, "child").constraints}
    assert set(found) == {
        "FOREIGN KEY (parent)",
        "FOREIGN KEY (b, a)",
        "CHECK((id > 0))",
        "CHECK((id > 0)) (2)",
        'CHECK(("two words" < id))',
    }
    key = found["FOREIGN KEY (b, a)"]
    assert key.references is not None
    assert (key.columns, key.references.relation, key.references.columns) == (("b", "a"), "parent", ("b", "a"))
    assert [(each.kind, each.columns) for each in relation(source, "parent").constraints] == [
        (ConstraintKind.PRIMARY_KEY, ("id",)),
        (ConstraintKind.UNIQUE, ("name",)),
        (ConstraintKind.UNIQUE, ("b", "a")),
    ]


def test_indexes_and_generated_columns(source: DuckdbSource) -> None:
    source.run(*KEYS)
    found = {each.name: each for each in relation(source, "child").indexes}
    assert (found["plain"].keys, found["plain"].comment) == (("id", "two words"), "An index")
    assert found["plain"].definition == '(id, "two words")'
    odd = found[' (odd) " ON x(']
    assert (odd.keys, odd.unique) == (("lower(CAST(b AS VARCHAR))", "id + 1", "a"), True)
    child = columns(source, "child")
    assert (child["twice"].generated, "id * 2" in (child["twice"].default or "")) == (Generated.VIRTUAL, True)
    assert (child["id"].generated, child["id"].default) == (None, "(1 + 2)")


def test_estimates_are_no_change(source: DuckdbSource, tmp_path: Path) -> None:
    source.run("CREATE TABLE t AS SELECT range AS id FROM range(3)")
    before = look(DuckdbSubject(tmp_path), source)
    assert relation(source, "t").row_estimate == 3
    source.run("INSERT INTO t SELECT range FROM range(10)", "UPDATE t SET id = id + 1", "CHECKPOINT")
    assert look(DuckdbSubject(tmp_path), source) == before
    assert relation(source, "t").row_estimate == 13


def test_temporary_things_and_macros_are_not_read(source: DuckdbSource) -> None:
    source.run(
        "CREATE TEMP TABLE t (a int)", "CREATE MACRO m(a) AS a + 1", "CREATE SEQUENCE s", "CREATE TABLE u (a int)"
    )
    assert [each.name for each in snapshot_of(source).relations] == ["u"]


@pytest.mark.parametrize("name", list(QUERIES))
def test_every_statement_is_sql_of_duckdb(name: str) -> None:
    (statement,) = sqlglot.parse(QUERIES[name], read="duckdb")
    assert isinstance(statement, sqlglot.exp.Query)


# --- Files -----------------------------------------------------------------------------------------------------------


def error_of(path: Path, reach: Reach | None = None) -> errors.ConnectorError:
    source = DuckdbSource(path)
    with pytest.raises(errors.ConnectorError) as caught, ENGINE.connect(source.settings, reach or source.reach).open():
        pass
    return caught.value


def test_files_that_cannot_be_read_are_told_apart(source: DuckdbSource, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is not a database, though it is long enough to be taken for one. " * 200)
    (tmp_path / "empty").touch()
    (tmp_path / "other.sqlite3").write_bytes(b"SQLite format 3\0".ljust(8192, b"\0"))
    (tmp_path / "folder").mkdir()
    for name, hint in (
        ("missing", "path"),
        ("folder", "path"),
        ("text", "not a DuckDB database"),
        ("empty", "not a DuckDB database"),
        ("other.sqlite3", "not a DuckDB database"),
    ):
        error = error_of(tmp_path / name)
        assert isinstance(error, errors.FileUnreadable), name
        assert error.permanent
        assert hint in error.hint, name
    assert not (tmp_path / "missing").exists()


def test_only_files_in_allowed_folders_are_opened(source: DuckdbSource, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link.duckdb").symlink_to(source.path)
    assert isinstance(error_of(source.path, Reach()), errors.AddressDenied)
    assert isinstance(error_of(allowed / "link.duckdb", Reach(folders=(allowed,))), errors.AddressDenied)
    steps = list(ENGINE.connect(source.settings, Reach()).test())
    assert steps[0].state is StepState.FAILED
    assert {step.state for step in steps[1:]} == {StepState.WAITING}


def test_a_damaged_file_is_said_to_be(source: DuckdbSource) -> None:
    source.run(*KEYS)
    content = bytearray(source.path.read_bytes())
    content[12_288:30_000] = b"\xff" * (30_000 - 12_288)
    source.path.write_bytes(content)
    error = error_of(source.path)
    assert isinstance(error, errors.FileUnreadable)
    assert "damaged" in error.hint


def test_a_file_of_another_release_is_said_to_be_as_recorded() -> None:
    """What release 1.0 says of a file that 2.0 wrote; a checksum keeps us from making such a file."""
    said = (
        "IO Error: Trying to read a database file with version number 68, but we can only read version number 64.\n"
        "The database file was created with an newer version of DuckDB.\n\nThe storage of DuckDB is not yet stable"
    )
    error = translated(duckdb.IOException(said))
    assert isinstance(error, errors.VersionUnsupported)
    assert "release" in error.hint


def elsewhere(source: DuckdbSource, *words: str) -> subprocess.Popen[str]:
    """Another process that has the file open to write, until its standard input ends."""
    code = "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nfor w in sys.argv[2:]: c.execute(w)\nprint('ready', flush=True)\n"
    code += "sys.stdin.read()\nimport os\nos._exit(0)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(source.path), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_file_that_is_being_written_is_for_now(source: DuckdbSource) -> None:
    with elsewhere(source, "CREATE TABLE late (a int)") as writer:
        error = error_of(source.path)
        assert writer.stdin
        writer.stdin.close()
    assert isinstance(error, errors.LockTimeout)
    assert not error.permanent
    assert "PID" not in str(error.as_dict()), "who writes is nobody's business"
    # The writer was gone without a word, so its table is in the log beside the file only.
    wal = source.path.with_name(f"{source.path.name}.wal")
    logged, kept = wal.read_bytes(), source.path.read_bytes()
    assert [each.name for each in snapshot_of(source).relations] == ["late"]
    assert (wal.read_bytes(), source.path.read_bytes()) == (logged, kept)


def test_the_process_itself_writing_is_for_now(source: DuckdbSource) -> None:
    with closing(duckdb.connect(source.path)):
        assert isinstance(error_of(source.path), errors.LockTimeout)


def test_two_sessions_read_side_by_side(source: DuckdbSource, tmp_path: Path) -> None:
    source.run(*KEYS)
    subject = DuckdbSubject(tmp_path)
    with opened(subject, source) as one, opened(subject, source) as two:
        first = one.relations(ScopeFilter())
        next(first)
        assert len(list(two.relations(ScopeFilter()))) == 2
        two.cancel()
        assert len(list(first)) == 1, "cancelling one stops no other"


FORBIDDEN = (
    "CREATE TABLE x (a int)",
    "SET enable_external_access = true",
    "SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT * FROM read_text('{folder}/secret.csv')",
    "SELECT * FROM glob('{folder}/*')",
    "COPY (SELECT 1) TO '{folder}/written.csv'",
    "ATTACH '{folder}/other.duckdb'",
    "EXPORT DATABASE '{folder}/exported'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SELECT * FROM secret",
    "SELECT * FROM 'http://127.0.0.1:1/x.parquet'",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_session_reaches_nothing_but_the_file(source: DuckdbSource, tmp_path: Path, statement: str) -> None:
    (tmp_path / "secret.csv").write_text("a\nplanted\n")
    secret = duckdb.sql("SELECT 'planted' AS a")
    assert secret
    with closing(duckdb.connect(source.path, read_only=True, config=dict(SEALED))) as connection:
        with pytest.raises(duckdb.Error):
            connection.execute(statement.format(folder=tmp_path))
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert {path.name for path in tmp_path.iterdir()} == {source.path.name, "secret.csv"}


def test_a_session_leaves_the_file_as_it_is(source: DuckdbSource, tmp_path: Path) -> None:
    source.run(*KEYS)
    content = source.path.read_bytes()
    with opened(DuckdbSubject(tmp_path), source) as session:
        list(session.relations(ScopeFilter()))
        with pytest.raises(duckdb.InvalidInputException):
            session._connection.execute("DROP TABLE child")  # type: ignore[attr-defined]
    assert source.path.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [source.path.name]


def test_urls() -> None:
    assert from_url("duckdb:///srv/a%20b.duckdb")[1] == DuckdbSource(Path("/srv/a b.duckdb")).settings
    assert from_url("duckdb:shop.duckdb")[1] == DuckdbSource(Path("shop.duckdb")).settings
    assert is_url("duckdb:shop.duckdb")
    assert not is_url("duckdb")
    for wrong in ("duckdb://host/file", "duckdb:///file?access_mode=read_write", "duckdb:///file#x", "duckdb:"):
        with pytest.raises(errors.SettingsInvalid):
            from_url(wrong)
