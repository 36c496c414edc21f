-- Every statement a run sends to Oracle. "sys.dba_" becomes "sys.all_" where the user may not see the dictionary.
-- "IN (:owners)" is spelled out, a thousand at a time. All that belongs to a relation comes in the order of its object's
-- id, so that it can be read side by side; a LONG (defaults, texts of views and checks) may stand in no ORDER BY.
-- Oracle Database Reference, "Static Data Dictionary Views".

-- Numbers and dates as text look the same whatever the database is set to.
-- name: prepare
ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY

-- The name as the dictionary has it, in capitals unless it was made in quotes.
-- name: user
SELECT USER AS username FROM dual

-- One view of all statements that follow: whatever is done to the dictionary meanwhile.
-- name: begin
SET TRANSACTION READ ONLY

-- Fails where one of them may not be seen; then what is granted object by object is read.
-- name: dictionary
SELECT COUNT(*) AS n
  FROM sys.dba_users, sys.dba_objects, sys.dba_tables, sys.dba_external_tables, sys.dba_tab_cols
     , sys.dba_tab_identity_cols, sys.dba_views, sys.dba_mviews, sys.dba_mview_comments, sys.dba_constraints
     , sys.dba_cons_columns, sys.dba_indexes, sys.dba_ind_columns, sys.dba_ind_expressions, sys.dba_tab_comments
     , sys.dba_col_comments, sys.dba_part_tables, sys.dba_part_key_columns
 WHERE 1 = 0

-- name: scopes
SELECT u.username, u.user_id, COALESCE(o.relations, 0) AS relations
  FROM sys.dba_users u
  LEFT JOIN (SELECT owner, COUNT(*) AS relations
               FROM sys.dba_objects
              WHERE object_type IN ('TABLE', 'VIEW') AND secondary = 'N' AND object_name NOT LIKE 'BIN$%'
              GROUP BY owner) o ON o.owner = u.username
 WHERE u.oracle_maintained = 'N'
 ORDER BY u.username

-- A change of anything moves the time of its last DDL; comments are counted by themselves, for they may not.
-- name: probe
SELECT (SELECT COUNT(*) || '/' || SUM(object_id) || '/' || MAX(TO_CHAR(last_ddl_time, 'YYYY-MM-DD HH24:MI:SS')) || '/'
            || SUM(ORA_HASH(object_id || '/' || object_name || '/' || TO_CHAR(last_ddl_time, 'YYYY-MM-DD HH24:MI:SS')))
          FROM sys.dba_objects
         WHERE owner IN (:owners) AND object_type IN ('TABLE', 'VIEW', 'INDEX', 'MATERIALIZED VIEW', 'TYPE')) AS objects
     , (SELECT COUNT(*) || '/' || SUM(ORA_HASH(owner || '/' || table_name || '/' || comments))
          FROM sys.dba_tab_comments WHERE owner IN (:owners) AND comments IS NOT NULL) AS table_comments
     , (SELECT COUNT(*) || '/' || SUM(ORA_HASH(owner || '/' || table_name || '/' || column_name || '/' || comments))
          FROM sys.dba_col_comments WHERE owner IN (:owners) AND comments IS NOT NULL) AS column_comments
     , (SELECT MAX(TO_CHAR(last_ddl_time, 'YYYY-MM-DD HH24:MI:SS'))
          FROM sys.dba_objects WHERE owner IN (:owners)) AS latest
     , TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') AS now
  FROM dual

-- Not what keeps something else: rows of nested tables, overflow of index-organized ones, what a domain index makes, the
-- recycle bin.
-- name: objects
SELECT o.object_id, o.owner, o.object_name, o.object_type
     , t.partitioned, t.temporary, t.iot_type, t.cluster_name, t.compression
     , CASE WHEN e.table_name IS NULL THEN 'NO' ELSE 'YES' END AS is_external
     , t.num_rows, t.avg_row_len
  FROM sys.dba_objects o
  LEFT JOIN sys.dba_tables t ON t.owner = o.owner AND t.table_name = o.object_name AND o.object_type = 'TABLE'
  LEFT JOIN sys.dba_external_tables e
    ON e.owner = o.owner AND e.table_name = o.object_name AND o.object_type = 'TABLE'
 WHERE o.owner IN (:owners) AND o.object_type IN ('TABLE', 'VIEW') AND o.secondary = 'N'
   AND o.object_name NOT LIKE 'BIN$%'
   AND COALESCE(t.nested, 'NO') = 'NO' AND COALESCE(t.iot_type, 'IOT') = 'IOT'
 ORDER BY o.object_id

-- name: views
SELECT o.object_id, v.text
  FROM sys.dba_views v
  JOIN sys.dba_objects o ON o.owner = v.owner AND o.object_name = v.view_name AND o.object_type = 'VIEW'
 WHERE o.owner IN (:owners)
 ORDER BY o.object_id

-- A materialized view is an object beside the table of its rows, which has its name; comments are on the former.
-- name: materialized_views
SELECT o.object_id, m.refresh_mode, m.refresh_method, k.comments, m.query
  FROM sys.dba_mviews m
  JOIN sys.dba_objects o ON o.owner = m.owner AND o.object_name = m.mview_name AND o.object_type = 'TABLE'
  LEFT JOIN sys.dba_mview_comments k ON k.owner = m.owner AND k.mview_name = m.mview_name
 WHERE o.owner IN (:owners)
 ORDER BY o.object_id

