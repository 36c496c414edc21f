"""What is special about a Data Catalog, read by the real driver from moto's server with our extension."""

from typing import Any

import pytest

from metamapper.connectors.base import Session
from metamapper.connectors.conformance.operations import CreateSchema, CreateTable, NewColumn, Table
from metamapper.connectors.engines.glue import ENGINE
from metamapper.connectors.reach import Reach
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.schema import Completeness, Relation, RelationKind, Snapshot, TypeFamily
from tests.engines.glue.subject import LakeSource

EVERYTHING = ScopeFilter()
SOME = Table("orders")


def create(source: LakeSource, told: dict[str, Any], table: Table = SOME) -> None:
    source.administer(lambda: source.lake.create(table, told))


def read(source: LakeSource, within: ScopeFilter = EVERYTHING) -> Snapshot:
    return read_snapshot(ENGINE, source.settings, within, reach=Reach())


def only(source: LakeSource) -> Relation:
    (relation,) = read(source).relations
    return relation


def fingerprints(source: LakeSource) -> list[bytes]:
    with ENGINE.connect(source.settings).open() as session:
        return [each.fingerprint for each in session.relations(EVERYTHING)]


def columns(*columns: tuple[str, str]) -> dict[str, Any]:
    return {"StorageDescriptor": {"Columns": [{"Name": name, "Type": kind} for name, kind in columns]}}


