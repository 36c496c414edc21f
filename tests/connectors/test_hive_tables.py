"""What parameters and texts of Hive's tables mean."""

import base64
import json
from typing import Any

import pytest

from metamapper.connectors.engines.glue.payload import raw_of
from metamapper.connectors.sql.hive_columns import RawColumn
from metamapper.connectors.sql.hive_spark import spark_columns
from metamapper.connectors.sql.hive_tables import (
    comment_of,
    format_of,
    kind_of,
    located,
    row_estimate,
    settled,
    shown,
    size_bytes,
    view_text,
)
from metamapper.schema import RelationKind


def presto(said: Any, kind: str = "View") -> str:
    return f"/* Presto {kind}: {base64.b64encode(json.dumps(said).encode()).decode()} */"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (presto({"originalSql": "SELECT 'é'", "catalog": "awsdatacatalog"}), "SELECT 'é'"),
        (presto({"originalSql": "SELECT 1"}, "Materialized View"), "SELECT 1"),
        ("SELECT a FROM b", "SELECT a FROM b"),
        ("/* Presto View */", None),
        ("", None),
        (None, None),
        ("/* Presto View: not base64! */", "/* Presto View: not base64! */"),
        ("/* Presto View: AAAA */", "/* Presto View: AAAA */"),
        (presto([1]), presto([1])),
    ],
)
def test_the_text_of_a_view(text: str | None, query: str | None) -> None:
    assert view_text(text) == query


def test_what_moves_by_itself_or_is_secret_is_no_fact() -> None:
    moving = {
        "transient_lastDdlTime": "1",
        "numRows": "5",
        "totalSize": "9",
        "COLUMN_STATS_ACCURATE": "{}",
        "metadata_location": "s3://x/1.json",
        "previous_metadata_location": "s3://x/0.json",
        "CrawlerSchemaSerializerVersion": "1.0",
        "recordCount": "5",
    }
    secret = {"hive.sql.dbcp.password": "x", "my.AccessKey": "x", "auth_token": "x"}
    assert settled({**moving, **secret, "classification": "csv"}) == {"classification": "csv"}


def test_what_is_said_elsewhere_is_not_shown_twice() -> None:
    told = {"comment": "x", "EXTERNAL": "TRUE", "spark.sql.sources.schema.part.0": "{}", "classification": "csv"}
    assert shown(told) == {"classification": "csv"}


def test_statistics_are_taken_where_they_are_known() -> None:
    assert (row_estimate({"numRows": "-1", "recordCount": "7"}), size_bytes({"totalSize": "123"})) == (7, 123)
    assert (row_estimate({"numRows": "many"}), size_bytes({"totalSize": "9" * 30})) == (None, None)


@pytest.mark.parametrize(
    ("told", "parameters", "partitioned", "kind"),
    [
        ("MANAGED_TABLE", {}, False, RelationKind.TABLE),
        (None, {}, False, RelationKind.TABLE),
        ("MANAGED_TABLE", {}, True, RelationKind.PARTITIONED_TABLE),
        ("EXTERNAL_TABLE", {}, True, RelationKind.EXTERNAL_TABLE),
        ("EXTERNAL_TABLE", {"table_type": "ICEBERG"}, False, RelationKind.TABLE),
        ("VIRTUAL_VIEW", {}, False, RelationKind.VIEW),
        ("EXTERNAL_TABLE", {"presto_view": "true"}, False, RelationKind.VIEW),
        ("VIRTUAL_VIEW", {"comment": "Presto Materialized View"}, False, RelationKind.MATERIALIZED_VIEW),
    ],
)
def test_kinds(told: str | None, parameters: dict[str, str], partitioned: bool, kind: RelationKind) -> None:
    assert kind_of(told, parameters, is_partitioned=partitioned) is kind


def test_comments_are_what_people_wrote() -> None:
    assert comment_of("Orders", {"comment": "other"}) == "Orders"
    assert comment_of(None, {"comment": "Orders"}) == "Orders"
    assert comment_of(None, {"comment": "Presto View"}) is None