-- name: columns
SELECT o.object_id, c.column_id, c.column_name, c.data_type, c.data_type_owner, c.data_length, c.char_length, c.char_used
     , c.data_precision, c.data_scale, c.nullable, c.virtual_column, c.identity_column, c.data_default
  FROM sys.dba_tab_cols c
  JOIN sys.dba_objects o ON o.owner = c.owner AND o.object_name = c.table_name AND o.object_type IN ('TABLE', 'VIEW')
 WHERE o.owner IN (:owners) AND c.hidden_column = 'NO'
 ORDER BY o.object_id, c.column_id

-- name: identities
SELECT o.object_id, i.column_name, i.generation_type
  FROM sys.dba_tab_identity_cols i
  JOIN sys.dba_objects o ON o.owner = i.owner AND o.object_name = i.table_name AND o.object_type = 'TABLE'
 WHERE o.owner IN (:owners)
 ORDER BY o.object_id

-- name: constraints
SELECT o.object_id, k.constraint_name, k.constraint_type, k.delete_rule, k.status, k.deferrable, k.validated
     , k.index_name, k.search_condition
  FROM sys.dba_constraints k
  JOIN sys.dba_objects o ON o.owner = k.owner AND o.object_name = k.table_name AND o.object_type IN ('TABLE', 'VIEW')
 WHERE o.owner IN (:owners) AND k.constraint_type IN ('P', 'U', 'R', 'C')
 ORDER BY o.object_id, k.constraint_name

-- name: constraint_columns
SELECT o.object_id, k.constraint_name, k.column_name
  FROM sys.dba_cons_columns k
  JOIN sys.dba_objects o ON o.owner = k.owner AND o.object_name = k.table_name AND o.object_type IN ('TABLE', 'VIEW')
 WHERE o.owner IN (:owners) AND k.position IS NOT NULL
 ORDER BY o.object_id, k.constraint_name, k.position

-- name: references
SELECT o.object_id, k.constraint_name, r.owner, r.table_name, r.column_name
  FROM sys.dba_constraints k
  JOIN sys.dba_objects o ON o.owner = k.owner AND o.object_name = k.table_name AND o.object_type IN ('TABLE', 'VIEW')
  JOIN sys.dba_cons_columns r ON r.owner = k.r_owner AND r.constraint_name = k.r_constraint_name
 WHERE o.owner IN (:owners) AND k.constraint_type = 'R'
 ORDER BY o.object_id, k.constraint_name, r.position

-- name: indexes
SELECT o.object_id, i.owner, i.index_name, i.index_type, i.uniqueness, i.visibility, i.status, i.partitioned
  FROM sys.dba_indexes i
  JOIN sys.dba_objects o ON o.owner = i.table_owner AND o.object_name = i.table_name AND o.object_type = 'TABLE'
 WHERE o.owner IN (:owners) AND i.index_type <> 'LOB' AND COALESCE(i.dropped, 'NO') = 'NO'
 ORDER BY o.object_id, i.owner, i.index_name

-- name: index_columns
SELECT o.object_id, c.index_owner, c.index_name, c.column_position, c.column_name, c.descend
  FROM sys.dba_ind_columns c
  JOIN sys.dba_objects o ON o.owner = c.table_owner AND o.object_name = c.table_name AND o.object_type = 'TABLE'
 WHERE o.owner IN (:owners)
 ORDER BY o.object_id, c.index_owner, c.index_name, c.column_position

-- name: index_expressions
SELECT o.object_id, x.index_owner, x.index_name, x.column_position, x.column_expression
  FROM sys.dba_ind_expressions x
  JOIN sys.dba_objects o ON o.owner = x.table_owner AND o.object_name = x.table_name AND o.object_type = 'TABLE'
 WHERE o.owner IN (:owners)
 ORDER BY o.object_id, x.index_owner, x.index_name, x.column_position

-- name: comments
SELECT o.object_id, k.comments
  FROM sys.dba_tab_comments k
  JOIN sys.dba_objects o ON o.owner = k.owner AND o.object_name = k.table_name AND o.object_type IN ('TABLE', 'VIEW')
 WHERE o.owner IN (:owners) AND k.comments IS NOT NULL
 ORDER BY o.object_id

-- name: column_comments
SELECT o.object_id, k.column_name, k.comments
  FROM sys.dba_col_comments k
  JOIN sys.dba_objects o ON o.owner = k.owner AND o.object_name = k.table_name AND o.object_type IN ('TABLE', 'VIEW')
 WHERE o.owner IN (:owners) AND k.comments IS NOT NULL
 ORDER BY o.object_id

-- name: partition_keys
SELECT o.object_id, p.partitioning_type, c.column_name
  FROM sys.dba_part_tables p
  JOIN sys.dba_objects o ON o.owner = p.owner AND o.object_name = p.table_name AND o.object_type = 'TABLE'
  JOIN sys.dba_part_key_columns c ON c.owner = p.owner AND c.name = p.table_name AND c.object_type = 'TABLE'
 WHERE o.owner IN (:owners)
 ORDER BY o.object_id, c.column_position

-- The connection test only.
-- name: write_rights
SELECT (SELECT COUNT(*) FROM sys.session_privs
         WHERE privilege IN ('INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE', 'ALTER ANY TABLE', 'DROP ANY TABLE',
                             'CREATE ANY TABLE')
       ) AS any_table
     , (SELECT COUNT(*) FROM sys.user_tab_privs
         WHERE privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER') AND grantee = USER)
     + (SELECT COUNT(*) FROM sys.user_col_privs WHERE privilege IN ('INSERT', 'UPDATE') AND grantee = USER)
     + (SELECT COUNT(*) FROM sys.role_tab_privs WHERE privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER')) AS granted
     , (SELECT COUNT(*) FROM sys.user_tables)
     + (SELECT COUNT(*) FROM sys.session_privs WHERE privilege = 'CREATE TABLE') AS owned
  FROM dual
