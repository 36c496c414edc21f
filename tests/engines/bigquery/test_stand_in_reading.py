"""What is found in datasets and tables, told by the stand-in as the interface's description has it."""

from collections.abc import Iterator
from typing import Any

import pytest

from metamapper.connectors.engines.bigquery.types import Field, quoted
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.scope import Patterns, ScopeFilter
from metamapper.schema import (
    Column,
    Completeness,
    ConstraintKind,
    Generated,
    Relation,
    RelationKind,
    Snapshot,
    TypeFamily,
)
from tests.engines.bigquery.subject import ENGINE, BigquerySource, told
from tests.support.bigquery import PROJECT

KEY = {"name": "key", "type": "STRING"}
EVENTS = [
    {"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
    {"name": "tags", "type": "STRING", "mode": "REPEATED"},
    {
        "name": "params",
        "type": "RECORD",
        "mode": "REPEATED",
        "description": "What came with it",
        "fields": [
            KEY,
            {
                "name": "value",
                "type": "RECORD",
                "fields": [{"name": "odd name", "type": "NUMERIC", "precision": "9", "description": "Deep"}],
            },
        ],
    },
    {"name": "last", "type": "JSON"},
]


def read(source: BigquerySource, within: ScopeFilter = ScopeFilter()) -> Snapshot:  # noqa: B008 - it is frozen
    return read_snapshot(ENGINE, source.settings, within, reach=source.reach)


def only(source: BigquerySource) -> Relation:
    [relation] = read(source).relations
    return relation


def extras(source: BigquerySource, **facts: Any) -> Any:
    source.server.add_table("shop", "t", told(id="INTEGER"), **facts)
    return only(source).extras


def test_nested_fields_are_columns_with_a_path(source: BigquerySource) -> None:
    source.server.add_table("shop", "events", EVENTS)
    columns = only(source).columns
    assert [(".".join(column.path), column.type, column.nullable) for column in columns] == [
        ("id", "INT64", False),
        ("tags", "ARRAY<STRING>", False),
        ("params", "ARRAY<STRUCT<key STRING, value STRUCT<`odd name` NUMERIC(9)>>>", False),
        ("params.key", "STRING", True),
        ("params.value", "STRUCT<`odd name` NUMERIC(9)>", True),
        ("params.value.odd name", "NUMERIC(9)", True),
        ("last", "JSON", True),
    ]
    assert [column.position for column in columns] == [1, 2, 3, 4, 5, 6, 7]
    deep = columns[5]
    assert (deep.nested_in, deep.comment, deep.precision) == (("params", "value"), "Deep", 9)
    families = [TypeFamily.ARRAY, TypeFamily.STRING, TypeFamily.STRUCT]
    assert [column.family for column in columns[2:5]] == families


def test_a_nest_of_the_deepest_kind_is_read_to_its_end(source: BigquerySource) -> None:
    """BigQuery allows 15 levels."""
    field: dict[str, Any] = {"name": "leaf", "type": "STRING"}
    for level in range(15, 0, -1):
        field = {"name": f"l{level}", "type": "RECORD", "fields": [field]}
    source.server.add_table("shop", "deep", [field])
    assert only(source).columns[-1].path == (*(f"l{level}" for level in range(1, 16)), "leaf")


def types() -> Iterator[tuple[dict[str, Any], str, TypeFamily, tuple[int | None, int | None, int | None]]]:
    none = (None, None, None)
    yield {"type": "INT64"}, "INT64", TypeFamily.INTEGER, none
    yield {"type": "FLOAT64"}, "FLOAT64", TypeFamily.FLOAT, none
    yield {"type": "BOOL"}, "BOOL", TypeFamily.BOOLEAN, none
    yield {"type": "STRING", "maxLength": "12"}, "STRING(12)", TypeFamily.STRING, (12, None, None)
    yield {"type": "STRING", "maxLength": str(2**40)}, f"STRING({2**40})", TypeFamily.STRING, (2**40, None, None)
    yield {"type": "BYTES"}, "BYTES", TypeFamily.BINARY, none
    yield {"type": "NUMERIC"}, "NUMERIC", TypeFamily.DECIMAL, none
    big = {"type": "BIGNUMERIC", "precision": "40", "scale": "10"}
    yield big, "BIGNUMERIC(40, 10)", TypeFamily.DECIMAL, (None, 40, 10)
    yield {"type": "DATETIME"}, "DATETIME", TypeFamily.TIMESTAMP, none
    yield {"type": "TIMESTAMP", "timestampPrecision": "12"}, "TIMESTAMP(12)", TypeFamily.TIMESTAMP, none
    yield {"type": "TIME"}, "TIME", TypeFamily.TIME, none
    yield {"type": "INTERVAL"}, "INTERVAL", TypeFamily.INTERVAL, none
    yield {"type": "GEOGRAPHY"}, "GEOGRAPHY", TypeFamily.GEO, none
    yield {"type": "RANGE", "rangeElementType": {"type": "DATE"}}, "RANGE<DATE>", TypeFamily.OTHER, none
    yield {"type": "FOREIGN", "foreignTypeDefinition": "varchar(9)"}, "varchar(9)", TypeFamily.OTHER, none
    yield {"type": "A_NEW_ONE"}, "A_NEW_ONE", TypeFamily.OTHER, none
    yield {"type": "FLOAT", "mode": "REPEATED"}, "ARRAY<FLOAT64>", TypeFamily.ARRAY, none


@pytest.mark.parametrize(("kind", "spelling", "family", "measures"), list(types()), ids=lambda value: str(value)[:40])
def test_types_are_spelled_as_the_dialect_spells_them(
    source: BigquerySource, kind: dict[str, Any], spelling: str, family: TypeFamily, measures: tuple[int | None, ...]
) -> None:
    source.server.add_table("shop", "t", told(c=kind))
    [column] = only(source).columns
    assert (column.type, column.family) == (spelling, family)
    assert (column.length, column.precision, column.scale) == measures


@pytest.mark.parametrize(
    "name", ["a.b", "it's", "back`quote", "back\\slash", "two words", "1st", "emoji 😀", "=1+1", "\u202e"]
)
def test_awkward_names_of_columns_are_kept_and_quoted(source: BigquerySource, name: str) -> None:
    source.server.add_table("shop", "t", [{"name": "s", "type": "RECORD", "fields": told(**{name: "STRING"})}])
    outer, inner = only(source).columns
    assert inner.path == ("s", name)
    assert outer.type == f"STRUCT<{quoted(name)} STRING>"
    assert quoted(name).startswith("`")


def test_facts_of_columns(source: BigquerySource) -> None:
    policies = {"names": ["projects/1/locations/eu/taxonomies/2/policyTags/3"]}
    kind = {"type": "STRING", "collation": "und:ci", "policyTags": policies, "description": "", "mode": "NULLABLE"}
    source.server.add_table("shop", "t", told(c=kind))
    [column] = only(source).columns
    assert column == Column(
        name="c",
        position=1,
        type="STRING",
        family=TypeFamily.STRING,
        extras={"policy_tags": policies["names"], "collation": "und:ci"},
    )


def test_a_generated_column_that_is_not_stored(source: BigquerySource) -> None:
    generation = {"generatedExpressionInfo": {"generationExpression": "a + 1"}}
    source.server.add_table("shop", "t", told(b={"type": "INTEGER", "generatedColumn": generation}))
    [column] = only(source).columns
    assert (column.generated, column.default) == (Generated.VIRTUAL, "a + 1")


def test_keys_across_datasets_and_without_a_name(source: BigquerySource) -> None:
    target = {"projectId": PROJECT, "datasetId": "other", "tableId": "odd name"}
    pair = {"referencingColumn": "customer", "referencedColumn": "id"}
    keys = {
        "primaryKey": {"columns": ["id", "odd name"]},
        "foreignKeys": [{"referencedTable": target, "columnReferences": [pair]}],
    }
    source.server.add_table("shop", "t", told(id="INTEGER"), tableConstraints=keys)
    primary, foreign = only(source).constraints
    assert primary.definition == "PRIMARY KEY (id, `odd name`) NOT ENFORCED"
    assert (foreign.kind, foreign.name) == (ConstraintKind.FOREIGN_KEY, "FOREIGN KEY (customer)")
    assert foreign.definition == "FOREIGN KEY (customer) REFERENCES other.`odd name` (id) NOT ENFORCED"
    assert foreign.references
    assert (foreign.references.schema, foreign.references.relation) == ("other", "odd name")


def test_partitioning_by_time(source: BigquerySource) -> None:
    by_day = {"type": "DAY", "field": "at", "expirationMs": "86400000"}
    found = extras(source, timePartitioning=by_day, requirePartitionFilter=True, clustering={"fields": ["b", "a"]})
    assert found == {
        "partitioning": {"column": "at", "by": "DAY", "expiration_ms": 86400000},
        "partition_filter_required": True,
        "clustering": ["b", "a"],
    }
    assert only(source).kind is RelationKind.PARTITIONED_TABLE


def test_partitioning_by_the_time_of_arrival_and_by_range(source: BigquerySource) -> None:
    assert extras(source, timePartitioning={"type": "HOUR"}) == {
        "partitioning": {"column": "_PARTITIONTIME", "by": "HOUR"}
    }
    numbers = {"field": "id", "range": {"start": "0", "end": "100", "interval": "10"}}
    assert extras(source, rangePartitioning=numbers) == {
        "partitioning": {"column": "id", "start": 0, "end": 100, "interval": 10}
    }


def test_labels_tags_and_other_facts_of_tables(source: BigquerySource) -> None:
    found = extras(
        source,
        friendlyName="Purchases",
        labels={"team": "sales", "a": "1"},
        resourceTags={"123/environment": "production"},
        encryptionConfiguration={"kmsKeyName": "projects/p/locations/eu/keyRings/r/cryptoKeys/k"},
        expirationTime="1800000000000",
        defaultCollation="und:ci",
        location="EU",
        description="",
    )
    assert found == {
        "friendly_name": "Purchases",
        "labels": {"team": "sales", "a": "1"},
        "tags": {"123/environment": "production"},
        "encryption_key": "projects/p/locations/eu/keyRings/r/cryptoKeys/k",
        "expires_at": "2027-01-15T08:00:00+00:00",
        "default_collation": "und:ci",
        "location": "EU",
    }
    assert only(source).comment is None


def test_rows_and_sizes_are_statistics_and_no_change(source: BigquerySource) -> None:
    resource = source.server.add_table("shop", "t", told(id="INTEGER"), numRows="12", numBytes=str(2**50))
    before = only(source)
    assert (before.row_estimate, before.size_bytes) == (12, 2**50)
    resource |= {
        "numRows": "13",
        "etag": "another",
        "lastModifiedTime": "1800000000000",
        "creationTime": "1800000000000",
    }
    with ENGINE.connect(source.settings).open() as session:
        [first] = session.relations(ScopeFilter())
        resource["numRows"] = "14"
        [second] = session.relations(ScopeFilter())
    assert first.fingerprint == second.fingerprint
    assert (first.row_estimate, second.row_estimate) == (13, 14)


def test_views_have_a_query_and_no_statistics(source: BigquerySource) -> None:
    view = {"query": "SELECT 1 AS one", "useLegacySql": True}
    source.server.add_table("shop", "v", told(one="INTEGER"), type="VIEW", view=view)
    found = only(source)
    assert (found.kind, found.definition, found.extras) == (RelationKind.VIEW, "SELECT 1 AS one", {"legacy_sql": True})
    assert (found.row_estimate, found.size_bytes) == (None, None)


def test_materialized_views(source: BigquerySource) -> None:
    stored = {
        "query": "SELECT 1",
        "enableRefresh": True,
        "refreshIntervalMs": "60000",
        "lastRefreshTime": "1700000000000",
    }
    resource = source.server.add_table(
        "shop", "m", told(one="INTEGER"), type="MATERIALIZED_VIEW", materializedView=stored
    )
    found = only(source)
    assert (found.kind, found.definition, found.row_estimate) == (RelationKind.MATERIALIZED_VIEW, "SELECT 1", 0)
    assert found.extras == {"refreshes_by_itself": True, "refresh_interval_ms": 60000}
    resource["materializedView"] = {**stored, "lastRefreshTime": "1800000000000"}
    assert only(source) == found


def test_external_tables_and_iceberg(source: BigquerySource) -> None:
    partitioned = {"mode": "AUTO", "fields": ["day"]}
    external = {"sourceFormat": "PARQUET", "sourceUris": ["gs://lake/day=*"], "hivePartitioningOptions": partitioned}
    source.server.add_table("shop", "x", told(a="STRING"), type="EXTERNAL", externalDataConfiguration=external)
    found = only(source)
    assert found.kind is RelationKind.EXTERNAL_TABLE
    assert found.extras == {"external": {"format": "PARQUET", "uris": ["gs://lake/day=*"], "partitioned_by": ["day"]}}
    assert found.row_estimate is None
    iceberg = {"storageUri": "gs://lake/t", "tableFormat": "ICEBERG", "fileFormat": "PARQUET", "connectionId": "p.eu.c"}
    del source.server.tables["shop"]["x"]
    assert extras(source, biglakeConfiguration=iceberg)["iceberg"]["table_format"] == "ICEBERG"


def test_snapshots_and_clones(source: BigquerySource) -> None:
    base = {"projectId": PROJECT, "datasetId": "shop", "tableId": "purchase"}
    taken = {"baseTableReference": base, "snapshotTime": "2026-01-02T03:04:05Z"}
    found = extras(source, type="SNAPSHOT", snapshotDefinition=taken)
    assert found == {"snapshot_of": f"{PROJECT}.shop.purchase", "snapshot_at": "2026-01-02T03:04:05Z"}
    cloned = {"baseTableReference": base, "cloneTime": "2026-01-02T03:04:05Z"}
    assert extras(source, cloneDefinition=cloned)["clone_of"] == f"{PROJECT}.shop.purchase"


def test_facts_of_datasets(source: BigquerySource) -> None:
    source.server.add_dataset("finance", description="Money", labels={"team": "finance"}, friendlyName="Finance")
    finance, shop = read(source).scopes
    assert (finance.name, finance.comment) == ("finance", "Money")
    assert finance.extras == {"friendly_name": "Finance", "labels": {"team": "finance"}, "location": "EU"}
    assert shop.completeness is Completeness.COMPLETE


def test_a_reader_of_some_datasets_does_not_call_the_others_gone(source: BigquerySource) -> None:
    """With rights on single datasets, a dataset that is not listed is out of sight; nothing proves that it is gone."""
    source.server.add_dataset("finance")
    assert read(source).scopes_complete
    source.owner.datasets = {"shop": set(source.owner.project)}
    source.owner.project = set()
    snapshot = read(source)
    assert [scope.name for scope in snapshot.scopes] == ["shop"]
    assert not snapshot.scopes_complete


def test_a_dataset_that_is_hidden_in_mid_read_is_not_called_gone(source: BigquerySource) -> None:
    source.server.add_dataset("finance")
    with ENGINE.connect(source.settings).open() as session:
        assert session.scopes(ScopeFilter())[1]
        list(session.relations(ScopeFilter()))
        source.owner.datasets = {"shop": set(source.owner.project)}
        source.owner.project = set()
        scopes, whole = session.scopes(ScopeFilter())
    assert [scope.name for scope in scopes] == ["shop"]
    assert not whole


def test_tables_that_may_not_be_looked_at_leave_a_scope_partial(source: BigquerySource) -> None:
    """The role BigQuery User lets see the list of tables, and no table."""
    source.server.add_table("shop", "t", told(id="INTEGER"))
    source.owner.project -= {"bigquery.tables.get"}
    [scope] = read(source).scopes
    assert scope.completeness is Completeness.UNREADABLE
    assert "bigquery.tables.get" in (scope.reason or "")
    assert (
        scope.remedy
        == f'GRANT `roles/bigquery.metadataViewer` ON SCHEMA `{PROJECT}`.`shop` TO "serviceAccount:{source.owner.email}";'
    )


def test_one_closed_table_leaves_a_scope_partial(source: BigquerySource) -> None:
    source.server.add_table("shop", "open", told(id="INTEGER"))
    source.server.add_table("shop", "closed", told(id="INTEGER"))
    source.server.before = source.refusing("/tables/closed", 403)
    snapshot = read(source)
    [scope] = snapshot.scopes
    assert (scope.completeness, [relation.name for relation in snapshot.relations]) == (Completeness.PARTIAL, ["open"])


def test_out_of_scope_is_not_asked_for(source: BigquerySource) -> None:
    source.server.add_dataset("finance")
    for dataset in ("shop", "finance"):
        source.server.add_table(dataset, "t", told(id="INTEGER"))
        source.server.add_table(dataset, "u", told(id="INTEGER"))
    source.server.calls.clear()
    read(source, ScopeFilter(schemas=Patterns.parse("shop"), tables=Patterns.parse("-u")))
    assert not [path for path in source.server.calls if "finance" in path or path.endswith("/u")]


def test_a_payload_that_was_kept_is_what_a_field_was(source: BigquerySource) -> None:
    """What is stored is decoded by itself, without Google's library."""
    source.server.add_table("shop", "events", EVENTS)
    with ENGINE.connect(source.settings).open() as session:
        [observation] = session.relations(ScopeFilter())
        assert session.decode(observation.payload) == session.decode(bytes(observation.payload))
        assert b"etag" not in observation.payload
    assert Field(name="a", type="RECORD", fields=(Field(name="b c", type="INTEGER"),)).spelling == "STRUCT<`b c` INT64>"
