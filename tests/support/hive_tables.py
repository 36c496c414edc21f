"""A metastore's database made by hand: the tables that a read asks for, as Hive's own scripts make them, and their rows.

After ``hive-schema-2.3.0``, ``-3.1.0`` and ``-4.0.0`` for PostgreSQL, MySQL and SQL Server in Hive's sources; a live test
compares them with what a real metastore makes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from metamapper.connectors.sql.hive_constraints import Rule
from tests.support.hive_model import LAZY, MADE, TEXT_INPUT, TEXT_OUTPUT, Model, ModelRule, ModelTable

HIVE_2, HIVE_3, HIVE_4 = "2.3.0", "3.1.0", "4.0.0"

TABLES: Mapping[str, str] = {
    "VERSION": "VER_ID id, SCHEMA_VERSION name, VERSION_COMMENT name",
    "DBS": "DB_ID id, DESC long, DB_LOCATION_URI long, NAME name, OWNER_NAME name, OWNER_TYPE name",
    "DATABASE_PARAMS": "DB_ID id, PARAM_KEY name, PARAM_VALUE long",
    "TBLS": "TBL_ID id, CREATE_TIME id, DB_ID id, LAST_ACCESS_TIME id, OWNER wide, RETENTION id, SD_ID id, TBL_NAME name,"
    " TBL_TYPE name, VIEW_EXPANDED_TEXT text, VIEW_ORIGINAL_TEXT text",
    "SDS": "SD_ID id, INPUT_FORMAT long, LOCATION long, NUM_BUCKETS id, OUTPUT_FORMAT long, SERDE_ID id, CD_ID id",
    "COLUMNS_V2": "CD_ID id, COMMENT long, COLUMN_NAME wide, TYPE_NAME text, INTEGER_IDX int",
    "PARTITION_KEYS": "TBL_ID id, PKEY_COMMENT long, PKEY_NAME name, PKEY_TYPE wide, INTEGER_IDX id",
    "TABLE_PARAMS": "TBL_ID id, PARAM_KEY name, PARAM_VALUE text",
    "SERDES": "SERDE_ID id, NAME name, SLIB long",
    "SERDE_PARAMS": "SERDE_ID id, PARAM_KEY name, PARAM_VALUE text",
    "BUCKETING_COLS": "SD_ID id, BUCKET_COL_NAME name, INTEGER_IDX id",
    "SORT_COLS": "SD_ID id, COLUMN_NAME wide, ORDER id, INTEGER_IDX id",
    "KEY_CONSTRAINTS": "CHILD_CD_ID id, CHILD_INTEGER_IDX id, CHILD_TBL_ID id, PARENT_CD_ID id, PARENT_INTEGER_IDX id,"
    " PARENT_TBL_ID id, POSITION id, CONSTRAINT_NAME name, CONSTRAINT_TYPE small, UPDATE_RULE small, DELETE_RULE small,"
    " ENABLE_VALIDATE_RELY small",
}
NEW: Mapping[str, Mapping[str, str]] = {
    HIVE_3: {"DBS": "CTLG_NAME name", "KEY_CONSTRAINTS": "DEFAULT_VALUE wide"},
    HIVE_4: {
        "DBS": "CREATE_TIME int, DB_MANAGED_LOCATION_URI long, TYPE name, DATACONNECTOR_NAME name, REMOTE_DBNAME name"
    },
}
_LATIN = " CHARACTER SET latin1 COLLATE latin1_bin"
KINDS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "id": "bigint", "int": "bigint", "small": "smallint", "name": "varchar(256)", "wide": "varchar(767)",
        "long": "varchar(4000)", "text": "text",
    },
    "mysql": {
        "id": "bigint(20)", "int": "int(11)", "small": "smallint(6)", "name": f"varchar(256){_LATIN}",
        "wide": f"varchar(767){_LATIN}", "long": f"varchar(4000){_LATIN}", "text": "mediumtext",
    },
    "duckdb": {
        "id": "bigint", "int": "int", "small": "smallint", "name": "varchar", "wide": "varchar", "long": "varchar",
        "text": "varchar",
    },
}  # fmt: skip
QUOTES = {"postgresql": '"', "mysql": "`", "duckdb": '"'}
KEYS = {"TBLS": "TBL_ID", "DBS": "DB_ID", "SDS": "SD_ID", "SERDES": "SERDE_ID"}
INDEXED = {"COLUMNS_V2": "CD_ID", "TABLE_PARAMS": "TBL_ID", "PARTITION_KEYS": "TBL_ID", "SERDE_PARAMS": "SERDE_ID"}
"""As the primary keys of these tables begin."""

Rows = dict[str, list[dict[str, Any]]]


def columns_of(version: str) -> dict[str, dict[str, str]]:
    """The columns of each table, with their kinds."""
    found = {table: _split(text) for table, text in TABLES.items()}
    for since, more in NEW.items():
        if since <= version:
            for table, text in more.items():
                found[table] |= _split(text)
    return found


def _split(text: str) -> dict[str, str]:
    words = (part.split() for part in text.split(","))
    return {name: kind for name, kind in words}  # noqa: C416 - each is a list of two


def statements(dialect: str, version: str) -> Iterator[str]:
    """What makes the tables."""
    quote, kinds = QUOTES[dialect], KINDS[dialect]
    for table, columns in columns_of(version).items():
        parts = [f"{quote}{name}{quote} {kinds[kind]}" for name, kind in columns.items()]
        if table in KEYS:
            parts.append(f"PRIMARY KEY ({quote}{KEYS[table]}{quote})")
        tail = " ENGINE=InnoDB DEFAULT CHARSET=latin1" if dialect == "mysql" else ""
        yield f"CREATE TABLE {quote}{table}{quote} ({', '.join(parts)}){tail}"
        if table in INDEXED:
            yield f"CREATE INDEX {table.lower()}_by_id ON {quote}{table}{quote} ({quote}{INDEXED[table]}{quote})"


def insertion(dialect: str, table: str, columns: Sequence[str], mark: str) -> str:
    quote = QUOTES[dialect]
    named = ", ".join(f"{quote}{name}{quote}" for name in columns)
    return f"INSERT INTO {quote}{table}{quote} ({named}) VALUES ({', '.join([mark] * len(columns))})"


def rows_of(model: Model, version: str) -> Rows:
    """What the tables hold of a model. Columns that the version does not have are left out."""
    found: Rows = {table: [] for table in TABLES}
    found["VERSION"] = [{"VER_ID": 1, "SCHEMA_VERSION": version, "VERSION_COMMENT": "Hive release version"}]
    for database in model.databases:
        found["DBS"].append(
            {
                "DB_ID": database.id,
                "DESC": database.comment,
                "DB_LOCATION_URI": f"hdfs://lake/{database.name}.db",
                "NAME": database.name,
                "OWNER_NAME": database.owner,
                "CTLG_NAME": database.catalog,
                "DATACONNECTOR_NAME": database.connector,
            }
        )
        found["DATABASE_PARAMS"] += _pairs({"DB_ID": database.id}, database.parameters)
        for table in database.tables:
            _add(found, table)
    known = columns_of(version)
    return {
        table: [{name: value for name, value in row.items() if name in known[table]} for row in rows]
        for table, rows in found.items()
    }


def _add(found: Rows, table: ModelTable) -> None:
    storage = _storage(table)
    found["TBLS"].append(
        {
            "TBL_ID": table.id,
            "CREATE_TIME": MADE,
            "DB_ID": table.database.id,
            "LAST_ACCESS_TIME": 0,
            "OWNER": table.owner,
            "SD_ID": storage if table.has_storage else None,
            "TBL_NAME": table.name,
            "TBL_TYPE": table.type,
            "VIEW_EXPANDED_TEXT": table.view,
            "VIEW_ORIGINAL_TEXT": table.view,
        }
    )
    found["TABLE_PARAMS"] += _pairs({"TBL_ID": table.id}, table.parameters)
    for place, key in enumerate(table.keys):
        row = {"PKEY_COMMENT": key.comment, "PKEY_NAME": key.name, "PKEY_TYPE": key.type, "INTEGER_IDX": place}
        found["PARTITION_KEYS"].append({"TBL_ID": table.id, **row})
    for rule in table.rules:
        found["KEY_CONSTRAINTS"] += _rule(table, rule)
    if table.has_storage:
        _add_storage(found, table, storage)


def _storage(table: ModelTable) -> int:
    """Ids of storage, columns and serde differ from those of tables, as in a real metastore."""
    return 100_000 + 10 * table.id


def _add_storage(found: Rows, table: ModelTable, storage: int) -> None:
    is_view = table.view is not None
    found["SDS"].append(
        {
            "SD_ID": storage,
            "INPUT_FORMAT": TEXT_INPUT,
            "LOCATION": table.location,
            "NUM_BUCKETS": table.buckets,
            "OUTPUT_FORMAT": TEXT_OUTPUT,
            "SERDE_ID": storage + 1,
            "CD_ID": storage + 2,
        }
    )
    found["SERDES"].append({"SERDE_ID": storage + 1, "NAME": None, "SLIB": None if is_view else LAZY})
    found["SERDE_PARAMS"] += _pairs({"SERDE_ID": storage + 1}, table.serde_parameters)
    for place, column in enumerate(table.columns):
        row = {"COMMENT": column.comment, "COLUMN_NAME": column.name, "TYPE_NAME": column.type, "INTEGER_IDX": place}
        found["COLUMNS_V2"].append({"CD_ID": storage + 2, **row})
    for place, name in enumerate(table.bucketed_by):
        found["BUCKETING_COLS"].append({"SD_ID": storage, "BUCKET_COL_NAME": name, "INTEGER_IDX": place})
    for place, (name, order) in enumerate(table.sorted_by):
        found["SORT_COLS"].append({"SD_ID": storage, "COLUMN_NAME": name, "ORDER": order, "INTEGER_IDX": place})


def _rule(table: ModelTable, rule: ModelRule) -> Iterator[dict[str, Any]]:
    """A foreign key belongs to the child; of all others the table is the parent."""
    for place, name in enumerate(rule.columns, start=1):
        own = dict(zip(("TBL_ID", "CD_ID", "INTEGER_IDX"), _place_of(table, name), strict=True))
        row: dict[str, Any] = {
            "POSITION": place,
            "CONSTRAINT_NAME": rule.name,
            "CONSTRAINT_TYPE": int(rule.rule),
            "ENABLE_VALIDATE_RELY": rule.state,
            "DEFAULT_VALUE": rule.text,
        }
        if rule.rule is Rule.FOREIGN_KEY:
            assert rule.target
            parent = _place_of(rule.target, rule.target_columns[place - 1])
            row |= {f"CHILD_{key}": value for key, value in own.items()}
            own = dict(zip(("TBL_ID", "CD_ID", "INTEGER_IDX"), parent, strict=True))
        yield row | {f"PARENT_{key}": value for key, value in own.items()}


def _place_of(table: ModelTable, name: str) -> tuple[int, int | None, int]:
    """A partition key has no descriptor of columns."""
    for place, column in enumerate(table.columns):
        if column.name == name:
            return table.id, _storage(table) + 2, place
    return table.id, None, next(place for place, key in enumerate(table.keys) if key.name == name)


def _pairs(owner: dict[str, Any], values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{**owner, "PARAM_KEY": name, "PARAM_VALUE": value} for name, value in values.items()]
