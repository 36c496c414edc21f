"""What is special about Oracle, from recorded answers."""

from collections.abc import Callable
from typing import Any

import pytest

from metamapper.connectors.conformance.operations import (
    Check,
    CreateIndex,
    CreateTable,
    CreateView,
    ForeignKey,
    NewColumn,
    Table,
)
from metamapper.connectors.conformance.reads import look, opened, read
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.schema import Completeness, Generated, Identity, Reference, Relation, RelationKind, Snapshot, TypeFamily
from tests.engines.oracle.subject import ENGINE, OracleSource, OracleSubject
from tests.support.oracle_ddl import Database

SUBJECT = OracleSubject()
EVERYTHING = ScopeFilter()
ID = NewColumn("ID", nullable=False)


def relations(source: OracleSource) -> dict[str, Relation]:
    return {each.name: each for each in read_snapshot(ENGINE, source.settings).relations}


def as_user(source: OracleSource, user: str) -> Snapshot:
    return read_snapshot(ENGINE, source.as_user(user))


def test_a_column_that_may_not_be_null_is_no_check(source: OracleSource) -> None:
    source.perform(CreateTable(Table("T"), (ID, NewColumn("N")), checks=(Check("POSITIVE", "N > 0 "),)))
    table = relations(source)["T"]
    assert [column.nullable for column in table.columns] == [False, True]
    assert [(each.name, each.definition) for each in table.constraints] == [("POSITIVE", "CHECK (N > 0)")]


def test_identity_virtual_and_defaults(source: OracleSource) -> None:
    columns = (ID, NewColumn("ALWAYS"), NewColumn("DOUBLED", generated='"ID"*2'), NewColumn("SINCE"), NewColumn("GONE"))
    source.perform(CreateTable(Table("T"), columns))
    model = source.dictionary
    for name, kind in (("ID", "BY DEFAULT"), ("ALWAYS", "ALWAYS")):
        model.set_column(Table("T"), name, identity_column="YES", data_default='"MAIN"."ISEQ$$_70123".nextval')
        model.insert("tab_identity_cols", owner="MAIN", table_name="T", column_name=name, generation_type=kind)
    model.set_column(Table("T"), "SINCE", data_default="SYSDATE \n")
    model.set_column(Table("T"), "GONE", data_default="null\n")
    found = {column.name: column for column in relations(source)["T"].columns}
    assert {name: (c.identity, c.generated, c.default) for name, c in found.items()} == {
        "ID": (Identity.BY_DEFAULT, None, None),
        "ALWAYS": (Identity.ALWAYS, None, None),
        "DOUBLED": (None, Generated.VIRTUAL, '"ID"*2'),
        "SINCE": (None, None, "SYSDATE"),
        "GONE": (None, None, None),
    }


def test_hidden_columns_are_not_shown(source: OracleSource) -> None:
    source.perform(CreateTable(Table("T"), (ID, NewColumn("SYS_NC00002$"))))
    source.dictionary.set_column(Table("T"), "SYS_NC00002$", hidden_column="YES", column_id=None)
    assert [column.name for column in relations(source)["T"].columns] == ["ID"]


def test_indexes_over_expressions_and_downwards(source: OracleSource) -> None:
    """What is ordered downwards is, to Oracle, an expression that is nothing but a name in quotes."""
    source.perform(
        CreateTable(Table("T"), (ID, NewColumn("Name", TypeFamily.STRING), NewColumn("A")), primary_key=("ID",)),
        CreateIndex("BY_EXPRESSION", Table("T"), ("SYS_NC00004$", "A", "SYS_NC00005$")),
    )
    model = source.dictionary
    model.update("UPDATE dba_indexes SET index_type = 'FUNCTION-BASED NORMAL' WHERE index_name = 'BY_EXPRESSION'")
    model.update("UPDATE dba_ind_columns SET descend = 'DESC' WHERE column_name = 'SYS_NC00005$'")
    for position, text in ((1, 'UPPER("Name")'), (3, '"Name"')):
        model.insert(
            "ind_expressions",
            index_owner="MAIN",
            index_name="BY_EXPRESSION",
            table_owner="MAIN",
            table_name="T",
            column_expression=text,
            column_position=position,
        )
    indexes = {index.name: index for index in relations(source)["T"].indexes}
    found = indexes["BY_EXPRESSION"]
    assert found.keys == ('UPPER("Name")', "A", "Name")
    assert found.definition == 'function-based normal (UPPER("Name"), A, "Name" DESC)'
    [key] = [index for index in indexes.values() if index.primary]
    assert (key.unique, key.definition) == (True, "normal (ID)")


