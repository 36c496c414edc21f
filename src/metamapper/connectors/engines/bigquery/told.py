"""What the interface tells of datasets and tables, under its own names, cut to what is read.

See https://cloud.google.com/bigquery/docs/reference/rest/v2/tables and the same for datasets.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from metamapper.connectors import errors
from metamapper.connectors.engines.bigquery.types import Field
from metamapper.connectors.wire import HINTS
from metamapper.schema import Extras, RelationKind

_KINDS = {
    "VIEW": RelationKind.VIEW,
    "MATERIALIZED_VIEW": RelationKind.MATERIALIZED_VIEW,
    "EXTERNAL": RelationKind.EXTERNAL_TABLE,
}
WITHOUT_STATISTICS = frozenset({RelationKind.VIEW, RelationKind.EXTERNAL_TABLE})


T = TypeVar("T", bound="Told")


class Told(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of what the interface tells: camel-case names, whole numbers often as text, what we do not know left out."""


class TableName(Told, frozen=True):
    project_id: str = ""
    dataset_id: str = ""
    table_id: str = ""

    def __str__(self) -> str:
        return f"{self.project_id}.{self.dataset_id}.{self.table_id}"


class DatasetName(Told, frozen=True):
    dataset_id: str


class ListedDataset(Told, frozen=True):
    dataset_reference: DatasetName

    @property
    def name(self) -> str:
        return self.dataset_reference.dataset_id


class Access(Told, frozen=True):
    """Who may do what in a dataset: https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#access."""

    role: str = ""
    user_by_email: str = ""
    iam_member: str = ""


class Dataset(Told, frozen=True):
    access: tuple[Access, ...] = ()
    description: str | None = None
    friendly_name: str | None = None
    labels: Mapping[str, str] = {}
    resource_tags: Mapping[str, str] = {}
    location: str | None = None
    type: str = "DEFAULT"
    default_collation: str | None = None

    @property
    def facts(self) -> Extras:
        return kept(
            friendly_name=self.friendly_name,
            labels=dict(self.labels),
            tags=dict(self.resource_tags),
            location=self.location,
            type=self.type if self.type != "DEFAULT" else None,
            default_collation=self.default_collation,
        )


class ListedTable(Told, frozen=True):
    table_reference: TableName

    @property
    def name(self) -> str:
        return self.table_reference.table_id


class TablePage(Told, frozen=True):
    tables: tuple[ListedTable, ...] = ()
    total_items: int | None = None


class Schema(Told, frozen=True):
    fields: tuple[Field, ...] = ()


class ByTime(Told, frozen=True):
    type: str = "DAY"
    field: str = "_PARTITIONTIME"
    expiration_ms: int | None = None
    require_partition_filter: bool = False


class Range(Told, frozen=True):
    start: int | None = None
    end: int | None = None
    interval: int | None = None


class ByRange(Told, frozen=True):
    field: str = ""
    range: Range = Range()


class Clusters(Told, frozen=True):
    fields: tuple[str, ...] = ()


class View(Told, frozen=True):
    query: str = ""
    use_legacy_sql: bool = False


class StoredView(Told, frozen=True):
    query: str = ""
    enable_refresh: bool = True
    refresh_interval_ms: int | None = None
    max_staleness: str | None = None


class HivePartitions(Told, frozen=True):
    fields: tuple[str, ...] = ()


class Elsewhere(Told, frozen=True):
    source_format: str | None = None
    source_uris: tuple[str, ...] = ()
    connection_id: str | None = None
    hive_partitioning_options: HivePartitions = HivePartitions()


class Iceberg(Told, frozen=True):
    storage_uri: str | None = None
    table_format: str | None = None
    file_format: str | None = None
    connection_id: str | None = None


class Snapshot(Told, frozen=True):
    base_table_reference: TableName = TableName()
    snapshot_time: str = ""


class Clone(Told, frozen=True):
    base_table_reference: TableName = TableName()
    clone_time: str = ""


class Pair(Told, frozen=True):
    referencing_column: str
    referenced_column: str


class ForeignKey(Told, frozen=True):
    name: str | None = None
    referenced_table: TableName = TableName()
    column_references: tuple[Pair, ...] = ()


class PrimaryKey(Told, frozen=True):
    columns: tuple[str, ...] = ()


class Constraints(Told, frozen=True):
    primary_key: PrimaryKey | None = None
    foreign_keys: tuple[ForeignKey, ...] = ()


class Encryption(Told, frozen=True):
    kms_key_name: str | None = None


class Table(Told, frozen=True):
    """A table, as far as it is read. The dataset's and table's names are the reader's: they were asked for."""

    dataset: str
    name: str
    type: str = "TABLE"
    schema: Schema = Schema()
    description: str | None = None
    friendly_name: str | None = None
    labels: Mapping[str, str] = {}
    resource_tags: Mapping[str, str] = {}
    time_partitioning: ByTime | None = None
    range_partitioning: ByRange | None = None
    require_partition_filter: bool = False
    clustering: Clusters = Clusters()
    view: View | None = None
    materialized_view: StoredView | None = None
    external_data_configuration: Elsewhere | None = None
    biglake_configuration: Iceberg | None = None
    snapshot_definition: Snapshot | None = None
    clone_definition: Clone | None = None
    table_constraints: Constraints = Constraints()
    encryption_configuration: Encryption = Encryption()
    expiration_time: int | None = None
    default_collation: str | None = None
    default_rounding_mode: str | None = None
    max_staleness: str | None = None
    location: str | None = None
    num_rows: int | None = None
    num_bytes: int | None = None

    @property
    def kind(self) -> RelationKind:
        if self.type in _KINDS:
            return _KINDS[self.type]
        partitioned = self.time_partitioning is not None or self.range_partitioning is not None
        return RelationKind.PARTITIONED_TABLE if partitioned else RelationKind.TABLE


def told(resource: Mapping[str, Any], kind: type[T]) -> T:
    """What the interface told, as far as it is read; raises ``ServerForeign`` where that is nothing of BigQuery's."""
    try:
        return msgspec.convert(resource, kind, strict=False)
    except msgspec.ValidationError as error:
        said = f"The answer is not one of BigQuery's: {error}"
        raise errors.ServerForeign(said, hint=HINTS[errors.ServerForeign]) from None


def kept(**facts: Any) -> dict[str, Any]:
    """The facts that say something."""
    return {name: fact for name, fact in facts.items() if fact not in (None, "", [], {}, False)}
