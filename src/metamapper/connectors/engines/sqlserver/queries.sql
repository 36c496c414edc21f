-- Every statement a run sends to SQL Server. A line that ends in "since N" or "before N" is sent only to those servers; N is
-- the first number of the version, 13 for 2016; Azure counts as the newest.
-- Texts are given the database's collation: the catalog's own differ from column to column, and UNION mixes none that differ.
-- @schemas and @closed are lists of schema ids, ",1,5,".

-- name: prepare
SET DEADLOCK_PRIORITY LOW;
SET LOCK_TIMEOUT 15000

-- name: server
SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version
     , CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition
     , CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition
     , DB_ID() AS database_id
     , DB_NAME() AS database_name
     , USER_NAME() AS user_name
     , HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'VIEW DEFINITION') AS sees_everything
     , (SELECT COUNT(*) FROM sys.database_permissions AS p
         WHERE p.class = 1 AND p.state = 'D' AND p.permission_name IN ('VIEW DEFINITION', 'CONTROL')
           AND (p.grantee_principal_id = DATABASE_PRINCIPAL_ID() OR IS_MEMBER(USER_NAME(p.grantee_principal_id)) = 1))
         AS denied

-- Schemas of fixed roles, and of guest unless something is in it, hold nothing. The signature tells at the end of a read
-- whether a schema is still what it was at its start.
-- name: scopes
SELECT s.schema_id
     , s.name
     , HAS_PERMS_BY_NAME(QUOTENAME(s.name), 'SCHEMA', 'VIEW DEFINITION') AS readable
     , CAST(p.value AS nvarchar(4000)) AS comment
     , ISNULL(o.relations, 0) AS relations
     , CAST(o.signature AS nvarchar(60)) AS signature
  FROM sys.schemas AS s
  LEFT JOIN sys.extended_properties AS p
    ON p.class = 3 AND p.major_id = s.schema_id AND p.minor_id = 0 AND p.name = 'MS_Description'
  LEFT JOIN (SELECT x.schema_id
                  , SUM(CASE WHEN x.type IN ('U', 'V') THEN 1 ELSE 0 END) AS relations
                  , SUM(CAST(CAST(CAST(HASHBYTES('SHA2_256', CONCAT(x.object_id, '/', x.name, '/'
                      , CONVERT(nvarchar(30), x.modify_date, 126))) AS binary(8)) AS bigint) AS decimal(38, 0))) AS signature
               FROM sys.objects AS x WHERE x.is_ms_shipped = 0 GROUP BY x.schema_id) AS o ON o.schema_id = s.schema_id
 WHERE s.schema_id NOT IN (3, 4) AND s.schema_id NOT BETWEEN 16384 AND 16399
   AND (s.schema_id <> 2 OR o.relations > 0)
 ORDER BY s.schema_id