def test_states_of_indexes_and_constraints_are_extras(source: OracleSource) -> None:
    source.perform(
        CreateTable(Table("T"), (ID, NewColumn("A")), checks=(Check("C", "A > 0"),)),
        CreateIndex("I", Table("T"), ("A",)),
    )
    source.dictionary.update("UPDATE dba_indexes SET status = 'UNUSABLE', visibility = 'INVISIBLE', dropped = NULL")
    source.dictionary.update(
        "UPDATE dba_constraints SET status = 'DISABLED', validated = 'NOT VALIDATED', \"deferrable\" = 'DEFERRABLE'"
    )
    table = relations(source)["T"]
    assert table.indexes[0].extras == {"unusable": True, "invisible": True}
    assert table.constraints[0].extras == {"disabled": True, "not_validated": True, "deferrable": True}


def test_foreign_keys_name_what_they_point_to_in_order(source: OracleSource) -> None:
    parent = CreateTable(Table("Parent 1"), (NewColumn("A"), NewColumn("b")), primary_key=("b", "A"))
    key = ForeignKey("K", ("Y", "X"), Table("Parent 1"), ("b", "A"))
    source.perform(parent, CreateTable(Table("CHILD"), (NewColumn("X"), NewColumn("Y")), foreign_keys=(key,)))
    source.dictionary.update("UPDATE dba_constraints SET delete_rule = 'CASCADE' WHERE constraint_name = 'K'")
    [found] = relations(source)["CHILD"].constraints
    assert found.columns == ("Y", "X")
    assert found.references == Reference("MAIN", "Parent 1", ("b", "A"))
    assert found.definition == 'FOREIGN KEY (Y, X) REFERENCES MAIN."Parent 1" ("b", A) ON DELETE CASCADE'


def test_materialized_views_are_their_tables(source: OracleSource) -> None:
    source.perform(CreateTable(Table("SUMMARY"), (ID,)), CreateTable(Table("PLAIN"), (ID,)))
    model = source.dictionary
    model.add_object("MAIN", "SUMMARY", "MATERIALIZED VIEW")
    query = {"refresh_mode": "DEMAND", "refresh_method": "FORCE", "query": "SELECT id FROM plain"}
    model.insert("mviews", owner="MAIN", mview_name="SUMMARY", **query)
    model.insert(
        "tab_comments", owner="MAIN", table_name="SUMMARY", comments="snapshot table for snapshot MAIN.SUMMARY"
    )
    model.insert(
        "mview_comments", owner="MAIN", mview_name="SUMMARY", comments="snapshot table for snapshot MAIN.SUMMARY"
    )
    found = relations(source)
    assert set(found) == {"SUMMARY", "PLAIN"}
    summary = found["SUMMARY"]
    assert (summary.kind, summary.definition) == (RelationKind.MATERIALIZED_VIEW, "SELECT id FROM plain")
    assert (summary.comment, summary.extras) == (None, {"refresh": "FORCE ON DEMAND"})
    model.update("UPDATE dba_mview_comments SET comments = 'What there is'")
    assert relations(source)["SUMMARY"].comment == "What there is"


def test_kinds_of_tables(source: OracleSource) -> None:
    names = ("PARTED", "OUTSIDE", "PASSING", "ORGANIZED")
    source.perform(*(CreateTable(Table(name), (ID, NewColumn("DAY"))) for name in names))
    model = source.dictionary
    model.update("UPDATE dba_tables SET partitioned = 'YES' WHERE table_name = 'PARTED'")
    model.update("UPDATE dba_tables SET temporary = 'Y' WHERE table_name = 'PASSING'")
    model.update("UPDATE dba_tables SET iot_type = 'IOT', compression = 'ENABLED' WHERE table_name = 'ORGANIZED'")
    model.insert("external_tables", owner="MAIN", table_name="OUTSIDE")
    model.insert("part_tables", owner="MAIN", table_name="PARTED", partitioning_type="RANGE")
    for position, column in enumerate(("DAY", "ID"), start=1):
        model.insert(
            "part_key_columns",
            owner="MAIN",
            name="PARTED",
            object_type="TABLE",
            column_name=column,
            column_position=position,
        )
    found = relations(source)
    assert {name: (found[name].kind, dict(found[name].extras)) for name in names} == {
        "PARTED": (RelationKind.PARTITIONED_TABLE, {"partition_by": "RANGE", "partition_keys": ["DAY", "ID"]}),
        "OUTSIDE": (RelationKind.EXTERNAL_TABLE, {}),
        "PASSING": (RelationKind.TABLE, {"temporary": True}),
        "ORGANIZED": (RelationKind.TABLE, {"index_organized": True, "compressed": True}),
    }


