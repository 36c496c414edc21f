"""What is special about MySQL and MariaDB, read from real servers of both."""

from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest
from msgspec.structs import replace

from metamapper.connectors.conformance.reads import look, opened, read
from metamapper.connectors.errors import Cancelled, ConnectorError, StatementTimeout
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.connectors.sql.mysql.names import account
from metamapper.schema import (
    Column,
    ConstraintKind,
    Generated,
    Identity,
    Relation,
    RelationKind,
    Snapshot,
    TypeFamily,
)
from tests.engines.mysql.subject import ENGINE, MysqlSource, MysqlSubject
from tests.support.eventually import eventually

pytestmark = pytest.mark.live

EVERYTHING = ScopeFilter()


def snapshot_of(source: MysqlSource) -> Snapshot:
    return read_snapshot(ENGINE, source.settings)


def relation(source: MysqlSource, name: str) -> Relation:
    return next(each for each in snapshot_of(source).relations if (each.schema, each.name) == (source.main, name))


def columns(source: MysqlSource, name: str) -> dict[str, Column]:
    return {column.name: column for column in relation(source, name).columns}


TYPES = r"""
CREATE TABLE typed (
  i1 tinyint, b boolean, i2 smallint unsigned, i3 mediumint, i4 int unsigned zerofill, i8 bigint unsigned, y year,
  n decimal(12,2) unsigned, n0 decimal(5), f4 float, f8 double, bi bit(3), c char(3), vc varchar(40), t1 tinytext,
  t text, tl longtext, bin binary(4), vbin varbinary(20), blo blob, big longblob, d date, ti time(3), dt datetime(6),
  ts timestamp NULL, e enum('a','it''s','back\\slash','(x)'), s set('x','y'), j json, g geometry, p point,
  latin varchar(10) CHARACTER SET latin1 COLLATE latin1_bin
)
"""
FAMILIES = {
    TypeFamily.INTEGER: "i1 i2 i3 i4 i8 y",
    TypeFamily.BOOLEAN: "b",
    TypeFamily.DECIMAL: "n n0",
    TypeFamily.FLOAT: "f4 f8",
    TypeFamily.STRING: "c vc t1 t tl latin",
    TypeFamily.BINARY: "bi bin vbin blo big",
    TypeFamily.DATE: "d",
    TypeFamily.TIME: "ti",
    TypeFamily.TIMESTAMP: "dt ts",
    TypeFamily.ENUM: "e s",
    TypeFamily.JSON: "j",
    TypeFamily.GEO: "g p",
}


def test_types_keep_their_spelling_and_have_a_family(source: MysqlSource) -> None:
    source.run(TYPES)
    found = columns(source, "typed")
    assert {name: column.family for name, column in found.items()} == {
        name: family for family, names in FAMILIES.items() for name in names.split()
    }
    assert (found["n"].type, found["n"].precision, found["n"].scale) == ("decimal(12,2) unsigned", 12, 2)
    assert found["i8"].type.endswith(" unsigned")
    assert found["i4"].type.endswith(" unsigned zerofill")
    assert (found["dt"].type, found["dt"].precision) == ("datetime(6)", 6)
    assert found["e"].extras["values"] == ["a", "it's", "back\\slash", "(x)"]
    assert found["s"].extras["values"] == ["x", "y"]
    assert found["latin"].extras == {"collation": "latin1_bin"}
    assert found["vc"].extras == {}


def test_lengths_are_told_beyond_32_bits(source: MysqlSource) -> None:
    source.run(TYPES)
    found = columns(source, "typed")
    assert {name: found[name].length for name in ("vc", "c", "t", "bin", "tl", "big", "i8", "bi", "e")} == {
        "vc": 40,
        "c": 3,
        "t": 65535,
        "bin": 4,
        "tl": 4294967295,
        "big": 4294967295,
        "i8": None,
        "bi": None,
        "e": None,
    }


def test_types_that_only_one_of_them_has(source: MysqlSource, subject: MysqlSubject) -> None:
    if subject.mariadb:
        source.run("CREATE TABLE own (u uuid, a inet6, b inet4)")
        wanted = [TypeFamily.UUID, TypeFamily.NETWORK, TypeFamily.NETWORK]
    else:
        source.run("CREATE TABLE own (v vector(3), p point SRID 4326)")
        wanted = [TypeFamily.ARRAY, TypeFamily.GEO]
        assert columns(source, "own")["p"].extras == {"srid": 4326}
    assert [column.family for column in columns(source, "own").values()] == wanted


