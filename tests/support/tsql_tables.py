"""The tables of the stand-in for SQL Server, the functions that its statements call, and who may see what."""

COLLATION = "Latin1_General_CI_AS"
ADMINISTRATOR = "sa"

# Texts are "name", numbers "name#", numbers that may be missing "name?". What is not given is null, or 0 for a number.
TABLES = """
schemas: schema_id# name principal_id#
objects: object_id# schema_id# parent_object_id# name type modify_date is_ms_shipped#
tables: object_id# is_external# temporal_type# history_table_id? is_memory_optimized#
external_tables: object_id# location
sql_modules: object_id# definition
columns: object_id# column_id# name user_type_id# max_length# precision# scale# is_nullable# collation_name is_identity# \
is_computed# is_hidden# is_sparse# is_masked# encryption_type? generated_always_type# default_object_id#
types: user_type_id# schema_id# name system_type_id# max_length# is_user_defined# is_assembly_type#
computed_columns: object_id# column_id# definition is_persisted#
default_constraints: object_id# parent_object_id# definition
indexes: object_id# index_id# name type# is_unique# is_primary_key# is_disabled# is_hypothetical# filter_definition data_space_id#
index_columns: object_id# index_id# index_column_id# column_id# key_ordinal# is_descending_key# is_included_column# \
partition_ordinal#
key_constraints: object_id# parent_object_id# name type unique_index_id#
foreign_keys: object_id# schema_id# parent_object_id# name referenced_object_id# update_referential_action# \
delete_referential_action# is_disabled# is_not_trusted#
foreign_key_columns: constraint_object_id# constraint_column_id# parent_object_id# parent_column_id# \
referenced_object_id# referenced_column_id#
check_constraints: object_id# schema_id# parent_object_id# name definition is_disabled# is_not_trusted#
extended_properties: class# major_id# minor_id# name value
partition_schemes: data_space_id# name
partitions: partition_id# object_id# index_id# rows#
allocation_units: container_id# total_pages#
database_permissions: class# state permission_name grantee_principal_id#
system_views: schema_id# name object_id#
"""
_ABSENT = (
    "database_permissions",
    "foreign_keys",
    "foreign_key_columns",
    "check_constraints",
    "computed_columns",
    "extended_properties",
    "partitions",
    "allocation_units",
)
SYNAPSE_TABLES = (
    "\n".join(line for line in TABLES.strip().splitlines() if not line.startswith(_ABSENT))
    + """
pdw_table_distribution_properties: object_id# distribution_policy#
pdw_column_distribution_properties: object_id# column_id# distribution_ordinal#
"""
)
DEDICATED_ONLY = ("indexes", "index_columns", "key_constraints", "default_constraints", "partition_schemes", "pdw_")
SERVERLESS_TABLES = "\n".join(
    line for line in SYNAPSE_TABLES.strip().splitlines() if not line.startswith(DEDICATED_ONLY)
)
SYNAPSE_VIEWS = """
CREATE VIEW sys.database_principals AS
  SELECT DISTINCT grantee AS name, CASE grantee WHEN 'sa' THEN 1 ELSE 9 END AS principal_id FROM main.grants
  UNION ALL SELECT 'public', 0;
CREATE TABLE sys.database_role_members (role_principal_id INT, member_principal_id INT);
CREATE VIEW sys.database_permissions AS
  SELECT CASE WHEN g.target = '' THEN 0 WHEN s.schema_id IS NOT NULL THEN 3 ELSE 1 END AS class
       , coalesce(s.schema_id, o.object_id, v.object_id, 0) AS major_id
       , CASE g.granted WHEN 'DENY' THEN 'SELECT' ELSE g.granted END AS permission_name
       , CASE g.granted WHEN 'DENY' THEN 'D' ELSE 'G' END AS state, p.principal_id AS grantee_principal_id
    FROM main.grants g JOIN sys.database_principals p ON p.name = g.grantee
    LEFT JOIN sys.schemas s ON quotename(s.name) = g.target
    LEFT JOIN (sys.objects o JOIN sys.schemas t ON t.schema_id = o.schema_id)
      ON quotename(t.name) || '.' || quotename(o.name) = g.target
    LEFT JOIN sys.system_views v ON 'sys.' || v.name = g.target
"""
"""Rights are what was granted: the stand-in has no other record of them."""