def test_what_keeps_something_else_is_not_shown(source: OracleSource) -> None:
    hidden = ("NESTED", "OVERFLOW", "BIN$abc==$0", "DR$TEXT$I")
    source.perform(*(CreateTable(Table(name), (ID,), primary_key=("ID",)) for name in ("AFTER", *hidden, "LAST")))
    model = source.dictionary
    model.update("UPDATE dba_tables SET nested = 'YES' WHERE table_name = 'NESTED'")
    model.update("UPDATE dba_tables SET iot_type = 'IOT_OVERFLOW' WHERE table_name = 'OVERFLOW'")
    model.update("UPDATE dba_objects SET secondary = 'Y' WHERE object_name = 'DR$TEXT$I'")
    found = relations(source)
    assert set(found) == {"AFTER", "LAST"}
    assert [len(each.columns) for each in found.values()] == [1, 1]


def test_estimates_are_statistics_and_no_change(source: OracleSource) -> None:
    source.perform(CreateTable(Table("T"), (ID,)), CreateView(Table("V"), Table("T"), ("ID",)))
    before = look(SUBJECT, source)
    source.dictionary.update("UPDATE dba_tables SET num_rows = 1200, avg_row_len = 50")
    found = relations(source)
    assert (found["T"].row_estimate, found["T"].size_bytes) == (1200, 60_000)
    assert (found["V"].row_estimate, found["V"].size_bytes) == (None, None)
    assert look(SUBJECT, source) == before


def test_schemas_of_the_servers_own_are_none(source: OracleSource) -> None:
    assert [scope.name for scope in as_user(source, "SYSTEM").scopes] == ["MAIN", "READER"]


# --- Rights ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(source: OracleSource) -> OracleSource:
    """Two schemas with tables, one without, and nobody but SYSTEM who sees the dictionary."""
    from metamapper.connectors.conformance.operations import CreateSchema

    source.perform(CreateSchema("other"), CreateSchema("EMPTY"))
    source.perform(CreateTable(Table("T"), (ID,)), CreateTable(Table("U", "other"), (ID,)))
    source.dictionary.see_dictionary.discard("READER")
    return source


def test_without_the_dictionary_ones_own_schema_is_complete(shared: OracleSource) -> None:
    scopes = {scope.name: scope for scope in as_user(shared, "MAIN").scopes}
    assert scopes["MAIN"].completeness is Completeness.COMPLETE
    assert scopes["OTHER"].completeness is Completeness.UNREADABLE
    assert scopes["OTHER"].remedy == 'GRANT SELECT ANY DICTIONARY TO "MAIN"'


def test_a_right_on_some_tables_makes_a_schema_partial(shared: OracleSource) -> None:
    shared.dictionary.rights.add(("READER", "OTHER"))
    snapshot = as_user(shared, "READER")
    scopes = {scope.name: scope for scope in snapshot.scopes}
    assert scopes["OTHER"].completeness is Completeness.PARTIAL
    assert "right on" in (scopes["OTHER"].reason or "")
    assert scopes["MAIN"].completeness is Completeness.UNREADABLE
    assert [(each.schema, each.name) for each in snapshot.relations] == [("OTHER", "U")]
    assert snapshot.scopes_complete


def test_a_user_asks_for_what_it_may_see(shared: OracleSource) -> None:
    with opened(SUBJECT, shared, settings=shared.reader) as session:
        session.scopes(EVERYTHING)
        said = [statement.sql for statement in session.statements if statement.label != "dictionary"]
    assert not [sql for sql in said if "sys.dba_" in sql]
    with opened(SUBJECT, shared) as session:
        session.scopes(EVERYTHING)
        assert not [each.sql for each in session.statements if "sys.all_" in each.sql]


# --- The probe -------------------------------------------------------------------------------------------------------


def token(source: OracleSource, within: ScopeFilter = EVERYTHING) -> str | None:
    return look(SUBJECT, source, within).token