DEFAULTS = r"""
CREATE TABLE defaults (
  nothing int, null_said int DEFAULT NULL, number int DEFAULT 3, price decimal(10,2) DEFAULT 1.5,
  word varchar(20) DEFAULT 'it''s \\ here', null_word varchar(10) DEFAULT 'NULL', blank varchar(3) DEFAULT '',
  day date DEFAULT '2020-01-02', bits bit(3) DEFAULT b'101', pick enum('a','b') DEFAULT 'b',
  made datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, sum int DEFAULT (1 + 1),
  said varchar(20) DEFAULT (CONCAT('a', 'it''s'))
)
"""


def test_defaults_are_expressions_on_both(source: MysqlSource, subject: MysqlSubject) -> None:
    """MySQL tells bare values, MariaDB expressions, and the text NULL where there is no default."""
    source.run(DEFAULTS)
    found = columns(source, "defaults")
    shown = {name: column.default for name, column in found.items()}
    assert (shown["nothing"], shown["null_said"]) == (None, None)
    assert (shown["number"], shown["price"], shown["bits"]) == ("3", "1.50", "b'101'")
    assert (shown["null_word"], shown["blank"], shown["pick"], shown["day"]) == ("'NULL'", "''", "'b'", "'2020-01-02'")
    assert shown["word"] == (r"'it''s \\ here'" if subject.mariadb else r"'it''s \ here'")
    assert (shown["made"] or "").lower().startswith("current_timestamp")
    assert found["made"].extras["on_update"].lower().startswith("current_timestamp")
    assert (shown["sum"] or "").strip("()").replace(" ", "") == "1+1"
    assert "it" in (shown["said"] or "")
    assert r"\\" not in (shown["said"] or "")


def test_generated_identity_and_invisible_columns(source: MysqlSource) -> None:
    source.run(
        "CREATE TABLE g (id int AUTO_INCREMENT PRIMARY KEY, a varchar(10), kept int AS (length(a) * 2) STORED,"
        " made varchar(30) AS (CONCAT(a, 'it''s')) VIRTUAL, unseen int INVISIBLE)"
    )
    found = columns(source, "g")
    assert found["id"].identity is Identity.BY_DEFAULT
    assert (found["kept"].generated, found["made"].generated) == (Generated.STORED, Generated.VIRTUAL)
    assert "`a`" in (found["made"].default or "")
    assert (found["made"].default or "").endswith(("'it\\'s')", "'it''s')"))
    assert found["unseen"].extras == {"invisible": True}
    assert found["a"].extras == {}


INDEXES = """
CREATE TABLE t (id int PRIMARY KEY, a varchar(40), b int, `Order` int, g point NOT NULL, x text,
  UNIQUE KEY both_of (b, a), KEY part (a(10), b DESC), KEY `odd ``one` (`Order`) COMMENT 'why', FULLTEXT KEY words (x),
  SPATIAL KEY place (g))
"""


def test_indexes_are_spelled_as_the_server_spells_them(source: MysqlSource) -> None:
    source.run(INDEXES)
    found = {index.name: index for index in relation(source, "t").indexes}
    assert next(iter(found)) == "PRIMARY"
    assert found["PRIMARY"].primary
    assert (found["both_of"].keys, found["both_of"].unique) == (("b", "a"), True)
    assert found["part"].definition == "btree (`a`(10), `b` DESC)"
    assert (found["odd `one"].keys, found["odd `one"].comment) == (("Order",), "why")
    assert (found["words"].kind, found["place"].kind) == ("fulltext", "spatial")
    [(_, shown)] = source.asked("SHOW CREATE TABLE t")
    assert "KEY `part` (`a`(10),`b` DESC)" in shown


def test_unseen_and_functional_indexes(source: MysqlSource, subject: MysqlSubject) -> None:
    ignored = "IGNORED" if subject.mariadb else "INVISIBLE"
    source.run("CREATE TABLE t (a varchar(40), b int)", f"CREATE INDEX unseen ON t (b) {ignored}")
    assert relation(source, "t").indexes[0].extras == {"visible": False}
    if not subject.mariadb:
        source.run("CREATE UNIQUE INDEX lowered ON t ((lower(a)), b, (CONCAT(a, 'it''s')))")
        index, key = relation(source, "t").indexes[0], relation(source, "t").constraints[0]
        assert index.keys[:2] == ("lower(`a`)", "b")
        assert (index.definition or "").startswith("btree ((lower(`a`)), `b`, (concat(`a`,_utf8mb4'it\\'s'")
        assert (key.name, key.columns) == ("lowered", ("b",))


