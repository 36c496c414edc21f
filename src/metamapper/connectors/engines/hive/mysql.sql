-- Every statement that a run sends to a metastore's database on MySQL or MariaDB. A line that ends in "since N" or "before N"
-- is sent only to such metastores: 203 is one of Hive 2, 300 of Hive 3, 400 of Hive 4, told by the columns that are there.
-- The first two blocks count servers instead: MySQL from 50000 on, MariaDB below.
-- Texts are given one collation: the metastore's columns differ in theirs, and UNION mixes none that differ.

-- name: version
SELECT VERSION() AS version

-- Rows are read slowly where the worker stores what it read before: the server waits for that as long as for a statement.
-- name: prepare
SET SESSION sql_mode = ''
  , SESSION max_execution_time = %(milliseconds)s                                           -- since 50000
  , SESSION max_statement_time = %(seconds)s                                                -- before 50000
  , SESSION lock_wait_timeout = %(lock_seconds)s
  , SESSION innodb_lock_wait_timeout = %(lock_seconds)s
  , SESSION net_write_timeout = %(seconds)s
  , SESSION wait_timeout = %(idle_seconds)s
  , SESSION sort_buffer_size = %(sort_bytes)s                                               -- since 80000

-- name: read_only
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: begin
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY

-- name: facts
SELECT CURRENT_USER() AS account, CONNECTION_ID() AS number

-- The tables and columns of the metastore that there are, and whether they may be read.
-- name: shape
SELECT CAST(table_name AS CHAR) AS table_name
     , CAST(column_name AS CHAR) AS column_name
     , FIND_IN_SET('select', privileges) > 0 AS readable
  FROM information_schema.columns
 WHERE table_schema = DATABASE() AND table_name IN %(tables)s

-- name: metastore
SELECT CONVERT(v.`SCHEMA_VERSION` USING utf8mb4) COLLATE utf8mb4_bin AS version
  FROM `VERSION` v
 ORDER BY v.`VER_ID`