def test_formats() -> None:
    assert format_of({"table_type": "ICEBERG"}, None) == "iceberg"
    assert format_of({}, "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe") == "parquet"
    assert format_of({}, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe") == "text"
    assert format_of({"classification": "xml"}, None) == "xml"
    assert format_of({}, None) is None


SPARK = {
    "type": "struct",
    "fields": [
        {"name": "Id", "type": "long", "nullable": False, "metadata": {"comment": "the key"}},
        {"name": "tags", "type": {"type": "array", "elementType": "string", "containsNull": True}, "metadata": {}},
        {
            "name": "a b",
            "type": {
                "type": "struct",
                "fields": [{"name": "c:d", "type": "integer"}, {"name": "e", "type": "decimal(5,2)"}],
            },
        },
        {"name": "m", "type": {"type": "map", "keyType": "string", "valueType": {"type": "udt", "sqlType": "double"}}},
        {"name": "day", "type": "date"},
    ],
}


def in_parts(text: str) -> dict[str, str]:
    parts = [text[start : start + 50] for start in range(0, len(text), 50)]
    named = {f"spark.sql.sources.schema.part.{place}": part for place, part in enumerate(parts)}
    return named | {"spark.sql.sources.schema.numParts": str(len(parts))}


def test_the_schema_that_spark_hides_is_found() -> None:
    hidden = [RawColumn("col", "array<string>"), RawColumn("day", "date", None, True)]
    found = spark_columns(hidden, in_parts(json.dumps(SPARK)))
    assert list(found) == [
        RawColumn("Id", "bigint", "the key", False, False),
        RawColumn("tags", "array<string>"),
        RawColumn("a b", "struct<`c:d`:int,e:decimal(5,2)>"),
        RawColumn("m", "map<string,double>"),
        RawColumn("day", "date", None, True),
    ]


def test_a_schema_of_spark_that_is_not_the_tables_any_more_is_left() -> None:
    now = [RawColumn("id", "bigint"), RawColumn("added_by_hive", "int")]
    assert spark_columns(now, {"spark.sql.sources.schema": json.dumps(SPARK)}) == now


DEEP = '{"fields":[{"name":"id","type":' + '{"type":"array","elementType":' * 3000 + '"int"' + "}" * 3000 + "}]}"


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"fields": 3}', '{"fields": [3, {"type": "int"}]}', DEEP])
def test_a_schema_that_cannot_be_read_is_left(text: str) -> None:
    now = [RawColumn("id", "bigint")]
    assert spark_columns(now, {"spark.sql.sources.schema": text}) == now


def test_a_schema_of_which_a_part_is_missing_is_left() -> None:
    parts = in_parts(json.dumps(SPARK))
    del parts["spark.sql.sources.schema.part.1"]
    now = [RawColumn("col", "array<string>")]
    assert spark_columns(now, parts) == now


@pytest.mark.timeout(5)
@pytest.mark.parametrize("number", ["9999999999", "9" * 5000, "30000000"])
def test_a_number_of_parts_made_to_harm_costs_nothing(number: str) -> None:
    raws = [RawColumn("id", "int")]
    assert spark_columns(raws, {"spark.sql.sources.schema.numParts": number}) == raws


def test_a_view_made_to_harm_is_its_text() -> None:
    text = f"/* Presto View: {base64.b64encode(b'[' * 200_000).decode()} */"
    assert view_text(text) == text


def test_secrets_within_values_and_of_azure_are_no_facts() -> None:
    given = {
        "fs.azure.account.key.x": "k",
        "fs.azure.sas.container": "s",
        "url": "jdbc:mysql://h/d?user=u&password=p",
        "endpoint": "https://me:secret@host/",
        "owner": "ana",
    }
    assert settled(given) == {"owner": "ana"}


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("s3a://AKIA:se/cr+et@lake/raw", "s3a://***@lake/raw"),
        ("s3a://AKIA:12345@lake/raw", "s3a://***@lake/raw"),
        ("abfss://raw@account.dfs.core.windows.net/x", "abfss://raw@account.dfs.core.windows.net/x"),
        ("hdfs://namenode:8020/user@home", "hdfs://namenode:8020/user@home"),
        ("s3://lake/raw/v@2", "s3://lake/raw/v@2"),
        ("https://lake/raw?sig_token=abc&x=1", "https://lake/raw?sig_token=***&x=1"),
        ("/warehouse/sales.db", "/warehouse/sales.db"),
        (None, None),
    ],
)
def test_a_location_is_shown_without_the_keys_in_it(location: str | None, shown: str | None) -> None:
    assert located(location) == shown


def test_nor_are_they_kept_among_the_parameters() -> None:
    assert settled({"path": "s3a://AKIA:se/cr+et@lake", "x": "hdfs://nn:8020/a@b"}) == {"x": "hdfs://nn:8020/a@b"}


def test_nor_of_a_table_that_glue_tells_of() -> None:
    told = raw_of("sales", {"Name": "raw", "StorageDescriptor": {"Location": "s3a://AKIA:planted@lake/raw"}})
    assert told.facts["location"] == "s3a://***@lake/raw"
