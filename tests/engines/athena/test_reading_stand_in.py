"""What is special about Athena, read by the real driver from moto's server with our extension."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Step, StepState
from metamapper.connectors.conformance.operations import CreateSchema, CreateTable, NewColumn, Table
from metamapper.connectors.engines.athena import ENGINE
from metamapper.connectors.engines.athena.settings import AthenaSettings
from metamapper.connectors.reach import Reach
from metamapper.connectors.reading import read_snapshot
from metamapper.connectors.registry import from_url
from metamapper.connectors.scope import ScopeFilter
from metamapper.schema import Completeness, RelationKind, Snapshot
from tests.engines.glue.subject import LakeSource
from tests.support.aws import ACCOUNT, REGION

EVERYTHING = ScopeFilter()
ORDERS = CreateTable(Table("orders"), (NewColumn("id"),))


def read(settings: AthenaSettings) -> Snapshot:
    return read_snapshot(ENGINE, settings, EVERYTHING, reach=Reach())


def steps(settings: AthenaSettings) -> dict[str, Step]:
    return {step.name: step for step in ENGINE.connect(settings).test()}


@pytest.fixture
def everywhere(source: LakeSource) -> AthenaSettings:
    """Settings that read two catalogs: the account's own, and one called ``lake-2``."""
    client = source.aws.client("athena")

    def make() -> None:
        client.create_data_catalog(Name="lake-2", Type="GLUE", Parameters={"catalog-id": "lake-2"})
        source.lake.client.create_database(CatalogId="lake-2", DatabaseInput={"Name": "theirs", "Description": "x"})

    source.administer(make)
    source.perform(ORDERS)
    found: AthenaSettings = replace(source.settings, catalog="*")
    return found


def test_one_catalog_is_read_unless_all_are_asked_for(source: LakeSource, everywhere: AthenaSettings) -> None:
    assert [scope.name for scope in read(source.settings).scopes] == ["sales"]
    found = read(everywhere)
    assert [(scope.name, scope.comment) for scope in found.scopes] == [
        ("AwsDataCatalog.sales", None),
        ("lake-2.theirs", "x"),
    ]
    assert [(relation.schema, relation.name) for relation in found.relations] == [("AwsDataCatalog.sales", "orders")]
    assert found.scopes_complete
    other = replace(everywhere, catalog="lake-2")
    assert [scope.name for scope in read(other).scopes] == ["theirs"]


def test_a_catalog_that_fails_leaves_the_list_incomplete_and_the_others_readable(
    source: LakeSource, everywhere: AthenaSettings
) -> None:
    """What was known of it is not retired: the list of schemas does not claim to be whole."""
    source.aws.faults(ListDatabases={"times": 1, "code": "MetadataException", "message": "The function failed"})
    with ENGINE.connect(everywhere).open() as session:
        scopes, complete = session.scopes(EVERYTHING)
    assert ([scope.name for scope in scopes], complete) == (["lake-2.theirs"], False)


def test_the_connection_test_names_a_catalog_that_cannot_be_listed(
    source: LakeSource, everywhere: AthenaSettings
) -> None:
    start = f"arn:aws:athena:{REGION}:{ACCOUNT}:datacatalog"
    some = {
        "Effect": "Allow",
        "Action": ["athena:ListDatabases", "athena:ListTableMetadata"],
        "Resource": f"{start}/AwsDataCatalog",
    }
    lists = {"Effect": "Allow", "Action": "athena:ListDataCatalogs", "Resource": "*"}
    glue = {"Effect": "Allow", "Action": ["glue:GetDatabases", "glue:GetTables"], "Resource": "*"}
    source.administer(lambda: source.people.let("least", [lists, some, glue]))
    step = steps(everywhere)["Databases"]
    assert step.state is StepState.WARNING
    assert step.error is not None
    assert "lake-2" in step.detail
    source.paste(step.error.remedy)
    assert steps(everywhere)["Databases"].state is StepState.OK


def test_if_every_catalog_fails_so_does_the_read(source: LakeSource, everywhere: AthenaSettings) -> None:
    source.aws.faults(ListDatabases={"times": 9, "code": "MetadataException", "message": "The function failed"})
    with pytest.raises(errors.ConnectorError, match="function failed"), ENGINE.connect(everywhere).open():
        pass