CONSTRAINTS = (
    "CREATE TABLE `Parent.1` (a int, `B b` int, PRIMARY KEY (a, `B b`))",
    """CREATE TABLE child (id int PRIMARY KEY, x int, y int, z int,
    CONSTRAINT two FOREIGN KEY (x, y) REFERENCES `Parent.1` (a, `B b`) ON DELETE CASCADE ON UPDATE SET NULL,
    CONSTRAINT plain FOREIGN KEY (z) REFERENCES child (id), UNIQUE KEY plain (z), CONSTRAINT c CHECK (z > 0))""",
)


def test_constraints(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run(*CONSTRAINTS)
    found = {each.name: each for each in relation(source, "child").constraints}
    assert list(found) == ["PRIMARY", "plain", "plain (foreign key)", "two", "c"]
    assert found["plain"].kind is ConstraintKind.UNIQUE
    reference = found["two"].references
    assert reference is not None
    assert (reference.schema, reference.relation, reference.columns) == (source.main, "Parent.1", ("a", "B b"))
    assert found["two"].columns == ("x", "y")
    assert (found["two"].definition or "").endswith("`Parent.1` (`a`, `B b`) ON UPDATE SET NULL ON DELETE CASCADE")
    assert (found["plain (foreign key)"].definition or "").endswith("`child` (`id`)")
    assert found["c"].definition == ("CHECK (`z` > 0)" if subject.mariadb else "CHECK ((`z` > 0))")


def test_checks_of_columns_that_share_a_name_are_told_apart(source: MysqlSource, subject: MysqlSubject) -> None:
    if not subject.mariadb:
        source.run("CREATE TABLE k (a int, CONSTRAINT off CHECK (a <> 'it''s') NOT ENFORCED)")
        assert relation(source, "k").constraints[0].definition == "CHECK ((`a` <> _utf8mb4'it\\'s')) NOT ENFORCED"
        return
    source.run(
        "CREATE TABLE k (a int UNIQUE CHECK (a > 0), b int CHECK (b > 0), CONSTRAINT a FOREIGN KEY (a) REFERENCES k (a))"
    )
    assert [(each.name, each.kind) for each in relation(source, "k").constraints] == [
        ("a", ConstraintKind.UNIQUE),
        ("a (foreign key)", ConstraintKind.FOREIGN_KEY),
        ("a (check)", ConstraintKind.CHECK),
        ("b", ConstraintKind.CHECK),
    ]


PARTITIONED = """
CREATE TABLE sales (y int, z int) PARTITION BY RANGE (y) SUBPARTITION BY HASH (z) SUBPARTITIONS 2
  (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)
"""


def test_kinds_partitions_and_other_facts(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run(
        PARTITIONED,
        "CREATE TABLE plain (id int) ENGINE = MyISAM COMMENT = 'VIEW'",
        "CREATE SQL SECURITY INVOKER VIEW shown AS SELECT y FROM sales WHERE y > 1 WITH CHECK OPTION",
    )
    found = {each.name: each for each in snapshot_of(source).relations if each.schema == source.main}
    assert {name: each.kind for name, each in found.items()} == {
        "sales": RelationKind.PARTITIONED_TABLE,
        "plain": RelationKind.TABLE,
        "shown": RelationKind.VIEW,
    }
    sales, plain, shown = found["sales"].extras, found["plain"], found["shown"]
    assert sales["partition_key"] == "RANGE (`y`) SUBPARTITION BY HASH (`z`)"
    assert sales["partitions"] == ["p0: 2000", "p1: MAXVALUE"]
    assert (plain.comment, plain.extras["engine"]) == ("VIEW", "MyISAM")
    assert (shown.comment, shown.extras) == (None, {"check_option": "CASCADED", "security": "INVOKER"})


@pytest.mark.parametrize("subject", ["mariadb"], indirect=True)
def test_what_only_mariadb_has(source: MysqlSource) -> None:
    """Sequences, versioned tables, comments of databases."""
    source.run(
        "CREATE SEQUENCE numbers",
        "CREATE TABLE kept (id int) WITH SYSTEM VERSIONING",
        f"ALTER DATABASE `{source.main}` COMMENT = 'what it is for'",
    )
    snapshot = snapshot_of(source)
    assert [each.name for each in snapshot.relations] == ["kept"]
    assert snapshot.relations[0].extras["system_versioned"] is True
    assert [scope.comment for scope in snapshot.scopes if scope.name == source.main] == ["what it is for"]


def test_a_broken_view_does_not_hide_the_others(source: MysqlSource) -> None:
    source.run(
        "CREATE TABLE gone (a int)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "DROP TABLE gone",
        "CREATE TABLE t (id int)",
    )
    snapshot = snapshot_of(source)
    found = {each.name: each for each in snapshot.relations}
    assert set(found) == {"broken", "t"}
    assert found["broken"].columns == ()
    assert "gone" in (found["broken"].definition or "")
    assert "invalid" in found["broken"].extras["broken"]
    assert {scope.reason for scope in snapshot.scopes} == {None}


def test_estimates_come_from_statistics_and_are_no_change(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run("CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT * FROM t", *analyzed("t"))
    before = look(subject, source)
    assert relation(source, "v").row_estimate is None
    assert (relation(source, "t").row_estimate, relation(source, "t").size_bytes) == (0, 16384)
    source.run("INSERT INTO t VALUES (1), (2), (3)", *analyzed("t"))
    assert relation(source, "t").row_estimate == 3
    assert look(subject, source) == before


def analyzed(table: str) -> tuple[str, str]:
    """MySQL keeps what it once told of a table for a day, or until this."""
    return f"ANALYZE TABLE {table}", f"ANALYZE TABLE {table}"


SETTLED = (
    "CREATE TABLE filled (id int AUTO_INCREMENT PRIMARY KEY, a int)",
    "CREATE VIEW seen AS SELECT id FROM filled",
    "INSERT INTO filled (a) VALUES (1), (2)",
)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO filled (a) VALUES (3)",
        "UPDATE filled SET a = 4",
        "TRUNCATE TABLE filled",
        "ANALYZE TABLE filled",
        "OPTIMIZE TABLE filled",
        "CREATE TEMPORARY TABLE passing (id int)",
        "FLUSH TABLES",
        "CREATE OR REPLACE VIEW seen AS SELECT id FROM filled",
    ],
)
def test_what_changes_no_schema_changes_no_token(source: MysqlSource, subject: MysqlSubject, statement: str) -> None:
    source.run(*SETTLED)
    before = look(subject, source)
    source.run(statement)
    after = look(subject, source)
    assert after.token == before.token


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE filled COMMENT = 'x'",
        "ALTER TABLE filled ENGINE = MyISAM",
        "ALTER TABLE filled CONVERT TO CHARACTER SET latin1",
        "ALTER TABLE filled PARTITION BY HASH (id) PARTITIONS 2",
        "ALTER TABLE filled MODIFY a int COMMENT 'x'",
        "ALTER TABLE filled MODIFY a bigint FIRST",
        "ALTER TABLE filled ALTER a SET DEFAULT 3",
        "CREATE INDEX added ON filled (a)",
        "CREATE INDEX added ON filled (a DESC)",
        "ALTER TABLE filled ADD CHECK (a > 0)",
        "ALTER TABLE filled ADD FOREIGN KEY (a) REFERENCES filled (id)",
        "CREATE OR REPLACE VIEW seen AS SELECT id FROM filled WHERE id > 1",
        "CREATE OR REPLACE SQL SECURITY INVOKER VIEW seen AS SELECT id FROM filled",
        "ALTER DATABASE CHARACTER SET latin1",
        "RENAME TABLE filled TO renamed",
        "DROP VIEW seen",
    ],
)
def test_what_changes_a_schema_changes_the_token(source: MysqlSource, subject: MysqlSubject, statement: str) -> None:
    source.run(*SETTLED)
    before = look(subject, source)
    source.run(statement)
    assert look(subject, source).token != before.token


