"""The closed sets of the vocabulary. Values are stored and shown, so they never change their spelling."""

from enum import StrEnum


class AssetKind(StrEnum):
    """What can be found, annotated and followed through time."""

    DATASTORE = "datastore"
    SCHEMA = "schema"
    RELATION = "relation"
    COLUMN = "column"
    INDEX = "index"
    CONSTRAINT = "constraint"


class RelationKind(StrEnum):
    """What a relation is, in the field's words."""

    TABLE = "table"
    PARTITIONED_TABLE = "partitioned table"
    PARTITION = "partition"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    EXTERNAL_TABLE = "external table"


class ConstraintKind(StrEnum):
    PRIMARY_KEY = "primary key"
    UNIQUE = "unique"
    FOREIGN_KEY = "foreign key"
    CHECK = "check"
    EXCLUSION = "exclusion"


class Generated(StrEnum):
    """How a generated column's value is kept."""

    STORED = "stored"
    VIRTUAL = "virtual"


class Identity(StrEnum):
    """Whether an identity column's value can be given by the writer."""

    ALWAYS = "always"
    BY_DEFAULT = "by default"


class TypeFamily(StrEnum):
    """The normalized family of a column's type, the same for every engine."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    INTERVAL = "interval"
    BINARY = "binary"
    JSON = "json"
    ARRAY = "array"
    MAP = "map"
    STRUCT = "struct"
    GEO = "geo"
    UUID = "uuid"
    NETWORK = "network"
    ENUM = "enum"
    OTHER = "other"


class Completeness(StrEnum):
    """How much of a scope a read has seen. Only a complete scope may retire what it no longer lists."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    UNREADABLE = "unreadable"
