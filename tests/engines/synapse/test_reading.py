"""What is special about Azure Synapse: the real driver against stand-ins for its two kinds of pool."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlglot
from msgspec.structs import replace
from sqlglot import exp

from metamapper.connectors import errors
from metamapper.connectors.base import Ability, Step, StepState
from metamapper.connectors.conformance import operations as ops
from metamapper.connectors.conformance.reads import look, opened, read, relation_of
from metamapper.connectors.conformance.seed import seed
from metamapper.connectors.engines.synapse.connector import QUERIES
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from metamapper.connectors.sql.tsql.settings import Tls
from metamapper.schema import Completeness, Relation, RelationKind
from tests.engines.synapse.subject import ENGINE, READER, SynapseSource, SynapseSubject, serverless, started
from tests.support.certificates import certified
from tests.support.tsql_catalog import TypeOf

SUBJECT = SynapseSubject()
EVERYTHING = ScopeFilter()
T = ops.Table("t")


@pytest.fixture
def source() -> Iterator[SynapseSource]:
    with SUBJECT.fresh() as source:
        source.perform(ops.CreateTable(T, (ops.NewColumn("id", nullable=False), ops.NewColumn("day"))))
        yield source


@pytest.fixture
def lake() -> Iterator[SynapseSource]:
    """A serverless pool: an external table and a view over files."""
    with started(SynapseSource(serverless())) as source:
        catalog = source.catalog
        table = catalog.new_object("U", "trips", 1)
        catalog.put("external_tables", table, "trips/*.parquet")
        catalog.add_typed(table, 1, "id", TypeOf.spelled("bigint"), nullable=False)
        catalog.add_typed(table, 2, "town", TypeOf.spelled("varchar(40)"))
        source.perform(ops.CreateView(ops.Table("seen"), ops.Table("trips"), ("town",)))
        yield source


def relation(source: SynapseSource, name: str) -> Relation:
    return relation_of(read(SUBJECT, source), "dbo", name)


def steps(source: SynapseSource, settings: Any) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings, source.reach).test()}


# --- Dedicated -------------------------------------------------------------------------------------------------------


def test_distributions_are_facts_of_a_table(source: SynapseSource) -> None:
    catalog = source.catalog
    assert relation(source, "t").extras == {"distribution": "hash", "distribution_key": "id"}
    catalog.put("pdw_column_distribution_properties", catalog.object_id(T), 2, 2)
    assert relation(source, "t").extras == {"distribution": "hash", "distribution_key": "id, day"}
    before = look(SUBJECT, source)
    catalog.run("UPDATE sys.pdw_table_distribution_properties SET distribution_policy = 4")
    catalog.run("DELETE FROM sys.pdw_column_distribution_properties")
    after = look(SUBJECT, source)
    assert relation(source, "t").extras == {"distribution": "round robin"}
    assert (before.token != after.token, before.fingerprints != after.fingerprints) == (True, True)


def test_keys_are_never_enforced(source: SynapseSource) -> None:
    source.perform(*seed(ENGINE))
    found = {key.definition for key in relation(source, "customer").constraints}
    assert found == {"PRIMARY KEY ([id]) NOT ENFORCED", "UNIQUE ([email]) NOT ENFORCED"}


def test_kinds_of_tables_views_and_indexes(source: SynapseSource) -> None:
    catalog = source.catalog
    source.perform(ops.CreateView(ops.Table("plain"), T, ("id",)), ops.CreateView(ops.Table("kept"), T, ("id",)))
    for name in ("parts", "far"):
        source.perform(ops.CreateTable(ops.Table(name), (ops.NewColumn("id"), ops.NewColumn("day"))))
    parts, far, kept = (catalog.object_id(ops.Table(name)) for name in ("parts", "far", "kept"))
    catalog.put("partition_schemes", 60_000, "by_day")
    catalog.run(
        "UPDATE sys.indexes SET index_id = 1, type = 5, name = 'CCI', data_space_id = 60000 WHERE object_id = ?", parts
    )
    catalog.put("index_columns", parts, 1, 1, 2, 0, 0, 1, 1)
    catalog.put("external_tables", far, "/lake/far/")
    catalog.put("indexes", kept, 1, "CCI_kept", 5)
    found = {each.name: each for each in read(SUBJECT, source).relations}
    assert {name: each.kind for name, each in found.items()} == {
        "t": RelationKind.TABLE,
        "plain": RelationKind.VIEW,
        "kept": RelationKind.MATERIALIZED_VIEW,
        "parts": RelationKind.PARTITIONED_TABLE,
        "far": RelationKind.EXTERNAL_TABLE,
    }
    assert found["parts"].extras["partition_key"] == "day"
    assert found["far"].extras["location"] == "/lake/far/"
    assert [index.definition for index in found["parts"].indexes] == ["clustered columnstore"]


def test_counts_are_not_told_rather_than_told_as_none(source: SynapseSource) -> None:
    assert relation(source, "t").row_estimate is None
    gap = ENGINE.capabilities[Ability.ROW_ESTIMATES]
    assert not gap
    assert "VIEW DATABASE STATE" in gap.reason


# --- Serverless ------------------------------------------------------------------------------------------------------


def test_a_serverless_pool_has_external_tables_and_views(lake: SynapseSource) -> None:
    snapshot = read(SUBJECT, lake)
    assert snapshot.server_version == "serverless 12.0.2000.8"
    found = {each.name: each for each in snapshot.relations}
    assert {name: each.kind for name, each in found.items()} == {
        "trips": RelationKind.EXTERNAL_TABLE,
        "seen": RelationKind.VIEW,
    }
    assert found["trips"].extras == {"location": "trips/*.parquet"}
    assert [(column.name, column.type) for column in found["trips"].columns] == [
        ("id", "bigint"),
        ("town", "varchar(40)"),
    ]
    assert found["seen"].definition == "SELECT [town] FROM [dbo].[trips]"


def test_the_probe_of_a_serverless_pool(lake: SynapseSource) -> None:
    before = look(SUBJECT, lake)
    assert look(SUBJECT, lake) == before
    lake.catalog.run("UPDATE sys.columns SET max_length = 50 WHERE name = 'town'")
    assert look(SUBJECT, lake).token != before.token


def test_a_serverless_pool_passes_the_connection_test(lake: SynapseSource) -> None:
    found = steps(lake, lake.settings)
    assert [name for name, step in found.items() if step.state in {StepState.FAILED, StepState.WAITING}] == []


# --- Rights, without a function that tells them ----------------------------------------------------------------------


def test_a_right_on_the_whole_database(source: SynapseSource) -> None:
    source.perform(ops.CreateSchema("other"), ops.CreateTable(ops.Table("u", "other"), (ops.NewColumn("id"),)))
    assert not read(SUBJECT, source, settings=source.reader).scopes_complete
    source.catalog.grant(READER, "VIEW DEFINITION")
    snapshot = read(SUBJECT, source, settings=source.reader)
    assert snapshot.scopes_complete
    assert {scope.completeness for scope in snapshot.scopes} == {Completeness.COMPLETE}
    assert {each.name for each in snapshot.relations} == {"t", "u"}


def test_a_right_that_a_role_gives(source: SynapseSource) -> None:
    source.revoke("main")
    source.catalog.grant("readers", "VIEW DEFINITION", "[dbo]")
    source.catalog.run(
        "CREATE OR REPLACE VIEW sys.database_principals AS SELECT * FROM"
        f" (VALUES ('readers', 20), ('{READER}', 9), ('sa', 1), ('public', 0)) p (name, principal_id)"
    )
    (scope,) = read(SUBJECT, source, settings=source.reader).scopes
    assert scope.completeness is not Completeness.COMPLETE
    source.catalog.run("INSERT INTO sys.database_role_members VALUES (20, 9)")
    (scope,) = read(SUBJECT, source, settings=source.reader).scopes
    assert scope.completeness is Completeness.COMPLETE


def test_a_right_on_one_table_makes_a_partial_scope_that_lists_it(source: SynapseSource) -> None:
    source.perform(ops.CreateTable(ops.Table("u"), (ops.NewColumn("id"),)))
    source.revoke("main")
    source.catalog.grant(READER, "VIEW DEFINITION", "[dbo].[u]")
    snapshot = read(SUBJECT, source, settings=source.reader)
    (scope,) = snapshot.scopes
    assert (scope.completeness, [each.name for each in snapshot.relations]) == (Completeness.PARTIAL, ["u"])
    assert scope.remedy == f"GRANT VIEW DEFINITION ON SCHEMA::[dbo] TO [{READER}];"


def test_a_login_that_may_write_earns_a_warning(source: SynapseSource) -> None:
    assert steps(source, source.reader)["Rights to write"].state is StepState.OK
    source.catalog.grant(READER, "INSERT", "[dbo]")
    assert steps(source, source.reader)["Rights to write"].state is StepState.WARNING
    assert steps(source, source.settings)["Rights to write"].state is StepState.WARNING


def test_a_catalog_view_that_was_closed_is_named(source: SynapseSource) -> None:
    source.catalog.grant(READER, "DENY", "sys.columns")
    step = steps(source, source.reader)["Rights on each catalog view"]
    assert step.state is StepState.FAILED
    assert step.error is not None
    assert step.error.remedy == f"GRANT SELECT ON sys.columns TO [{READER}];"


# --- Connecting ------------------------------------------------------------------------------------------------------


def test_another_kind_of_server_is_refused(source: SynapseSource) -> None:
    source.catalog.facts["EngineEdition"] = 3
    with pytest.raises(errors.VersionUnsupported) as caught, ENGINE.connect(source.settings).open():
        pass
    assert "SQL Server" in caught.value.hint


def test_tls_is_verified_here_too(source: SynapseSource) -> None:
    guarded = SynapseSource()
    found = certified()
    guarded.server.certificate = found.server
    with started(guarded):
        trusted = replace(guarded.settings, host="localhost", tls=Tls.VERIFY, ca_certificate=found.authority)
        with ENGINE.connect(trusted).open() as session:
            assert session.server.version == "dedicated 10.0.16003.0"
        with pytest.raises(errors.TlsFailed), ENGINE.connect(replace(trusted, ca_certificate="")).open():
            pass


def test_urls() -> None:
    engine, settings = from_url("synapse://me:secret@w-ondemand.sql.azuresynapse.net/lake?tls=verify")
    assert engine is ENGINE
    assert "host='w-ondemand.sql.azuresynapse.net', port=1433, database='lake'" in repr(settings)
    with pytest.raises(errors.SettingsInvalid):
        from_url("synapse://me@h/d?Encrypt=no")


def test_statements_only_ask(source: SynapseSource) -> None:
    source.perform(*seed(ENGINE))
    with opened(SUBJECT, source) as session:
        session.probe(EVERYTHING)
        session.scopes(EVERYTHING)
        list(session.relations(EVERYTHING))
    assert len(source.catalog.statements) == 4
    assert {type(each) for sql in source.catalog.statements for each in sqlglot.parse(sql, read="tsql")} == {exp.Select}


@pytest.mark.parametrize("name", list(QUERIES))
def test_every_statement_is_t_sql_that_a_pool_has(name: str) -> None:
    (statement,) = sqlglot.parse(QUERIES.at(name, 1), read="tsql")
    assert isinstance(statement, exp.Query)
    assert not list(statement.find_all(exp.Command)), "sqlglot gives up on what it does not know"
    missing = {"HAS_PERMS_BY_NAME", "DATABASE_PRINCIPAL_ID", "FN_MY_PERMISSIONS", "IS_SRVROLEMEMBER"}
    called = {each.name.upper() for each in statement.find_all(exp.Anonymous)}
    assert not called & missing
    views = {table.name for table in statement.find_all(exp.Table) if table.db == "sys"}
    assert not views & {"foreign_keys", "check_constraints", "computed_columns", "extended_properties", "partitions"}
    if name.endswith("_serverless"):
        assert not {view for view in views if view.startswith("pdw_")}


def test_texts_of_a_union_have_one_collation() -> None:
    """The catalog's columns differ in theirs, and UNION refuses to mix them (error 457)."""
    for name in ("probe", "relations", "probe_serverless", "relations_serverless"):
        statement = sqlglot.parse_one(QUERIES.at(name, 1), read="tsql")
        for union in statement.find_all(exp.Union):
            for branch in (each for each in (union.left, union.right) if isinstance(each, exp.Select)):
                texts = [each.unalias() for each in branch.expressions]
                assert not [each for each in texts if isinstance(each, exp.Concat) or _is_text(each)], name


def _is_text(value: exp.Expression) -> bool:
    return isinstance(value, exp.Cast) and value.to.this in exp.DataType.TEXT_TYPES