def test_an_index_that_comes_and_another_that_goes_change_the_token(source: MysqlSource, subject: MysqlSubject) -> None:
    """Where counts stay the same, the hashes must not."""
    source.run("CREATE TABLE t (a int, b int, KEY k (a))")
    before = look(subject, source)
    source.run("ALTER TABLE t DROP KEY k, ADD KEY k (b)")
    assert look(subject, source).token != before.token


def test_ids_are_read_where_process_is_granted_and_follow_renames(source: MysqlSource) -> None:
    source.run("CREATE TABLE `t_1` (id int)", "CREATE TABLE `odd name` (id int)", "CREATE VIEW v AS SELECT id FROM t_1")
    ids = {each.name: each.native_id for each in snapshot_of(source).relations}
    assert (ids["odd name"], ids["v"]) == (None, None)
    assert ids["t_1"]
    source.run("RENAME TABLE t_1 TO t_2")
    assert relation(source, "t_2").native_id == ids["t_1"]
    source.run(f"REVOKE PROCESS ON *.* FROM {account(source.role)}")
    seen = read_snapshot(ENGINE, source.reader)
    assert {each.name: each.native_id for each in seen.relations} == {"t_2": None, "odd name": None, "v": None}


def test_nothing_can_be_written_through_a_session(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run("CREATE TABLE t (id int)")
    with opened(subject, source) as session:
        list(session.relations(EVERYTHING))
        for statement in (f"INSERT INTO `{source.main}`.t VALUES (1)", f"DROP TABLE `{source.main}`.t"):
            with pytest.raises(pymysql.Error, match="READ ONLY"), session._connection.cursor() as cursor:  # type: ignore[attr-defined]
                cursor.execute(statement)
    assert source.asked("SELECT COUNT(*) FROM t") == [(0,)]


def test_sessions_say_who_they_are_and_bound_every_wait(source: MysqlSource, subject: MysqlSubject) -> None:
    limit = "max_statement_time" if subject.mariadb else "max_execution_time"
    with opened(subject, source, settings=replace(source.settings, statement_timeout=7)) as session:
        names = "lock_wait_timeout", "net_write_timeout", "wait_timeout", limit
        sql = f"SELECT {', '.join(f'@@{name} AS {name}' for name in names)}"
        [limits] = session._asked("limits", sql)  # type: ignore[attr-defined]
    assert [int(value) for value in limits.values()] == [15, 7, 300, 7 if subject.mariadb else 7000]


SLOW = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"


def test_a_statement_that_takes_too_long_is_for_now(source: MysqlSource, subject: MysqlSubject) -> None:
    hurried = replace(source.settings, statement_timeout=1)
    with opened(subject, source, settings=hurried) as session, pytest.raises(StatementTimeout) as caught:
        session._asked("slow", SLOW)  # type: ignore[attr-defined]
    assert not caught.value.permanent
    assert caught.value.hint


def test_a_cancel_ends_the_statement_at_the_server(source: MysqlSource, subject: MysqlSubject) -> None:
    with opened(subject, source) as session, ThreadPoolExecutor(1) as other:
        running = other.submit(session._asked, "slow", SLOW)  # type: ignore[attr-defined]
        eventually(lambda: is_running(source), within=10)
        session.cancel()
        with pytest.raises(Cancelled):
            running.result(timeout=10)
        assert not is_running(source)


def is_running(source: MysqlSource) -> bool:
    return bool(source.asked(f"SELECT 1 FROM information_schema.processlist WHERE info = '{SLOW}'"))


def test_a_reader_that_leaves_early_ends_its_session_at_once(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run(*(f"CREATE TABLE t_{number} (id int)" for number in range(5)))
    with opened(subject, source) as session:
        session.scopes(EVERYTHING)
        rest = session.relations(EVERYTHING)
        next(rest)
        rest.close()  # type: ignore[attr-defined]
        with pytest.raises(ConnectorError):
            list(session.relations(EVERYTHING))


HOSTILE = "x'; DROP TABLE `t`; -- %s %(schemas)s \\"


def test_hostile_names_comments_and_values_are_data(source: MysqlSource, subject: MysqlSubject) -> None:
    """S9: names come back as they are and run nothing, wherever they stand."""
    quoted = HOSTILE.replace("\\", "\\\\").replace("'", "''")
    name = HOSTILE.replace("`", "``")
    source.run(
        "CREATE TABLE t (id int PRIMARY KEY)",
        f"CREATE TABLE `{name}` (`{name}` int COMMENT '{quoted}', e enum('{quoted}', '\0', 'tab\t'),"
        f" CONSTRAINT `{name}` FOREIGN KEY (`{name}`) REFERENCES t (id)) COMMENT = '{quoted}'",
        f"CREATE VIEW `v{name}` AS SELECT '{quoted}' AS `{name}` FROM t",
    )
    found = {each.name: each for each in snapshot_of(source).relations}
    assert set(found) == {"t", HOSTILE, f"v{HOSTILE}"}
    table = found[HOSTILE]
    assert (table.comment, table.columns[0].name, table.columns[0].comment) == (HOSTILE, HOSTILE, HOSTILE)
    assert table.columns[1].extras["values"] == [HOSTILE, "\0", "tab\t"]
    assert [each.name for each in table.constraints] == [HOSTILE]
    assert [column.name for column in found[f"v{HOSTILE}"].columns] == [HOSTILE]


def test_a_schema_of_a_hostile_name_can_be_granted_by_its_remedy(source: MysqlSource, subject: MysqlSubject) -> None:
    name = "a`b_%'; --"
    source.made.append(name)
    source.run(f"CREATE DATABASE `{name.replace('`', '``')}`")
    [scope] = [scope for scope in read(subject, source, settings=source.reader).scopes if scope.name == name]
    source.paste(scope.remedy or "")
    [scope] = [scope for scope in read(subject, source, settings=source.reader).scopes if scope.name == name]
    assert scope.remedy is None


def test_only_the_database_of_the_settings_is_read(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run("CREATE TABLE t (id int)")
    source.made.append("mm_elsewhere")
    source.run("CREATE DATABASE mm_elsewhere", "CREATE TABLE mm_elsewhere.t (id int)")
    everything = snapshot_of(source)
    only = read_snapshot(ENGINE, replace(source.settings, database=source.main))
    assert {scope.name for scope in everything.scopes} == {source.main, "mm_elsewhere"}
    assert [scope.name for scope in only.scopes] == [source.main]
    assert only.scopes_complete
    assert {each.schema for each in only.relations} == {source.main}


def test_scopes_out_of_scope_are_not_asked_for(source: MysqlSource, subject: MysqlSubject) -> None:
    source.run("CREATE TABLE t (id int)")
    with opened(subject, source) as session:
        found = list(session.relations(ScopeFilter(schemas=Patterns.parse("no_such_*"))))
        assert found == []
        assert "relations" not in [statement.label for statement in session.statements]


def test_settings_of_the_server_do_not_change_how_things_are_spelled(source: MysqlSource) -> None:
    source.run("CREATE TABLE t (id int, CHECK (id > 0))", "CREATE VIEW v AS SELECT id FROM t")
    before = snapshot_of(source).relations
    [(mode,)] = source.asked("SELECT @@GLOBAL.sql_mode")
    source.run("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'")
    try:
        assert snapshot_of(source).relations == before
    finally:
        source.run(f"SET GLOBAL sql_mode = '{mode}'")


def test_memory_holds_one_relation_at_a_time(source: MysqlSource, subject: MysqlSubject) -> None:
    """Rows are taken from the wire as they are asked for: nothing reads ahead."""
    source.run(*(f"CREATE TABLE t_{number} (id int)" for number in range(4)))
    with opened(subject, source) as session:
        session.scopes(EVERYTHING)
        taken = [session.statements[-1].rows for _ in session.relations(EVERYTHING)]
    assert len(set(taken)) == len(taken) > 1


READS = ("select", "set session transaction read only", "set session sql_mode", "set names", "set autocommit", "show")


def test_the_servers_own_log_of_a_read_holds_no_write(source: MysqlSource, subject: MysqlSubject) -> None:
    """S8: everything that the server was sent, from the sign-in to the end, the connection test included."""
    source.run("CREATE TABLE t (id int)", "CREATE VIEW v AS SELECT id FROM t")
    source.run("SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON")
    try:
        look(subject, source, settings=source.reader)
        assert list(ENGINE.connect(source.reader).test())
    finally:
        source.run("SET GLOBAL general_log = OFF")
    mine = source.role.rpartition("@")[0].replace("'", "''")
    logged = source.asked(
        "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
        f" WHERE command_type = 'Query' AND INSTR(user_host, '{mine}')"
    )
    sent = [" ".join(statement.lower().strip("( ").split()) for (statement,) in logged]
    assert len(sent) > 15
    assert [statement for statement in sent if not statement.startswith(READS)] == []
