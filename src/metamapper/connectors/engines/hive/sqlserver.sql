-- Every statement that a run sends to a metastore's database on SQL Server. A line that ends in "since N" or "before N" is
-- sent only to such metastores: 203 is one of Hive 2, 300 of Hive 3, 400 of Hive 4, told by the columns that are there.
-- Texts are given the database's collation: the metastore's columns differ in theirs, and UNION mixes none that differ.
-- @databases is a list of ids, ",1,5,".

-- name: prepare
SET DEADLOCK_PRIORITY LOW;
SET LOCK_TIMEOUT 15000

-- name: facts
SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version, USER_NAME() AS account

-- The tables and columns of the metastore that there are, and whether they may be read. @tables is a list of names.
-- name: shape
SELECT o.name AS table_name
     , c.name AS column_name
     , HAS_PERMS_BY_NAME(CONCAT(QUOTENAME(s.name), '.', QUOTENAME(o.name)), 'OBJECT', 'SELECT') AS readable
  FROM sys.objects AS o
  JOIN sys.schemas AS s ON s.schema_id = o.schema_id
  JOIN sys.columns AS c ON c.object_id = o.object_id
 WHERE o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.name, ','), @tables) > 0

-- name: metastore
SELECT CAST(v.[SCHEMA_VERSION] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS version
  FROM [VERSION] AS v
 ORDER BY v.[VER_ID]

-- name: databases
SELECT d.[DB_ID] AS id
     , CAST(d.[NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS name
     , CAST(d.[CTLG_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS catalog            -- since 300
     , NULL AS catalog                                                                     -- before 300
     , CAST(d.[DESC] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS comment
     , CAST(d.[DB_LOCATION_URI] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS location
     , CAST(d.[OWNER_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS owner
     , CAST(d.[DATACONNECTOR_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS connector -- since 400
     , NULL AS connector                                                                   -- before 400
     , COALESCE(n.relations, 0) AS relations
  FROM [DBS] AS d
  LEFT JOIN (SELECT t.[DB_ID] AS id, COUNT(*) AS relations FROM [TBLS] AS t GROUP BY t.[DB_ID]) AS n ON n.id = d.[DB_ID]
 ORDER BY d.[DB_ID]

-- name: database_parameters
SELECT p.[DB_ID] AS id
     , CAST(p.[PARAM_KEY] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS name
     , CAST(p.[PARAM_VALUE] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS value
  FROM [DATABASE_PARAMS] AS p
 ORDER BY p.[DB_ID]

-- A read is the union of the parts below, in this order.
-- name: in_order
ORDER BY table_id

-- A probe is this for each of the parts below. A sum does not mind the order. What statistics and times of change write into
-- the parameters moves without anybody changing a table.
-- name: count_and_hash
SELECT MAX(facts.part) AS part
     , COUNT(*) AS n
     , CAST(SUM(CAST(CAST(CAST(HASHBYTES('SHA2_256', CONCAT(
             facts.table_id, '/', facts.place, '/', facts.number, '/', facts.state, '/', facts.other, '/'
           , CASE WHEN facts.a IS NULL THEN '' ELSE CONCAT(LEN(CONCAT(facts.a, '.')), '/', facts.a) END, '/'
           , CASE WHEN facts.b IS NULL THEN '' ELSE CONCAT(LEN(CONCAT(facts.b, '.')), '/', facts.b) END, '/'
           , CASE WHEN facts.c IS NULL THEN '' ELSE CONCAT(LEN(CONCAT(facts.c, '.')), '/', facts.c) END, '/'
           , CASE WHEN facts.d IS NULL THEN '' ELSE CONCAT(LEN(CONCAT(facts.d, '.')), '/', facts.d) END, '/'
           , CASE WHEN facts.e IS NULL THEN '' ELSE CONCAT(LEN(CONCAT(facts.e, '.')), '/', facts.e) END
         )) AS binary(8)) AS bigint) AS decimal(38, 0)))
         AS nvarchar(60)) AS hash
  FROM part_of_a_relation AS facts
 WHERE facts.part <> 5 OR facts.a NOT IN (
       'transient_lastDdlTime', 'last_modified_by', 'last_modified_time', 'COLUMN_STATS_ACCURATE'
     , 'STATS_GENERATED', 'STATS_GENERATED_VIA_STATS_TASK', 'numRows', 'numFiles', 'numPartitions'
     , 'numFilesErasureCoded', 'totalSize', 'rawDataSize', 'spark.sql.statistics.numRows'
     , 'spark.sql.statistics.totalSize')

-- The parts of a relation. Each row has the id of its table, the number of its part, its place within, and what it says.
-- name: part_table
SELECT t.[TBL_ID] AS table_id
     , 0 AS part
     , CAST(t.[DB_ID] AS bigint) AS place
     , CAST(t.[CREATE_TIME] AS bigint) AS number
     , CAST(0 AS bigint) AS state
     , CAST(0 AS bigint) AS other
     , CAST(t.[TBL_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(t.[TBL_TYPE] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , CAST(t.[OWNER] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS c
     , CAST(NULL AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS d
     , CAST(NULL AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS e
  FROM [TBLS] AS t
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_storage
SELECT t.[TBL_ID] AS table_id
     , 1 AS part
     , 0 AS place
     , CAST(s.[NUM_BUCKETS] AS bigint) AS number
     , 0 AS state
     , 0 AS other
     , CAST(s.[INPUT_FORMAT] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(s.[OUTPUT_FORMAT] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , CAST(s.[LOCATION] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS c
     , CAST(r.[SLIB] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [SDS] AS s
    ON s.[SD_ID] = t.[SD_ID]
  LEFT JOIN [SERDES] AS r
    ON r.[SERDE_ID] = s.[SERDE_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_view
SELECT t.[TBL_ID] AS table_id
     , 2 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(t.[VIEW_ORIGINAL_TEXT] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(t.[VIEW_EXPANDED_TEXT] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0 AND t.[VIEW_ORIGINAL_TEXT] IS NOT NULL

-- name: part_column
SELECT t.[TBL_ID] AS table_id
     , 3 AS part
     , CAST(c.[INTEGER_IDX] AS bigint) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(c.[COLUMN_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(c.[TYPE_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , CAST(c.[COMMENT] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [SDS] AS s
    ON s.[SD_ID] = t.[SD_ID]
  JOIN [COLUMNS_V2] AS c
    ON c.[CD_ID] = s.[CD_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_partition_key
SELECT t.[TBL_ID] AS table_id
     , 4 AS part
     , CAST(p.[INTEGER_IDX] AS bigint) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(p.[PKEY_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(p.[PKEY_TYPE] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , CAST(p.[PKEY_COMMENT] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [PARTITION_KEYS] AS p
    ON p.[TBL_ID] = t.[TBL_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_parameter
SELECT t.[TBL_ID] AS table_id
     , 5 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(p.[PARAM_KEY] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(p.[PARAM_VALUE] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [TABLE_PARAMS] AS p
    ON p.[TBL_ID] = t.[TBL_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_serde_parameter
SELECT t.[TBL_ID] AS table_id
     , 6 AS part
     , 0 AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(p.[PARAM_KEY] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , CAST(p.[PARAM_VALUE] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [SDS] AS s
    ON s.[SD_ID] = t.[SD_ID]
  JOIN [SERDE_PARAMS] AS p
    ON p.[SERDE_ID] = s.[SERDE_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_bucket
SELECT t.[TBL_ID] AS table_id
     , 7 AS part
     , CAST(b.[INTEGER_IDX] AS bigint) AS place
     , 0 AS number
     , 0 AS state
     , 0 AS other
     , CAST(b.[BUCKET_COL_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , NULL AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [BUCKETING_COLS] AS b
    ON b.[SD_ID] = t.[SD_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_sort
SELECT t.[TBL_ID] AS table_id
     , 8 AS part
     , CAST(b.[INTEGER_IDX] AS bigint) AS place
     , CAST(b.[ORDER] AS bigint) AS number
     , 0 AS state
     , 0 AS other
     , CAST(b.[COLUMN_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , NULL AS b
     , NULL AS c
     , NULL AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [SORT_COLS] AS b
    ON b.[SD_ID] = t.[SD_ID]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_constraint
SELECT t.[TBL_ID] AS table_id
     , 9 AS part
     , CAST(k.[POSITION] AS bigint) AS place
     , CAST(k.[CONSTRAINT_TYPE] AS bigint) AS number
     , CAST(k.[ENABLE_VALIDATE_RELY] AS bigint) AS state
     , 0 AS other
     , CAST(k.[CONSTRAINT_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , COALESCE(CAST(c.[COLUMN_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , CAST(p.[PKEY_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT) AS b
     , NULL AS c
     , NULL AS d
     , CAST(k.[DEFAULT_VALUE] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS e              -- since 300
     , NULL AS e                                                                           -- before 300
  FROM [TBLS] AS t
  JOIN [KEY_CONSTRAINTS] AS k
    ON k.[PARENT_TBL_ID] = t.[TBL_ID] AND k.[CONSTRAINT_TYPE] <> 1
  LEFT JOIN [COLUMNS_V2] AS c
    ON c.[CD_ID] = k.[PARENT_CD_ID] AND c.[INTEGER_IDX] = k.[PARENT_INTEGER_IDX]
  LEFT JOIN [PARTITION_KEYS] AS p
    ON k.[PARENT_CD_ID] IS NULL AND p.[TBL_ID] = t.[TBL_ID] AND p.[INTEGER_IDX] = k.[PARENT_INTEGER_IDX]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- name: part_foreign_key
SELECT t.[TBL_ID] AS table_id
     , 9 AS part
     , CAST(k.[POSITION] AS bigint) AS place
     , CAST(k.[CONSTRAINT_TYPE] AS bigint) AS number
     , CAST(k.[ENABLE_VALIDATE_RELY] AS bigint) AS state
     , CAST(u.[DB_ID] AS bigint) AS other
     , CAST(k.[CONSTRAINT_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS a
     , COALESCE(CAST(c.[COLUMN_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , CAST(p.[PKEY_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT) AS b
     , CAST(u.[TBL_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS c
     , COALESCE(CAST(v.[COLUMN_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , CAST(w.[PKEY_NAME] AS nvarchar(max)) COLLATE DATABASE_DEFAULT) AS d
     , NULL AS e
  FROM [TBLS] AS t
  JOIN [KEY_CONSTRAINTS] AS k
    ON k.[CHILD_TBL_ID] = t.[TBL_ID] AND k.[CONSTRAINT_TYPE] = 1
  JOIN [TBLS] AS u
    ON u.[TBL_ID] = k.[PARENT_TBL_ID]
  LEFT JOIN [COLUMNS_V2] AS c
    ON c.[CD_ID] = k.[CHILD_CD_ID] AND c.[INTEGER_IDX] = k.[CHILD_INTEGER_IDX]
  LEFT JOIN [PARTITION_KEYS] AS p
    ON k.[CHILD_CD_ID] IS NULL AND p.[TBL_ID] = t.[TBL_ID] AND p.[INTEGER_IDX] = k.[CHILD_INTEGER_IDX]
  LEFT JOIN [COLUMNS_V2] AS v
    ON v.[CD_ID] = k.[PARENT_CD_ID] AND v.[INTEGER_IDX] = k.[PARENT_INTEGER_IDX]
  LEFT JOIN [PARTITION_KEYS] AS w
    ON k.[PARENT_CD_ID] IS NULL AND w.[TBL_ID] = u.[TBL_ID] AND w.[INTEGER_IDX] = k.[PARENT_INTEGER_IDX]
 WHERE CHARINDEX(CONCAT(',', t.[DB_ID], ','), @databases) > 0

-- The connection test only.
-- name: write_rights
SELECT o.name AS table_name
  FROM sys.objects AS o
  JOIN sys.schemas AS s ON s.schema_id = o.schema_id
 WHERE o.type = 'U' AND CHARINDEX(CONCAT(',', o.name, ','), @tables) > 0
   AND (HAS_PERMS_BY_NAME(CONCAT(QUOTENAME(s.name), '.', QUOTENAME(o.name)), 'OBJECT', 'INSERT') = 1
    OR HAS_PERMS_BY_NAME(CONCAT(QUOTENAME(s.name), '.', QUOTENAME(o.name)), 'OBJECT', 'UPDATE') = 1
    OR HAS_PERMS_BY_NAME(CONCAT(QUOTENAME(s.name), '.', QUOTENAME(o.name)), 'OBJECT', 'DELETE') = 1)
