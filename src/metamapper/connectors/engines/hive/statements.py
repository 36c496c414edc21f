"""The statements of one dialect: the read and the probe are made of the parts of a relation."""

from collections.abc import Iterator

from metamapper.connectors.sql.blocks import Blocks, load

PACKAGE = "metamapper.connectors.engines.hive"

PART = "part_"
HIVE_2, HIVE_3, HIVE_4 = 203, 300, 400
"""How ``*.sql`` count metastores."""
BY_ITS_TABLES = {HIVE_2: "2", HIVE_3: "3", HIVE_4: "4"}
"""What a metastore is where nobody has noted its version, as with Spark's own."""

NEEDED = {
    "BUCKETING_COLS": ("SD_ID", "BUCKET_COL_NAME", "INTEGER_IDX"),
    "COLUMNS_V2": ("CD_ID", "COLUMN_NAME", "TYPE_NAME", "COMMENT", "INTEGER_IDX"),
    "DATABASE_PARAMS": ("DB_ID", "PARAM_KEY", "PARAM_VALUE"),
    "DBS": ("DB_ID", "NAME", "DESC", "DB_LOCATION_URI", "OWNER_NAME"),
    "KEY_CONSTRAINTS": (
        *("CHILD_CD_ID", "CHILD_INTEGER_IDX", "CHILD_TBL_ID", "PARENT_CD_ID", "PARENT_INTEGER_IDX", "PARENT_TBL_ID"),
        *("POSITION", "CONSTRAINT_NAME", "CONSTRAINT_TYPE", "ENABLE_VALIDATE_RELY"),
    ),
    "PARTITION_KEYS": ("TBL_ID", "PKEY_NAME", "PKEY_TYPE", "PKEY_COMMENT", "INTEGER_IDX"),
    "SDS": ("SD_ID", "CD_ID", "SERDE_ID", "INPUT_FORMAT", "OUTPUT_FORMAT", "LOCATION", "NUM_BUCKETS"),
    "SERDES": ("SERDE_ID", "SLIB"),
    "SERDE_PARAMS": ("SERDE_ID", "PARAM_KEY", "PARAM_VALUE"),
    "SORT_COLS": ("SD_ID", "COLUMN_NAME", "ORDER", "INTEGER_IDX"),
    "TABLE_PARAMS": ("TBL_ID", "PARAM_KEY", "PARAM_VALUE"),
    "TBLS": (
        *("TBL_ID", "DB_ID", "SD_ID", "CREATE_TIME", "OWNER", "TBL_NAME", "TBL_TYPE"),
        *("VIEW_ORIGINAL_TEXT", "VIEW_EXPANDED_TEXT"),
    ),
    "VERSION": ("VER_ID", "SCHEMA_VERSION"),
}
"""What every metastore from 2.3 on has, and a read asks for. Nothing of it is a row of anybody's table."""


class Statements:
    """``file`` is one of the dialects' in this folder."""

    def __init__(self, file: str) -> None:
        self.blocks: Blocks = load(PACKAGE, file)

    def at(self, name: str, version: int) -> str:
        return self.blocks.at(name, version)

    def parts(self, version: int) -> Iterator[str]:
        return (self.blocks.at(name, version) for name in self.blocks if name.startswith(PART))

    def relations(self, version: int) -> str:
        """Every part of every table, table by table."""
        return "\nUNION ALL\n".join(self.parts(version)) + "\n" + self.blocks["in_order"]

    def probe(self, version: int) -> str:
        """The number and a hash of the rows of each part."""
        counted = self.blocks["count_and_hash"]
        return "\nUNION ALL\n".join(
            counted.replace("part_of_a_relation", f"(\n{sql}\n)") for sql in self.parts(version)
        )