-- name: databases
SELECT d.`DB_ID` AS id
     , CONVERT(d.`NAME` USING utf8mb4) COLLATE utf8mb4_bin AS name
     , CONVERT(d.`CTLG_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS catalog                 -- since 300
     , NULL AS catalog                                                                     -- before 300
     , CONVERT(d.`DESC` USING utf8mb4) COLLATE utf8mb4_bin AS comment
     , CONVERT(d.`DB_LOCATION_URI` USING utf8mb4) COLLATE utf8mb4_bin AS location
     , CONVERT(d.`OWNER_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS owner
     , CONVERT(d.`DATACONNECTOR_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS connector      -- since 400
     , NULL AS connector                                                                   -- before 400
     , COALESCE(n.relations, 0) AS relations
  FROM `DBS` d
  LEFT JOIN (SELECT t.`DB_ID` AS id, COUNT(*) AS relations FROM `TBLS` t GROUP BY t.`DB_ID`) n ON n.id = d.`DB_ID`
 ORDER BY d.`DB_ID`

-- name: database_parameters
SELECT p.`DB_ID` AS id
     , CONVERT(p.`PARAM_KEY` USING utf8mb4) COLLATE utf8mb4_bin AS name
     , CONVERT(p.`PARAM_VALUE` USING utf8mb4) COLLATE utf8mb4_bin AS value
  FROM `DATABASE_PARAMS` p
 ORDER BY p.`DB_ID`

-- A read is the union of the parts below, in this order.
-- name: in_order
ORDER BY table_id

-- A probe is this for each of the parts below. A sum does not mind the order. What statistics and times of change write into
-- the parameters moves without anybody changing a table.
-- name: count_and_hash
SELECT MAX(facts.part) AS part
     , COUNT(*) AS n
     , SUM(CAST(CONV(LEFT(SHA2(JSON_ARRAY(facts.table_id, facts.place, facts.number, facts.state, facts.other
         , facts.a, facts.b, facts.c, facts.d, facts.e), 256), 16), 16, 10) AS UNSIGNED)) AS hash
  FROM part_of_a_relation AS facts
 WHERE facts.part <> 5 OR facts.a NOT IN (
       'transient_lastDdlTime', 'last_modified_by', 'last_modified_time', 'COLUMN_STATS_ACCURATE'
     , 'STATS_GENERATED', 'STATS_GENERATED_VIA_STATS_TASK', 'numRows', 'numFiles', 'numPartitions'
     , 'numFilesErasureCoded', 'totalSize', 'rawDataSize', 'spark.sql.statistics.numRows'
     , 'spark.sql.statistics.totalSize')

-- The parts of a relation. Each row has the id of its table, the number of its part, its place within, and what it says.
-- name: part_table
SELECT t.`TBL_ID` AS table_id
     , 0 AS part
     , CAST(t.`DB_ID` AS SIGNED) AS place
     , CAST(t.`CREATE_TIME` AS SIGNED) AS number
     , CAST(0 AS SIGNED) AS state
     , CAST(0 AS SIGNED) AS other
     , CONVERT(t.`TBL_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(t.`TBL_TYPE` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , CONVERT(t.`OWNER` USING utf8mb4) COLLATE utf8mb4_bin AS c
     , CONVERT(NULL USING utf8mb4) COLLATE utf8mb4_bin AS d
     , CONVERT(NULL USING utf8mb4) COLLATE utf8mb4_bin AS e
  FROM `TBLS` t
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_storage
SELECT t.`TBL_ID` AS table_id
     , 1 AS part
     , 0 AS place
     , CAST(s.`NUM_BUCKETS` AS SIGNED) AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(s.`INPUT_FORMAT` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(s.`OUTPUT_FORMAT` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , CONVERT(s.`LOCATION` USING utf8mb4) COLLATE utf8mb4_bin AS c
     , CONVERT(r.`SLIB` USING utf8mb4) COLLATE utf8mb4_bin AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `SDS` s
    ON s.`SD_ID` = t.`SD_ID`
  LEFT JOIN `SERDES` r
    ON r.`SERDE_ID` = s.`SERDE_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_view
SELECT t.`TBL_ID` AS table_id
     , 2 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(t.`VIEW_ORIGINAL_TEXT` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(t.`VIEW_EXPANDED_TEXT` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
 WHERE t.`DB_ID` IN %(databases)s AND t.`VIEW_ORIGINAL_TEXT` IS NOT NULL

-- name: part_column
SELECT t.`TBL_ID` AS table_id
     , 3 AS part
     , CAST(c.`INTEGER_IDX` AS SIGNED) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(c.`COLUMN_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(c.`TYPE_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , CONVERT(c.`COMMENT` USING utf8mb4) COLLATE utf8mb4_bin AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `SDS` s
    ON s.`SD_ID` = t.`SD_ID`
  JOIN `COLUMNS_V2` c
    ON c.`CD_ID` = s.`CD_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_partition_key
SELECT t.`TBL_ID` AS table_id
     , 4 AS part
     , CAST(p.`INTEGER_IDX` AS SIGNED) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(p.`PKEY_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(p.`PKEY_TYPE` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , CONVERT(p.`PKEY_COMMENT` USING utf8mb4) COLLATE utf8mb4_bin AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `PARTITION_KEYS` p
    ON p.`TBL_ID` = t.`TBL_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_parameter
SELECT t.`TBL_ID` AS table_id
     , 5 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(p.`PARAM_KEY` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(p.`PARAM_VALUE` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `TABLE_PARAMS` p
    ON p.`TBL_ID` = t.`TBL_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_serde_parameter
SELECT t.`TBL_ID` AS table_id
     , 6 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(p.`PARAM_KEY` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , CONVERT(p.`PARAM_VALUE` USING utf8mb4) COLLATE utf8mb4_bin AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `SDS` s
    ON s.`SD_ID` = t.`SD_ID`
  JOIN `SERDE_PARAMS` p
    ON p.`SERDE_ID` = s.`SERDE_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_bucket
SELECT t.`TBL_ID` AS table_id
     , 7 AS part
     , CAST(b.`INTEGER_IDX` AS SIGNED) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(b.`BUCKET_COL_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , NULL AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `BUCKETING_COLS` b
    ON b.`SD_ID` = t.`SD_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_sort
SELECT t.`TBL_ID` AS table_id
     , 8 AS part
     , CAST(b.`INTEGER_IDX` AS SIGNED) AS place
     , CAST(b.`ORDER` AS SIGNED) AS number
     , 0 AS state
     , 0 AS other
     , CONVERT(b.`COLUMN_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , NULL AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `SORT_COLS` b
    ON b.`SD_ID` = t.`SD_ID`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_constraint
SELECT t.`TBL_ID` AS table_id
     , 9 AS part
     , CAST(k.`POSITION` AS SIGNED) AS place
     , CAST(k.`CONSTRAINT_TYPE` AS SIGNED) AS number
     , CAST(k.`ENABLE_VALIDATE_RELY` AS SIGNED) AS state
     , 0 AS other
     , CONVERT(k.`CONSTRAINT_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , COALESCE(CONVERT(c.`COLUMN_NAME` USING utf8mb4) COLLATE utf8mb4_bin
         , CONVERT(p.`PKEY_NAME` USING utf8mb4) COLLATE utf8mb4_bin) AS b
     , NULL AS c
     , NULL AS d
     , CONVERT(k.`DEFAULT_VALUE` USING utf8mb4) COLLATE utf8mb4_bin AS e                   -- since 300
     , NULL AS e                                                                           -- before 300
  FROM `TBLS` t
  JOIN `KEY_CONSTRAINTS` k
    ON k.`PARENT_TBL_ID` = t.`TBL_ID` AND k.`CONSTRAINT_TYPE` <> 1
  LEFT JOIN `COLUMNS_V2` c
    ON c.`CD_ID` = k.`PARENT_CD_ID` AND c.`INTEGER_IDX` = k.`PARENT_INTEGER_IDX`
  LEFT JOIN `PARTITION_KEYS` p
    ON k.`PARENT_CD_ID` IS NULL AND p.`TBL_ID` = t.`TBL_ID` AND p.`INTEGER_IDX` = k.`PARENT_INTEGER_IDX`
 WHERE t.`DB_ID` IN %(databases)s

-- name: part_foreign_key
SELECT t.`TBL_ID` AS table_id
     , 9 AS part
     , CAST(k.`POSITION` AS SIGNED) AS place
     , CAST(k.`CONSTRAINT_TYPE` AS SIGNED) AS number
     , CAST(k.`ENABLE_VALIDATE_RELY` AS SIGNED) AS state
     , CAST(u.`DB_ID` AS SIGNED) AS other
     , CONVERT(k.`CONSTRAINT_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS a
     , COALESCE(CONVERT(c.`COLUMN_NAME` USING utf8mb4) COLLATE utf8mb4_bin
         , CONVERT(p.`PKEY_NAME` USING utf8mb4) COLLATE utf8mb4_bin) AS b
     , CONVERT(u.`TBL_NAME` USING utf8mb4) COLLATE utf8mb4_bin AS c
     , COALESCE(CONVERT(v.`COLUMN_NAME` USING utf8mb4) COLLATE utf8mb4_bin
         , CONVERT(w.`PKEY_NAME` USING utf8mb4) COLLATE utf8mb4_bin) AS d
     , NULL AS e
  FROM `TBLS` t
  JOIN `KEY_CONSTRAINTS` k
    ON k.`CHILD_TBL_ID` = t.`TBL_ID` AND k.`CONSTRAINT_TYPE` = 1
  JOIN `TBLS` u
    ON u.`TBL_ID` = k.`PARENT_TBL_ID`
  LEFT JOIN `COLUMNS_V2` c
    ON c.`CD_ID` = k.`CHILD_CD_ID` AND c.`INTEGER_IDX` = k.`CHILD_INTEGER_IDX`
  LEFT JOIN `PARTITION_KEYS` p
    ON k.`CHILD_CD_ID` IS NULL AND p.`TBL_ID` = t.`TBL_ID` AND p.`INTEGER_IDX` = k.`CHILD_INTEGER_IDX`
  LEFT JOIN `COLUMNS_V2` v
    ON v.`CD_ID` = k.`PARENT_CD_ID` AND v.`INTEGER_IDX` = k.`PARENT_INTEGER_IDX`
  LEFT JOIN `PARTITION_KEYS` w
    ON k.`PARENT_CD_ID` IS NULL AND w.`TBL_ID` = u.`TBL_ID` AND w.`INTEGER_IDX` = k.`PARENT_INTEGER_IDX`
 WHERE t.`DB_ID` IN %(databases)s

-- The connection test only.
-- name: write_rights
SELECT CAST(table_name AS CHAR) AS table_name
  FROM information_schema.columns
 WHERE table_schema = DATABASE() AND table_name IN %(tables)s
   AND (FIND_IN_SET('insert', privileges) > 0 OR FIND_IN_SET('update', privileges) > 0)
 UNION
SELECT CAST(t.table_name AS CHAR)
  FROM information_schema.tables t
 WHERE t.table_schema = DATABASE() AND t.table_name IN %(tables)s
   AND EXISTS (
       SELECT 1
         FROM (SELECT grantee, table_schema AS place, table_name AS name, privilege_type FROM information_schema.table_privileges
               UNION ALL
               SELECT grantee, table_schema, NULL, privilege_type FROM information_schema.schema_privileges
               UNION ALL
               SELECT grantee, NULL, NULL, privilege_type FROM information_schema.user_privileges) p
        WHERE p.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER')
          AND p.grantee = CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER())
                                 - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1),
                                 '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
          AND (p.place IS NULL OR t.table_schema LIKE p.place)
          AND (p.name IS NULL OR p.name = t.table_name))
