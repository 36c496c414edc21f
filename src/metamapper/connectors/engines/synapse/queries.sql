-- Every statement a run sends to Azure Synapse. What ends in "_serverless" is for serverless pools, which have external tables
-- and views and no more; the others are for dedicated pools, or for both.
-- HAS_PERMS_BY_NAME does not exist here: rights are read from what was granted, to the user and to roles that the user is in
-- at first hand. "me" are their ids; 16384 is db_owner, 1 is dbo.
-- See https://learn.microsoft.com/en-us/azure/synapse-analytics/sql/overview-features.
-- Texts are given the database's collation: the catalog's own differ from column to column, and UNION mixes none that differ.
-- @schemas and @closed are lists of schema ids, ",1,5,".

-- name: server
WITH me AS
  (SELECT u.principal_id AS id FROM sys.database_principals AS u WHERE u.name IN (USER_NAME(), 'public')
   UNION ALL
   SELECT m.role_principal_id FROM sys.database_role_members AS m
     JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = USER_NAME())
SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version
     , CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition
     , CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition
     , DB_ID() AS database_id
     , DB_NAME() AS database_name
     , USER_NAME() AS user_name
     , CASE WHEN (SELECT COUNT(*) FROM me WHERE me.id IN (1, 16384)) > 0 THEN 1
            WHEN (SELECT COUNT(*) FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
                   WHERE p.class = 0 AND p.state = 'D' AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL')) > 0 THEN 0
            WHEN (SELECT COUNT(*) FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
                   WHERE p.class = 0 AND p.state IN ('G', 'W')
                     AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL')) > 0 THEN 1
            ELSE 0 END AS sees_everything
     , (SELECT COUNT(*) FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
         WHERE p.class = 1 AND p.state = 'D' AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL')) AS denied

-- The signature tells at the end of a read whether a schema is still what it was at its start.
-- name: scopes
WITH me AS
  (SELECT u.principal_id AS id FROM sys.database_principals AS u WHERE u.name IN (USER_NAME(), 'public')
   UNION ALL
   SELECT m.role_principal_id FROM sys.database_role_members AS m
     JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = USER_NAME())
   , rights AS
  (SELECT p.class, p.major_id, SUM(CASE WHEN p.state = 'D' THEN 1 ELSE 0 END) AS denied
     FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
    WHERE p.class IN (0, 3) AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL')
    GROUP BY p.class, p.major_id)
SELECT s.schema_id
     , s.name
     , CASE WHEN (SELECT COUNT(*) FROM me WHERE me.id IN (1, 16384, s.principal_id)) > 0 THEN 1
            WHEN r.denied > 0 OR w.denied > 0 THEN 0
            WHEN r.denied = 0 OR w.denied = 0 THEN 1 ELSE 0 END AS readable
     , CAST(NULL AS nvarchar(4000)) AS comment
     , ISNULL(o.relations, 0) AS relations
     , CAST(o.signature AS nvarchar(60)) AS signature
  FROM sys.schemas AS s
  LEFT JOIN rights AS w ON w.class = 0
  LEFT JOIN rights AS r ON r.class = 3 AND r.major_id = s.schema_id
  LEFT JOIN (SELECT x.schema_id
                  , SUM(CASE WHEN x.type IN ('U', 'V') THEN 1 ELSE 0 END) AS relations
                  , SUM(CAST(CAST(CAST(HASHBYTES('SHA2_256', CONCAT(x.object_id, '/', x.name, '/'
                      , CONVERT(nvarchar(30), x.modify_date, 126))) AS binary(8)) AS bigint) AS decimal(38, 0))) AS signature
               FROM sys.objects AS x WHERE x.is_ms_shipped = 0 GROUP BY x.schema_id) AS o ON o.schema_id = s.schema_id
 WHERE s.schema_id NOT IN (3, 4) AND s.schema_id NOT BETWEEN 16384 AND 16399
   AND (s.schema_id <> 2 OR o.relations > 0)
 ORDER BY s.schema_id

-- Counts and sums of hashes, so that order does not matter.
-- name: probe
SELECT h.part, COUNT(*) AS n
     , CAST(SUM(CAST(CAST(CAST(HASHBYTES('SHA2_256', h.facts) AS binary(8)) AS bigint) AS decimal(38, 0)))
         AS nvarchar(60)) AS hashes
  FROM (
    SELECT 'object' AS part
         , CONCAT(o.object_id, '/', o.schema_id, '/', o.parent_object_id, '/', o.name, '/'
             , CONVERT(nvarchar(30), o.modify_date, 126)) COLLATE DATABASE_DEFAULT AS facts
      FROM sys.objects AS o
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V', 'PK', 'UQ', 'D')
       AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'column'
         , CONCAT(c.object_id, '/', c.column_id, '/', c.name, '/', c.user_type_id, '/', c.max_length, '/', c.[precision], '/'
             , c.scale, '/', c.is_nullable, '/', c.is_identity, '/', c.default_object_id, '/', c.collation_name)
             COLLATE DATABASE_DEFAULT
      FROM sys.columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'index'
         , CONCAT(i.object_id, '/', i.index_id, '/', i.name, '/', i.type, '/', i.is_unique, '/', i.is_primary_key)
             COLLATE DATABASE_DEFAULT
      FROM sys.indexes AS i JOIN sys.objects AS o ON o.object_id = i.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'index column'
         , CONCAT(i.object_id, '/', i.index_id, '/', i.index_column_id, '/', i.column_id, '/', i.key_ordinal, '/'
             , i.is_descending_key, '/', i.is_included_column, '/', i.partition_ordinal) COLLATE DATABASE_DEFAULT
      FROM sys.index_columns AS i JOIN sys.objects AS o ON o.object_id = i.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'distribution', CONCAT(d.object_id, '/', d.distribution_policy) COLLATE DATABASE_DEFAULT
      FROM sys.pdw_table_distribution_properties AS d
    UNION ALL
    SELECT 'distribution column'
         , CONCAT(d.object_id, '/', d.column_id, '/', d.distribution_ordinal) COLLATE DATABASE_DEFAULT
      FROM sys.pdw_column_distribution_properties AS d
  ) AS h
 GROUP BY h.part
 ORDER BY h.part

-- name: probe_serverless
SELECT h.part, COUNT(*) AS n
     , CAST(SUM(CAST(CAST(CAST(HASHBYTES('SHA2_256', h.facts) AS binary(8)) AS bigint) AS decimal(38, 0)))
         AS nvarchar(60)) AS hashes
  FROM (
    SELECT 'object' AS part
         , CONCAT(o.object_id, '/', o.schema_id, '/', o.parent_object_id, '/', o.name, '/'
             , CONVERT(nvarchar(30), o.modify_date, 126)) COLLATE DATABASE_DEFAULT AS facts
      FROM sys.objects AS o
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V', 'PK', 'UQ', 'D')
       AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'column'
         , CONCAT(c.object_id, '/', c.column_id, '/', c.name, '/', c.user_type_id, '/', c.max_length, '/', c.[precision], '/'
             , c.scale, '/', c.is_nullable, '/', c.is_identity, '/', c.default_object_id, '/', c.collation_name)
             COLLATE DATABASE_DEFAULT
      FROM sys.columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
  ) AS h
 GROUP BY h.part
 ORDER BY h.part

-- One row for each relation and for all that belongs to it; see payload.py for what texts and numbers mean.
-- name: relations
WITH me AS
  (SELECT u.principal_id AS id FROM sys.database_principals AS u WHERE u.name IN (USER_NAME(), 'public')
   UNION ALL
   SELECT m.role_principal_id FROM sys.database_role_members AS m
     JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = USER_NAME())
   , o AS
  (SELECT x.object_id, x.schema_id, x.name, x.type, s.name AS schema_name
     FROM sys.objects AS x
     JOIN sys.schemas AS s ON s.schema_id = x.schema_id
    WHERE x.type IN ('U', 'V') AND x.is_ms_shipped = 0 AND CHARINDEX(CONCAT(',', x.schema_id, ','), @schemas) > 0
      AND (CHARINDEX(CONCAT(',', x.schema_id, ','), @closed) = 0
        OR x.object_id IN (SELECT p.major_id FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
                            WHERE p.class = 1 AND p.state IN ('G', 'W')
                              AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL'))))
SELECT r.object_id, r.part, r.id, r.place, r.name, r.text1, r.text2, r.text3, r.comment
     , r.number1, r.number2, r.number3, r.number4, r.number5
  FROM (
    SELECT o.object_id, 0 AS part, o.object_id AS id, 0 AS place
         , CAST(o.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT AS name
         , CAST(o.schema_name AS nvarchar(128)) COLLATE DATABASE_DEFAULT AS text1
         , CAST(m.definition AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS text2
         , CAST(e.location AS nvarchar(4000)) COLLATE DATABASE_DEFAULT AS text3
         , CAST(NULL AS nvarchar(4000)) COLLATE DATABASE_DEFAULT AS comment
         , CAST(CASE WHEN o.type = 'V' THEN CASE WHEN k.object_id IS NULL THEN 1 ELSE 2 END
                     WHEN e.object_id IS NOT NULL THEN 3
                     WHEN g.data_space_id IS NOT NULL THEN 4 ELSE 0 END AS bigint) AS number1
         , CAST(NULL AS bigint) AS number2, CAST(NULL AS bigint) AS number3, CAST(NULL AS bigint) AS number4
         , CAST(CASE WHEN o.type = 'V' AND m.definition IS NULL THEN 2 ELSE 0 END AS bigint) AS number5
      FROM o
      LEFT JOIN sys.external_tables AS e ON e.object_id = o.object_id
      LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id AND o.type = 'V'
      LEFT JOIN sys.indexes AS k ON k.object_id = o.object_id AND k.index_id IN (0, 1)
      LEFT JOIN sys.partition_schemes AS g ON g.data_space_id = k.data_space_id
    UNION ALL
    SELECT c.object_id, 1, c.column_id, c.column_id
         , CAST(c.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(t.name AS nvarchar(300)) COLLATE DATABASE_DEFAULT
         , CAST(d.definition AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , CAST(CONCAT('/', NULLIF(c.collation_name, CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))))
             AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , NULL
         , c.max_length, c.[precision], c.scale
         , CASE WHEN c.is_nullable = 1 THEN 1 ELSE 0 END + CASE WHEN c.is_identity = 1 THEN 2 ELSE 0 END
             + CASE WHEN c.is_masked = 1 THEN 64 ELSE 0 END
         , NULL
      FROM o
      JOIN sys.columns AS c ON c.object_id = o.object_id
      JOIN sys.types AS t ON t.user_type_id = c.user_type_id
      LEFT JOIN sys.default_constraints AS d ON d.object_id = c.default_object_id
    UNION ALL
    SELECT i.object_id, 2, i.index_id, 0
         , CAST(i.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , NULL, NULL, NULL, NULL
         , i.type
         , CASE WHEN i.is_unique = 1 THEN 1 ELSE 0 END + CASE WHEN i.is_primary_key = 1 THEN 2 ELSE 0 END
         , NULL, NULL, NULL
      FROM o
      JOIN sys.indexes AS i ON i.object_id = o.object_id AND i.type > 0
    UNION ALL
    SELECT i.object_id, 3, i.index_id, i.index_column_id
         , CAST(c.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , NULL, NULL, NULL, NULL
         , i.key_ordinal
         , CASE WHEN i.is_descending_key = 1 THEN 1 ELSE 0 END + CASE WHEN i.is_included_column = 1 THEN 2 ELSE 0 END
         , i.partition_ordinal, NULL, NULL
      FROM o
      JOIN sys.index_columns AS i ON i.object_id = o.object_id
      JOIN sys.columns AS c ON c.object_id = i.object_id AND c.column_id = i.column_id
    UNION ALL
    SELECT k.parent_object_id, 4, k.object_id, 0
         , CAST(k.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , NULL, NULL, NULL, NULL
         , CASE WHEN k.type = 'PK' THEN 0 ELSE 1 END, k.unique_index_id, 0, NULL, NULL
      FROM o
      JOIN sys.key_constraints AS k ON k.parent_object_id = o.object_id
    UNION ALL
    SELECT d.object_id, 8, 0, 0, 'distribution'
         , CASE d.distribution_policy WHEN 2 THEN 'hash' WHEN 3 THEN 'replicate' WHEN 4 THEN 'round robin' ELSE 'other' END
         , NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM o
      JOIN sys.pdw_table_distribution_properties AS d ON d.object_id = o.object_id
    UNION ALL
    SELECT d.object_id, 8, 1, d.distribution_ordinal, 'distribution_key'
         , CAST(c.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM o
      JOIN sys.pdw_column_distribution_properties AS d ON d.object_id = o.object_id AND d.distribution_ordinal > 0
      JOIN sys.columns AS c ON c.object_id = d.object_id AND c.column_id = d.column_id
  ) AS r
 ORDER BY r.object_id, r.part, r.id, r.place

-- name: relations_serverless
WITH me AS
  (SELECT u.principal_id AS id FROM sys.database_principals AS u WHERE u.name IN (USER_NAME(), 'public')
   UNION ALL
   SELECT m.role_principal_id FROM sys.database_role_members AS m
     JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = USER_NAME())
   , o AS
  (SELECT x.object_id, x.schema_id, x.name, x.type, s.name AS schema_name
     FROM sys.objects AS x
     JOIN sys.schemas AS s ON s.schema_id = x.schema_id
    WHERE x.type IN ('U', 'V') AND x.is_ms_shipped = 0 AND CHARINDEX(CONCAT(',', x.schema_id, ','), @schemas) > 0
      AND (CHARINDEX(CONCAT(',', x.schema_id, ','), @closed) = 0
        OR x.object_id IN (SELECT p.major_id FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
                            WHERE p.class = 1 AND p.state IN ('G', 'W')
                              AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL'))))
SELECT r.object_id, r.part, r.id, r.place, r.name, r.text1, r.text2, r.text3, r.comment
     , r.number1, r.number2, r.number3, r.number4, r.number5
  FROM (
    SELECT o.object_id, 0 AS part, o.object_id AS id, 0 AS place
         , CAST(o.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT AS name
         , CAST(o.schema_name AS nvarchar(128)) COLLATE DATABASE_DEFAULT AS text1
         , CAST(m.definition AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS text2
         , CAST(e.location AS nvarchar(4000)) COLLATE DATABASE_DEFAULT AS text3
         , CAST(NULL AS nvarchar(4000)) COLLATE DATABASE_DEFAULT AS comment
         , CAST(CASE WHEN o.type = 'V' THEN 1 ELSE 3 END AS bigint) AS number1
         , CAST(NULL AS bigint) AS number2, CAST(NULL AS bigint) AS number3, CAST(NULL AS bigint) AS number4
         , CAST(CASE WHEN o.type = 'V' AND m.definition IS NULL THEN 2 ELSE 0 END AS bigint) AS number5
      FROM o
      LEFT JOIN sys.external_tables AS e ON e.object_id = o.object_id
      LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id AND o.type = 'V'
    UNION ALL
    SELECT c.object_id, 1, c.column_id, c.column_id
         , CAST(c.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(t.name AS nvarchar(300)) COLLATE DATABASE_DEFAULT
         , NULL
         , CAST(CONCAT('/', NULLIF(c.collation_name, CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))))
             AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , NULL
         , c.max_length, c.[precision], c.scale
         , CASE WHEN c.is_nullable = 1 THEN 1 ELSE 0 END + CASE WHEN c.is_identity = 1 THEN 2 ELSE 0 END
             + CASE WHEN c.is_masked = 1 THEN 64 ELSE 0 END
         , NULL
      FROM o
      JOIN sys.columns AS c ON c.object_id = o.object_id
      JOIN sys.types AS t ON t.user_type_id = c.user_type_id
  ) AS r
 ORDER BY r.object_id, r.part, r.id, r.place

-- The connection test only.
-- name: catalog_rights
WITH me AS
  (SELECT u.principal_id AS id FROM sys.database_principals AS u WHERE u.name IN (USER_NAME(), 'public')
   UNION ALL
   SELECT m.role_principal_id FROM sys.database_role_members AS m
     JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = USER_NAME())
SELECT v.name
     , CASE WHEN v.object_id IN (SELECT p.major_id FROM sys.database_permissions AS p
                                   JOIN me ON me.id = p.grantee_principal_id
                                  WHERE p.class = 1 AND p.state = 'D' AND p.permission_name IN ('SELECT', 'CONTROL'))
            THEN 0 ELSE 1 END AS readable
  FROM sys.system_views AS v
 WHERE v.schema_id = 4 AND CHARINDEX(CONCAT(',', v.name, ','), @names) > 0

-- 16387 and 16391 are db_ddladmin and db_datawriter.
-- name: write_rights
WITH me AS
  (SELECT u.principal_id AS id FROM sys.database_principals AS u WHERE u.name IN (USER_NAME(), 'public')
   UNION ALL
   SELECT m.role_principal_id FROM sys.database_role_members AS m
     JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = USER_NAME())
SELECT (SELECT COUNT(*) FROM me WHERE me.id IN (1, 16384)) AS administrator
     , (SELECT COUNT(*) FROM me WHERE me.id = 16387)
     + (SELECT COUNT(*) FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
         WHERE p.state IN ('G', 'W') AND p.permission_name IN ('ALTER', 'CONTROL')) AS alters
     , (SELECT COUNT(*) FROM me WHERE me.id = 16391)
     + (SELECT COUNT(*) FROM sys.database_permissions AS p JOIN me ON me.id = p.grantee_principal_id
         WHERE p.state IN ('G', 'W') AND p.permission_name IN ('INSERT', 'UPDATE', 'DELETE')) AS writes
