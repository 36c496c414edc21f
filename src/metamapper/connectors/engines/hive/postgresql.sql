-- Every statement that a run sends to a metastore's database on PostgreSQL, where its names are in quoted capitals. A line
-- that ends in "since N" or "before N" is sent only to such metastores: 203 is one of Hive 2, 300 of Hive 3, 400 of Hive 4,
-- told by the columns that are there. The first two blocks count servers instead, 15 for PostgreSQL 15.

-- name: begin
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: prepare
SELECT set_config('search_path', quote_ident(%(schema)s), true)
     , set_config('TimeZone', 'UTC', true)
     , set_config('statement_timeout', %(statement_timeout)s, true)
     , set_config('lock_timeout', %(lock_timeout)s, true)
     , set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, true)
     , set_config('max_parallel_workers_per_gather', '0', true)
     , set_config('jit', 'off', true)                                                       -- since 11
     , current_setting('server_version') AS version
     , current_user::text AS account

-- The tables and columns of the metastore that there are, and whether they may be read.
-- name: shape
SELECT c.relname::text AS table_name
     , a.attname::text AS column_name
     , has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') AS readable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY(%(tables)s)

-- name: metastore
SELECT CAST(v."SCHEMA_VERSION" AS text) AS version
  FROM "VERSION" v
 ORDER BY v."VER_ID"

-- name: databases
SELECT d."DB_ID" AS id
     , CAST(d."NAME" AS text) AS name
     , CAST(d."CTLG_NAME" AS text) AS catalog                                              -- since 300
     , NULL AS catalog                                                                     -- before 300
     , CAST(d."DESC" AS text) AS comment
     , CAST(d."DB_LOCATION_URI" AS text) AS location
     , CAST(d."OWNER_NAME" AS text) AS owner
     , CAST(d."DATACONNECTOR_NAME" AS text) AS connector                                   -- since 400
     , NULL AS connector                                                                   -- before 400
     , COALESCE(n.relations, 0) AS relations
  FROM "DBS" d
  LEFT JOIN (SELECT t."DB_ID" AS id, COUNT(*) AS relations FROM "TBLS" t GROUP BY t."DB_ID") n ON n.id = d."DB_ID"
 ORDER BY d."DB_ID"

-- name: database_parameters
SELECT p."DB_ID" AS id
     , CAST(p."PARAM_KEY" AS text) AS name
     , CAST(p."PARAM_VALUE" AS text) AS value
  FROM "DATABASE_PARAMS" p
 ORDER BY p."DB_ID"

-- A read is the union of the parts below, in this order.
-- name: in_order
ORDER BY table_id

-- A probe is this for each of the parts below. A sum does not mind the order. What statistics and times of change write into
-- the parameters moves without anybody changing a table.
-- name: count_and_hash
SELECT MAX(facts.part) AS part
     , COUNT(*) AS n
     , SUM(CAST(('x' || LEFT(md5(CAST(ROW(facts.table_id, facts.place, facts.number, facts.state, facts.other
         , facts.a, facts.b, facts.c, facts.d, facts.e) AS text)), 16))::bit(64) AS bigint))::text AS hash
  FROM part_of_a_relation AS facts
 WHERE facts.part <> 5 OR facts.a NOT IN (
       'transient_lastDdlTime', 'last_modified_by', 'last_modified_time', 'COLUMN_STATS_ACCURATE'
     , 'STATS_GENERATED', 'STATS_GENERATED_VIA_STATS_TASK', 'numRows', 'numFiles', 'numPartitions'
     , 'numFilesErasureCoded', 'totalSize', 'rawDataSize', 'spark.sql.statistics.numRows'
     , 'spark.sql.statistics.totalSize')

-- The parts of a relation. Each row has the id of its table, the number of its part, its place within, and what it says.
-- name: part_table
SELECT t."TBL_ID" AS table_id
     , 0 AS part
     , CAST(t."DB_ID" AS bigint) AS place
     , CAST(t."CREATE_TIME" AS bigint) AS number
     , CAST(0 AS bigint) AS state
     , CAST(0 AS bigint) AS other
     , CAST(t."TBL_NAME" AS text) AS a
     , CAST(t."TBL_TYPE" AS text) AS b
     , CAST(t."OWNER" AS text) AS c
     , CAST(NULL AS text) AS d
     , CAST(NULL AS text) AS e
  FROM "TBLS" t
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_storage
SELECT t."TBL_ID" AS table_id
     , 1 AS part
     , 0 AS place
     , CAST(s."NUM_BUCKETS" AS bigint) AS number
     , 0 AS state
     , 0 AS other
     , CAST(s."INPUT_FORMAT" AS text) AS a
     , CAST(s."OUTPUT_FORMAT" AS text) AS b
     , CAST(s."LOCATION" AS text) AS c
     , CAST(r."SLIB" AS text) AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "SDS" s
    ON s."SD_ID" = t."SD_ID"
  LEFT JOIN "SERDES" r
    ON r."SERDE_ID" = s."SERDE_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_view
SELECT t."TBL_ID" AS table_id
     , 2 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(t."VIEW_ORIGINAL_TEXT" AS text) AS a
     , CAST(t."VIEW_EXPANDED_TEXT" AS text) AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
 WHERE t."DB_ID" = ANY(%(databases)s) AND t."VIEW_ORIGINAL_TEXT" IS NOT NULL

