"""What is special about SQLite, read from real files."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from metamapper.connectors import errors
from metamapper.connectors.conformance.reads import look, opened
from metamapper.connectors.reach import Reach
from metamapper.connectors.reading import load_snapshot, read_snapshot, save_snapshot
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import ConstraintKind, Generated, Relation, Snapshot
from tests.engines.sqlite.subject import ENGINE, SqliteSource, SqliteSubject

SCHEMA = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT UNIQUE, a INT, b INT, UNIQUE (a, b));
CREATE TABLE child (
  id INTEGER /* the rowid, really */ PRIMARY KEY AUTOINCREMENT,
  name VARCHAR(20) NOT NULL DEFAULT 'x, ''y''' CONSTRAINT [named, check] CHECK (length(name) > 2 AND name <> ')'),
  "twice" INT GENERATED ALWAYS AS (id * 2) STORED, thrice INT AS (id * 3),
  parent_id REFERENCES parent ON DELETE CASCADE, -- a comment, with ( in it
  a INT CONSTRAINT one REFERENCES parent (id), b INT,
  CONSTRAINT "both, of them" UNIQUE (a, parent_id),
  CONSTRAINT two FOREIGN KEY (a, b) REFERENCES parent (a, b) ON UPDATE SET NULL,
  CHECK (b > 0), CHECK (b > 0), CONSTRAINT last CHECK (a IN (1, 2))
);
CREATE TABLE pairs (x TEXT, y TEXT, PRIMARY KEY (y, x)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX odd ON child (lower(name) DESC, b COLLATE NOCASE) WHERE b > 0;
CREATE VIEW shown (z) AS SELECT id FROM parent;
CREATE VIRTUAL TABLE words USING fts5(title, body);
"""


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqliteSource]:
    with SqliteSubject(tmp_path).fresh() as source:
        yield source


def run(source: SqliteSource, script: str) -> None:
    with closing(sqlite3.connect(source.path)) as connection:
        connection.executescript(script)


def snapshot_of(source: SqliteSource) -> Snapshot:
    return read_snapshot(ENGINE, source.settings)


def relation(source: SqliteSource, name: str) -> Relation:
    return next(each for each in snapshot_of(source).relations if each.name == name)


def test_constraints_have_their_names_or_say_what_they_are(source: SqliteSource) -> None:
    run(source, SCHEMA)
    found = {each.name: each for each in relation(source, "child").constraints}
    assert set(found) == {
        "PRIMARY KEY (id)",
        "both, of them",
        "FOREIGN KEY (parent_id)",
        "one",
        "two",
        "named, check",
        "CHECK (b > 0)",
        "CHECK (b > 0) (2)",
        "last",
    }
    assert found["named, check"].definition == "CHECK (length(name) > 2 AND name <> ')')"
    assert found["both, of them"].columns == ("a", "parent_id")
    assert found["two"].definition == "FOREIGN KEY (a, b) REFERENCES parent(a, b) ON UPDATE SET NULL"
    assert found["FOREIGN KEY (parent_id)"].definition == "FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE"
    assert [each.columns for each in relation(source, "pairs").constraints] == [("y", "x")]


def test_columns_of_every_kind(source: SqliteSource) -> None:
    run(source, SCHEMA)
    columns = {column.name: column for column in relation(source, "child").columns}
    assert columns["id"].nullable is False
    assert (columns["name"].default, columns["name"].length) == ("'x, ''y'''", 20)
    assert (columns["twice"].generated, columns["twice"].default) == (Generated.STORED, "id * 2")
    assert (columns["thrice"].generated, columns["thrice"].default) == (Generated.VIRTUAL, "id * 3")
    assert dict(relation(source, "pairs").extras) == {"without_rowid": True, "strict": True}


def test_indexes_views_and_virtual_tables(source: SqliteSource) -> None:
    run(source, SCHEMA)
    (index,) = relation(source, "child").indexes
    assert (index.keys, index.predicate, index.unique) == (("lower(name)", "b"), "b > 0", True)
    assert index.definition == "(lower(name) DESC, b COLLATE NOCASE) WHERE b > 0"
    assert relation(source, "shown").definition == "SELECT id FROM parent"
    assert [column.name for column in relation(source, "words").columns] == ["title", "body"]
    names = {each.name for each in snapshot_of(source).relations}
    assert names == {"parent", "child", "pairs", "shown", "words"}, "tables that SQLite keeps for itself are not shown"


