-- Every statement a run sends to DuckDB. They ask the duckdb_* functions, which tell what the file's own catalog holds;
-- see https://duckdb.org/docs/current/sql/meta/duckdb_table_functions.
-- "schemas" is the list of the oids in scope. Oids are no identities: they are given anew.

-- name: server
SELECT version() AS version, current_database() AS database

-- A schema may lie in another one. The one that is always there, main, counts as internal.
-- name: schemas
SELECT s.oid, s.schema_name, s.parent_schema_oid, s.comment
     , (SELECT count(*) FROM duckdb_tables() t WHERE t.schema_oid = s.oid AND t.database_oid = s.database_oid)
     + (SELECT count(*) FROM duckdb_views() v
         WHERE v.schema_oid = s.oid AND v.database_oid = s.database_oid AND NOT v.internal) AS relations
  FROM duckdb_schemas() s
 WHERE s.database_name = current_database() AND (NOT s.internal OR s.schema_name = 'main')
 ORDER BY s.oid

-- Counts and sums of hashes, so that order does not matter. A column's row says what its table or view is named.
-- name: probe
SELECT 'relation' AS part, count(*) AS n, sum(hash(schema_name, table_name, comment))::VARCHAR AS hashes
  FROM duckdb_tables() WHERE database_name = current_database() AND list_contains($schemas, schema_oid)
UNION ALL
SELECT 'view', count(*), sum(hash(schema_name, view_name, sql, comment))::VARCHAR
  FROM duckdb_views() WHERE database_name = current_database() AND NOT internal AND list_contains($schemas, schema_oid)
UNION ALL
SELECT 'column', count(*), sum(hash(schema_name, table_name, column_index, column_name, data_type, is_nullable
                                  , column_default, is_generated, comment))::VARCHAR
  FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal AND list_contains($schemas, schema_oid)
UNION ALL
SELECT 'constraint', count(*), sum(hash(schema_name, table_name, constraint_index, constraint_text))::VARCHAR
  FROM duckdb_constraints() WHERE database_name = current_database() AND list_contains($schemas, schema_oid)
UNION ALL
SELECT 'index', count(*), sum(hash(schema_name, table_name, index_name, sql, comment))::VARCHAR
  FROM duckdb_indexes() WHERE database_name = current_database() AND list_contains($schemas, schema_oid)
ORDER BY part

-- These four are in the order of oids, so that they can be read side by side.
-- name: relations
SELECT table_oid AS oid, schema_oid, table_name AS name, 'table' AS kind, comment, NULL AS sql, estimated_size
  FROM duckdb_tables() WHERE database_name = current_database() AND list_contains($schemas, schema_oid)
UNION ALL
SELECT view_oid, schema_oid, view_name, 'view', comment, sql, NULL
  FROM duckdb_views() WHERE database_name = current_database() AND NOT internal AND list_contains($schemas, schema_oid)
ORDER BY oid

-- name: columns
SELECT table_oid, column_index, column_name, data_type, is_nullable, column_default, is_generated, comment
  FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal AND list_contains($schemas, schema_oid)
 ORDER BY table_oid, column_index

-- What is NOT NULL is told with the columns.
-- name: constraints
SELECT table_oid, constraint_type, constraint_text, constraint_column_names, referenced_table, referenced_column_names
  FROM duckdb_constraints()
 WHERE database_name = current_database() AND constraint_type <> 'NOT NULL' AND list_contains($schemas, schema_oid)
 ORDER BY table_oid, constraint_index

-- name: indexes
SELECT table_oid, index_name, is_unique, sql, comment
  FROM duckdb_indexes() WHERE database_name = current_database() AND list_contains($schemas, schema_oid)
 ORDER BY table_oid, index_name