def test_partition_keys_follow_the_columns(source: LakeSource) -> None:
    keys = [{"Name": "day", "Type": "date", "Comment": "UTC"}, {"Name": "hour", "Type": "int"}]
    create(source, {**columns(("id", "bigint")), "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys})
    found = only(source)
    assert [(column.position, column.name, column.comment) for column in found.columns] == [
        (1, "id", None),
        (2, "day", "UTC"),
        (3, "hour", None),
    ]
    assert [bool(column.extras.get("partition_key")) for column in found.columns] == [False, True, True]
    assert found.extras["partitioned_by"] == ["day", "hour"]
    assert found.kind is RelationKind.EXTERNAL_TABLE


def test_a_key_that_is_a_column_too_is_told_apart(source: LakeSource) -> None:
    create(source, {**columns(("day", "string")), "PartitionKeys": [{"Name": "day", "Type": "date"}]})
    assert [column.name for column in only(source).columns] == ["day", "day (2)"]


@pytest.mark.parametrize(
    "told", [{}, {"StorageDescriptor": {}}, {"StorageDescriptor": {"Columns": []}}, {"PartitionKeys": []}]
)
def test_a_table_without_storage_or_keys_is_read(source: LakeSource, told: dict[str, Any]) -> None:
    create(source, told)
    found = only(source)
    assert (found.name, found.columns, found.kind) == ("orders", (), RelationKind.TABLE)


def test_a_column_without_a_type_is_read(source: LakeSource) -> None:
    create(source, {"StorageDescriptor": {"Columns": [{"Name": "odd"}]}})
    (column,) = only(source).columns
    assert (column.name, column.type, column.family) == ("odd", "unknown", TypeFamily.OTHER)


def test_nested_fields_have_a_path(source: LakeSource) -> None:
    create(source, columns(("id", "int"), ("address", "array<struct<city:string,geo:struct<lat:double>>>")))
    found = [(".".join(column.path), column.type, column.family) for column in only(source).columns]
    assert found == [
        ("id", "int", TypeFamily.INTEGER),
        ("address", "array<struct<city:string,geo:struct<lat:double>>>", TypeFamily.ARRAY),
        ("address.city", "string", TypeFamily.STRING),
        ("address.geo", "struct<lat:double>", TypeFamily.STRUCT),
        ("address.geo.lat", "double", TypeFamily.FLOAT),
    ]


def test_an_iceberg_table_shows_its_present_columns_and_whether_they_may_be_null(source: LakeSource) -> None:
    def field(name: str, number: int, *, current: bool = True, optional: bool = True) -> dict[str, Any]:
        told = {"id": str(number), "current": str(current).lower(), "optional": str(optional).lower()}
        return {
            "Name": name,
            "Type": "int",
            "Parameters": {f"iceberg.field.{key}": value for key, value in told.items()},
        }

    listed = [field("id", 1, optional=False), field("total", 2), field("was_dropped", 3, current=False)]
    parameters = {"table_type": "ICEBERG", "metadata_location": "s3://lake/1.json"}
    create(source, {"TableType": "EXTERNAL_TABLE", "Parameters": parameters, "StorageDescriptor": {"Columns": listed}})
    found = only(source)
    assert [(column.name, column.nullable, column.extras) for column in found.columns] == [
        ("id", False, {"field_id": "1"}),
        ("total", True, {"field_id": "2"}),
    ]
    assert (found.kind, found.extras["format"]) == (RelationKind.TABLE, "iceberg")


def test_the_schema_that_spark_hides_is_read(source: LakeSource) -> None:
    hidden = '{"type":"struct","fields":[{"name":"Id","type":"long"},{"name":"Price","type":"double"}]}'
    parameters = {"spark.sql.sources.provider": "delta", "spark.sql.sources.schema": hidden}
    create(source, {**columns(("col", "array<string>")), "Parameters": parameters})
    found = only(source)
    assert [(column.name, column.type) for column in found.columns] == [("Id", "bigint"), ("Price", "double")]
    assert found.extras["format"] == "delta"
    assert "spark.sql.sources.schema" not in found.extras["parameters"]


def test_facts_of_storage_are_extras(source: LakeSource) -> None:
    storage = {
        "Columns": [{"Name": "id", "Type": "int"}],
        "Location": "s3://lake/orders/",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "SerdeInfo": {"SerializationLibrary": "a.b.ParquetHiveSerDe", "Parameters": {"field.delim": ","}},
        "BucketColumns": ["id"],
        "NumberOfBuckets": 8,
        "SortColumns": [{"Column": "id", "SortOrder": 1}],
    }
    create(source, {"StorageDescriptor": storage, "Parameters": {"classification": "parquet", "owner.team": "sales"}})
    extras = only(source).extras
    wanted = {
        "format": "parquet",
        "location": "s3://lake/orders/",
        "bucketed_by": ["id"],
        "buckets": 8,
        "sorted_by": ["id"],
        "serde_parameters": {"field.delim": ","},
        "parameters": {"classification": "parquet", "owner.team": "sales"},
    }
    assert {name: extras.get(name) for name in wanted} == wanted
    assert extras["created_at"].endswith("+00:00")


def test_no_secret_of_a_table_is_kept(source: LakeSource) -> None:
    parameters = {"hive.sql.dbcp.password": "hunter2-planted", "connectionURL": "jdbc:x"}
    serde = {"Parameters": {"aws.secret.key": "hunter2-planted"}}
    create(source, {"Parameters": parameters, "StorageDescriptor": {"Columns": [], "SerdeInfo": serde}})
    with ENGINE.connect(source.settings).open() as session:
        payloads = b"".join(each.payload for each in session.relations(EVERYTHING))
    assert b"connectionURL" in payloads
    assert b"hunter2" not in payloads


def test_statistics_and_new_versions_are_no_change(source: LakeSource) -> None:
    create(source, {**columns(("id", "int")), "Parameters": {"recordCount": "5", "classification": "csv"}})
    before, (observed,) = fingerprints(source), read(source).relations

    def written() -> None:
        moved = {"recordCount": "6", "transient_lastDdlTime": "2", "classification": "csv"}
        source.lake.change(SOME, lambda told: {**told, "Parameters": moved})

    source.administer(written)
    assert fingerprints(source) == before
    (again,) = read(source).relations
    assert (observed.row_estimate, again.row_estimate) == (5, 6)


def test_a_parameter_that_people_set_is_a_change(source: LakeSource) -> None:
    create(source, {**columns(("id", "int")), "Parameters": {"classification": "csv"}})
    before = fingerprints(source)
    source.administer(lambda: source.lake.change(SOME, lambda told: {**told, "Parameters": {"classification": "json"}}))
    assert fingerprints(source) != before


def test_links_show_what_they_lead_to_under_their_own_name(source: LakeSource) -> None:
    create(source, columns(("id", "int")))
    target = {"CatalogId": "123456789012", "DatabaseName": "sales", "Name": "orders"}

    def link() -> None:
        source.lake.client.create_database(
            DatabaseInput={"Name": "shared", "TargetDatabase": {"CatalogId": "123456789012", "DatabaseName": "sales"}}
        )
        source.lake.perform(CreateSchema("other"))
        source.lake.create(Table("link", "other"), {"TargetTable": target})

    source.administer(link)
    found = read(source)
    names = {(each.schema, each.name): [column.name for column in each.columns] for each in found.relations}
    assert names == {("sales", "orders"): ["id"], ("shared", "orders"): ["id"], ("archive", "link"): ["id"]}
    assert {each.name: each.extras.get("link_to") for each in found.scopes} == {
        "sales": None,
        "archive": None,
        "shared": "123456789012.sales",
    }
    assert [each.extras.get("link_to") for each in found.relations if each.name == "link"] == [
        "123456789012.sales.orders"
    ]


def test_a_link_to_nothing_is_unreadable_and_the_rest_is_read(source: LakeSource) -> None:
    create(source, columns(("id", "int")))
    target = {"CatalogId": "123456789012", "DatabaseName": "gone"}
    source.administer(
        lambda: source.lake.client.create_database(DatabaseInput={"Name": "broken", "TargetDatabase": target})
    )
    found = read(source)
    states = {scope.name: scope.completeness for scope in found.scopes}
    assert states == {"sales": Completeness.COMPLETE, "broken": Completeness.UNREADABLE}
    assert [relation.name for relation in found.relations] == ["orders"]


def test_a_view_for_several_engines_shows_its_first_text(source: LakeSource) -> None:
    dialects = [
        {"Dialect": dialect, "DialectVersion": "3", "ViewOriginalText": f"SELECT 1 AS {dialect}"}
        for dialect in ("ATHENA", "SPARK")
    ]
    create(source, {"TableType": "VIRTUAL_VIEW", "ViewDefinition": {"Representations": dialects}})
    found = only(source)
    assert (found.kind, found.definition) == (RelationKind.VIEW, "SELECT 1 AS ATHENA")
    assert found.extras["dialects"] == ["ATHENA", "SPARK"]


def test_another_catalog_of_the_account_is_read_by_its_id(source: LakeSource) -> None:
    from msgspec.structs import replace

    source.administer(
        lambda: source.lake.client.create_database(CatalogId="111122223333", DatabaseInput={"Name": "theirs"})
    )
    settings = replace(source.settings, catalog_id="111122223333")
    assert [scope.name for scope in read_snapshot(ENGINE, settings, reach=Reach()).scopes] == ["theirs"]
    assert [scope.name for scope in read(source).scopes] == ["sales"]


def test_every_page_is_read_and_each_database_is_one_statement(source: LakeSource) -> None:
    source.aws.faults(fill={"large": 250})
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(EVERYTHING)
        found = list(session.relations(EVERYTHING))
        session.scopes(EVERYTHING)
        told = [(each.label, each.sql, each.rows) for each in session.statements]
    assert len({each.name for each in found}) == 250
    assert [(label, rows) for label, _, rows in told] == [
        ("get_databases", 2),
        ("get_tables", 250),
        ("get_tables", 0),
        ("get_databases", 2),
    ]
    assert told[1][1] == "glue.get_tables(DatabaseName='large', MaxResults=100) in 3 calls"
    assert source.aws.calls() == {"GetDatabases": 2, "GetTables": 4}


def test_a_database_out_of_scope_is_not_asked_for(source: LakeSource) -> None:
    source.aws.faults(fill={"large": 5})
    found = read(source, ScopeFilter(schemas=Patterns.parse("sales")))
    assert [scope.name for scope in found.scopes] == ["sales"]
    assert source.aws.calls() == {"GetDatabases": 2, "GetTables": 1}


def test_a_database_that_appears_or_goes_in_mid_read_is_not_called_complete(source: LakeSource) -> None:
    source.perform(CreateTable(SOME, (NewColumn("id"),)), CreateSchema("other"))
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(EVERYTHING)
        list(session.relations(EVERYTHING))
        source.administer(lambda: source.lake.client.create_database(DatabaseInput={"Name": "new"}))
        source.administer(lambda: source.lake.client.delete_database(Name="archive"))
        scopes, complete = session.scopes(EVERYTHING)
    assert complete
    assert {scope.name: scope.completeness for scope in scopes} == {
        "sales": Completeness.COMPLETE,
        "new": Completeness.PARTIAL,
    }


def test_a_database_that_is_dropped_before_its_turn_is_not_there_at_the_end(source: LakeSource) -> None:
    source.perform(CreateSchema("other"), CreateTable(SOME, (NewColumn("id"),)))
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(EVERYTHING)
        source.administer(lambda: source.lake.client.delete_database(Name="archive"))
        found = [(each.schema, each.name) for each in session.relations(EVERYTHING)]
        scopes, _ = session.scopes(EVERYTHING)
    assert found == [("sales", "orders")]
    assert [scope.name for scope in scopes] == ["sales"]


def test_rights_that_end_in_mid_read_make_a_database_partial(source: LakeSource) -> None:
    source.aws.faults(fill={"large": 250})
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(EVERYTHING)
        rest = session.relations(EVERYTHING)
        first = next(rest)
        source.revoke("main")
        seen = [first, *rest]
        states = _states(session)
    assert len(seen) == 100
    assert states == {"large": Completeness.PARTIAL, "sales": Completeness.UNREADABLE}


def _states(session: Session) -> dict[str, Completeness]:
    return {scope.name: scope.completeness for scope in session.scopes(EVERYTHING)[0]}


def test_there_is_no_probe_that_costs_less_than_a_read(source: LakeSource) -> None:
    with ENGINE.connect(source.settings).open() as session:
        assert session.probe(EVERYTHING) is None
        assert len(session.statements) == 1