_KINDS = {"#": "BIGINT DEFAULT 0", "?": "BIGINT"}


def tables(text: str = TABLES) -> dict[str, list[str]]:
    """The columns of each table, as DuckDB makes them."""
    found = {}
    for line in text.strip().splitlines():
        name, _, columns = line.partition(": ")
        found[name] = [
            f'"{column.rstrip("#?")}" {_KINDS.get(column[-1], "TIMESTAMP" if column == "modify_date" else "VARCHAR")}'
            for column in columns.split()
        ]
    return found


SYSTEM_TYPES = {
    34: "image", 35: "text", 36: "uniqueidentifier", 40: "date", 41: "time", 42: "datetime2", 43: "datetimeoffset",
    48: "tinyint", 52: "smallint", 56: "int", 58: "smalldatetime", 59: "real", 60: "money", 61: "datetime", 62: "float",
    98: "sql_variant", 99: "ntext", 104: "bit", 106: "decimal", 108: "numeric", 122: "smallmoney", 127: "bigint",
    128: "hierarchyid", 129: "geometry", 130: "geography", 165: "varbinary", 167: "varchar", 173: "binary", 175: "char",
    189: "timestamp", 231: "nvarchar", 239: "nchar", 241: "xml", 244: "json", 255: "vector", 256: "sysname",
}  # fmt: skip
SYSTEM_TYPE_OF = {256: 231, 128: 240, 129: 240, 130: 240}
"""sys.types.system_type_id, where it is another than user_type_id."""
CLR = 240
IDS = {name: number for number, name in SYSTEM_TYPES.items()}
TEXTS = {"nvarchar", "varchar", "char", "nchar", "text", "ntext", "sysname"}

MACROS = """
CREATE TABLE main.grants (grantee VARCHAR, granted VARCHAR, target VARCHAR);
CREATE MACRO quotename(n) AS '[' || replace(n, ']', ']]') || ']';
CREATE MACRO tsql_hash(x) AS (hash(x) % 1000000007)::BIGINT;
CREATE MACRO object_name(i) AS (SELECT name FROM sys.objects WHERE object_id = i);
CREATE MACRO object_schema_name(i) AS
  (SELECT s.name FROM sys.objects o JOIN sys.schemas s USING (schema_id) WHERE o.object_id = i);
CREATE MACRO databasepropertyex(d, p) AS 'Latin1_General_CI_AS';
CREATE MACRO has(who, permission, securable) AS
  (SELECT count(*) FROM main.grants WHERE grantee = who AND granted IN (permission, 'CONTROL')
      AND target IN (securable, '')) > 0;
CREATE MACRO schema_of(securable) AS regexp_extract(securable, '^(\\[(?:[^]]|\\]\\])*\\])\\.', 1);
CREATE MACRO has_perms(who, securable, kind, permission) AS CASE
  WHEN kind = 'DATABASE' THEN has(who, permission, '')
  WHEN securable LIKE 'sys.%' THEN
    (SELECT count(*) FROM main.grants WHERE grantee = who AND granted = 'DENY' AND target = securable) = 0
  ELSE has(who, permission, securable) OR has(who, permission, schema_of(securable)) END::INT
"""

OWNERS = {
    "extended_properties": "major_id",
    "key_constraints": "parent_object_id",
    "foreign_keys": "parent_object_id",
    "foreign_key_columns": "parent_object_id",
    "check_constraints": "parent_object_id",
    "default_constraints": "parent_object_id",
}
"""The column that tells whose a row is, where it is not object_id."""

OF_NOBODY = {
    "schemas",
    "types",
    "partition_schemes",
    "allocation_units",
    "system_views",
    "database_permissions",
    "database_principals",
    "database_role_members",
}
"""Tables whose rows belong to no table or view."""