def test_a_source_that_fails_makes_its_database_unreadable(source: LakeSource) -> None:
    source.perform(ORDERS, CreateSchema("other"))
    source.aws.faults(ListTableMetadata={"times": 1, "code": "MetadataException", "message": "The function failed"})
    found = read(source.settings)
    states = {scope.name: (scope.completeness, scope.remedy) for scope in found.scopes}
    assert states == {"archive": (Completeness.UNREADABLE, None), "sales": (Completeness.COMPLETE, None)}
    assert "The function failed" in (found.scopes[0].reason or "")


def test_rights_on_glue_that_are_missing_behind_athena_are_named(source: LakeSource) -> None:
    """Athena wraps what Glue refuses, and calls it an error of metadata."""
    source.perform(ORDERS)
    source.revoke("main")
    (scope,) = read(source.settings).scopes
    statements = json.loads(f"[{scope.remedy}]")
    assert {action for each in statements for action in each["Action"]} >= {
        "athena:ListTableMetadata",
        "glue:GetTables",
    }
    assert f"arn:aws:glue:{REGION}:{ACCOUNT}:table/sales/*" in statements[-1]["Resource"]
    assert "User: arn:aws:iam" in (scope.reason or "")


def test_every_page_is_read(source: LakeSource) -> None:
    source.aws.faults(fill={"large": 120})
    with ENGINE.connect(source.settings).open() as session:
        session.scopes(EVERYTHING)
        names = {each.name for each in session.relations(EVERYTHING)}
        sql = session.statements[1].sql
    assert len(names) == 120
    assert sql.endswith("in 3 calls")
    assert source.aws.calls() == {"ListDatabases": 1, "ListTableMetadata": 4}


def test_columns_keys_comments_and_storage_are_read(source: LakeSource) -> None:
    told: dict[str, Any] = {
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"comment": "What was bought", "classification": "json", "db.password": "planted-secret"},
        "PartitionKeys": [{"Name": "day", "Type": "date"}],
        "StorageDescriptor": {
            "Columns": [{"Name": "who", "Type": "struct<name:string,address:struct<city:string>>", "Comment": "buyer"}],
            "Location": "s3://lake/orders/",
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {"paths": "a"}},
        },
    }
    source.administer(lambda: source.lake.create(Table("orders"), told))
    (found,) = read(source.settings).relations
    assert [".".join(column.path) for column in found.columns] == [
        "who",
        "who.name",
        "who.address",
        "who.address.city",
        "day",
    ]
    assert (found.comment, found.columns[0].comment, found.kind) == (
        "What was bought",
        "buyer",
        RelationKind.EXTERNAL_TABLE,
    )
    assert found.extras == {
        "format": "json",
        "partitioned_by": ["day"],
        "created_at": found.extras["created_at"],
        "location": "s3://lake/orders/",
        "serde": "org.openx.data.jsonserde.JsonSerDe",
        "serde_parameters": {"paths": "a"},
        "parameters": {"classification": "json"},
    }


def test_a_catalog_that_is_not_there_is_said(source: LakeSource) -> None:
    said = "Catalog nowhere does not exist"
    source.aws.faults(ListDatabases={"times": 9, "code": "InvalidRequestException", "message": said})
    with pytest.raises(errors.SettingsInvalid) as caught, ENGINE.connect(source.settings).open():
        pass
    assert said in caught.value.server_said


def test_a_url_says_it_all() -> None:
    engine, settings = from_url("athena://AKIA1:secret@eu-west-1/lake-2?work_group=reports")
    assert engine is ENGINE
    assert settings == AthenaSettings(
        region="eu-west-1", access_key_id="AKIA1", secret_access_key="secret", catalog="lake-2", work_group="reports"
    )
    _, every = from_url("athena://AKIA1:secret@eu-west-1/*")
    assert getattr(every, "catalog") == "*"  # noqa: B009 - an engine's own field


def test_a_workgroup_is_told_and_no_query_is_run(source: LakeSource) -> None:
    source.aws.faults()
    settings = replace(source.settings, work_group="reports")
    with ENGINE.connect(settings).open() as session:
        list(session.relations(EVERYTHING))
        assert all("WorkGroup='reports'" in each.sql for each in session.statements)
    assert set(source.aws.calls()) == {"ListDatabases", "ListTableMetadata"}
