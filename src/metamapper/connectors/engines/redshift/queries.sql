-- Every statement a run sends to Redshift. Its leader node speaks PostgreSQL 8.0: no FILTER, no WITH ORDINALITY, no JSON,
-- and LISTAGG and its like refuse catalog tables. So rows come as they are, one UNION of what belongs to a relation, and
-- are gathered here. A "(:name)" is replaced by as many placeholders as there are values.

-- Outside of the transaction: settings that a rollback would take back.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SET_CONFIG.html
-- name: prepare
SELECT set_config('search_path', 'pg_catalog', false) AS search_path
     , set_config('statement_timeout', %s, false) AS statement_timeout
     , pg_catalog.version() AS version
     , current_user AS role
     , current_database() AS database
     , CASE WHEN has_table_privilege('pg_catalog.svv_table_info', 'SELECT') THEN 1 ELSE 0 END AS tells_sizes

-- Redshift isolates every transaction as the database says, SERIALIZABLE or SNAPSHOT, whatever level one asks for.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html
-- name: begin
BEGIN READ ONLY

-- name: end
ROLLBACK

-- 2615 and 1259 are the ids of pg_namespace and pg_class in every PostgreSQL.
-- name: scopes
SELECT CAST(n.oid AS bigint) AS oid
     , n.nspname AS name
     , CASE WHEN has_schema_privilege(n.oid, 'USAGE') THEN 1 ELSE 0 END AS usable
     , CASE WHEN e.esoid IS NULL THEN 0 ELSE 1 END AS is_external
     , d.description AS comment
     , COALESCE(r.relations, 0) AS relations
     , COALESCE(r.views, 0) AS views
  FROM pg_catalog.pg_namespace n
  LEFT JOIN pg_catalog.svv_external_schemas e ON e.esoid = n.oid
  LEFT JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.classoid = 2615 AND d.objsubid = 0
  LEFT JOIN (SELECT relnamespace, count(*) AS relations, sum(CASE WHEN relkind = 'v' THEN 1 ELSE 0 END) AS views
               FROM pg_catalog.pg_class
              WHERE relkind IN ('r', 'v', 'm') AND relname !~ '^mv_tbl__.*__[0-9]+$'
              GROUP BY relnamespace) r ON r.relnamespace = n.oid
 WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'catalog_history')
 ORDER BY n.nspname

-- What there is, with a measure of how much each has to say. A materialized view keeps its rows in a table of this name.
-- name: relation_sizes
SELECT CAST(c.oid AS bigint) AS oid, c.relnatts
  FROM pg_catalog.pg_class c
 WHERE c.relkind IN ('r', 'v', 'm') AND c.relname !~ '^mv_tbl__.*__[0-9]+$' AND c.relnamespace IN (:schemas)
 ORDER BY c.oid

-- One row a part: 0 the relation, 1 columns, 2 defaults, 3 comments by column (0 is the relation's own), 4 constraints,
-- 5 what a foreign key points to, 6 names of columns there, 7 comments on constraints.
-- Of a distribution style above 8 Redshift chooses, and changes its mind as a table grows: that is no change.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_PG_CLASS_INFO.html
-- A description belongs to a column by its number: joined to its type, every column of one type would have it.
-- name: relations
SELECT CAST(c.oid AS bigint) AS relation, 0 AS part, CAST(c.relnamespace AS bigint) AS number
     , CASE WHEN c.reldiststyle > 8 THEN 9 ELSE CAST(c.reldiststyle AS integer) END AS i1, CAST(c.reltuples AS bigint) AS i2, 0 AS i3
     , CAST(c.relname AS text) AS t1
     , CASE c.relkind WHEN 'v' THEN 'v' WHEN 'm' THEN 'm' ELSE 'r' END AS t2
     , CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS t3
     , CAST(NULL AS text) AS t4
  FROM pg_catalog.pg_class c
 WHERE c.relkind IN ('r', 'v', 'm') AND c.relname !~ '^mv_tbl__.*__[0-9]+$' AND c.relnamespace IN (:schemas)
   AND c.oid >= %s AND c.oid <= %s
UNION ALL
SELECT CAST(a.attrelid AS bigint), 1, CAST(a.attnum AS bigint)
     , CASE WHEN a.attnotnull THEN 1 ELSE 0 END, CASE WHEN a.attisdistkey THEN 1 ELSE 0 END, CAST(a.attsortkeyord AS integer)
     , CAST(a.attname AS text), format_type(a.atttypid, a.atttypmod)
     , CAST(pg_catalog.format_encoding(CAST(a.attencodingtype AS integer)) AS text), NULL
  FROM pg_catalog.pg_attribute a
 WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid >= %s AND a.attrelid <= %s
   AND a.attrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
UNION ALL
SELECT CAST(f.adrelid AS bigint), 2, CAST(f.adnum AS bigint), 0, 0, 0, pg_get_expr(f.adbin, f.adrelid), NULL, NULL, NULL
  FROM pg_catalog.pg_attrdef f
 WHERE f.adrelid >= %s AND f.adrelid <= %s
   AND f.adrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
UNION ALL
SELECT CAST(d.objoid AS bigint), 3, CAST(d.objsubid AS bigint), 0, 0, 0, d.description, NULL, NULL, NULL
  FROM pg_catalog.pg_description d
 WHERE d.classoid = 1259 AND d.objoid >= %s AND d.objoid <= %s
   AND d.objoid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
UNION ALL
SELECT CAST(k.conrelid AS bigint), 4, CAST(k.oid AS bigint), 0, 0, 0
     , CAST(k.conname AS text), CASE k.contype WHEN 'p' THEN 'p' WHEN 'u' THEN 'u' ELSE 'f' END
     , array_to_string(k.conkey, ','), pg_get_constraintdef(k.oid)
  FROM pg_catalog.pg_constraint k
 WHERE k.contype IN ('p', 'u', 'f') AND k.conrelid >= %s AND k.conrelid <= %s
   AND k.conrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
UNION ALL
SELECT CAST(k.conrelid AS bigint), 5, CAST(k.oid AS bigint), 0, 0, 0
     , CAST(n.nspname AS text), CAST(c.relname AS text), array_to_string(k.confkey, ','), NULL
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.conrelid >= %s AND k.conrelid <= %s
   AND k.conrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
UNION ALL
SELECT CAST(k.conrelid AS bigint), 6, CAST(k.oid AS bigint), CAST(a.attnum AS integer), 0, 0, CAST(a.attname AS text)
     , NULL, NULL, NULL
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)
 WHERE k.contype = 'f' AND k.conrelid >= %s AND k.conrelid <= %s
   AND k.conrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