-- Counts and sums of hashes, so that order does not matter. sys.objects.modify_date moves with every ALTER, and with making
-- an index; what it may not move with is hashed itself.
-- name: probe
SELECT h.part, COUNT(*) AS n
     , CAST(SUM(CAST(CAST(CAST(HASHBYTES('SHA2_256', h.facts) AS binary(8)) AS bigint) AS decimal(38, 0)))
         AS nvarchar(60)) AS hashes
  FROM (
    SELECT 'object' AS part
         , CONCAT(o.object_id, '/', o.schema_id, '/', o.parent_object_id, '/', o.name, '/'
             , CONVERT(nvarchar(30), o.modify_date, 126)) COLLATE DATABASE_DEFAULT AS facts
      FROM sys.objects AS o
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V', 'PK', 'UQ', 'F', 'C', 'D')
       AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'column'
         , CONCAT(c.object_id, '/', c.column_id, '/', c.name, '/', c.user_type_id, '/', c.max_length, '/', c.[precision], '/'
             , c.scale, '/', c.is_nullable, '/', c.is_identity, '/', c.is_computed, '/', c.default_object_id, '/'
             , c.collation_name) COLLATE DATABASE_DEFAULT
      FROM sys.columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'index'
         , CONCAT(i.object_id, '/', i.index_id, '/', i.name, '/', i.type, '/', i.is_unique, '/', i.is_primary_key, '/'
             , i.is_disabled, '/', i.filter_definition) COLLATE DATABASE_DEFAULT
      FROM sys.indexes AS i JOIN sys.objects AS o ON o.object_id = i.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'index column'
         , CONCAT(i.object_id, '/', i.index_id, '/', i.index_column_id, '/', i.column_id, '/', i.key_ordinal, '/'
             , i.is_descending_key, '/', i.is_included_column, '/', i.partition_ordinal) COLLATE DATABASE_DEFAULT
      FROM sys.index_columns AS i JOIN sys.objects AS o ON o.object_id = i.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V') AND CHARINDEX(CONCAT(',', o.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'foreign key', CONCAT(f.object_id, '/', f.is_disabled, '/', f.is_not_trusted) COLLATE DATABASE_DEFAULT
      FROM sys.foreign_keys AS f WHERE CHARINDEX(CONCAT(',', f.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'referred to'
         , CONCAT(f.object_id, '/', s.name, '/', o.name, '/', k.constraint_column_id, '/', c.name) COLLATE DATABASE_DEFAULT
      FROM sys.foreign_keys AS f
      JOIN sys.foreign_key_columns AS k ON k.constraint_object_id = f.object_id
      JOIN sys.objects AS o ON o.object_id = f.referenced_object_id
      JOIN sys.schemas AS s ON s.schema_id = o.schema_id
      JOIN sys.columns AS c ON c.object_id = k.referenced_object_id AND c.column_id = k.referenced_column_id
     WHERE CHARINDEX(CONCAT(',', f.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'check', CONCAT(k.object_id, '/', k.is_disabled, '/', k.is_not_trusted) COLLATE DATABASE_DEFAULT
      FROM sys.check_constraints AS k WHERE CHARINDEX(CONCAT(',', k.schema_id, ','), @schemas) > 0
    UNION ALL
    SELECT 'comment'
         , CONCAT(p.class, '/', p.major_id, '/', p.minor_id, '/', CAST(p.value AS nvarchar(4000))) COLLATE DATABASE_DEFAULT
      FROM sys.extended_properties AS p WHERE p.name = 'MS_Description' AND p.class IN (1, 3, 7)
    UNION ALL
    SELECT 'type'
         , CONCAT(t.user_type_id, '/', t.schema_id, '/', t.name, '/', t.system_type_id, '/', t.max_length)
             COLLATE DATABASE_DEFAULT
      FROM sys.types AS t WHERE t.is_user_defined = 1
  ) AS h
 GROUP BY h.part
 ORDER BY h.part

-- One row for each relation and for all that belongs to it, those of a relation together: "part" says what a row is, and with
-- it what its texts and numbers mean (see payload.py). One statement, for a session of TDS can read one answer at a time.
-- name: relations
WITH o AS
  (SELECT x.object_id, x.schema_id, x.name, x.type, s.name AS schema_name
     FROM sys.objects AS x
     JOIN sys.schemas AS s ON s.schema_id = x.schema_id
    WHERE x.type IN ('U', 'V') AND x.is_ms_shipped = 0 AND CHARINDEX(CONCAT(',', x.schema_id, ','), @schemas) > 0
      AND (CHARINDEX(CONCAT(',', x.schema_id, ','), @closed) = 0
        OR HAS_PERMS_BY_NAME(CONCAT(QUOTENAME(s.name), '.', QUOTENAME(x.name)), 'OBJECT', 'VIEW DEFINITION') = 1))
SELECT r.object_id, r.part, r.id, r.place, r.name, r.text1, r.text2, r.text3, r.comment
     , r.number1, r.number2, r.number3, r.number4, r.number5
  FROM (
    SELECT o.object_id, 0 AS part, o.object_id AS id, 0 AS place
         , CAST(o.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT AS name
         , CAST(o.schema_name AS nvarchar(128)) COLLATE DATABASE_DEFAULT AS text1
         , CAST(m.definition AS nvarchar(max)) COLLATE DATABASE_DEFAULT AS text2
         , CAST(CASE WHEN t.history_table_id IS NULL THEN e.location ELSE
             CONCAT(OBJECT_SCHEMA_NAME(t.history_table_id), '.', OBJECT_NAME(t.history_table_id)) END
             AS nvarchar(4000)) COLLATE DATABASE_DEFAULT AS text3
         , CAST(p.value AS nvarchar(4000)) COLLATE DATABASE_DEFAULT AS comment
         , CAST(CASE WHEN o.type = 'V' THEN CASE WHEN k.object_id IS NULL THEN 1 ELSE 2 END
                     WHEN t.is_external = 1 THEN 3
                     WHEN g.data_space_id IS NOT NULL THEN 4 ELSE 0 END AS bigint) AS number1
         , CAST(CASE WHEN t.is_external = 1 THEN NULL ELSE n.n_rows END AS bigint) AS number2
         , CAST(n.pages AS bigint) AS number3
         , CAST(t.temporal_type AS bigint) AS number4
         , CAST(CASE WHEN t.is_memory_optimized = 1 THEN 1 ELSE 0 END
              + CASE WHEN o.type = 'V' AND m.definition IS NULL THEN 2 ELSE 0 END AS bigint) AS number5
      FROM o
      LEFT JOIN sys.tables AS t ON t.object_id = o.object_id
      LEFT JOIN sys.external_tables AS e ON e.object_id = o.object_id
      LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id AND o.type = 'V'
      LEFT JOIN sys.indexes AS k ON k.object_id = o.object_id AND k.index_id IN (0, 1)
      LEFT JOIN sys.partition_schemes AS g ON g.data_space_id = k.data_space_id
      LEFT JOIN sys.extended_properties AS p
        ON p.class = 1 AND p.major_id = o.object_id AND p.minor_id = 0 AND p.name = 'MS_Description'
      LEFT JOIN (SELECT z.object_id, SUM(CASE WHEN z.index_id IN (0, 1) THEN z.rows ELSE 0 END) AS n_rows
                      , SUM(a.pages) AS pages
                   FROM sys.partitions AS z
                   LEFT JOIN (SELECT u.container_id, SUM(u.total_pages) AS pages
                                FROM sys.allocation_units AS u GROUP BY u.container_id) AS a
                     ON a.container_id = z.partition_id
                  GROUP BY z.object_id) AS n ON n.object_id = o.object_id
    UNION ALL
    SELECT c.object_id, 1, c.column_id, c.column_id
         , CAST(c.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(CASE WHEN t.is_user_defined = 1 THEN CONCAT(ts.name, '.', t.name) ELSE t.name END
             AS nvarchar(300)) COLLATE DATABASE_DEFAULT
         , CAST(ISNULL(k.definition, d.definition) AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , CAST(CONCAT(CASE WHEN t.is_user_defined = 1 AND t.is_assembly_type = 0 THEN b.name END, '/'
             , NULLIF(c.collation_name, CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))))
             AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , CAST(p.value AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , c.max_length, c.[precision], c.scale
         , CASE WHEN c.is_nullable = 1 THEN 1 ELSE 0 END + CASE WHEN c.is_identity = 1 THEN 2 ELSE 0 END
             + CASE WHEN c.is_computed = 1 THEN 4 ELSE 0 END + CASE WHEN k.is_persisted = 1 THEN 8 ELSE 0 END
             + CASE WHEN c.is_hidden = 1 THEN 16 ELSE 0 END + CASE WHEN c.is_sparse = 1 THEN 32 ELSE 0 END
             + CASE WHEN c.is_masked = 1 THEN 64 ELSE 0 END
             + CASE WHEN c.encryption_type IS NULL THEN 0 ELSE 128 END
         , c.generated_always_type
      FROM o
      JOIN sys.columns AS c ON c.object_id = o.object_id
      JOIN sys.types AS t ON t.user_type_id = c.user_type_id
      JOIN sys.schemas AS ts ON ts.schema_id = t.schema_id
      LEFT JOIN sys.types AS b ON b.user_type_id = t.system_type_id
      LEFT JOIN sys.computed_columns AS k ON k.object_id = c.object_id AND k.column_id = c.column_id
      LEFT JOIN sys.default_constraints AS d ON d.object_id = c.default_object_id
      LEFT JOIN sys.extended_properties AS p
        ON p.class = 1 AND p.major_id = c.object_id AND p.minor_id = c.column_id AND p.name = 'MS_Description'
    UNION ALL
    SELECT i.object_id, 2, i.index_id, 0
         , CAST(i.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(i.filter_definition AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , NULL, NULL
         , CAST(p.value AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , i.type
         , CASE WHEN i.is_unique = 1 THEN 1 ELSE 0 END + CASE WHEN i.is_primary_key = 1 THEN 2 ELSE 0 END
             + CASE WHEN i.is_disabled = 1 THEN 4 ELSE 0 END
         , NULL, NULL, NULL
      FROM o
      JOIN sys.indexes AS i ON i.object_id = o.object_id AND i.type > 0 AND i.is_hypothetical = 0
      LEFT JOIN sys.extended_properties AS p
        ON p.class = 7 AND p.major_id = i.object_id AND p.minor_id = i.index_id AND p.name = 'MS_Description'
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
         , NULL, NULL, NULL
         , CAST(p.value AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , CASE WHEN k.type = 'PK' THEN 0 ELSE 1 END, k.unique_index_id, 1, NULL, NULL
      FROM o
      JOIN sys.key_constraints AS k ON k.parent_object_id = o.object_id
      LEFT JOIN sys.extended_properties AS p
        ON p.class = 1 AND p.major_id = k.object_id AND p.minor_id = 0 AND p.name = 'MS_Description'
    UNION ALL
    SELECT k.parent_object_id, 5, k.object_id, 0
         , CAST(k.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(rs.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(r.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , NULL
         , CAST(p.value AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , k.update_referential_action, k.delete_referential_action
         , CASE WHEN k.is_disabled = 1 THEN 1 ELSE 0 END + CASE WHEN k.is_not_trusted = 1 THEN 2 ELSE 0 END, NULL, NULL
      FROM o
      JOIN sys.foreign_keys AS k ON k.parent_object_id = o.object_id
      LEFT JOIN sys.objects AS r ON r.object_id = k.referenced_object_id
      LEFT JOIN sys.schemas AS rs ON rs.schema_id = r.schema_id
      LEFT JOIN sys.extended_properties AS p
        ON p.class = 1 AND p.major_id = k.object_id AND p.minor_id = 0 AND p.name = 'MS_Description'
    UNION ALL
    SELECT k.parent_object_id, 6, k.constraint_object_id, k.constraint_column_id
         , CAST(c.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(r.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM o
      JOIN sys.foreign_key_columns AS k ON k.parent_object_id = o.object_id
      JOIN sys.columns AS c ON c.object_id = k.parent_object_id AND c.column_id = k.parent_column_id
      LEFT JOIN sys.columns AS r ON r.object_id = k.referenced_object_id AND r.column_id = k.referenced_column_id
    UNION ALL
    SELECT k.parent_object_id, 7, k.object_id, 0
         , CAST(k.name AS nvarchar(128)) COLLATE DATABASE_DEFAULT
         , CAST(k.definition AS nvarchar(max)) COLLATE DATABASE_DEFAULT
         , NULL, NULL
         , CAST(p.value AS nvarchar(4000)) COLLATE DATABASE_DEFAULT
         , CASE WHEN k.is_disabled = 1 THEN 1 ELSE 0 END + CASE WHEN k.is_not_trusted = 1 THEN 2 ELSE 0 END
         , NULL, NULL, NULL, NULL
      FROM o
      JOIN sys.check_constraints AS k ON k.parent_object_id = o.object_id
      LEFT JOIN sys.extended_properties AS p
        ON p.class = 1 AND p.major_id = k.object_id AND p.minor_id = 0 AND p.name = 'MS_Description'
  ) AS r
 ORDER BY r.object_id, r.part, r.id, r.place

-- The connection test only.
-- name: catalog_rights
SELECT v.name, HAS_PERMS_BY_NAME(CONCAT('sys.', v.name), 'OBJECT', 'SELECT') AS readable
  FROM sys.system_views AS v
 WHERE v.schema_id = 4 AND CHARINDEX(CONCAT(',', v.name, ','), @names) > 0

-- name: write_rights
SELECT IS_SRVROLEMEMBER('sysadmin') AS administrator
     , HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), 'DATABASE', 'ALTER') AS alters
     , (SELECT COUNT(*) FROM sys.schemas AS s
         WHERE s.schema_id NOT IN (3, 4)
           AND (HAS_PERMS_BY_NAME(QUOTENAME(s.name), 'SCHEMA', 'INSERT') = 1
             OR HAS_PERMS_BY_NAME(QUOTENAME(s.name), 'SCHEMA', 'UPDATE') = 1
             OR HAS_PERMS_BY_NAME(QUOTENAME(s.name), 'SCHEMA', 'DELETE') = 1))
     + (SELECT COUNT(*) FROM sys.database_permissions AS p
         WHERE p.class = 1 AND p.state IN ('G', 'W') AND p.permission_name IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'CONTROL')
           AND (p.grantee_principal_id = DATABASE_PRINCIPAL_ID() OR IS_MEMBER(USER_NAME(p.grantee_principal_id)) = 1)) AS writes