CHANGES: dict[str, Callable[[Database], Any]] = {
    "another time of DDL": lambda model: model.touch("MAIN", "T"),
    "a rename that keeps every time": lambda model: model.update(
        "UPDATE dba_objects SET object_name = 'X' WHERE object_name = 'T'"
    ),
    "an object of the same number": lambda model: model.update(
        "UPDATE dba_objects SET object_id = 1 WHERE object_name = 'T'"
    ),
    "a comment on a table": lambda model: model.insert("tab_comments", owner="MAIN", table_name="T", comments="x"),
    "a comment on a column": lambda model: model.insert(
        "col_comments", owner="MAIN", table_name="T", column_name="ID", comments="x"
    ),
    "a materialized view": lambda model: model.add_object("MAIN", "T", "MATERIALIZED VIEW"),
    "a user": lambda model: model.insert("users", username="NEW", user_id=1, oracle_maintained="N"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_probe_sees(source: OracleSource, what: str) -> None:
    source.perform(CreateTable(Table("T"), (ID,)))
    before = token(source)
    assert token(source) == before
    CHANGES[what](source.dictionary)
    assert token(source) != before


def test_the_probe_does_not_see_what_is_out_of_scope(source: OracleSource) -> None:
    source.perform(CreateTable(Table("T"), (ID,)))
    within = ScopeFilter(schemas=Patterns.parse("MAIN"))
    before = token(source, within)
    source.dictionary.add_object("READER", "THEIRS", "TABLE")
    source.dictionary.add_object("MAIN", "A_PROCEDURE", "PROCEDURE")
    assert token(source, within) == before
    assert token(source, ScopeFilter(schemas=Patterns.parse("-*"))) == token(
        source, ScopeFilter(schemas=Patterns.parse("-*"))
    )


def test_what_was_done_just_now_is_not_trusted(source: OracleSource) -> None:
    """Times have whole seconds: a change within the same one would not be seen, so the token must not come again."""
    source.perform(CreateTable(Table("T"), (ID,)))
    source.dictionary.update("UPDATE dba_objects SET last_ddl_time = datetime('now', '+2 seconds')")
    with opened(SUBJECT, source) as session:
        first = session.probe(EVERYTHING)
        session.rows = _a_second_later(session.rows)  # type: ignore[attr-defined]
        assert session.probe(EVERYTHING) != first


def _a_second_later(rows: Callable[..., Any]) -> Callable[..., Any]:
    """The database's clock, without waiting for it."""
    from datetime import datetime, timedelta

    def later(name: str, *binds: Any) -> Any:
        [(*found, now)] = rows(name, *binds)
        return [(*found, (datetime.fromisoformat(now) + timedelta(seconds=1)).isoformat(" "))]

    return later


# --- Statements ------------------------------------------------------------------------------------------------------

HOSTILE = ["'; DROP TABLE T; --", "%s :o0 {x}", "=CMD()", "\u202eRIGHT", "TWO\nLINES"]


def test_names_are_bound(source: OracleSource) -> None:
    for name in HOSTILE:
        source.dictionary.insert("users", username=name, user_id=1, oracle_maintained="N")
        source.perform(CreateTable(Table(name, name), (NewColumn(name),)))
    snapshot = as_user(source, "SYSTEM")
    assert {(each.schema, each.name, each.columns[0].name) for each in snapshot.relations} == {
        (name, name, name) for name in HOSTILE
    }
    with opened(SUBJECT, source) as session:
        list(session.relations(EVERYTHING))
        assert not [name for name in HOSTILE for each in session.statements if name in each.sql]


def test_more_schemas_than_a_list_can_have(source: OracleSource) -> None:
    for number in range(1100):
        source.dictionary.insert("users", username=f"U{number:04}", user_id=number, oracle_maintained="N")
    source.perform(CreateTable(Table("T", "U1099"), (ID,)))
    snapshot = read(SUBJECT, source)
    assert [each.schema for each in snapshot.relations] == ["U1099"]


def test_a_read_is_one_view_of_the_dictionary(source: OracleSource) -> None:
    """SET TRANSACTION READ ONLY: what comes after it is not seen, also not in half."""
    source.perform(CreateTable(Table("T"), (ID,)))
    with opened(SUBJECT, source) as session:
        source.perform(CreateTable(Table("LATER"), (ID,)))
        assert [each.name for each in session.relations(EVERYTHING)] == ["T"]


def test_rows_come_in_batches_and_every_answer_has_its_time(source: OracleSource) -> None:
    """Few at a time where each may be the whole text of a view: memory is that of a batch."""
    source.perform(CreateTable(Table("T"), (ID,)))
    with opened(SUBJECT, source) as session:
        [connection] = source.server.connections
        assert (connection.call_timeout, connection.module) == (300_000, "metamapper")
        list(session.relations(EVERYTHING))
        labels = [statement.label for statement in session.statements]
    batches = dict(zip(labels, connection.batches, strict=True))
    assert (batches["views"], batches["materialized_views"], batches["columns"]) == (20, 20, 1000)
