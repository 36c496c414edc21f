"""A real metastore: both of its doors tell the same, and it is what the metastores made by hand are made after."""

import psycopg
import pytest
from msgspec.structs import replace
from pymetastore.hive_metastore import ttypes

from metamapper.connectors.conformance.reads import read
from metamapper.connectors.conformance.seed import seed
from metamapper.connectors.engines.hive.settings import Access
from metamapper.connectors.engines.hive.statements import NEEDED
from metamapper.schema import Relation, Scope
from tests.engines.hive.live import Change, LiveSource, LiveSubject, client
from tests.support.hive import Metastore
from tests.support.hive_tables import HIVE_2, columns_of

pytestmark = pytest.mark.live

SIMILAR = {
    "id": {"bigint", "integer"},
    "int": {"bigint", "integer"},
    "small": {"smallint", "integer"},
    "name": {"character varying"},
    "wide": {"character varying"},
    "long": {"character varying", "text"},
    "text": {"text", "character varying"},
}
"""DataNucleus makes integers where Hive's scripts have bigint, and texts of its own lengths."""


def told_by_both(relation: Relation) -> Relation:
    return replace(relation, native_id=None, constraints=())


def told_of_both(scope: Scope) -> Scope:
    return replace(scope, native_id=None)


def test_both_doors_tell_the_same(metastore: Metastore) -> None:
    database = LiveSubject(metastore, Access.POSTGRESQL)
    service = LiveSubject(metastore, Access.THRIFT, database.names)
    with database.fresh() as source:
        source.perform(*seed(database.engine))
        more(source)
        by_service = LiveSource(metastore, source.schemas, Access.THRIFT, source.port, source.cutter)
        one, other = read(database, source), read(service, by_service)
    assert [told_by_both(each) for each in one.relations] == list(other.relations)
    assert [told_of_both(each) for each in one.scopes] == list(other.scopes)
    assert len(one.relations) == 5
    assert one.server_version == "2 (by its tables)"  # nobody has noted it
    assert other.server_version not in {"", "unknown"}
    clicks = next(each for each in one.relations if each.name == "clicks")
    assert [".".join(each.path) for each in clicks.columns] == ["id", "address", "address.city", "day"]
    assert clicks.row_estimate == 12
    assert clicks.extras["bucketed_by"] == ["id"]


def more(source: LiveSource) -> None:
    """What the suite's operations do not make."""
    from metamapper.connectors.conformance.operations import Table

    with client(source.metastore) as hive:
        columns = [ttypes.FieldSchema("id", "bigint", "Its id"), ttypes.FieldSchema("address", "struct<city:string>")]
        made = Change(source, hive).table(
            Table("clicks"), columns, tableType="EXTERNAL_TABLE", partitionKeys=[ttypes.FieldSchema("day", "date")],
            parameters={"EXTERNAL": "TRUE", "numRows": "12", "DO_NOT_UPDATE_STATS": "true", "comment": "Every click"},
        )  # fmt: skip
        made.sd.bucketCols, made.sd.numBuckets, made.sd.sortCols = ["id"], 4, [ttypes.Order("id", 0)]
        hive.create_table(made)


def test_what_is_made_by_hand_is_what_hive_makes(metastore: Metastore) -> None:
    with psycopg.connect(metastore.url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
    real = {(table, column): kind for table, column, kind in rows}
    ours = columns_of(HIVE_2)
    for table, columns in NEEDED.items():
        for column in columns:
            assert real[table, column] in SIMILAR[ours[table][column]], (table, column)
