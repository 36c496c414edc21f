-- The catalog statements. Each is about the current database, chosen by "use": names are bound, never formatted in.
-- Sources: https://docs.snowflake.com/en/sql-reference/info-schema and .../account-usage.
-- Lines marked "since 1" are for roles that may read SNOWFLAKE.ACCOUNT_USAGE.

-- name: session
SELECT CURRENT_VERSION(), CURRENT_ACCOUNT(), CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()

-- name: databases
SHOW DATABASES

-- name: use
USE DATABASE IDENTIFIER(?)

-- name: use_schema
USE SCHEMA IDENTIFIER(?)

-- The schemas that the role can see, and a hash over what would be different if anything in them was: last_ddl moves with
-- every change of a table's or view's definition, comments and keys included, and not with changes of rows.
-- name: schemas
SELECT s.schema_name
     , s.comment
     , s.is_transient
     , s.is_managed_access
     , COUNT(t.table_name) AS relations
     , HASH_AGG(t.table_name, t.table_type, t.created, t.last_ddl, t.comment) AS state
  FROM information_schema.schemata s
  LEFT JOIN information_schema.tables t
    ON t.table_schema = s.schema_name AND t.table_type <> 'TEMPORARY TABLE'
 WHERE s.schema_name <> 'INFORMATION_SCHEMA'
 GROUP BY s.schema_name, s.comment, s.is_transient, s.is_managed_access
 ORDER BY s.schema_name

-- ACCOUNT_USAGE shows what the role has no rights on, too, an hour or two late: what is there and not among the schemas is
-- out of sight.
-- name: all_schemas
SELECT schema_name
  FROM snowflake.account_usage.schemata
 WHERE catalog_name = CURRENT_DATABASE() AND deleted IS NULL AND schema_name <> 'INFORMATION_SCHEMA'
 ORDER BY schema_name

-- Tables that are there and out of sight, by schema. One that was dropped a moment ago looks the same until ACCOUNT_USAGE
-- knows; those that live for hours only (a loader's temporary ones) are left out, else busy schemas would never be whole.
-- name: unseen_tables
SELECT u.table_schema, COUNT(*) AS relations
  FROM snowflake.account_usage.tables u
  LEFT JOIN information_schema.tables t
    ON t.table_schema = u.table_schema AND t.table_name = u.table_name
 WHERE u.table_catalog = CURRENT_DATABASE() AND u.deleted IS NULL AND t.table_name IS NULL
   AND u.table_type <> 'TEMPORARY TABLE' AND u.created < DATEADD(HOUR, -3, CURRENT_TIMESTAMP())
 GROUP BY u.table_schema

-- An id of ACCOUNT_USAGE, which lags, is believed where the moment of creation agrees: that moves with a table when it is
-- renamed or swapped.
-- name: relations
SELECT t.table_schema
     , t.table_name
     , t.table_type
     , t.comment
     , t.row_count
     , t.bytes
     , t.clustering_key
     , t.is_transient
     , t.is_dynamic
     , t.is_iceberg
     , t.is_hybrid
     , t.retention_time
     , v.view_definition
     , v.is_secure
     , u.table_id                                                                           -- since 1
     , NULL AS table_id                                                                     -- before 1
  FROM information_schema.tables t
  LEFT JOIN information_schema.views v
    ON v.table_schema = t.table_schema AND v.table_name = t.table_name
  LEFT JOIN snowflake.account_usage.tables u                                                -- since 1
    ON u.table_catalog = t.table_catalog AND u.table_schema = t.table_schema                -- since 1
   AND u.table_name = t.table_name AND u.created = t.created AND u.deleted IS NULL          -- since 1
 WHERE t.table_schema <> 'INFORMATION_SCHEMA' AND t.table_type <> 'TEMPORARY TABLE'
 ORDER BY t.table_schema, t.table_name

-- A column keeps its place when it is renamed, so an id is believed where both agree.
-- name: columns
SELECT c.table_schema
     , c.table_name
     , c.column_name
     , c.ordinal_position
     , c.data_type
     , c.is_nullable
     , c.column_default
     , c.comment
     , c.character_maximum_length
     , c.numeric_precision
     , c.numeric_scale
     , c.datetime_precision
     , c.collation_name
     , c.is_identity
     , c.identity_start
     , c.identity_increment
     , c.dtd_identifier
     , u.column_id                                                                          -- since 1
     , NULL AS column_id                                                                    -- before 1
  FROM information_schema.columns c
  LEFT JOIN snowflake.account_usage.columns u                                               -- since 1
    ON u.table_catalog = c.table_catalog AND u.table_schema = c.table_schema                -- since 1
   AND u.table_name = c.table_name AND u.column_name = c.column_name                        -- since 1
   AND u.ordinal_position = c.ordinal_position AND u.deleted IS NULL                        -- since 1
 WHERE c.table_schema <> 'INFORMATION_SCHEMA'
 ORDER BY c.table_schema, c.table_name, c.ordinal_position

-- What is within structured types: fields of objects, keys and values of maps.
-- name: fields
SELECT f.object_schema
     , f.object_name
     , f.row_identifier
     , f.field_name
     , f.ordinal_position
     , f.data_type
     , f.character_maximum_length
     , f.numeric_precision
     , f.numeric_scale
     , f.dtd_identifier
  FROM information_schema.fields f
 WHERE f.object_schema <> 'INFORMATION_SCHEMA'
 ORDER BY f.object_schema, f.object_name, f.row_identifier, f.ordinal_position

-- name: elements
SELECT e.object_schema
     , e.object_name
     , e.collection_type_identifier
     , e.data_type
     , e.character_maximum_length
     , e.numeric_precision
     , e.numeric_scale
     , e.dtd_identifier
  FROM information_schema.element_types e
 WHERE e.object_schema <> 'INFORMATION_SCHEMA'
 ORDER BY e.object_schema, e.object_name, e.collection_type_identifier

-- INFORMATION_SCHEMA does not tell the columns of keys.
-- name: primary_keys
SHOW PRIMARY KEYS IN DATABASE

-- name: unique_keys
SHOW UNIQUE KEYS IN DATABASE

-- name: imported_keys
SHOW IMPORTED KEYS IN DATABASE

-- SHOW tells 10,000 rows at most: where a database has more, each schema is asked for.
-- name: primary_keys_of_schema
SHOW PRIMARY KEYS IN SCHEMA

-- name: unique_keys_of_schema
SHOW UNIQUE KEYS IN SCHEMA

-- name: imported_keys_of_schema
SHOW IMPORTED KEYS IN SCHEMA

-- The connection test only. Rights that the role inherits are its own, too.
-- https://docs.snowflake.com/en/sql-reference/functions/is_role_in_session
-- name: write_rights
SELECT (SELECT COUNT(*)
          FROM information_schema.table_privileges
         WHERE IS_ROLE_IN_SESSION(grantee)
           AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'OWNERSHIP'))
     + (SELECT COUNT(*)
          FROM information_schema.object_privileges
         WHERE IS_ROLE_IN_SESSION(grantee) AND privilege_type LIKE 'CREATE %'
           AND CURRENT_DATABASE() IN (object_catalog, object_name)) AS rights