-- name: part_column
SELECT t."TBL_ID" AS table_id
     , 3 AS part
     , CAST(c."INTEGER_IDX" AS bigint) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(c."COLUMN_NAME" AS text) AS a
     , CAST(c."TYPE_NAME" AS text) AS b
     , CAST(c."COMMENT" AS text) AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "SDS" s
    ON s."SD_ID" = t."SD_ID"
  JOIN "COLUMNS_V2" c
    ON c."CD_ID" = s."CD_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_partition_key
SELECT t."TBL_ID" AS table_id
     , 4 AS part
     , CAST(p."INTEGER_IDX" AS bigint) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(p."PKEY_NAME" AS text) AS a
     , CAST(p."PKEY_TYPE" AS text) AS b
     , CAST(p."PKEY_COMMENT" AS text) AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "PARTITION_KEYS" p
    ON p."TBL_ID" = t."TBL_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_parameter
SELECT t."TBL_ID" AS table_id
     , 5 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(p."PARAM_KEY" AS text) AS a
     , CAST(p."PARAM_VALUE" AS text) AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "TABLE_PARAMS" p
    ON p."TBL_ID" = t."TBL_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_serde_parameter
SELECT t."TBL_ID" AS table_id
     , 6 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(p."PARAM_KEY" AS text) AS a
     , CAST(p."PARAM_VALUE" AS text) AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "SDS" s
    ON s."SD_ID" = t."SD_ID"
  JOIN "SERDE_PARAMS" p
    ON p."SERDE_ID" = s."SERDE_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_bucket
SELECT t."TBL_ID" AS table_id
     , 7 AS part
     , CAST(b."INTEGER_IDX" AS bigint) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(b."BUCKET_COL_NAME" AS text) AS a
     , NULL AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "BUCKETING_COLS" b
    ON b."SD_ID" = t."SD_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_sort
SELECT t."TBL_ID" AS table_id
     , 8 AS part
     , CAST(b."INTEGER_IDX" AS bigint) AS place
     , CAST(b."ORDER" AS bigint) AS number
     , 0 AS state
     , 0 AS other
     , CAST(b."COLUMN_NAME" AS text) AS a
     , NULL AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "SORT_COLS" b
    ON b."SD_ID" = t."SD_ID"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_constraint
SELECT t."TBL_ID" AS table_id
     , 9 AS part
     , CAST(k."POSITION" AS bigint) AS place
     , CAST(k."CONSTRAINT_TYPE" AS bigint) AS number
     , CAST(k."ENABLE_VALIDATE_RELY" AS bigint) AS state
     , 0 AS other
     , CAST(k."CONSTRAINT_NAME" AS text) AS a
     , COALESCE(CAST(c."COLUMN_NAME" AS text)
         , CAST(p."PKEY_NAME" AS text)) AS b
     , NULL AS c
     , NULL AS d
     , CAST(k."DEFAULT_VALUE" AS text) AS e                                                -- since 300
     , NULL AS e                                                                           -- before 300
  FROM "TBLS" t
  JOIN "KEY_CONSTRAINTS" k
    ON k."PARENT_TBL_ID" = t."TBL_ID" AND k."CONSTRAINT_TYPE" <> 1
  LEFT JOIN "COLUMNS_V2" c
    ON c."CD_ID" = k."PARENT_CD_ID" AND c."INTEGER_IDX" = k."PARENT_INTEGER_IDX"
  LEFT JOIN "PARTITION_KEYS" p
    ON k."PARENT_CD_ID" IS NULL AND p."TBL_ID" = t."TBL_ID" AND p."INTEGER_IDX" = k."PARENT_INTEGER_IDX"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- name: part_foreign_key
SELECT t."TBL_ID" AS table_id
     , 9 AS part
     , CAST(k."POSITION" AS bigint) AS place
     , CAST(k."CONSTRAINT_TYPE" AS bigint) AS number
     , CAST(k."ENABLE_VALIDATE_RELY" AS bigint) AS state
     , CAST(u."DB_ID" AS bigint) AS other
     , CAST(k."CONSTRAINT_NAME" AS text) AS a
     , COALESCE(CAST(c."COLUMN_NAME" AS text)
         , CAST(p."PKEY_NAME" AS text)) AS b
     , CAST(u."TBL_NAME" AS text) AS c
     , COALESCE(CAST(v."COLUMN_NAME" AS text)
         , CAST(w."PKEY_NAME" AS text)) AS d
     , NULL AS e
  FROM "TBLS" t
  JOIN "KEY_CONSTRAINTS" k
    ON k."CHILD_TBL_ID" = t."TBL_ID" AND k."CONSTRAINT_TYPE" = 1
  JOIN "TBLS" u
    ON u."TBL_ID" = k."PARENT_TBL_ID"
  LEFT JOIN "COLUMNS_V2" c
    ON c."CD_ID" = k."CHILD_CD_ID" AND c."INTEGER_IDX" = k."CHILD_INTEGER_IDX"
  LEFT JOIN "PARTITION_KEYS" p
    ON k."CHILD_CD_ID" IS NULL AND p."TBL_ID" = t."TBL_ID" AND p."INTEGER_IDX" = k."CHILD_INTEGER_IDX"
  LEFT JOIN "COLUMNS_V2" v
    ON v."CD_ID" = k."PARENT_CD_ID" AND v."INTEGER_IDX" = k."PARENT_INTEGER_IDX"
  LEFT JOIN "PARTITION_KEYS" w
    ON k."PARENT_CD_ID" IS NULL AND w."TBL_ID" = u."TBL_ID" AND w."INTEGER_IDX" = k."PARENT_INTEGER_IDX"
 WHERE t."DB_ID" = ANY(%(databases)s)

-- The connection test only.
-- name: write_rights
SELECT c.relname::text AS table_name
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(tables)s)
   AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