UNION ALL
SELECT CAST(k.conrelid AS bigint), 7, CAST(k.oid AS bigint), 0, 0, 0, d.description, NULL, NULL, NULL
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_description d ON d.objoid = k.oid AND d.classoid = 2606 AND d.objsubid = 0
 WHERE k.conrelid >= %s AND k.conrelid <= %s
   AND k.conrelid IN (SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (:schemas))
 ORDER BY 1, 2, 3, 4

-- A view WITH NO SCHEMA BINDING has no rows in pg_attribute. The function works every one of them out, so it is asked once.
-- https://docs.aws.amazon.com/redshift/latest/dg/PG_GET_LATE_BINDING_VIEW_COLS.html
-- name: late_binding_columns
SELECT CAST(c.oid AS bigint) AS relation, l.col_num, l.col_name, l.col_type
  FROM pg_catalog.pg_get_late_binding_view_cols()
         l (view_schema name, view_name name, col_name name, col_type varchar, col_num int)
  JOIN pg_catalog.pg_namespace n ON n.nspname = l.view_schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = l.view_name
 WHERE n.oid IN (:schemas)
 ORDER BY 1, 2

-- Rows, and megabytes, as the cluster last counted them. Tables without rows are not in it.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html
-- name: sizes
SELECT CAST(table_id AS bigint) AS relation, CAST(tbl_rows AS bigint) AS row_count, CAST(size AS bigint) AS megabytes
  FROM pg_catalog.svv_table_info
 ORDER BY 1

-- One schema at a time: the driver holds a whole answer in memory, and a catalog that cannot be reached spoils one only.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_TABLES.html and r_SVV_EXTERNAL_COLUMNS.html
-- name: external
SELECT CAST(t.tablename AS text) AS relation, 0 AS part, 0 AS number, 0 AS part_key
     , CAST(t.tabletype AS text) AS t1, CAST(t.location AS text) AS t2, CAST(t.input_format AS text) AS t3
     , CAST(t.serialization_lib AS text) AS t4, CAST(t.parameters AS text) AS t5
  FROM pg_catalog.svv_external_tables t
 WHERE t.schemaname = %s
UNION ALL
SELECT CAST(x.tablename AS text), 1, CAST(x.columnnum AS integer), CAST(x.part_key AS integer)
     , CAST(x.columnname AS text), CAST(x.external_type AS text), CAST(x.is_nullable AS text), NULL, NULL
  FROM pg_catalog.svv_external_columns x
 WHERE x.schemaname = %s
 ORDER BY 1, 2, 3

-- The connection test only.
-- name: catalog_rights
SELECT c.relname AS name, CASE WHEN has_table_privilege(c.oid, 'SELECT') THEN 1 ELSE 0 END AS readable
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'pg_catalog' AND c.relname IN (:names)
 ORDER BY c.relname

-- name: write_rights
SELECT (SELECT count(*) FROM pg_catalog.pg_user u WHERE u.usename = current_user AND u.usesuper) AS superuser
     , (SELECT count(*)
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND has_schema_privilege(n.oid, 'USAGE')
           AND (has_table_privilege(c.oid, 'INSERT') OR has_table_privilege(c.oid, 'UPDATE')
             OR has_table_privilege(c.oid, 'DELETE'))) AS writable
     , (SELECT count(*)
          FROM pg_catalog.pg_namespace n
         WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')) AS creates