def test_a_broken_view_does_not_hide_the_others(source: SqliteSource) -> None:
    run(source, SCHEMA + "CREATE TABLE gone (a); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone;")
    broken = relation(source, "broken")
    assert broken.columns == ()
    assert "gone" in broken.extras["broken"]
    assert len(snapshot_of(source).relations) == 6


def test_renaming_a_table_changes_no_definition_of_it(source: SqliteSource) -> None:
    run(source, SCHEMA)
    before = relation(source, "child")
    run(source, "ALTER TABLE child RENAME TO kid")
    after = relation(source, "kid")
    assert (after.columns, after.indexes, after.constraints) == (before.columns, before.indexes, before.constraints)


def test_statistics_are_read_where_they_are(source: SqliteSource, tmp_path: Path) -> None:
    run(source, SCHEMA + "INSERT INTO parent (name) VALUES ('a'), ('b'), ('c');")
    before = look(SqliteSubject(tmp_path), source)
    assert relation(source, "parent").row_estimate is None
    run(source, "ANALYZE")
    assert relation(source, "parent").row_estimate == 3
    assert look(SqliteSubject(tmp_path), source) == before


def error_of(path: Path, reach: Reach | None = None) -> errors.ConnectorError:
    source = SqliteSource(path)
    connector = ENGINE.connect(source.settings, reach or source.reach)
    with pytest.raises(errors.ConnectorError) as caught, connector.open() as session:
        list(session.relations(ScopeFilter()))
    return caught.value


def test_files_that_cannot_be_read_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is not a database, though it is long enough to be taken for one. " * 20)
    (tmp_path / "folder").mkdir()
    for name, hint in (("missing", "path"), ("text", "not a SQLite database"), ("folder", "path")):
        error = error_of(tmp_path / name)
        assert isinstance(error, errors.FileUnreadable), name
        assert error.permanent
        assert hint in error.hint
    assert isinstance(error_of(tmp_path / "text", Reach()), errors.AddressDenied)
    assert not (tmp_path / "missing").exists()


def test_a_damaged_file_is_said_to_be(source: SqliteSource) -> None:
    run(source, SCHEMA)
    content = bytearray(source.path.read_bytes())
    content[100:3000] = b"\xff" * 2900
    source.path.write_bytes(content)
    assert isinstance(error_of(source.path), errors.FileUnreadable)


def test_a_locked_file_is_for_now(source: SqliteSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metamapper.connectors.engines.sqlite.connector.BUSY_SECONDS", 0.1)
    run(source, SCHEMA)
    with closing(sqlite3.connect(source.path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        error = error_of(source.path)
    assert isinstance(error, errors.LockTimeout)
    assert not error.permanent


def test_nothing_can_be_written_through_a_session(source: SqliteSource, tmp_path: Path) -> None:
    run(source, SCHEMA)
    content = source.path.read_bytes()
    with opened(SqliteSubject(tmp_path), source) as session:
        list(session.relations(ScopeFilter()))
        with pytest.raises(sqlite3.OperationalError):
            session._connection.execute("CREATE TABLE x (a)")  # type: ignore[attr-defined]
    assert source.path.read_bytes() == content


def test_a_snapshot_is_the_same_after_a_round_through_a_file(source: SqliteSource, tmp_path: Path) -> None:
    run(source, SCHEMA)
    snapshot = snapshot_of(source)
    save_snapshot(snapshot, tmp_path / "saved.json")
    assert load_snapshot(tmp_path / "saved.json") == snapshot
    (tmp_path / "saved.json").write_text("{}")
    with pytest.raises(errors.FileUnreadable):
        load_snapshot(tmp_path / "saved.json")


def test_kinds_of_constraints(source: SqliteSource) -> None:
    run(source, SCHEMA)
    kinds = [each.kind for each in relation(source, "child").constraints]
    assert kinds.count(ConstraintKind.CHECK) == 4
    assert kinds.count(ConstraintKind.FOREIGN_KEY) == 3
